"""Serving an admin's own exports."""

import json
from datetime import UTC, datetime

import pytest

from bsc_monitor.sandbox.servicenow.exports import load_exports
from bsc_monitor.sandbox.servicenow.instance import Instance
from bsc_monitor.sandbox.servicenow.query import select

GROUP = "a" * 32


def instance(folder):
    return Instance(load_exports(folder), lambda: datetime(2026, 6, 1, tzinfo=UTC))


def keys(served, table, query):
    return [row["number"] for row in select(served, served.table(table), query)]


def test_an_answer_of_the_table_api_is_served_as_it_was_answered(tmp_path):
    link = f"https://acme.service-now.com/api/now/table/sys_user_group/{GROUP}"
    records = [
        {"sys_id": "1" * 32, "number": "INC1", "priority": "1", "active": "true", "u_cost": "12.5", "u_seen": "2026-05-01 00:00:00",
         "assignment_group": {"link": link, "value": GROUP, "display_value": "Database"}},
        {"sys_id": "2" * 32, "number": "INC2", "priority": "3", "active": "false", "u_cost": "7", "assignment_group": ""},
    ]  # fmt: skip
    (tmp_path / "incident.json").write_text(json.dumps({"result": records}))

    served = instance(tmp_path)

    assert keys(served, "incident", "assignment_group.name=Database") == ["INC1"]
    assert keys(served, "incident", "u_cost>8") == ["INC1"]  # a number by its looks, not a text
    assert keys(served, "incident", "u_seen<2026-05-02") == ["INC1"]


def test_a_csv_names_choices_and_references_by_what_people_read(tmp_path):
    (tmp_path / "incident.csv").write_text(
        "number,priority,assignment_group,opened_at\n"
        "INC1,1 - Critical,Database,2026-05-01 10:00:00\n"
        "INC2,3 - Moderate,Network,2026-05-02 10:00:00\n"
    )
    (tmp_path / "task_sla.csv").write_text("task,stage,has_breached\nINC1,completed,false\nINC2,completed,true\n")

    served = instance(tmp_path)

    assert keys(served, "incident", "priority=1") == ["INC1"]
    assert keys(served, "incident", "assignment_group.name=Network") == ["INC2"]
    assert len(select(served, served.table("task_sla"), "task.ref_incident.priority=1^has_breached=false")) == 1


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("notes.txt", "x", "holds no TABLE.json"),
        ("incident.json", "{", "not JSON"),
        ("incident.json", '{"error": {}}', "list of records"),
        ("incident.json", "[1]", "list of records"),
        ("incident.csv", "number,opened_at\nINC1,1/5/2026\n", "incident, record 1: '1/5/2026' is not a UTC time"),
    ],
)
def test_what_is_no_export_is_refused_in_words(tmp_path, name, content, words):
    (tmp_path / name).write_text(content)

    with pytest.raises(ValueError, match=words):
        load_exports(tmp_path)
