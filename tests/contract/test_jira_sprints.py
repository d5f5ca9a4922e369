"""Closed sprints that are corrected while a source is watched, over the real store."""

from dataclasses import replace

import pytest
from tests.contract.collector_run import month
from tests.contract.jira_site import POINTS, SPRINT, issue, sprint
from tests.contract.test_jira_statuses import watching

MAY = month("2026-05")
SEVEN = sprint(7, "2026-05-04 09:00", "2026-05-15 15:00")


@pytest.fixture(params=["cloud", "server"])
def side(request):
    return request.param


def planned(number, *moves):
    return issue(number, "2026-05-01 08:00", ("2026-05-02 08:00", {SPRINT: [7]}), *moves, **{POINTS: 1.0, SPRINT: []})


ISSUES = planned(1), planned(2, ("2026-05-08 10:00", "done"))


async def predictability(jira, now):
    reading = await jira.ask(now, "sprint_predictability", MAY)
    return reading.numerator, reading.denominator, reading.note


async def test_what_is_corrected_in_a_closed_sprint_is_taken_the_day_after(tmp_path, side):
    async with watching(tmp_path, side, *ISSUES) as jira:
        jira.site.sprints[7] = SEVEN
        first = await predictability(jira, "2026-05-20 12:00")
        jira.site.sprints[7] = replace(SEVEN, name="Checkout")
        jira.site.delete("1")
        same_day = await predictability(jira, "2026-05-20 18:00")
        jira.restart()
        next_day = await predictability(jira, "2026-05-21 12:00")

    assert first == same_day == (1, 2, "Sprint 7")
    assert next_day == (1, 1, "Checkout")


async def test_a_sprint_closed_longer_ago_stays_as_it_is(tmp_path, side):
    async with watching(tmp_path, side, *ISSUES) as jira:
        jira.site.sprints[7] = SEVEN
        before = await predictability(jira, "2026-06-20 12:00")
        jira.site.sprints[7] = replace(SEVEN, name="Checkout")
        after = await predictability(jira, "2026-06-22 12:00")

    assert before == after == (1, 2, "Sprint 7")
