"""An admin's own issues, by a search's answers or by Jira's CSV export."""

import json
from zoneinfo import ZoneInfo

import pytest
from tests.contract.jira_site import NOW, at

from bsc_monitor.sandbox.jira.exports import load_site
from bsc_monitor.sandbox.jira.match import Caller, select

ME = Caller("a1", ZoneInfo("UTC"))


def raw(key, **fields):
    return {
        "id": key.rpartition("-")[2], "key": key,
        "fields": {
            "created": "2026-05-01T10:00:00.000+0200", "updated": "2026-05-03T10:00:00.000+0200",
            "project": {"id": "1", "key": "PAY", "name": "Payments"}, "issuetype": {"id": "10", "name": "Story"},
            "status": {"id": "4", "name": "已完成", "statusCategory": {"key": "done"}}, **fields,
        },
        "changelog": {"histories": [
            {"created": "2026-05-02T10:00:00.000+0200", "items": [{"field": "status", "from": "9", "fromString": "Old", "to": "4", "toString": "已完成"}]},
        ]},
    }  # fmt: skip


def test_the_answers_of_a_search_become_the_site_they_came_from(tmp_path):
    (tmp_path / "page1.json").write_text(json.dumps({"issues": [raw("PAY-1")]}))
    (tmp_path / "page2.json").write_text(json.dumps([raw("PAY-2", assignee={"accountId": "a1", "displayName": "Ada"})]))
    (tmp_path / "status.json").write_text(json.dumps([{"id": "9", "name": "Old", "statusCategory": {"key": "new"}}]))

    made = load_site(tmp_path, lambda: NOW)

    assert [i.key for i in select(made, "statusCategory = Done ORDER BY key", ME)] == ["PAY-1", "PAY-2"]
    assert [i.key for i in select(made, "assignee = Ada", ME)] == ["PAY-2"]
    assert [i.key for i in select(made, "status WAS Old AND project = PAY ORDER BY key", ME)] == ["PAY-1", "PAY-2"]
    first = made.find("PAY-1")
    assert (first.created, first.updated) == (at("2026-05-01 08:00"), at("2026-05-03 08:00"))
    assert made.statuses["9"].category == "new"


def test_jiras_csv_export_is_read_without_a_history(tmp_path):
    (tmp_path / "export.csv").write_text(
        "Summary,Issue key,Issue id,Issue Type,Status,Project key,Priority,Created,Updated,Resolved,Labels,Labels\n"
        "Slow,PAY-1,1001,Bug,Done,PAY,High,01/May/26 9:15 AM,02/May/26 1:00 PM,02/May/26 1:00 PM,web,shop\n"
        "New,PAY-2,1002,Story,To Do,PAY,,2026-05-03 10:00,,,,\n"
    )

    made = load_site(tmp_path / "export.csv", lambda: NOW)

    assert [i.key for i in select(made, "statusCategory = Done", ME)] == ["PAY-1"]
    assert [i.key for i in select(made, "labels = web AND type = Bug AND priority = High", ME)] == ["PAY-1"]
    assert made.find("PAY-1").changes[0].at == at("2026-05-02 13:00")
    assert made.find("PAY-2").created == at("2026-05-03 10:00")


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.json", "{", "not JSON"),
        ("a.json", '{"total": 1}', "not an answer of a search"),
        ("a.json", '[{"key": "PAY-1", "fields": {}}]', "issue PAY-1"),
        ("a.csv", "a,b\n1,2\n", "not Jira's export: it has no column Created, Issue key, Status"),
        ("a.csv", "Issue key,Status,Created\nPAY-1,Done,soon\n", "PAY-1"),
        ("a.txt", "", "holds no issues"),
    ],
)
def test_a_file_that_is_something_else_is_told_in_words(tmp_path, name, content, words):
    (tmp_path / name).write_text(content)

    with pytest.raises(ValueError, match=words):
        load_site(tmp_path, lambda: NOW)
