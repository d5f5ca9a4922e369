"""Tickets from insights: accepted by the vendors' schemas and the sandbox, one however often they are asked for."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from jsonschema import Draft202012Validator
from pydantic import ValidationError
from tests.contract.jira_site import issue, site

from bsc_monitor.collect.acting import open_ticket
from bsc_monitor.collect.opening import params_of
from bsc_monitor.collect.plugins import find_plugins
from bsc_monitor.model.source import Source
from bsc_monitor.plugin import CollectorError, SourceError, TicketRequest
from bsc_monitor.sandbox.jira import Behaviour, cloud_app, data_center_app
from bsc_monitor.sandbox.servicenow.instance import Instance, Table
from bsc_monitor.sandbox.servicenow.server import Behaviour as SnowBehaviour
from bsc_monitor.sandbox.servicenow.server import servicenow_app
from bsc_monitor.sandbox.servicenow.tables import COLUMNS

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
SHARED = Path(os.environ.get("BSC_SHARED") or Path(__file__).resolve().parents[4] / "shared")
CONTRACT = SHARED / "contracts" / "jira" / "jira-cloud-platform-v3-2025-12.json"
REQUEST = TicketRequest(
    "bsc-0123456789abcdef", "Mean time to resolve has been rising\nsteadily", ("It rises.", "Next step: <b>act</b>"),
    "https://board.example.com/improvement#insight-1",
)  # fmt: skip


@pytest.fixture(scope="module")
def plugins():
    return find_plugins([], with_entry_points=False)


class Serving:
    """A sandbox, and what was posted to it."""

    def __init__(self, app, path):
        self.posted, self._path = [], path

        @web.middleware
        async def noting(request, handler):
            if request.method == "POST" and path in request.path:
                self.posted.append(json.loads(await request.text()))
            return await handler(request)

        app.middlewares.insert(0, noting)
        self.server = TestServer(app)


@pytest.fixture(params=["cloud", "server"])
async def jira(request):
    made = site(issue(1, "2026-05-04 09:00", project="OPS"))
    app = (cloud_app if request.param == "cloud" else data_center_app)(lambda: made, Behaviour())
    serving = Serving(app, "/issue")
    await serving.server.start_server()
    config = {"url": str(serving.server.make_url("/")), "token": "demo", "deployment": request.param}
    config |= {"email": Behaviour().email} if request.param == "cloud" else {}
    yield serving, made, config
    await serving.server.close()


@pytest.fixture
async def snow():
    tables = {
        name: (lambda name=name, prefix=prefix: Table(name, COLUMNS[name], shown_by="number", prefix=prefix))
        for name, prefix in (("problem", "PRB"), ("incident", "INC"), ("change_request", "CHG"))
    }
    instance = Instance(tables, lambda: NOW)
    serving = Serving(servicenow_app(instance, SnowBehaviour()), "/table/")
    await serving.server.start_server()
    yield serving, instance, {"url": str(serving.server.make_url("/")), "username": "demo", "password": "demo"}
    await serving.server.close()


def source(plugins, plugin, config):
    return Source("there", plugin, plugins.collectors[plugin].Config.model_validate(config), requests_per_second=1000.0)


async def asked(plugins, plugin, config, **params):
    opener = plugins.openers[plugin]
    return await open_ticket(opener, source(plugins, plugin, config), REQUEST, params, NOW)


async def test_jira_opens_one_issue_however_often_it_is_asked(plugins, jira):
    serving, made, config = jira
    first = await asked(plugins, "jira", config, project="OPS", type="Story", labels=["two words"])
    again = await asked(plugins, "jira", config, project="OPS", type="Story")
    assert first == again
    assert first.endswith("/browse/OPS-2")
    assert len(serving.posted) == 1
    kept = made.find("OPS-2").values
    assert kept["labels"] == [REQUEST.key, "two-words"]
    assert kept["summary"] == "Mean time to resolve has been rising steadily"
    assert "<b>act</b>" in json.dumps(kept["description"])


@pytest.mark.skipif(not CONTRACT.exists(), reason="the vendor's description is not part of the package")
async def test_what_is_posted_to_jira_meets_the_vendors_schema(plugins, jira):
    serving, _, config = jira
    await asked(plugins, "jira", config, project="OPS", type="Story", parent="OPS-1")
    contract = json.loads(CONTRACT.read_bytes())
    schema = {"$ref": "#/components/schemas/IssueUpdateDetails", "components": contract["components"]}
    assert list(Draft202012Validator(schema).iter_errors(serving.posted[0])) == []
    assert serving.posted[0]["fields"]["parent"] == {"key": "OPS-1"}


async def test_what_jira_refuses_is_told_in_its_own_words(plugins, jira):
    _, _, config = jira
    with pytest.raises(SourceError, match="Specify a valid issue type") as caught:
        await asked(plugins, "jira", config, project="OPS", type="Wish")
    assert caught.value.reason is CollectorError.CONFIG


async def test_where_jira_does_not_say_whether_there_is_an_issue_none_is_opened(plugins):
    serving = Serving(web.Application(), "/issue")
    serving.server.app.router.add_route("*", "/{path:.*}", answering({"total": 0}))
    await serving.server.start_server()
    try:
        config = {"url": str(serving.server.make_url("/")), "token": "demo", "deployment": "server"}
        with pytest.raises(SourceError, match="no issues") as caught:
            await asked(plugins, "jira", config, project="OPS")
    finally:
        await serving.server.close()
    assert caught.value.reason is CollectorError.SCHEMA
    assert serving.posted == []


def answering(body, status=200):
    async def answer(_):
        return web.json_response(body, status=status)

    return answer


async def test_a_refusal_of_servicenow_without_words_is_one_all_the_same(plugins):
    serving = Serving(web.Application(), "/table/")
    serving.server.app.router.add_route("*", "/{path:.*}", answering({"message": "no"}, 403))
    await serving.server.start_server()
    try:
        config = {"url": str(serving.server.make_url("/")), "username": "demo", "password": "demo"}
        with pytest.raises(SourceError, match="HTTP 403") as caught:
            await asked(plugins, "servicenow", config)
    finally:
        await serving.server.close()
    assert caught.value.reason is CollectorError.PERMISSION


@pytest.mark.parametrize("table", ["problem", "incident", "change_request"])
async def test_servicenow_opens_one_record_however_often_it_is_asked(plugins, snow, table):
    serving, instance, config = snow
    first = await asked(plugins, "servicenow", config, table=table)
    assert await asked(plugins, "servicenow", config, table=table) == first
    rows = list(instance.table(table).rows.values())
    assert [row["correlation_id"] for row in rows] == [REQUEST.key]
    assert rows[0]["short_description"] == "Mean time to resolve has been rising steadily"
    assert first.endswith(f"/{table}.do?sys_id={rows[0]['sys_id']}")
    assert len(serving.posted) == 1


async def test_an_instance_that_drops_the_key_is_refused_before_it_opens_two(plugins, snow, monkeypatch):
    _, instance, config = snow
    table = instance.table("problem")
    monkeypatch.setattr(table, "columns", {k: v for k, v in table.columns.items() if k != "correlation_id"})
    with pytest.raises(SourceError, match="correlation_id"):
        await asked(plugins, "servicenow", config)


def test_parameters_of_actions_are_checked(plugins):
    with pytest.raises(ValidationError):
        params_of(plugins.openers["jira"]).model_validate({"typo": 1})
    assert params_of(plugins.openers["servicenow"])().table == "problem"
