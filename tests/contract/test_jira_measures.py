"""Every measure of the Jira collector on a few issues, against values computed by hand, on Cloud and on Data Center."""

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from tests.contract.collector_run import month, parts, run, total
from tests.contract.jira_site import NOW, POINTS, SPRINT, Served, ask, at, issue, site, sprint

from bsc_monitor.model.status import ReadingState
from bsc_monitor.plugin import SourceError
from bsc_monitor.sandbox.jira.fields import (
    EPIC_LINK,
    FIRST_RESPONSE,
    FOUND_IN,
    RESOLUTION,
    SATISFACTION,
    SATISFACTION_DATE,
)

MAY = month("2026-05")


@pytest.fixture(params=["cloud", "server"])
def side(request):
    return request.param


PLAIN = issue(
    1, "2026-05-01 08:00", ("2026-05-04 09:00", "doing"), ("2026-05-05 15:00", "done")
)  # cycle 30 h, lead 103 h
REOPENED = issue(  # in progress 10 h, done for 24 h, then 5 h more: cycle 15 h, lead 2 + 15 h
    2, "2026-05-11 06:00", ("2026-05-11 08:00", "doing"), ("2026-05-11 18:00", "done"), ("2026-05-12 18:00", "doing"),
    ("2026-05-12 23:00", "done"),
)  # fmt: skip
SKIPPED = issue(3, "2026-05-20 10:00", ("2026-05-21 10:00", "done"))  # never in progress; lead 24 h
CLOSED_LATER = issue(  # done in April, closed in May: finished in April, for done to done is no entry
    4, "2026-04-01 10:00", ("2026-04-02 10:00", "doing"), ("2026-04-03 10:00", "done"), ("2026-05-03 10:00", "closed")
)
OPEN_AGAIN = issue(  # done and open again at the end of May: not finished
    5, "2026-05-02 10:00", ("2026-05-03 10:00", "doing"), ("2026-05-10 10:00", "done"), ("2026-05-30 10:00", "doing")
)
NEXT_MONTH = issue(6, "2026-05-02 10:00", ("2026-05-29 12:00", "review"), ("2026-06-01 00:00", "done"))
SUBTASK = issue(7, "2026-05-02 10:00", ("2026-05-03 10:00", "doing"), ("2026-05-04 10:00", "done"), kind="Sub-task")
UNTOUCHED = issue(8, "2026-05-31 23:59")
LATER = issue(9, "2026-06-01 00:00")
ELSEWHERE = issue(10, "2026-05-02 10:00", ("2026-05-04 10:00", "done"), project="OPS")
ALL = (PLAIN, REOPENED, SKIPPED, CLOSED_LATER, OPEN_AGAIN, NEXT_MONTH, SUBTASK, UNTOUCHED, LATER, ELSEWHERE)


async def test_throughput_counts_the_last_entry_into_done_of_what_is_done_at_the_end(side):
    reading = await ask(site(*ALL), "throughput", MAY, side)

    assert reading.value == 3  # plain, reopened, skipped
    assert reading.period == MAY
    query = parse_qs(urlsplit(reading.evidence).query)["jql"]
    assert query == ["key in (PAY-1, PAY-2, PAY-3)"]


async def test_throughput_of_sub_tasks_of_some_types_and_by_other_words_for_done(side):
    assert (await ask(site(*ALL), "throughput", MAY, side, subtasks=True)).value == 4
    assert (await ask(site(*ALL), "throughput", MAY, side, types=["13"], subtasks=True)).value == 1
    assert (await ask(site(*ALL), "throughput", MAY, side, types=["Bug"])).value == 0
    assert (await ask(site(*ALL), "throughput", MAY, side, done=["Closed"])).value == 1


async def test_work_in_progress_is_what_it_was_then_not_what_it_is_now(side):
    made = site(*ALL)

    assert (await ask(made, "wip", MAY, side)).value == 2  # open again, next month
    assert (await ask(made, "backlog", MAY, side)).value == 1  # untouched; the later one did not exist
    assert (await ask(made, "wip", month("2026-06"), side)).value == 1


async def test_the_age_of_work_does_not_count_the_time_it_was_done(side):
    ages = [28.583333 - 20, 2.5]  # from the 3rd 10:00 to the end, 20 days of them done; from the 29th 12:00

    reading = await ask(site(*ALL), "wip_age", MAY, side)

    assert reading.value == pytest.approx(sum(ages) / 2, abs=1e-4)
    assert reading.samples == 2


async def test_cycle_time_stops_while_done_and_leaves_out_what_skipped_in_progress(side):
    made = site(*ALL)

    reading = await ask(made, "cycle_time", MAY, side)
    with_skipped = await ask(made, "cycle_time", MAY, side, include_skipped=True, statistic="mean")

    assert reading.value == (30 + 15) / 2
    assert reading.note == "1 issue never in progress left out"
    assert with_skipped.value == (30 + 15 + 0) / 3


async def test_lead_time_runs_from_creation(side):
    reading = await ask(site(*ALL), "lead_time", MAY, side, statistic="mean")

    assert reading.value == pytest.approx((103 + 17 + 24) / 3)
    assert (await ask(site(*ALL), "lead_time", MAY, side)).value == 24


async def test_business_hours_are_those_of_the_calendar_in_its_zone(side):
    # Friday 16:00 to Monday 10:00 in Berlin (UTC+2): one hour on Friday, one on Monday
    weekend = issue(1, "2026-05-08 06:00", ("2026-05-08 14:00", "doing"), ("2026-05-11 08:00", "done"))

    in_berlin = await ask(site(weekend), "cycle_time", MAY, side, business=True, zone="Europe/Berlin")
    elapsed = await ask(site(weekend), "cycle_time", MAY, side)

    assert in_berlin.value == 2
    assert in_berlin.note == "in working hours"
    assert elapsed.value == 66


async def test_a_night_in_which_the_clocks_change_is_as_long_as_it_was(side):
    # 28 March 20:00 to 29 March 10:00 in Berlin: clocks go from 2 to 3, so 13 hours pass
    spring = issue(1, "2026-03-28 10:00", ("2026-03-28 19:00", "doing"), ("2026-03-29 08:00", "done"))

    assert (await ask(site(spring), "cycle_time", month("2026-03"), side, zone="Europe/Berlin")).value == 13


async def test_flow_efficiency_is_work_over_work_and_waiting(side):
    made = site(
        issue(1, "2026-05-01 00:00", ("2026-05-02 00:00", "doing"), ("2026-05-02 06:00", "review"), ("2026-05-03 00:00", "done")),
        issue(2, "2026-05-01 00:00", ("2026-05-04 00:00", "doing"), ("2026-05-04 12:00", "done")),
    )  # fmt: skip

    reading = await ask(made, "flow_efficiency", MAY, side, waiting=["Review"])

    assert (reading.numerator, reading.denominator) == (18 * 3600, 36 * 3600)
    assert reading.value == 0.5
    assert (
        await ask(made, "flow_efficiency", MAY, side, waiting=["To Do", "3"], active=["In Progress"])
    ).value == pytest.approx(18 / (18 + 18 + 24 + 72))


async def test_the_reopened_rate_counts_issues_that_left_done(side):
    reading = await ask(site(*ALL), "reopened_rate", MAY, side)

    assert (reading.numerator, reading.denominator) == (2, 3)  # reopened, open again; of three finished
    assert "PAY-2" in reading.evidence


async def test_escaped_defects_are_bugs_created_in_the_period_that_the_query_finds(side):
    made = site(
        issue(1, "2026-05-01 00:00", kind="Bug", **{FOUND_IN: "Production"}),
        issue(2, "2026-05-31 23:59", kind="Bug", **{FOUND_IN: "Production"}),
        issue(3, "2026-05-10 00:00", kind="Bug", **{FOUND_IN: "Test"}),
        issue(4, "2026-05-10 00:00", kind="Story", **{FOUND_IN: "Production"}),
        issue(5, "2026-06-01 00:00", kind="Bug", **{FOUND_IN: "Production"}),
    )

    assert (await ask(made, "escaped_defects", MAY, side, project="PAY", jql='"Found in" = Production')).value == 2
    assert (await ask(made, "escaped_defects", MAY, side, bugs=["11", "Story"])).value == 4


async def test_the_share_of_defects_is_of_what_was_finished(side):
    made = site(
        PLAIN, SKIPPED, issue(11, "2026-05-02 10:00", ("2026-05-03 10:00", "done"), kind="Bug"), issue(12, "2026-05-02 10:00", kind="Bug")
    )  # fmt: skip

    assert (await ask(made, "defect_ratio", MAY, side)).value == pytest.approx(1 / 3)


async def test_the_progress_of_an_epic_by_count_and_by_points_now_and_then(side):
    parent = {"parent": "1", EPIC_LINK: "1"}
    made = site(
        issue(1, "2026-04-01 00:00", kind="Epic"),
        issue(2, "2026-04-02 00:00", ("2026-04-20 00:00", "done"), **{POINTS: 3.0}, **parent),
        issue(
            3,
            "2026-04-02 00:00",
            ("2026-05-20 00:00", "doing"),
            ("2026-05-30 00:00", "done"),
            **{POINTS: 5.0},
            **parent,
        ),
        issue(4, "2026-04-02 00:00", **parent),
        issue(5, "2026-06-02 00:00", ("2026-06-03 00:00", "done"), **{POINTS: 2.0}, **parent),
        issue(6, "2026-04-02 00:00", ("2026-04-20 00:00", "done"), **{POINTS: 100.0}),
    )

    may = await ask(made, "epic_progress", MAY, side, epic="PAY-1", points=True)

    assert (may.value, may.note) == (1.0, "1 issue without points")
    assert (await ask(made, "epic_progress", month("2026-04"), side, epic="PAY-1")).value == pytest.approx(1 / 3)
    assert (await ask(made, "epic_progress", MAY, side, epic="PAY-1")).value == pytest.approx(2 / 3)
    assert (await ask(made, "epic_progress", month("2026-06"), side, epic="PAY-1")).value == pytest.approx(3 / 4)


SPRINTS = (sprint(7, "2026-05-04 09:00", "2026-05-15 15:00"), sprint(8, "2026-05-18 09:00", "2026-05-29 15:00"))


def planned(number, joined, *more, points=1.0):
    return issue(number, "2026-05-01 08:00", (joined, {SPRINT: [7]}), *more, **{POINTS: points, SPRINT: []})


async def test_an_issue_that_nobody_touched_since_it_was_planned_was_committed_too(side):
    made = site(
        planned(1, "2026-05-02 08:00"), planned(2, "2026-05-02 08:00", ("2026-05-08 10:00", "done")), sprints=SPRINTS
    )

    reading = await ask(made, "sprint_predictability", MAY, side)

    assert (reading.numerator, reading.denominator) == (1, 2)


async def test_predictability_is_what_was_committed_at_the_start_and_done_at_the_end(side):
    before, during = "2026-05-04 08:00", "2026-05-06 10:00"
    made = site(
        planned(1, before, ("2026-05-10 10:00", "done"), points=5.0),  # committed and done
        planned(2, before, ("2026-05-15 15:00", {SPRINT: [7, 8]}), ("2026-05-20 10:00", "done"), points=3.0),  # carried over
        planned(3, before, ("2026-05-07 10:00", {SPRINT: []}), ("2026-05-08 10:00", "done")),  # taken out, done outside
        planned(4, during, ("2026-05-09 10:00", "done"), points=8.0),  # added
        planned(5, before, ("2026-05-05 10:00", {POINTS: 13.0}), ("2026-05-14 10:00", "done"), points=2.0),  # counts as 2
        issue(6, "2026-05-01 08:00", ("2026-05-02 10:00", "done"), (before, {SPRINT: [7]}), **{SPRINT: []}),  # done before
        sprints=SPRINTS,
    )  # fmt: skip

    by_count = await ask(made, "sprint_predictability", MAY, side)
    by_points = await ask(made, "sprint_predictability", MAY, side, points=True)
    added = await ask(made, "scope_change", MAY, side)

    assert (by_count.numerator, by_count.denominator) == (2 + 1, 4 + 1)  # sprint 8: one committed, one done
    assert by_count.note == "Sprint 7, Sprint 8; 1 taken out before the end"
    assert (by_points.numerator, by_points.denominator) == (5 + 2 + 3, 5 + 3 + 1 + 2 + 3)
    assert (added.numerator, added.denominator) == (1, 5)
    assert (await ask(made, "sprint_predictability", month("2026-04"), side)).state is ReadingState.NO_DATA


def cycle(start, stop, *, breached=False, elapsed=3600):
    return {
        "start": at(start),
        "stop": stop and at(stop),
        "breached": breached,
        "elapsed": elapsed * 1000,
        "goal": 14_400_000,
    }


def request(number, **values):
    return issue(number, "2026-05-01 00:00", project="HELP", **values)


async def test_service_levels_are_cycles_completed_in_the_period(side):
    made = site(
        request(1, **{RESOLUTION: [cycle("2026-05-01 00:00", "2026-05-02 00:00"), cycle("2026-05-03 00:00", None)]}),
        request(2, **{RESOLUTION: [cycle("2026-05-01 00:00", "2026-05-09 00:00", breached=True), cycle("2026-05-10 00:00", "2026-05-11 00:00")]}),
        request(3, **{RESOLUTION: [cycle("2026-04-01 00:00", "2026-04-09 00:00", breached=True)]}),
        request(4, **{FIRST_RESPONSE: [cycle("2026-05-08 16:00", "2026-05-11 08:00", elapsed=7200)]}),
        request(5, **{FIRST_RESPONSE: [cycle("2026-05-01 00:00", "2026-05-01 00:30", elapsed=1800)]}),
    )  # fmt: skip
    desk = {"project": "HELP"}

    resolution = await ask(made, "sla_met_ratio", MAY, side, sla="Time to resolution", **desk)
    response = await ask(made, "first_response_time", MAY, side, **desk)

    assert (resolution.numerator, resolution.denominator) == (2, 3)
    assert (await ask(made, "sla_met_ratio", MAY, side, **desk)).value == pytest.approx(4 / 5)
    assert response.value == (64 * 60 + 30) / 2
    assert (await ask(made, "first_response_time", MAY, side, business=True, **desk)).value == (120 + 30) / 2
    with pytest.raises(SourceError, match="no service level 'Nonsense' here; there is Time to first"):
        await ask(made, "sla_met_ratio", MAY, side, sla="Nonsense", **desk)


async def test_satisfaction_is_the_mean_of_the_ratings_given_in_the_period(side):
    made = site(
        request(1, **{SATISFACTION: 5, SATISFACTION_DATE: at("2026-05-01 00:00")}),
        request(2, **{SATISFACTION: 2, SATISFACTION_DATE: at("2026-05-31 23:59")}),
        request(3, **{SATISFACTION: 1, SATISFACTION_DATE: at("2026-06-01 00:00")}),
        request(4),
    )

    reading = await ask(made, "csat", MAY, side, project="HELP")

    assert (reading.value, reading.samples) == (3.5, 2)


async def test_any_count_and_any_sum_in_a_period_and_broken_down(side):
    made = site(
        issue(1, "2026-05-01 00:00", priority="High", **{POINTS: 3.0}),
        issue(2, "2026-05-31 23:59", priority="Low", **{POINTS: 2.0}),
        issue(3, "2026-06-01 00:00", priority="High", **{POINTS: 8.0}),
        issue(4, "2026-05-10 00:00"),
    )
    async with Served(made) as served:
        config = served.config(side)
        whole = await run("jira", config, "count", MAY, jql="project = PAY ORDER BY key", now=NOW)
        counted = await run(
            "jira", config, "count", MAY, jql="project = PAY", time_field="created", by=("priority",), now=NOW
        )
        summed = await run("jira", config, "sum", MAY, jql="project = PAY", field="Story Points", time_field="created", by=("Priority",), now=NOW)  # fmt: skip
        with pytest.raises(SourceError, match="no field 'Storey Points'"):
            await run("jira", config, "sum", MAY, jql="project = PAY", field="Storey Points")
        with pytest.raises(SourceError, match="not a number"):
            await run("jira", config, "sum", MAY, jql="project = PAY", field="summary", now=NOW)

    assert total(whole).value == 4
    assert total(counted).value == 3
    assert parts(counted, "priority") == {"High": 1, "Low": 1, "none": 1}
    assert total(summed).value == 5
    assert parts(summed, "Priority") == {"High": 3, "Low": 2}


async def test_measures_over_issues_break_down_by_their_fields(side):
    made = site(PLAIN, issue(2, "2026-05-01 00:00", ("2026-05-02 00:00", "done"), kind="Bug"))
    async with Served(made) as served:
        readings = await run("jira", served.config(side), "throughput", MAY, by=("type",), now=NOW, project="PAY")

    assert parts(readings, "type") == {"Story": 1, "Bug": 1}


@pytest.mark.parametrize(
    "measure",
    ["cycle_time", "lead_time", "wip_age", "reopened_rate", "defect_ratio", "epic_progress", "sla_met_ratio", "csat", "first_response_time"],
)  # fmt: skip
async def test_nothing_to_measure_is_no_data_and_counts_are_zero(measure, side):
    assert (await ask(site(), measure, MAY, side)).state is ReadingState.NO_DATA
    assert (await ask(site(), "throughput", MAY, side)).value == 0


async def test_an_issue_that_moved_keeps_its_clock_and_counts_where_it_is(side):
    moved = issue(
        1, "2026-05-01 00:00", ("2026-05-02 00:00", "doing"), ("2026-05-03 00:00", {"project": "PAY", "issuekey": "PAY-77"}),
        ("2026-05-04 00:00", "done"), project="OPS",
    )  # fmt: skip

    assert (await ask(site(moved), "cycle_time", MAY, side)).value == 48
    assert (await ask(site(moved), "throughput", MAY, side, project="OPS")).value == 0


async def test_a_status_that_no_longer_exists_is_neither_done_nor_started_and_is_told(side):
    made = site(issue(1, "2026-05-01 00:00", ("2026-05-02 00:00", "review"), ("2026-05-03 00:00", "done")))
    del made.statuses["3"]

    reading = await ask(made, "cycle_time", MAY, side, include_skipped=True)

    assert reading.value == 0
    assert "1 issue went through statuses that no longer exist" in reading.note


async def test_half_a_month_is_measured_up_to_now(side):
    made = site(
        issue(1, "2026-06-01 00:00", ("2026-06-10 00:00", "done")),
        issue(2, "2026-06-01 00:00", ("2026-06-15 13:00", "done")),
    )

    assert (await ask(made, "throughput", month("2026-06"), side)).value == 1
    assert NOW - at("2026-06-15 12:00") == timedelta(0)
