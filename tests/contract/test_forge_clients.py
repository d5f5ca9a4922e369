"""PyGithub and python-gitlab, written by others, read the sandbox and count what our collectors count."""

import asyncio
from datetime import UTC, datetime

import pytest
from tests.contract.collector_run import month, run, total

from bsc_monitor.sandbox import start

github = pytest.importorskip("github")
gitlab = pytest.importorskip("gitlab")

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
MAY = month("2026-05")


@pytest.fixture
async def sandbox():
    running = await start(now=lambda: NOW)
    yield running
    await running.stop()


def inside(at):
    return MAY.start <= at.astimezone(UTC) < MAY.end


async def test_pygithub_counts_the_deployments_builds_and_reviews_that_the_collector_counts(sandbox):
    def read():
        with github.Github(
            base_url=sandbox.github_url, auth=github.Auth.Token("demo"), per_page=100, seconds_between_requests=0
        ) as client:
            repository = client.get_repo("acme/shop")
            live: dict[str, datetime] = {}
            for deployment in repository.get_deployments(environment="production"):
                good = [s.created_at for s in deployment.get_statuses() if s.state == "success"]
                if good:
                    live[deployment.sha] = min(good[0], live.get(deployment.sha, good[0]))
            runs = [r for r in repository.get_workflow_runs() if r.conclusion and inside(r.updated_at)]
            issues = list(repository.get_issues(state="all", labels=["incident"]))
            some = next(p for p in repository.get_pulls(state="closed") if p.merged_at)
            commits = repository.compare(*sorted(live, key=live.__getitem__)[:2]).commits
            return live, [r.conclusion for r in runs], len(issues), list(some.get_reviews()), list(commits)

    live, outcomes, incidents, reviews, commits = await asyncio.to_thread(read)
    config, which = {"url": sandbox.github_url, "token": "demo"}, {"repositories": ["acme/shop"]}
    frequency = total(await run("github", config, "deployment_frequency", MAY, now=NOW, **which))
    success = total(await run("github", config, "build_success_rate", MAY, now=NOW, **which))

    assert frequency.samples == sum(map(inside, live.values())) > 10
    assert success.numerator == outcomes.count("success")
    assert success.denominator == outcomes.count("success") + outcomes.count("failure") > 50
    assert incidents > 5
    assert reviews
    assert commits


async def test_python_gitlab_counts_the_deployments_pipelines_and_merge_requests_that_the_collector_counts(sandbox):
    def read():
        client = gitlab.Gitlab(sandbox.gitlab_url, private_token="demo")
        client.auth()
        project = client.projects.get("acme/warehouse")
        live: dict[str, datetime] = {}
        for deployment in project.deployments.list(iterator=True, environment="production", status="success"):
            at = datetime.fromisoformat(deployment.deployable["finished_at"])
            live[deployment.sha] = min(at, live.get(deployment.sha, at))
        pipelines = [
            p.status for p in project.pipelines.list(iterator=True) if inside(datetime.fromisoformat(p.updated_at))
        ]
        requests = project.mergerequests.list(iterator=True, state="merged")
        merged = sum(inside(datetime.fromisoformat(request.merged_at)) for request in requests)
        issues = project.issues.list(
            labels=["incident"], get_all=True, order_by="updated_at", pagination="keyset", per_page=7
        )
        return live, pipelines, merged, len(issues)

    live, pipelines, merged, incidents = await asyncio.to_thread(read)
    config, which = {"url": sandbox.gitlab_url, "token": "demo"}, {"repositories": ["acme/warehouse"]}
    frequency = total(await run("gitlab", config, "deployment_frequency", MAY, now=NOW, **which))
    success = total(await run("gitlab", config, "build_success_rate", MAY, now=NOW, **which))
    review = total(await run("gitlab", config, "review_time", MAY, now=NOW, until="merge", **which))

    assert frequency.samples == sum(map(inside, live.values())) > 3
    assert (success.numerator, success.denominator) == (
        pipelines.count("success"), pipelines.count("success") + pipelines.count("failed"),
    )  # fmt: skip
    assert review.samples == merged > 5
    assert incidents > 7  # more than one page by key


async def test_the_clients_understand_a_refusal(sandbox):
    def ask():
        with pytest.raises(github.BadCredentialsException):
            github.Github(base_url=sandbox.github_url, auth=github.Auth.Token("no"), retry=None).get_repo("acme/shop")
        with pytest.raises(gitlab.GitlabAuthenticationError):
            gitlab.Gitlab(sandbox.gitlab_url, private_token="no").auth()

    await asyncio.to_thread(ask)
