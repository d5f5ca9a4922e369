"""Hostile third-party plugins in worker processes: each hurts its own runs, and nothing else."""

import asyncio
import textwrap
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bsc_monitor.collect.context import RunContext, RunLog
from bsc_monitor.collect.isolate import Worker
from bsc_monitor.collect.live import open_source
from bsc_monitor.collect.plugins import find_plugins
from bsc_monitor.collect.run import run_measure
from bsc_monitor.collect.streams import TransientRecords, fetch_window
from bsc_monitor.model.period import Calendar, Period
from bsc_monitor.model.source import Source
from bsc_monitor.plugin import CollectorError, Window

NOW = datetime(2026, 5, 20, tzinfo=UTC)
MAY = Period(datetime(2026, 5, 1, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC), None, "2026-05")

PLUGIN = """
import asyncio, os, signal, sys, time
from datetime import datetime
from bsc_monitor.plugin import Collector, Params, Reading, Record, Secret, SourceConfig, measure, stream

class Item(Record):
    id: str
    updated: datetime
    team: str

class Scope(Params):
    count: int = 3

class Zoo(Collector):
    name = "zoo"

    class Config(SourceConfig):
        token: Secret

    class Number(Params):
        n: float = 1.0

    @measure(unit="count", title="Behaves")
    async def good(self, ctx, p: Number):
        ctx.checkpoint["seen"] = p.n
        return Reading(p.n, labels={"team": "a"}, note=self.config.token.reveal()[:2])

    @measure(unit="d", title="Of the period")
    async def days(self, ctx):
        return Reading((ctx.window.end - ctx.window.start).days)

    @stream(key="id", cursor="updated", record=Item)
    async def items(self, ctx, scope: Scope, window):
        ctx.checkpoint["windows"] = ctx.checkpoint.get("windows", 0) + 1
        for n in range(scope.count):
            yield Item(id=str(n), updated=window.end, team="ab"[n % 2])

    @measure(unit="count", title="Over records", over="items")
    def how_many(self, records, p: Scope, period, calendar):
        return Reading(float(len(list(records))))

    @measure(unit="count", title="")
    async def raises(self, ctx):
        raise RuntimeError("boom " + self.config.token.reveal())

    @measure(unit="count", title="")
    async def exits(self, ctx):
        sys.exit(0)

    @measure(unit="count", title="")
    async def dies(self, ctx):
        os._exit(9)

    @measure(unit="count", title="")
    async def hangs(self, ctx):
        await asyncio.Event().wait()

    @measure(unit="count", title="")
    async def blocks(self, ctx):
        time.sleep(60)

    @measure(unit="count", title="")
    async def spins(self, ctx):
        while True:
            pass

    @measure(unit="count", title="")
    async def leaks(self, ctx):
        kept = []
        while True:
            kept.append(bytearray(64 << 20))

    @measure(unit="count", title="")
    async def floods(self, ctx):
        for _ in range(2000):
            print("x" * 10_000)
            sys.stderr.write("y" * 10_000)
        return Reading(1.0)

    @measure(unit="count", title="")
    async def forges(self, ctx):
        for fd in range(3, 20):
            try:
                os.write(fd, b'{"id": "no", \\n[[[ nonsense\\n')
            except OSError:
                pass
        await asyncio.sleep(30)

    @measure(unit="count", title="")
    async def forks(self, ctx):
        for _ in range(5):
            if os.fork() == 0:
                time.sleep(60)
                os._exit(0)
        os._exit(1)

    @measure(unit="count", title="")
    async def segfaults(self, ctx):
        os.kill(os.getpid(), signal.SIGSEGV)

    @measure(unit="count", title="")
    async def swallows(self, ctx):
        while True:
            try:
                await asyncio.sleep(30)
            except asyncio.CancelledError:
                pass

    @measure(unit="count", title="")
    async def nonsense(self, ctx):
        return {"value": 1}

    @measure(unit="count", title="")
    async def peeks(self, ctx):
        seen = repr(dict(os.environ))
        return Reading(float("c4nary" in seen))
"""


@pytest.fixture
async def zoo(tmp_path, monkeypatch):
    monkeypatch.setenv("SNOW_PASSWORD", "c4nary-of-another")
    file = tmp_path / "zoo.py"
    file.write_text(textwrap.dedent(PLUGIN))
    found = find_plugins([tmp_path], with_entry_points=False)
    cls = found.collectors["zoo"]
    worker = Worker("zoo", found.isolated["zoo"])
    config = cls.Config.model_validate({"token": "own-t0ken"})
    live = open_source(Source("z", "zoo", config, timeout=30), cls, worker=worker)
    yield live
    await worker.close()
    await live.client.close()


async def ask(live, name, params=None, by=(), seconds=30, now=NOW):
    object.__setattr__(live.source, "timeout", seconds)
    return await run_measure(
        live, name, params or {}, period=MAY, now=now, calendar=Calendar(), records=TransientRecords(), by=by
    )


async def test_a_plugin_that_behaves_answers_from_its_worker(zoo):
    result = await ask(zoo, "good", {"n": 2.5})
    assert result.error is None, result.error
    assert (result.readings[0].value, result.readings[0].at) == (2.5, NOW)
    assert dict(result.readings[0].labels) == {"team": "a"}
    assert result.checkpoint == {"seen": 2.5}


async def test_an_answer_about_a_past_period_lies_in_it_from_a_worker_too(zoo):
    days = await ask(zoo, "days", now=NOW + timedelta(days=90))
    good = await ask(zoo, "good", now=NOW + timedelta(days=90))
    assert (days.readings[0].at in MAY, good.readings[0].at) == (True, NOW + timedelta(days=90))


async def test_records_and_breakdowns_work_through_the_worker(zoo):
    result = await ask(zoo, "how_many", {"count": 1001}, by=("team",))
    assert result.error is None, result.error
    assert {reading.labels.get("team"): reading.value for reading in result.readings} == {
        None: 1001,
        "a": 501,
        "b": 500,
    }


async def test_what_a_stream_keeps_goes_to_the_worker_and_back(zoo):
    run = RunContext(
        zoo.client.run(30), NOW, Window(None, NOW), MAY, (), Calendar(), RunLog("z", "items", zoo.client.redactor),
        checkpoint={"windows": 4},
    )  # fmt: skip
    spec = zoo.streams["items"]
    found = await fetch_window(zoo, spec, spec.scope(count=3), Window(None, NOW), run)
    assert (len(found), run.checkpoint) == (3, {"windows": 5})


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("raises", CollectorError.PLUGIN), ("exits", CollectorError.PLUGIN), ("dies", CollectorError.PLUGIN),
        ("leaks", CollectorError.PLUGIN), ("forges", CollectorError.PLUGIN), ("forks", CollectorError.PLUGIN),
        ("segfaults", CollectorError.PLUGIN), ("nonsense", CollectorError.PLUGIN),
        ("hangs", CollectorError.TIMEOUT), ("blocks", CollectorError.TIMEOUT), ("spins", CollectorError.TIMEOUT),
        ("swallows", CollectorError.TIMEOUT),
    ],
)  # fmt: skip
async def test_a_hostile_plugin_fails_alone_and_the_loop_does_not_notice(zoo, name, reason):
    assert (await ask(zoo, "good")).error is None
    turns = 0

    async def watch():
        nonlocal turns
        while True:
            await asyncio.sleep(0.005)
            turns += 1

    watching = asyncio.create_task(watch())
    result = await ask(zoo, name, seconds=1.5 if reason is CollectorError.TIMEOUT else 30)
    watching.cancel()
    assert result.error.reason is reason, result.error
    assert "own-t0ken" not in result.error.message
    if reason is CollectorError.TIMEOUT:
        assert turns > 20, "a loop that stands still for all that time turns once or twice, a free one 300 times"
    after = await ask(zoo, "good")
    assert after.error is None, after.error


async def test_what_a_plugin_prints_goes_nowhere_and_others_secrets_are_not_there(zoo):
    assert (await ask(zoo, "floods")).readings[0].value == 1
    assert (await ask(zoo, "peeks")).readings[0].value == 0


@pytest.mark.parametrize("name", ["dies", "forges", "blocks", "swallows"])
async def test_what_harms_its_worker_three_times_in_a_row_is_quarantined(zoo, name):
    assert (await ask(zoo, "good")).error is None
    for _ in range(3):
        assert (await ask(zoo, name, seconds=1 if name in ("hangs", "blocks", "spins", "swallows") else 30)).error
    error = (await ask(zoo, "good")).error
    assert "quarantined after 3 failures (the last: it " in error.message
    assert timedelta(seconds=error.retry_after) > timedelta(minutes=5)
    assert zoo.worker.process.pid is None


async def test_a_good_answer_in_between_forgives_what_was_before(zoo):
    for name in ("dies", "dies", "good", "dies", "dies", "good"):
        await ask(zoo, name)
    assert (await ask(zoo, "good")).error is None


async def test_what_only_raises_is_left_to_the_schedule(zoo):
    for name in ("raises", "exits", "nonsense", "raises"):
        assert (await ask(zoo, name)).error.reason is CollectorError.PLUGIN
    assert (await ask(zoo, "good")).error is None


async def test_the_children_of_a_worker_die_with_it(zoo):
    await ask(zoo, "good")
    group = zoo.worker.process.pid
    await ask(zoo, "forks")
    async with asyncio.timeout(5):
        while alive_in(group):  # noqa: ASYNC110
            await asyncio.sleep(0.02)


def alive_in(group):
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[2]) == group and fields[0] != "Z":
            found.append(entry.name)
    return found
