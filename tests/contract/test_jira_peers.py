"""Jira as others know it: the PyPI client on the sandbox, the vendor's OpenAPI and recorded answers, and two servers by others."""

import asyncio
import json
import urllib.error
import urllib.request
from datetime import UTC, datetime
from urllib.parse import urlencode

import jira
import jsonschema
import pytest
from aiohttp import web
from tests.contract.collector_run import check, month, opened, run, total
from tests.contract.jira_peers import jira820, prism
from tests.contract.jira_site import NOW, POINTS, SPRINT, Served, issue, site, sprint
from tests.contract.servicenow_run import SHARED
from tests.contract.test_jira_wire import context

from bsc_monitor.collect.streams import TransientRecords
from bsc_monitor.kit.issues import told
from bsc_monitor.model.status import CollectorError
from bsc_monitor.plugin import SourceError, Window
from bsc_monitor.sandbox.jira import cloud_app
from bsc_monitor.sandbox.jira.exports import load_site

MAY = month("2026-05")
CONTRACT = SHARED / "contracts" / "jira" / "jira-cloud-platform-v3-2025-12.json"
AGILE = SHARED / "contracts" / "jira" / "jira-software-agile-openapi3-2022-07.json"
EXAMPLES = SHARED / "contracts" / "examples"


def present(path):
    if not path.exists():
        pytest.skip(f"{path.name} is not beside this checkout")
    return path


SPRINTS = (sprint(7, "2026-05-04 09:00", "2026-05-15 15:00"),)
THREE = (
    issue(1, "2026-05-01 08:00", ("2026-05-04 08:00", {SPRINT: [7]}), ("2026-05-05 10:00", "done"), **{POINTS: 3.0, SPRINT: []}),
    issue(2, "2026-05-01 08:00", ("2026-05-04 10:00", "doing"), assignee="a1", labels=["web"]),
    issue(3, "2026-05-02 08:00", kind="Bug", project="OPS"),
)  # fmt: skip


# ---- the PyPI client


@pytest.fixture(params=["cloud", "server"])
async def client(request):
    async with Served(site(*THREE, sprints=SPRINTS), timezone="Europe/Berlin") as served:
        url = f"{served.base}/{'jira' if request.param == 'cloud' else 'jira-dc'}"
        login = {"basic_auth": ("demo@example.com", "demo")} if request.param == "cloud" else {"token_auth": "demo"}
        made = await asyncio.to_thread(lambda: jira.JIRA(url, **login, max_retries=0))
        yield made, request.param
        made.close()


async def test_an_independent_client_knows_what_kind_of_jira_it_talks_to(client):
    made, side = client

    assert made.deploymentType == ("Cloud" if side == "cloud" else "Server")
    me = await asyncio.to_thread(made.myself)
    assert me["timeZone"] == "Europe/Berlin"
    assert ("accountId" in me) == (side == "cloud")


async def test_an_independent_client_searches_and_reads_fields(client):
    made, side = client

    found = await asyncio.to_thread(
        lambda: made.search_issues("project = PAY ORDER BY key", maxResults=False, fields="*all")
    )

    assert [i.key for i in found] == ["PAY-1", "PAY-2"]
    first, second = found
    assert first.fields.status.name == "已完成"
    assert first.fields.status.statusCategory.key == "done"
    assert first.fields.created == "2026-05-01T10:00:00.000+0200"
    assert second.fields.assignee.displayName == "Ada Abe"
    assert getattr(first.fields, POINTS) == 3.0
    if side == "cloud":
        assert await asyncio.to_thread(made.approximate_issue_count, "project = PAY") == 2


async def test_an_independent_client_reads_changelogs_boards_and_sprints(client):
    made, _ = client

    one = await asyncio.to_thread(lambda: made.issue("PAY-1", expand="changelog"))
    boards = await asyncio.to_thread(lambda: made.boards(projectKeyOrID="PAY"))
    sprints = await asyncio.to_thread(lambda: made.sprints(1, state="closed"))

    items = {(i.field, i.to) for history in one.changelog.histories for i in history.items}
    assert items == {("Sprint", "7"), ("status", "4")}
    assert [board.name for board in boards] == ["PAY board"]
    assert [(s.id, s.state) for s in sprints] == [(7, "closed")]


async def test_an_independent_client_is_refused_in_words(client):
    made, _ = client

    with pytest.raises(jira.JIRAError, match="does not exist for the field 'project'"):
        await asyncio.to_thread(lambda: made.search_issues("project = NONE"))
    with pytest.raises(jira.JIRAError, match="Issue does not exist"):
        await asyncio.to_thread(lambda: made.issue("PAY-99"))


# ---- the vendor's contract


async def test_every_request_of_the_collector_is_valid_by_the_vendors_openapi():
    specifications = [json.loads(present(path).read_text()) for path in (CONTRACT, AGILE)]
    seen = []

    @web.middleware
    async def keep(request, handler):
        seen.append((request.method, request.path.removeprefix("/jira"), dict(request.query), await request.text()))
        return await handler(request)

    async with Served(site(*THREE, sprints=SPRINTS)) as served:
        proxy = web.Application(middlewares=[keep])
        proxy.add_subapp("/jira", cloud_app(lambda: served.site, served.behaviour))
        runner = web.AppRunner(proxy)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        config = served.config() | {"url": f"http://127.0.0.1:{runner.addresses[0][1]}/jira"}
        try:
            await check("jira", config)
            for measure, params in (
                ("throughput", {"project": "PAY"}), ("sprint_predictability", {"project": "PAY"}),
                ("count", {"jql": "project = PAY"}), ("sum", {"jql": "project = PAY", "field": "Story Points"}),
            ):  # fmt: skip
                await run("jira", config, measure, MAY, now=NOW, **params)
        finally:
            await runner.cleanup()

    asked = {path for _, path, _, _ in seen}
    assert {"/rest/api/3/search/jql", "/rest/api/3/changelog/bulkfetch", "/rest/agile/1.0/board/1/sprint"} <= asked
    for method, path, query, body in seen:
        if path != "/rest/api/2/serverInfo":  # asked before it is known that the site speaks version 3
            assert_valid(specifications, method, path, query, body)


def assert_valid(specifications, method, path, query, body):
    specification, operation = operation_of(specifications, method, path)
    known = {p["name"] for p in operation.get("parameters", []) if p["in"] == "query"}
    assert set(query) <= known, f"{path} takes no {set(query) - known}"
    if body:
        schema = operation["requestBody"]["content"]["application/json"]["schema"]
        jsonschema.validate(json.loads(body), {**schema, "components": specification["components"]})


def operation_of(specifications, method, path):
    parts = path.split("/")
    for specification in specifications:
        for template, item in specification["paths"].items():
            wanted = template.split("/")
            if len(wanted) == len(parts) and all(
                w == p or w.startswith("{") for w, p in zip(wanted, parts, strict=True)
            ):
                return specification, item[method.lower()]
    raise AssertionError(f"the vendor has no {method} {path}")


def test_prism_serves_the_vendors_openapi_to_the_collector(tmp_path):
    with prism(tmp_path, present(CONTRACT)) as url:
        config = {"url": url, "email": "demo@example.com", "token": "demo", "deployment": "cloud"}
        asyncio.run(check("jira", config))
        counted = asyncio.run(run("jira", config, "count", MAY, jql="project = HSP"))
        with pytest.raises(
            SourceError
        ) as endless:  # its one example of a changelog page names the same next page for ever
            asyncio.run(run("jira", config, "throughput", MAY, project="EX"))
        with pytest.raises(urllib.error.HTTPError) as refused:
            post(f"{url}/rest/api/3/search/jql", {"jql": "project = EX", "startAt": 0})

    assert total(counted).value == 153
    assert endless.value.reason is CollectorError.SCHEMA
    assert "circle" in endless.value.message
    refused.value.close()
    assert refused.value.code in (400, 422)


def post(url, body):
    headers = {"Content-Type": "application/json", "Authorization": "Basic ZGVtbzpkZW1v"}
    with urllib.request.urlopen(urllib.request.Request(url, json.dumps(body).encode(), headers), timeout=10) as reply:
        return json.load(reply)


# ---- recorded answers of real servers


RECORDED = [
    "jira_cloud_agile_board_issue_expand_changelog_real", "jira_dc_agile_board_issue_expand_changelog_real_0",
    "jira_dc_agile_board_issue_expand_changelog_real_4",
]  # fmt: skip


@pytest.mark.parametrize("name", RECORDED)
async def test_a_recorded_issue_becomes_a_record_with_its_history(name, tmp_path):
    body = json.loads(present(EXAMPLES / f"{name}.json").read_text())["response"]["body"]
    recorded = body["issues"][0]
    (tmp_path / "issues.json").write_text(json.dumps(body))
    made = load_site(tmp_path, lambda: datetime(2026, 6, 15, tzinfo=UTC))
    async with Served(made) as served:
        live = opened("jira", served.config())
        try:
            scope = live.streams["issues"].scope.model_validate({"project": recorded["fields"]["project"]["key"]})
            [record] = [i async for i in live.collector.issues(context(live), scope, Window(None, NOW))] or [None]
        finally:
            await live.client.close()

    changes = [
        item["to"] for history in sorted(recorded["changelog"]["histories"], key=lambda h: h["created"])
        for item in history["items"] if item["field"] == "status"
    ]  # fmt: skip
    assert record.key == recorded["key"]
    assert [move.status for move in record.history[1:]] == changes
    assert record.history[-1].status == recorded["fields"]["status"]["id"]
    assert record.history[-1].category == recorded["fields"]["status"]["statusCategory"]["key"]


async def test_a_recorded_changelog_with_an_offset_without_colon_is_read():
    values = json.loads(present(EXAMPLES / "jira_cloud_issue_changelog_values_real.json").read_text())["response"][
        "body"
    ]["values"]

    moves = list(told(values, {}, {"status"}))
    assert [(move.old, move.new) for move in moves] == [("1", "10074"), ("10074", "6"), ("6", "10068")]
    assert moves[0].at == datetime(2021, 1, 25, 13, 49, 52, 514_000, UTC)


def test_the_vendors_own_example_of_many_changelogs_has_times_as_numbers():
    body = json.loads(present(EXAMPLES / "jira_cloud_changelog_bulkfetch_spec.json").read_text())["response"]["body"]

    [first, second] = told(body["issueChangeLogs"][0]["changeHistories"], {}, {"fieldId"})
    assert (second.at - first.at).total_seconds() == 1000


# ---- a Data Center by others


def test_a_data_center_that_others_wrote_gives_what_a_count_over_its_raw_answers_gives(tmp_path):
    now = datetime(2026, 6, 15, 12, tzinfo=UTC)
    with jira820(tmp_path, "2026-06-15") as url:
        config = {"url": url, "username": "admin", "token": "admin"}
        asyncio.run(check("jira", config))
        found, done, committed = asyncio.run(measured(config, now))
        raw = list(everything(url))
        done_now = get(url, "/rest/api/2/search", jql="project = JIRA820 AND statusCategory = Done", maxResults=0)[
            "total"
        ]

    assert found == by_hand(raw)
    assert found["throughput"] > 10
    assert done == done_now
    assert 0 < committed < 1


async def measured(config, now):
    async def ask(measure, **params):
        return total(await run("jira", config, measure, MAY, now=now, records=records, **params)).value

    records = TransientRecords()
    found = {name: await ask(name, project="JIRA820") for name in ("throughput", "wip", "backlog")}
    done = await ask("count", jql="project = JIRA820 AND statusCategory = Done")
    return found, done, await ask("sprint_predictability", project="JIRA820")


def get(url, path, **query):
    with urllib.request.urlopen(f"{url}{path}?{urlencode(query)}", timeout=30) as reply:
        return json.load(reply)


def everything(url):
    start = 0
    while True:
        page = get(url, "/rest/api/2/search", jql="project = JIRA820", startAt=start, maxResults=100, fields="created")
        for each in page["issues"]:
            yield get(url, f"/rest/api/2/issue/{each['key']}", expand="changelog")
        start += len(page["issues"])
        if start >= page["total"] or not page["issues"]:
            return


def by_hand(raw):
    """The same three numbers for May by replaying each changelog, without any of our code."""
    known = {i["fields"]["status"]["id"]: i["fields"]["status"]["statusCategory"]["key"] for i in raw}
    counts = {"throughput": 0, "wip": 0, "backlog": 0}
    for each in raw:
        if each["fields"]["issuetype"].get("subtask") or each["fields"]["created"] >= "2026-06-01":
            continue
        moves = sorted(
            (h["created"], item["from"], item["to"]) for h in each["changelog"]["histories"] for item in h["items"]
            if item["field"] == "status"
        )  # fmt: skip
        state = known[moves[0][1] if moves else each["fields"]["status"]["id"]]
        entered, started = "", state == "indeterminate"
        for when, _, to in moves:
            if when >= "2026-06-01":
                break
            if known[to] == "done" and state != "done":
                entered = when
            state = known[to]
            started = started or state == "indeterminate"
        counts["throughput"] += state == "done" and entered >= "2026-05-01"
        counts["wip"] += state != "done" and started
        counts["backlog"] += state != "done" and not started
    return counts
