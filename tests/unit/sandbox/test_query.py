"""The encoded query language, term by term."""

from datetime import UTC, datetime

import pytest

from bsc_monitor.sandbox.servicenow.instance import DATE, INTEGER, STRING, SYSTEM, Instance, Table, choice, reference
from bsc_monitor.sandbox.servicenow.query import select

NOW = datetime(2026, 6, 1, tzinfo=UTC)


@pytest.fixture
def instance():
    groups = Table("sys_user_group", SYSTEM | {"name": STRING})
    groups.add([{"sys_id": "g1", "name": "Database"}, {"sys_id": "g2", "name": "Network"}])
    columns = SYSTEM | {
        "number": STRING, "priority": choice({"1": "1 - Critical"}), "count": INTEGER, "opened_at": DATE,
        "assignment_group": reference("sys_user_group"),
    }  # fmt: skip
    incidents = Table("incident", columns, prefix="INC")
    incidents.add(
        [
            {"sys_id": "a", "number": "INC1", "priority": "1", "count": "10", "opened_at": "2026-03-31 23:59:59", "assignment_group": "g1"},
            {"sys_id": "b", "number": "INC2", "priority": "2", "count": "9", "opened_at": "2026-04-01 00:00:00", "assignment_group": "g2"},
            {"sys_id": "c", "number": "INC^3", "priority": "3", "count": "", "opened_at": "2026-04-30 12:00:00", "assignment_group": ""},
        ]
    )  # fmt: skip
    return Instance({"incident": lambda: incidents, "sys_user_group": lambda: groups}, lambda: NOW)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", "abc"),
        ("priority=1", "a"),
        ("priority!=1", "bc"),
        ("priority=1^ORpriority=2", "ab"),
        ("priorityIN1,3", "ac"),
        ("priorityNOT IN1,3", "b"),
        ("count>9", "a"),  # a number, not a text: "10" > "9"
        ("count>=9^count<=9", "b"),
        ("count<100", "ab"),  # empty is not smaller than anything
        ("numberLIKEinc", "abc"),
        ("numberSTARTSWITHINC2", "b"),
        ("numberENDSWITH1", "a"),
        ("numberNOT LIKE2", "ac"),
        ("assignment_groupISEMPTY", "c"),
        ("assignment_group=", "c"),
        ("assignment_groupISNOTEMPTY", "ab"),
        ("assignment_group.name=Network", "b"),
        ("number=INC^^3", "c"),
        ("opened_at>=2026-04-01 00:00:00", "bc"),
        ("opened_at<2026-04-01", "a"),
        ("opened_atBETWEEN2026-04-01 00:00:00@2026-04-30 12:00:00", "bc"),
        ("opened_at>=javascript:gs.dateGenerate('2026-04-01','00:00:01')", "c"),
        ("priority=1^NQpriority=3", "ac"),
        ("priority=1^ORpriority=2^count<10", "b"),
        ("ORDERBYDESCcount", "abc"),
        ("ORDERBYcount", "cba"),
        ("ORDERBYDESCassignment_group.name^priority<3", "ba"),
    ],
)
def test_a_query_selects_what_the_vendor_would(instance, query, expected):
    rows = select(instance, instance.table("incident"), query)

    assert "".join(row["sys_id"] for row in rows) == expected


@pytest.mark.parametrize(
    "query",
    [
        "assigment_group=g1",  # misspelt column
        "prioritySORTOF1",  # no such operator
        "priority.name=1",  # not a reference
        "opened_at>=javascript:gs.nothing()",
        "opened_atBETWEEN2026-04-01",  # one end only
        "ORDERBYnothing",
        "\0^^^^",
    ],
)
def test_a_term_that_makes_no_sense_is_ignored_without_a_word(instance, query):
    assert len(select(instance, instance.table("incident"), query)) == 3


def test_a_generated_date_is_read_in_the_zone_of_the_calling_user(instance):
    query = "opened_at>=javascript:gs.dateGenerate('2026-04-01','02:00:00')"  # Berlin summer time: 00:00 UTC

    rows = select(instance, instance.table("incident"), query, "Europe/Berlin")

    assert [row["sys_id"] for row in rows] == ["b", "c"]
