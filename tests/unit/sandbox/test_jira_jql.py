"""The sandbox's JQL: what people write finds what Jira would find, and mistakes are told in Jira's words."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest
from tests.contract.jira_site import NOW, POINTS, SPRINT, at, issue, site, sprint

from bsc_monitor.sandbox.jira.jql import JqlError
from bsc_monitor.sandbox.jira.match import Caller, select

SITE = site(
    issue(1, "2026-05-01 08:00", ("2026-05-04 10:00", "doing"), ("2026-05-06 10:00", "done"), labels=["web", "Shop"], priority="High",
          components=["api"], assignee="a1", summary="The checkout is slow", resolutiondate=at("2026-05-06 10:00"), **{POINTS: 3.0}),
    issue(2, "2026-06-10 23:30", ("2026-06-11 10:00", "doing"), priority="Low", summary="Checkout button", duedate=date(2026, 6, 20)),
    issue(3, "2026-06-15 08:00", kind="Bug", project="OPS", parent="1", **{SPRINT: [7]}),
    issue(4, "2026-06-15 11:30", kind="Sub-task", **{POINTS: 8.0}),
    sprints=[sprint(7, "2026-06-08 09:00", "2026-06-19 15:00")],
)  # fmt: skip


def keys(jql, zone="UTC", hidden=frozenset()):
    return [found.key for found in select(SITE, jql, Caller("a1", ZoneInfo(zone), hidden))]


@pytest.mark.parametrize(
    ("jql", "expected"),
    [
        ("project = PAY ORDER BY key", ["PAY-1", "PAY-2", "PAY-4"]),
        ("project in (payments, OPS) and type != Sub-task order by created", ["PAY-1", "PAY-2", "OPS-3"]),
        ("status = 已完成", ["PAY-1"]),
        ("status = 4", ["PAY-1"]),
        ("statusCategory = 'In Progress'", ["PAY-2"]),
        ("statusCategory != Done ORDER BY key ASC", ["OPS-3", "PAY-2", "PAY-4"]),
        ("NOT (statusCategory = Done OR project = OPS) ORDER BY key", ["PAY-2", "PAY-4"]),
        ("labels in (WEB, other)", ["PAY-1"]),
        ("labels IS EMPTY ORDER BY key DESC", ["PAY-4", "PAY-2", "OPS-3"]),
        ("labels != web", []),  # an empty field is not unequal
        ("priority = High OR priority is EMPTY ORDER BY key", ["OPS-3", "PAY-1", "PAY-4"]),
        ("priority not in (High) ", ["PAY-2"]),
        ("component = api AND assignee = currentUser()", ["PAY-1"]),
        ("assignee is not EMPTY", ["PAY-1"]),
        ("text ~ checkout", ["PAY-2", "PAY-1"]),
        ('summary ~ "check* slow"', ["PAY-1"]),
        ("summary !~ checkout ORDER BY key", ["OPS-3", "PAY-4"]),
        ("parent = PAY-1", ["OPS-3"]),
        ("'Story Points' > 3", ["PAY-4"]),
        ("cf[10016] <= 3", ["PAY-1"]),
        ("sprint in openSprints()", ["OPS-3"]),
        ("sprint = 'Sprint 7'", ["OPS-3"]),
        ("created >= 2026-06-01 AND created < '2026/06/11' ", ["PAY-2"]),
        ("created >= -1d ORDER BY key", ["OPS-3", "PAY-4"]),
        ("created > '-4h' AND project = PAY", ["PAY-4"]),
        ("created >= startOfDay()  ORDER BY key", ["OPS-3", "PAY-4"]),
        ("created >= startOfMonth(-1) AND created <= endOfMonth(-1)", ["PAY-1"]),
        ("created >= startOfWeek() and created < startOfYear(1) order by key", ["OPS-3", "PAY-4"]),
        ("resolved is not empty", ["PAY-1"]),
        ("due <= 1w", ["PAY-2"]),
        ("key in (PAY-2, 3) ORDER BY key", ["OPS-3", "PAY-2"]),
        ('status CHANGED TO "In Progress" AFTER 2026-06-01', ["PAY-2"]),
        ("status changed from 'To Do' to 2 during ('2026-05-01', '2026-05-31')", ["PAY-1"]),
        ("status WAS 'In Progress' ON '2026-05-05'", ["PAY-1"]),
        ("status was in (1) before 2026-06-01", ["PAY-1"]),
        ("status WAS NOT 'In Progress' ORDER BY key", ["OPS-3", "PAY-4"]),
    ],
)  # fmt: skip
def test_what_people_write_finds_what_jira_would_find(jql, expected):
    assert keys(jql) == expected


def test_dates_are_read_in_the_zone_of_the_caller():
    assert keys("created >= 2026-06-11 AND created < 2026-06-12", "Asia/Tokyo") == [
        "PAY-2"
    ]  # 23:30 UTC is the next day there
    assert keys("created >= 2026-06-11 AND created < 2026-06-12") == []
    assert datetime(2026, 6, 15, 12, tzinfo=ZoneInfo("UTC")) == NOW


def test_what_the_caller_may_not_browse_does_not_exist():
    assert keys("created > 2026-01-01", hidden=frozenset({"PAY"})) == ["OPS-3"]
    with pytest.raises(JqlError, match="The value 'PAY' does not exist"):
        keys("project = PAY", hidden=frozenset({"PAY"}))


@pytest.mark.parametrize(
    ("jql", "words"),
    [
        ("colour = red", "Field 'colour' does not exist or you do not have permission to view it."),
        ("project = NONE", "The value 'NONE' does not exist for the field 'project'."),
        ("status = Nowhere", "The value 'Nowhere' does not exist for the field 'status'."),
        ("project", "Expecting operator before the end of the query. The valid operators are '='"),
        ("project PAY", "Expecting operator but got 'PAY'."),
        ("project = ", "Expecting either a value, list or function before the end of the query."),
        ("project = )", "but got ')'. You must surround ')' in quotation marks to use it as a value. (line 1, character 11)"),
        ("project = PAY status = 1", "Expecting either 'OR' or 'AND' but got 'status'. (line 1, character 15)"),
        ("project = PAY AND", "Expecting a field name before the end of the query."),
        ("(project = PAY", "Expecting ')' before the end of the query."),
        ("project in (PAY", "Expecting ')' before the end of the query."),
        ("project = 'PAY", "The quoted string 'PAY' has not been completed. (line 1, character 11)"),
        ("project = PAY\nAND = x", "(line 2, character 5)"),
        ("project = PAY & x", "is a reserved JQL character"),
        ("project > 3", "The operator '>' is not supported by the 'project' field."),
        ("summary = x", "The operator '=' is not supported by the 'summary' field."),
        ("created > yesterday", "Date value 'yesterday' for field 'created' is invalid."),
        ("created > startOfAge()", "Unable to find JQL function 'startOfAge()'."),
        ("created > startOfDay(x)", "Invalid date increment 'x'"),
        ("assignee = somebody()", "Unable to find JQL function 'somebody()'."),
        ("'Story Points' > many", "must be a number"),
        ("project = PAY ORDER created", "Expecting 'BY' but got 'created'."),
        ("project = PAY ORDER BY " + ",".join(["key"] * 8), "JQL can be ordered by at most 7 fields."),
        ("project not PAY", "Expecting 'IN' but got 'PAY'."),
    ],
)  # fmt: skip
def test_mistakes_are_told_in_jiras_words(jql, words):
    with pytest.raises(JqlError) as caught:
        keys(jql)

    assert words in str(caught.value)
