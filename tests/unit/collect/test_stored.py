"""Streams over a real SQLite database: increments, restarts, failures, reconciliation."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import MetaData, create_engine
from sqlalchemy.pool import StaticPool

from bsc_monitor.collect.live import open_source
from bsc_monitor.collect.run import run_measure
from bsc_monitor.collect.stored import StoredRecords
from bsc_monitor.collect.streams import definition_of
from bsc_monitor.model.period import Calendar, Period
from bsc_monitor.model.source import Source
from bsc_monitor.plugin import (
    Collector,
    CollectorError,
    Params,
    Reading,
    Record,
    SourceConfig,
    SourceError,
    Window,
    measure,
    stream,
)  # fmt: skip
from bsc_monitor.store.records import record_tables

NOW = datetime(2026, 6, 10, 12, tzinfo=UTC)


class Ticket(Record):
    id: str
    updated: datetime
    points: float = 1


class Scope(Params):
    project: str = "a"


class Half(Scope):
    factor: float = 1


class Desk(Collector):
    """A source whose tickets a test changes."""

    name = "desk"
    api = 1

    def __init__(self, config):
        super().__init__(config)
        self.tickets, self.windows, self.fails, self.listed = {}, [], None, 0

    @stream(key="id", cursor="updated", record=Ticket, overlap="10m", ids="existing")
    async def tickets_changed(self, ctx, scope: Scope, window: Window):
        self.windows.append(window)
        ctx.checkpoint["seen"] = [*ctx.checkpoint.get("seen", []), ctx.now.day]
        self.kept = ctx.checkpoint["seen"]
        await asyncio.sleep(0)
        for number, ticket in enumerate(list(self.tickets.values())):
            if self.fails and number == self.fails:
                raise SourceError("the network went away")
            if window.start is None or ticket.updated >= window.start:
                yield ticket

    async def existing(self, ctx, scope):
        self.listed += 1
        for name in self.tickets:
            yield name

    @measure(unit="points", title="Points", over="tickets_changed")
    def points(self, records, p: Half, period, calendar):
        return Reading(p.factor * sum(record.points for record in records))

    def put(self, *names, at=NOW, points=1.0):
        for name in names:
            self.tickets[name] = Ticket(id=name, updated=at, points=points)


class Store:
    """Reads and writes of a real database, one transaction each."""

    def __init__(self):
        metadata = MetaData()
        self.tables = record_tables(metadata)
        self.engine = create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})
        metadata.create_all(self.engine)
        self.broken = False

    async def write(self, work):
        with self.engine.begin() as connection:
            result = work(connection)
            if self.broken:
                raise OSError("disk full")
            return result

    async def read(self, work):
        with self.engine.connect() as connection:
            return work(connection)


class Bench:
    def __init__(self):
        self.store = Store()
        self.restart()

    def restart(self):
        """What a new process has: the database alone."""
        old = getattr(self, "live", None)
        self.live = open_source(Source("s", "desk", SourceConfig()), Desk)
        self.desk = self.live.collector
        if old:
            self.desk.tickets = old.collector.tickets
        self.records = StoredRecords(self.store, self.store.tables)

    async def ask(self, now=NOW, fresh_since=None, **params):
        return await run_measure(
            self.live, "points", params, period=Period(NOW - timedelta(days=9), NOW + timedelta(days=9)), now=now,
            calendar=Calendar(), records=self.records, fresh_since=fresh_since,
        )  # fmt: skip

    async def points(self, now=NOW, **params):
        result = await self.ask(now, **params)
        assert result.error is None, result.error
        return result.readings[0].value


@pytest.fixture
def bench():
    bench = Bench()
    yield bench
    bench.store.engine.dispose()


async def test_the_first_fetch_takes_everything_and_the_next_what_changed(bench):
    bench.desk.put("1", "2", at=NOW - timedelta(days=100))
    assert await bench.points() == 2
    later = NOW + timedelta(hours=1)
    bench.desk.put("2", at=later, points=5)
    bench.desk.put("3", at=later)
    assert await bench.points(later + timedelta(minutes=1)) == 7
    assert [window.start for window in bench.desk.windows] == [None, NOW - timedelta(minutes=10)]


async def test_a_restart_continues_where_it_was(bench):
    bench.desk.put("1", "2", at=NOW - timedelta(days=100))
    await bench.points()
    bench.restart()
    assert await bench.points(NOW + timedelta(hours=1)) == 2
    assert bench.desk.windows[0].start == NOW - timedelta(minutes=10)


async def test_records_at_the_very_boundary_are_not_lost(bench):
    bench.desk.put("1", at=NOW)
    await bench.points()
    bench.desk.put("tie", at=NOW)  # became visible after the fetch, with the same time
    assert await bench.points(NOW + timedelta(minutes=5)) == 2


async def test_what_a_stream_keeps_is_committed_with_its_records_and_is_no_measures(bench):
    bench.desk.put("1", "2", at=NOW - timedelta(days=1))
    assert (await bench.ask()).checkpoint == {}, "a measure has its own"
    bench.desk.fails = 1
    bench.desk.put("1", "2", at=NOW + timedelta(days=1))
    assert (await bench.ask(NOW + timedelta(days=1))).error is not None
    bench.restart()
    await bench.ask(NOW + timedelta(days=2))
    assert bench.desk.kept == [10, 12], "of the 11th nothing was committed"


async def test_what_a_stream_kept_is_forgotten_when_its_records_take_another_form(bench, monkeypatch):
    bench.desk.put("1", at=NOW - timedelta(days=1))
    await bench.points()
    monkeypatch.setattr("bsc_monitor.collect.stored.definition_of", lambda *_: "another")
    await bench.points(NOW + timedelta(days=1))
    assert bench.desk.kept == [11]


async def test_a_fetch_that_breaks_off_moves_nothing(bench):
    bench.desk.put("1", at=NOW - timedelta(days=1))
    await bench.points()
    bench.desk.put("2", "3", "4", at=NOW + timedelta(hours=1))
    bench.desk.fails = 2
    later = NOW + timedelta(hours=2)
    assert (await bench.ask(later)).error.reason is CollectorError.TRANSIENT
    bench.desk.fails = None
    assert await bench.points(later + timedelta(hours=9)) == 4
    assert bench.desk.windows[-1].start == NOW - timedelta(minutes=10)


async def test_a_commit_that_fails_moves_nothing(bench):
    bench.desk.put("1")
    bench.store.broken = True
    assert (await bench.ask()).error is not None
    bench.store.broken = False
    bench.restart()
    assert await bench.points() == 1
    assert bench.desk.windows[0].start is None


async def test_fifty_runs_on_one_scope_cost_one_fetch_and_another_scope_its_own(bench):
    bench.desk.put("1", "2")
    results = await asyncio.gather(*(bench.ask(factor=n, fresh_since=NOW) for n in range(50)))
    assert [result.readings[0].value for result in results] == [2.0 * n for n in range(50)]
    assert len(bench.desk.windows) == 1
    await bench.points(project="b")
    assert len(bench.desk.windows) == 2


async def test_fifty_runs_on_a_failing_scope_ask_once(bench):
    bench.desk.put("1", "2", "3")
    bench.desk.fails = 1
    results = await asyncio.gather(*(bench.ask(factor=n, fresh_since=NOW) for n in range(50)))
    assert all(result.error.message == "the network went away" for result in results)
    assert len(bench.desk.windows) == 1


async def test_a_changed_definition_fetches_everything_again(bench, monkeypatch):
    bench.desk.put("1", at=NOW - timedelta(days=100))
    await bench.points()
    monkeypatch.setattr("bsc_monitor.collect.stored.definition_of", lambda live, stream: "another")
    bench.restart()
    bench.desk.tickets.clear()
    bench.desk.put("2", at=NOW - timedelta(days=100), points=4)
    assert await bench.points() == 4
    assert bench.desk.windows[0].start is None


async def test_deleted_records_are_found_once_a_day(bench):
    bench.desk.put(*map(str, range(20)), at=NOW - timedelta(days=100))
    await bench.points()
    del bench.desk.tickets["3"]
    assert await bench.points(NOW + timedelta(hours=1)) == 20
    assert await bench.points(NOW + timedelta(days=2)) == 19
    assert bench.desk.listed == 1
    bench.restart()
    assert await bench.points(NOW + timedelta(days=2, hours=1)) == 19


async def test_a_source_that_suddenly_shows_nothing_empties_nothing(bench):
    bench.desk.put(*map(str, range(50)), at=NOW - timedelta(days=100))
    await bench.points()
    bench.desk.tickets.clear()  # a permission was taken away
    assert await bench.points(NOW + timedelta(days=2)) == 50


async def test_parsed_records_are_forgotten_before_they_fill_the_memory(bench, monkeypatch):
    monkeypatch.setattr("bsc_monitor.collect.stored._MOST_CACHED", 3)
    bench.desk.put("1", "2")
    for project in "abc":
        await bench.points(project=project)
    assert sum(len(kept.records or ()) for kept in bench.records._kept.values()) <= 3
    assert await bench.points(NOW + timedelta(hours=1), project="a") == 2


async def test_a_record_with_another_field_or_a_source_elsewhere_is_fetched_anew(bench):
    spec = bench.live.streams["tickets_changed"]
    before = definition_of(bench.live, spec)
    assert definition_of(bench.live, replace(spec, overlap="1h")) == before, "how far it reaches back changes no record"

    class Wider(Ticket):
        team: str = ""

    assert definition_of(bench.live, replace(spec, record=Wider)) != before
    assert definition_of(bench.live, replace(spec, cursor="opened")) != before

    class Elsewhere(SourceConfig):
        url: str

    elsewhere = open_source(Source("s", "desk", Elsewhere(url="http://127.0.0.1:2")), Desk)
    assert definition_of(elsewhere, spec) != definition_of(
        open_source(Source("s", "desk", Elsewhere(url="http://127.0.0.1:1")), Desk), spec
    )


async def test_of_several_versions_in_one_answer_the_newest_is_kept(bench):
    bench.desk.put("1", at=NOW - timedelta(days=1), points=5)
    newest = bench.desk.tickets["1"]
    bench.desk.tickets = {
        "new": newest,
        "old": newest.model_copy(update={"updated": NOW - timedelta(days=9), "points": 1.0}),
    }
    assert await bench.points() == 5


async def test_a_moved_clock_fetches_again_rather_than_too_little(bench):
    bench.desk.put("1", at=NOW - timedelta(days=100))
    await bench.points()
    earlier = NOW - timedelta(hours=3)  # the clock was set back
    bench.desk.put("2", at=earlier)
    assert await bench.points(earlier) == 2
    assert bench.desk.windows[-1].start == earlier - timedelta(minutes=10)
