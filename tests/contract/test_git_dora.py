"""The DORA measures of the ``git`` collector on a made-up clone, against values computed by hand."""

import os
import subprocess

import pytest
from tests.contract.collector_run import month, run, total

MAY = month("2026-05")


@pytest.fixture(scope="module")
def clone(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clone")

    def git(*arguments, authored="2026-04-01T00:00:00Z", committed=None):
        environment = {
            "PATH": os.environ["PATH"], "HOME": str(folder), "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b",
            "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@b", "GIT_AUTHOR_DATE": authored,
            "GIT_COMMITTER_DATE": committed or authored,
        }  # fmt: skip
        subprocess.run(["git", "-C", str(folder), *arguments], env=environment, check=True, capture_output=True)

    def commit(name, authored, committed=None):
        (folder / name).write_text(name)
        git("add", name)
        git("commit", "-m", name, authored=authored, committed=committed)

    def tag(name, at, of="HEAD", message=None):
        git("tag", "-a", name, "-m", message or name, of, authored=at)

    git("init", "-b", "main")
    commit("one", "2026-04-01T00:00:00Z")
    tag("v1", "2026-04-02T00:00:00Z")
    git("checkout", "-b", "side")
    commit("two", "2026-05-01T00:00:00Z", committed="2026-05-01T20:00:00Z")  # rebased: authored 48 h before its release
    git("checkout", "main")
    commit("three", "2026-05-02T12:00:00Z")  # 12 h
    git("merge", "--no-ff", "-m", "Merge side", "side", authored="2026-05-02T13:00:00Z")
    tag("v2", "2026-05-03T00:00:00Z")
    commit("four", "2026-05-03T02:00:00Z")  # 4 h
    tag("v2.1", "2026-05-03T06:00:00Z", message="Hotfix of v2")
    tag("v2.1-again", "2026-05-04T00:00:00Z", of="v2.1^{}")  # the same commit released again
    commit("five", "2026-05-10T00:00:00Z")  # 24 h
    tag("v3", "2026-05-11T00:00:00Z")
    tag("v3-back", "2026-05-11T02:00:00Z", of="v2.1^{}")  # back to the release before
    tag("nightly", "2026-05-12T00:00:00Z")
    return folder


@pytest.mark.parametrize(
    ("measure", "params", "expected"),
    [
        ("deployment_frequency", {}, 3 / 31),  # v2, v2.1, v3
        ("change_lead_time", {"statistic": "mean"}, (48 + 12 + 4 + 24) / 4),
        ("change_lead_time", {}, 18),
        ("change_fail_rate", {}, 2 / 3),  # v2 by the hotfix, v3 by the way back
        ("change_fail_rate", {"hours": 5}, 1 / 3),
        ("failed_deployment_recovery_time", {"statistic": "mean"}, (6 + 2) / 2),
        ("deployment_rework_rate", {}, 2 / 4),
        ("releases", {}, 5),
    ],
)
async def test_releases_are_measured_as_deployments(clone, measure, params, expected):
    assert total(await run("git", {"path": clone}, measure, MAY, **params)).value == pytest.approx(expected)


async def test_the_very_first_release_has_no_lead_time(clone):
    reading = total(await run("git", {"path": clone}, "change_lead_time", month("2026-04")))

    assert reading.value is None
    assert "not known" in reading.note
