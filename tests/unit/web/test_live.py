"""Live updates: rendered once, shared by all, bounded, and nothing is missed."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from msgspec import structs
from tests.unit.web import site

from bsc_monitor.model.alert import Maintenance
from bsc_monitor.model.event import CollectorFailed, CollectorRan, ConfigReloaded, KpiJudged, ScoreChanged
from bsc_monitor.model.judgement import NodeScore
from bsc_monitor.model.status import CollectorError, Status
from bsc_monitor.web.live import pieces
from bsc_monitor.web.live.hub import _QUEUED, HUB, Hub


class Stream:
    """A page's connection, read event by event."""

    def __init__(self, answer):
        self.answer = answer

    async def next(self):
        fields = {"data": ""}
        async with asyncio.timeout(10):
            while line := (await self.answer.content.readline()).decode().rstrip("\n"):
                name, _, value = line.partition(": ")
                fields[name] = fields["data"] + value if name == "data" else value
        return fields


async def listen(client, on, since="", **headers):
    answer = await client.get(f"/events?on={on}&since={since}", headers=headers)
    assert answer.status == 200
    stream = Stream(answer)
    assert "retry" in await stream.next()
    return stream


def better(client, kpi="it/mttr", **changes):
    before = client.board.current.judgements[kpi]
    after = structs.replace(before, **{"value": 7.5, "status": Status.GREEN, "score": 70.0, **changes})
    return KpiJudged(site.NOW, after, before)


async def test_a_judgement_reaches_the_pages_that_show_it_and_no_other(client):
    card, overview, other = [await listen(client, on) for on in ("scorecard/it", "overview", "scorecard/company")]
    client.board.bus.publish([better(client)])
    update = await card.next()
    assert update["event"] == "update"
    assert 'id="row.it.mttr"' in update["data"]
    assert "7.5" in update["data"]
    assert 'id="concerns.it"' in update["data"]
    seen = (await overview.next())["data"]
    assert 'id="glance."' in seen
    assert "row.it.mttr" not in seen
    client.board.bus.publish([ScoreChanged(site.NOW, NodeScore("perspective", "company/customer", 50.0, Status.AMBER))])
    told = (await other.next())["data"]
    assert 'id="perspective.company.customer"' in told
    assert "mttr" not in told


async def test_the_page_of_a_kpi_follows_how_its_collection_goes(client):
    page, other = await listen(client, "kpi/it/mttr"), await listen(client, "kpi/it/sla")
    run, fed = (site.NOW, "itsm", "mttr", 1.0), {"job": "b", "kpis": ("it/mttr",)}
    client.board.bus.publish([CollectorFailed(*run, CollectorError.CONFIG, "GET /b: 404", **fed)])
    assert "GET /b: 404" in (await page.next())["data"]
    client.board.bus.publish([CollectorRan(*run, 1, **fed)])
    told = (await page.next())["data"]
    assert 'id="why.it.mttr"' in told
    assert "404" not in told
    client.board.bus.publish([better(client, "it/sla")])
    assert "why.it.mttr" not in (await other.next())["data"]


async def test_a_burst_is_one_message_and_each_piece_is_rendered_once_for_all(client, monkeypatch):
    streams = [await listen(client, "scorecard/it") for _ in range(5)]
    made = []
    kind = pieces.KINDS["row"]
    counting = replace(kind, render=lambda scene, name: made.append(name) or kind.render(scene, name))
    monkeypatch.setitem(pieces.KINDS, "row", counting)
    client.board.bus.publish([better(client, value=float(number)) for number in range(50)])
    messages = [await stream.next() for stream in streams]
    assert made == ["it/mttr"]
    assert len({message["data"] for message in messages}) == 1
    assert "<b>49</b>" in messages[0]["data"]


async def test_what_changed_between_the_page_and_its_stream_is_not_missed(client):
    hub = client.app[HUB]
    since = hub.stamp()
    client.board.bus.publish([better(client)])
    hub.flush()
    stream = await listen(client, "scorecard/it", since)
    assert 'id="row.it.mttr"' in (await stream.next())["data"]


async def test_who_comes_back_gets_what_was_missed_by_the_number_of_the_last_message(client):
    first = await listen(client, "scorecard/it")
    client.board.bus.publish([better(client)])
    number = (await first.next())["id"]
    first.answer.close()
    client.board.bus.publish([better(client, "it/sla")])
    client.app[HUB].flush()
    again = await listen(client, "scorecard/it", "x", **{"Last-Event-ID": number})
    missed = (await again.next())["data"]
    assert 'id="row.it.sla"' in missed
    assert 'id="row.it.mttr"' not in missed


async def test_after_a_restart_or_another_configuration_the_page_is_loaded_anew(client):
    stream = await listen(client, "overview", "otherrun-17")
    assert (await stream.next())["event"] == "restart"
    stream = await listen(client, "overview")
    client.board.bus.publish([ConfigReloaded(site.NOW, ok=True)])
    assert (await stream.next())["event"] == "restart"


async def test_a_slow_viewer_is_dropped_and_the_others_go_on(client):
    hub = client.app[HUB]
    quick = await listen(client, "sources")
    slow, dropped = hub.join("sources", ""), []
    slow.drop = lambda: dropped.append(True)
    for _ in range(_QUEUED + 1):
        client.board.bus.publish([CollectorRan(site.NOW, "itsm", "mttr", 1.0, 1)])
        hub.flush()
        assert 'id="sources."' in (await quick.next())["data"]
    assert (dropped, hub.dropped, hub.count()) == ([True], 1, 1)


async def test_memory_of_changes_is_bounded_and_who_is_older_loads_anew(client, monkeypatch):
    monkeypatch.setattr("bsc_monitor.web.live.hub._REMEMBERED", 3)
    hub = client.app[HUB]
    since = hub.stamp()
    for name in ("it/mttr", "it/sla"):
        client.board.bus.publish([better(client, name)])
        hub.flush()
    viewer = hub.join("scorecard/it", since)
    assert b"event: restart" in viewer.queue.get_nowait()


async def test_closing_the_page_frees_its_place(client):
    stream = await listen(client, "overview")
    hub: Hub = client.app[HUB]
    assert hub.count() == 1
    stream.answer.close()
    async with asyncio.timeout(10):
        while hub.count():
            client.board.bus.publish([better(client)])
            hub.flush()
            await asyncio.sleep(0)
    assert hub.count() == 0


@pytest.mark.parametrize("on", ["../x", "kpi/it/mttr/more", "A", "kpi//"])
async def test_a_channel_that_cannot_be_is_refused(client, on):
    assert (await client.get("/events", params={"on": on})).status == 400


async def test_a_page_shows_the_pieces_that_the_stream_replaces(client):
    page = await (await client.get("/scorecards/it")).text()
    for name in ("row.it.mttr", "concerns.it", "head.it", "perspective.it.customer", "objective.it.restore-fast"):
        assert page.count(f'id="{name}"') == 1


async def test_after_a_read_that_failed_and_for_who_asks_meanwhile_nothing_is_made_up(store):
    read, away = asyncio.Event(), True

    class Slow:
        async def read(self, work):
            if away:
                raise OSError("the database is away")
            await read.wait()
            return store.read_now(work)

    hub = Hub(replace(site.make_board(store), store=Slow()))
    with pytest.raises(OSError, match="away"):
        await hub.controls()
    away = False
    both = [asyncio.create_task(hub.controls()) for _ in range(2)]
    await asyncio.sleep(0)
    assert not any(each.done() for each in both), "an empty picture would say that nothing fires"
    read.set()
    assert [len(found.alerts) for found in await asyncio.gather(*both)] == [3, 3]


async def test_a_maintenance_window_that_a_reload_brought_is_shown(store):
    windows = {}
    board = replace(site.make_board(store), maintenance=lambda: windows)
    hub = Hub(board)
    before = {each.id for each in (await hub.controls()).windows}
    windows["patch"] = Maintenance("patch", "0 22 * * *", timedelta(hours=1))
    hub._happened(ConfigReloaded(site.NOW, ok=True))
    assert {each.id for each in (await hub.controls()).windows} == before | {"patch"}
