"""Hooks in their worker process: told typed events in order, contained, counted; receivers and pages as plain data."""

import asyncio
import json
import textwrap
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from bsc_monitor.collect import hooking
from bsc_monitor.collect.hooking import Hooked, name_of
from bsc_monitor.collect.plugins import find_plugins
from bsc_monitor.model.alert import Alert, AlertState
from bsc_monitor.model.event import AlertChanged, KpiJudged, ReadingStored
from bsc_monitor.model.judgement import Judgement
from bsc_monitor.model.page import PageRequest
from bsc_monitor.model.reading import KpiReading
from bsc_monitor.plugin import SourceError

NOW = datetime(2026, 5, 20, 12, tzinfo=UTC)
PLUGIN = """
import json, sys, time
from bsc_monitor.plugin import AlertChanged, KpiJudged, Page, PageRoute, hookimpl

def note(*words):
    with open("FILE", "a") as out:
        out.write(json.dumps(words) + "\\n")

@hookimpl
def bsc_reading_stored(event):
    if event.reading.value == 13:
        raise RuntimeError("boom")
    if event.reading.value == 14:
        time.sleep(60)
    if event.reading.value == 15:
        sys.exit(1)
    note("reading", event.reading.kpi, event.reading.value, event.at.isoformat(), event.reading.labels)

@hookimpl
async def bsc_score_changed(event):
    assert isinstance(event, KpiJudged)
    note("score", event.judgement.kpi, event.before)

@hookimpl
def bsc_alert_changed(event):
    assert isinstance(event, AlertChanged)
    note("alert", event.alert.fingerprint, event.alert.labels, event.before)

@hookimpl
def bsc_receivers():
    def pager(config, message):
        if config.get("down"):
            raise OSError("no line")
        note("paged", config, message)
    return {"pager": pager}

def page(request):
    return Page(request.body.decode() + request.query["q"], status=201, run="s")

@hookimpl
def bsc_routes():
    return [PageRoute("p", page, "viewer", method="POST")]
"""


@pytest.fixture
async def rig(tmp_path, monkeypatch):
    told = tmp_path / "told"
    file = tmp_path / "plug" / "hooks.py"
    file.parent.mkdir()
    file.write_text(textwrap.dedent(PLUGIN).replace("FILE", str(told)))
    found = find_plugins([file.parent], with_entry_points=False)
    lost = []
    hooked = Hooked(str(file), found.hooked[str(file)], frozenset(), lambda: lost.append(1))
    yield SimpleNamespace(
        hooked=hooked, lost=lost,
        told=lambda: [json.loads(line) for line in told.read_text().splitlines()] if told.exists() else [],
    )  # fmt: skip
    await hooked.close()


async def until(condition):
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.02)


def reading(value):
    return ReadingStored(NOW, KpiReading("it/a", NOW, value, labels=(("team", "x"),)))


async def test_typed_events_arrive_in_order(rig):
    alert = Alert("r", "h", {"kpi": "a"}, "f" * 16, AlertState.FIRING)
    for event in (
        reading(1.0),
        KpiJudged(NOW, Judgement("it/a")),
        AlertChanged(NOW, alert, AlertState.PENDING),
        reading(2.0),
    ):
        rig.hooked.tell(event)
    await until(lambda: len(rig.told()) == 4)
    assert rig.told() == [
        ["reading", "it/a", 1.0, NOW.isoformat(), [["team", "x"]]],
        ["score", "it/a", None],
        ["alert", "f" * 16, {"kpi": "a"}, "pending"],
        ["reading", "it/a", 2.0, NOW.isoformat(), [["team", "x"]]],
    ]
    assert rig.lost == []


async def test_a_hook_that_raises_exits_or_hangs_loses_its_event_alone(rig, monkeypatch):
    rig.hooked.tell(reading(1.0))
    await until(rig.told)
    for value in (13, 15, 2.0):
        rig.hooked.tell(reading(value))
    await until(lambda: len(rig.told()) == 2)
    assert len(rig.lost) == 2
    monkeypatch.setattr(hooking, "_SECONDS", 1.0)
    rig.hooked.tell(reading(14))
    await until(lambda: len(rig.lost) == 3)
    assert "no result within" in rig.hooked.error
    monkeypatch.setattr(hooking, "_SECONDS", 30.0)
    rig.hooked.tell(reading(3.0))
    await until(lambda: len(rig.told()) == 3 and rig.hooked.error is None)  # it writes, and then returns


async def test_a_slow_hook_keeps_a_short_queue_and_the_rest_is_counted(rig, monkeypatch):
    monkeypatch.setattr(hooking, "_WAITING", 5)
    for number in range(20):
        rig.hooked.tell(reading(float(100 + number)))
    assert len(rig.lost) == 15
    await until(lambda: len(rig.told()) == 5)
    assert [line[2] for line in rig.told()] == [115, 116, 117, 118, 119]


async def test_receivers_and_pages_are_asked_as_plain_data(rig):
    assert await rig.hooked.receivers() == ["pager"]
    await rig.hooked.receive("pager", {"team": "a"}, {"title": "t"})
    assert rig.told() == [["paged", {"team": "a"}, {"title": "t"}]]
    with pytest.raises(SourceError, match="OSError"):
        await rig.hooked.receive("pager", {"down": True}, {})
    assert await rig.hooked.routes() == [("POST", "p", "viewer")]
    page = await rig.hooked.page(PageRequest("POST", "p", {"q": "!"}, {}, b"hello", "me"))
    assert (page.body, page.status, page.run) == ("hello!", 201, "s")


def test_a_plugin_is_called_by_its_file_or_entry_point():
    assert (name_of("/x/pager.py"), name_of("entry point pager (bsc-pager)")) == ("pager", "pager")
