"""Tickets opened by a third-party plugin, one file in a folder: in its worker, with its own secrets, and nothing else's."""

import json
import os
import textwrap
from datetime import UTC, datetime

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bsc_monitor.collect.hooking import Hooked
from bsc_monitor.collect.plugins import find_plugins
from bsc_monitor.model.source import Source
from bsc_monitor.plugin import CollectorError, SourceError, TicketRequest

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
REQUEST = TicketRequest("bsc-0123456789abcdef", "It rises", ("It rises.", "Act."), "https://board.example.com/x")

PLUGIN = """
import asyncio, os
from typing import Any
from bsc_monitor.plugin import Collector, Context, Params, Reading, Secret, SourceConfig, TicketRequest, hookimpl, measure

class Helpdesk(Collector):
    name = "helpdesk"

    class Config(SourceConfig):
        url: str
        token: Secret

    @measure(unit="count", title="Open tickets")
    async def open(self, ctx):
        return Reading(1.0)

class How(Params):
    queue: str = "ops"
    do: str = ""

@hookimpl
def bsc_actions() -> dict[str, Any]:
    return {"helpdesk": open_ticket}

async def open_ticket(ctx: Context, config: Any, request: TicketRequest, p: How) -> str:
    if p.do == "raise":
        raise RuntimeError("refused for " + config.token.reveal())
    if p.do == "hang":
        await asyncio.Event().wait()
    if p.do == "exit":
        os._exit(3)
    if p.do == "script":
        return "javascript:alert(1)"
    if p.do == "stray":
        await ctx.http.get("http://169.254.169.254/latest/meta-data")
    if p.do == "peek":
        return "https://help.example.com/" + os.environ.get("SNOW_PASSWORD", "nothing")
    found = (await ctx.http.get(config.url + "/search", params={"key": request.key}, bearer=config.token)).json()
    if not found:
        body = {"key": request.key, "title": request.title, "text": list(request.paragraphs), "queue": p.queue}
        found = (await ctx.http.post(config.url + "/tickets", json=body, bearer=config.token, retry=False)).json()
    return config.url + "/tickets/" + str(found["number"]) + "?worker=" + str(os.getpid())
"""


class Helpdesk:
    """A ticket system that keeps what it is sent."""

    def __init__(self):
        self.tickets, self.tokens = {}, set()
        app = web.Application()
        app.router.add_get("/search", self.search)
        app.router.add_post("/tickets", self.open)
        self.server = TestServer(app)

    async def search(self, request):
        self.tokens.add(request.headers["Authorization"])
        return web.json_response(self.tickets.get(request.query["key"]))

    async def open(self, request):
        body = json.loads(await request.text())
        self.tickets[body["key"]] = {**body, "number": len(self.tickets) + 1}
        return web.json_response(self.tickets[body["key"]])


@pytest.fixture
async def desk():
    made = Helpdesk()
    await made.server.start_server()
    yield made
    await made.server.close()


@pytest.fixture
async def asked(tmp_path, desk, monkeypatch):
    """Asks the plugin's action for a ticket."""
    monkeypatch.setenv("SNOW_PASSWORD", "c4nary-of-another")
    (tmp_path / "helpdesk.py").write_text(textwrap.dedent(PLUGIN))
    found = find_plugins([tmp_path], with_entry_points=False)
    assert [problem for problem in found.problems if "helpdesk" in str(problem)] == []
    origin = found.isolated["helpdesk"]
    hooked = Hooked(origin, found.hooked[origin], frozenset({"helpdesk"}), lambda: None)

    async def ask(seconds=30.0, **params):
        config = {"url": str(desk.server.make_url("/")).rstrip("/"), "token": "own-t0ken"}
        given = found.collectors["helpdesk"].Config.model_validate(config)
        source = Source("help", "helpdesk", given, requests_per_second=1000.0, timeout=seconds)
        return await hooked.open_ticket(source, REQUEST, params, NOW)

    yield ask
    await hooked.close()


async def test_it_opens_one_ticket_however_often_it_is_asked_and_in_another_process(asked, desk):
    first = await asked(queue="network")
    again = await asked(queue="network")

    assert first == again
    assert list(desk.tickets) == [REQUEST.key]
    assert desk.tickets[REQUEST.key]["queue"] == "network"
    assert desk.tickets[REQUEST.key]["text"] == ["It rises.", "Act."]
    assert desk.tokens == {"Bearer own-t0ken"}
    assert not first.endswith(f"worker={os.getpid()}")


async def test_what_it_raises_is_told_without_its_secret(asked):
    with pytest.raises(SourceError, match="refused for") as caught:
        await asked(do="raise")
    assert "own-t0ken" not in str(caught.value)


async def test_it_knows_no_secret_of_the_service(asked):
    assert await asked(do="peek") == "https://help.example.com/nothing"


async def test_the_addresses_it_may_ask_are_those_of_any_source(asked):
    with pytest.raises(SourceError, match="not allowed"):
        await asked(do="stray")


@pytest.mark.parametrize(("do", "reason"), [("hang", CollectorError.TIMEOUT), ("exit", CollectorError.PLUGIN)])
async def test_one_that_hangs_or_dies_hurts_itself_alone_and_the_next_try_goes_on(asked, do, reason):
    with pytest.raises(SourceError) as caught:
        await asked(seconds=2.0, do=do)
    assert caught.value.reason in (reason, CollectorError.PLUGIN)
    assert "/tickets/1?" in await asked()


async def test_what_is_no_web_address_is_no_ticket(asked):
    with pytest.raises(SourceError, match="no web address"):
        await asked(do="script")


async def test_its_parameters_are_checked(asked):
    with pytest.raises(SourceError, match="params are wrong"):
        await asked(typo=1)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (('{"helpdesk": open_ticket}', '{"jira": open_ticket}'), "which is no collector of this plugin"),
        (("async def open_ticket", "def open_ticket"), "is no async function"),
        (("p: How)", "p: 'Nothing')"), "cannot be read"),
    ],
)
def test_a_plugin_that_may_not_open_tickets_is_refused_with_words(tmp_path, change, words):
    (tmp_path / "helpdesk.py").write_text(textwrap.dedent(PLUGIN).replace(*change).replace("await ", ""))
    found = find_plugins([tmp_path], with_entry_points=False)

    assert any(words in problem.message for problem in found.problems), found.problems
    assert "helpdesk" not in found.openers
    assert found.openers["jira"].__module__.startswith("bsc_monitor_plugin_tickets")
