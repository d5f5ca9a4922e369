"""The DORA measures on a few deployments and incidents, against values computed by hand."""

from datetime import UTC, datetime, timedelta

import pytest

from bsc_monitor.kit import dora
from bsc_monitor.kit.delivery import HOTFIX, Commit, Delivery, FailureRule
from bsc_monitor.plugin import ReadingState, Window

MAY = Window(datetime(2026, 5, 1, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC))
RULE = FailureRule()


def at(day, hour=0.0):
    """An hour of a day of May (0: the last of April)."""
    return datetime(2026, 4, 30, tzinfo=UTC) + timedelta(days=day, hours=hour)


def deployment(sha, live, text="Release", commits=(), repository="a/b"):
    changed = live or at(1)
    return Delivery(
        key=f"{repository} {sha} {changed}", kind="deployment", repository=repository, changed=changed, at=live, sha=sha,
        text=text, commits=commits,
    )  # fmt: skip


def incident(began, ended=None, names=(), repository="a/b"):
    return Delivery(
        key=f"{repository} incident {began}", kind="incident", repository=repository, changed=began, at=began, ended=ended,
        names=names,
    )  # fmt: skip


def commit(sha, authored, started=None):
    return Commit(sha=sha, authored=authored, started=started)


def fail_rate(*records, **rule):
    reading = dora.fail_rate(records, MAY, FailureRule(**rule))
    return reading.numerator, reading.denominator


def test_frequency_counts_each_commit_once_and_no_rollback_and_nothing_that_never_went_live():
    records = [
        deployment("one", at(1)), deployment("one", at(2)),  # again
        deployment("two", at(3)), deployment("one", at(4)),  # back
        deployment("two", at(5)),  # and forth
        deployment("bad", None), deployment("old", at(0, 23)), deployment("new", at(32)),  # before and after the period
        deployment("one", at(1), repository="a/c"),  # another repository's commit of that name
    ]  # fmt: skip

    reading = dora.frequency(records, MAY, HOTFIX)

    assert (reading.value, reading.numerator, reading.denominator) == (pytest.approx(3 / 31), 3, 31)


def test_the_open_period_is_divided_by_its_days_so_far():
    reading = dora.frequency([deployment("one", at(1))], Window(MAY.start, at(5, 12)), HOTFIX)

    assert reading.value == pytest.approx(1 / 4.5)


def test_no_deployment_is_a_frequency_of_zero_and_no_lead_time_at_all():
    assert dora.frequency([], MAY, HOTFIX).value == 0
    reading = dora.lead_time([], MAY, HOTFIX, "median")
    assert (reading.value, reading.state) == (None, ReadingState.NO_DATA)


def test_lead_time_runs_from_authoring_to_the_first_rollout_that_contains_the_commit():
    records = [
        deployment("r0", at(0), commits=None),
        deployment("r1", at(2), commits=(commit("a", at(1)), commit("b", at(1, 12)))),  # 24 h, 12 h
        deployment("r1", at(3), commits=(commit("a", at(1)),)),  # redeployed: nothing new
        deployment("r2", at(4), commits=(commit("b", at(1, 12)), commit("c", at(3, 18)))),  # b was there already; 6 h
        deployment("r3", None, commits=(commit("d", at(1)),)),  # never went live: unknown, not zero
        deployment("r4", at(5), commits=(commit("e", at(6)),)),  # a clock that is wrong: 0
        deployment("r5", at(33), commits=(commit("f", at(1)),)),  # of June
    ]

    assert dora.lead_time(records, MAY, HOTFIX, "median").value == 9  # of 0 6 12 24
    reading = dora.lead_time(records, MAY, HOTFIX, "mean")
    assert (reading.value, reading.samples, reading.note) == (10.5, 4, None)


def test_changes_of_a_deployment_without_predecessor_are_unknown_and_that_is_said():
    reading = dora.lead_time([deployment("r0", at(2), commits=None)], MAY, HOTFIX, "mean")

    assert reading.value is None
    assert reading.note == "the changes of 1 deployments are not known and were left out"


def test_a_squash_merge_can_be_timed_from_the_first_commit_of_its_pull_request():
    records = [deployment("r1", at(3), commits=(commit("a", at(2, 23), started=at(1)),))]

    assert dora.lead_time(records, MAY, HOTFIX, "mean").value == 48


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        ([deployment("a", at(1)), deployment("b", at(2))], (0, 2)),
        ([deployment("a", at(1)), deployment("b", at(1, 20), "Hotfix: repair")], (1, 2)),
        ([deployment("a", at(1)), deployment("b", at(2, 1), "Hotfix: repair")], (0, 2)),  # 25 h later
        ([deployment("a", at(1)), deployment("b", at(2)), deployment("a", at(2, 3))], (1, 2)),  # b was rolled back
        ([deployment("a", at(1)), deployment("b", at(1, 1)), deployment("c", at(1, 2), "hotfix")], (1, 3)),  # b's, not a's
        ([deployment("a", at(1)), incident(at(1, 23))], (1, 1)),
        ([deployment("a", at(1)), incident(at(22))], (0, 1)),  # a hardware fault three weeks later
        ([deployment("a", at(1)), incident(at(22), names=("a",))], (1, 1)),  # unless it says so
        ([deployment("a", at(1)), deployment("b", at(1, 5)), incident(at(1, 6), names=("a",))], (1, 2)),
        ([deployment("a", at(1)), incident(at(1, 1)), incident(at(1, 2))], (1, 1)),  # two incidents, one failure
        ([deployment("a", at(1)), incident(at(0, 20))], (0, 1)),  # before it
        ([deployment("a", at(1)), incident(at(1, 1), repository="a/c")], (0, 1)),  # of another repository
        ([deployment("a", at(1)), deployment("b", at(2)), deployment("a", at(2, 1)), incident(at(2, 2))], (1, 2)),  # after a rollback
        ([deployment("a", at(31, 20)), incident(at(32, 5))], (1, 1)),  # May's deployment fails in June
        ([], (None, None)),
    ],
)  # fmt: skip
def test_a_deployment_failed_when_a_repair_or_an_incident_followed_within_a_day(records, expected):
    assert fail_rate(*records) == expected


def test_the_rule_of_failure_can_be_changed():
    records = [deployment("abc", at(1)), incident(at(1, 3)), deployment("def", at(9)), incident(at(10), names=("de",))]

    assert fail_rate(*records) == (2, 2)
    assert fail_rate(*records, hours=2) == (1, 2)
    assert fail_rate(*records, link="named") == (1, 2)
    assert fail_rate(deployment("a", at(1)), deployment("b", at(1, 1), "REPARATUR 7"), hotfix="REPARATUR") == (1, 2)


def recovery(*records):
    return dora.recovery_time(records, MAY, RULE, "mean")


def test_recovery_ends_with_the_incident_or_the_repair_whichever_comes_first():
    first = recovery(deployment("a", at(1)), incident(at(1, 2), at(1, 7)), deployment("b", at(1, 6), "hotfix"))
    second = recovery(deployment("a", at(1)), incident(at(1, 2), at(1, 5)), deployment("b", at(1, 6), "hotfix"))
    third = recovery(deployment("a", at(1)), deployment("b", at(2)), deployment("a", at(2, 3)))

    assert [reading.value for reading in (first, second, third)] == [4, 3, 3]


def test_recovery_counts_in_the_period_in_which_it_happened_and_says_what_is_still_broken():
    reading = recovery(
        deployment("a", at(0, 22)), incident(at(0, 23), at(1, 1)),  # failed in April, restored in May
        deployment("b", at(10)), incident(at(10, 1)),  # still broken
        deployment("c", at(31, 20)), incident(at(31, 21), at(32, 21)),  # restored in June
    )  # fmt: skip

    assert (reading.value, reading.samples) == (2, 1)
    assert reading.note == "2 failures were not restored at the period's end"


def test_rework_is_the_share_of_hotfixes_and_rollbacks():
    records = [
        deployment("a", at(1)), deployment("b", at(2)), deployment("a", at(3)), deployment("c", at(4), "revert it"),
        deployment("d", at(5)), deployment("d", at(6), "hotfix"),
    ]  # fmt: skip

    reading = dora.rework_rate(records, MAY, HOTFIX)

    assert (reading.numerator, reading.denominator) == (2, 5)
