"""One run against plugins that behave and plugins that do not."""

import asyncio
import contextlib
import sys
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bsc_monitor.collect.guard import abandoned
from bsc_monitor.collect.live import open_source
from bsc_monitor.collect.run import run_measure
from bsc_monitor.collect.streams import StreamState, TransientRecords, next_window, vanished
from bsc_monitor.model.period import Calendar, Period, PeriodKind
from bsc_monitor.model.source import Source
from bsc_monitor.plugin import (
    Collector,
    CollectorError,
    Completeness,
    Params,
    Reading,
    ReadingState,
    Record,
    Secret,
    SourceConfig,
    SourceError,
    Window,
    declared,
    measure,
    stream,
)  # fmt: skip

MAY = Period(datetime(2026, 5, 1, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC), PeriodKind.MONTH, "2026-05")
NOW = datetime(2026, 5, 20, 12, tzinfo=UTC)
CANARY = "c4nary-token"


class Item(Record):
    id: str
    updated: datetime
    team: str | None = None


class Scope(Params):
    project: str = "a"


class Least(Scope):
    least: int = 0


class Config(SourceConfig):
    token: Secret = Secret(CANARY)


class Zoo(Collector):
    name = "zoo"
    Config = Config
    fetches = 0

    @measure(unit="count", title="One")
    async def one(self, ctx, p: Scope):
        return Reading(1.0, labels={"project": p.project})

    @measure(unit="count", title="Without parameters, in a thread")
    def plain(self, ctx):
        return Reading(True)

    @measure(unit="count", title="Several")
    async def several(self, ctx):
        for value in (1, 2):
            yield Reading(value)

    @measure(unit="h", title="How long the period is")
    async def hours(self, ctx):
        return Reading((ctx.window.end - ctx.window.start) / timedelta(hours=1))

    @measure(unit="count", title="The month's number, in a thread")
    def month(self, ctx):
        yield Reading(ctx.period.start.month)
        yield Reading(0, labels={"team": "x"})

    @measure(unit="count", title="Settles late", settle="2d")
    async def settling(self, ctx):
        return Reading(1.0, period=ctx.period)

    @measure(unit="count", title="Nothing to measure")
    async def empty(self, ctx):
        return Reading(None, state=ReadingState.NO_DATA)

    @measure(unit="count", title="Raises")
    async def raises(self, ctx):
        raise ZeroDivisionError(f"with {CANARY}")

    @measure(unit="count", title="Exits")
    async def exits(self, ctx):
        sys.exit(3)

    @measure(unit="count", title="Exits in a thread")
    def exits_plainly(self, ctx):
        sys.exit(3)

    @measure(unit="count", title="Interrupts")
    async def interrupts(self, ctx):
        raise KeyboardInterrupt

    @measure(unit="count", title="Never returns")
    async def hangs(self, ctx):
        await asyncio.Event().wait()

    @measure(unit="count", title="Sleeps in a thread")
    def hangs_plainly(self, ctx):
        time.sleep(3)

    @measure(unit="count", title="Swallows cancellation")
    async def swallows(self, ctx):
        while self.config.token.reveal() != "stop":
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.sleep(0.05)

    @measure(unit="count", title="Cancels itself")
    async def cancels(self, ctx):
        raise asyncio.CancelledError

    @measure(unit="count", title="Nonsense")
    async def nonsense(self, ctx, p: "Answer"):
        return p.value

    @measure(unit="count", title="Nonsense inside a reading")
    async def nonsense_value(self, ctx, p: "Answer"):
        return Reading(p.value)

    @measure(unit="count", title="Endless")
    async def endless(self, ctx):
        while True:
            yield Reading(1)

    @stream(key="id", cursor="updated", record=Item)
    async def items(self, ctx, scope: Scope, window: Window):
        Zoo.fetches += 1
        for number in range(6):
            yield Item(id=str(number), updated=NOW, team=["x", "y", None][number % 3])
        yield Item(id="0", updated=NOW + timedelta(seconds=1), team="z")

    @measure(unit="count", title="How many", over="items")
    def how_many(self, records, p: Least, period: Window, calendar: Calendar):
        return Reading(float(len(list(records))), samples=len(list(records)))

    @stream(key="id", cursor="updated", record=Item)
    async def wrong_items(self, ctx, scope: Scope, window: Window):
        yield {"id": 1}

    @measure(unit="count", title="Over wrong records", over="wrong_items")
    def over_wrong(self, records, p: Scope, period, calendar):
        return Reading(1)

    @measure(unit="count", title="Circles")
    async def circles(self, ctx):
        async def fetch(token):
            return [1], {None: "a", "a": "b", "b": "a"}[token]

        return Reading(sum([len(page) async for page in ctx.pages(fetch)]))


class Answer(Params):
    value: Any = None


@pytest.fixture
async def live():
    source = open_source(Source("s", "zoo", Config(), timeout=0.2), Zoo)
    yield source
    await source.client.close()


async def ask(live, name, params=(), **options):
    settings = {"period": MAY, "now": NOW, "calendar": Calendar(), "records": TransientRecords(), **options}
    return await run_measure(live, name, dict(params), **settings)


async def test_readings_come_complete_with_their_instant(live):
    result = await ask(live, "one", {"project": "b"})
    assert (result.error, result.readings[0].value, result.readings[0].at) == (None, 1.0, NOW)
    assert result.readings[0].labels == {"project": "b"}
    assert [r.value for r in (await ask(live, "several")).readings] == [1, 2]
    assert (await ask(live, "plain")).readings[0].value == 1.0
    assert (await ask(live, "empty")).readings[0].state is ReadingState.NO_DATA


async def test_a_past_period_computed_from_records_is_as_of_its_end(live):
    result = await ask(live, "how_many", now=NOW + timedelta(days=365))
    assert result.readings[0].at in MAY
    assert result.readings[0].at > MAY.end - timedelta(seconds=1)


async def test_an_answer_given_now_is_of_now_also_when_a_past_period_was_asked_for(live):
    later = NOW + timedelta(days=365)
    assert (await ask(live, "one", now=later)).readings[0].at == later


@pytest.mark.parametrize(("name", "value"), [("hours", 31 * 24), ("month", 5)])
async def test_an_answer_about_a_past_period_was_observed_at_its_end(live, name, value):
    readings = (await ask(live, name, now=NOW + timedelta(days=365))).readings
    assert readings[0].value == value
    assert {reading.at for reading in readings} == {MAY.end - timedelta(milliseconds=1)}


async def test_an_answer_about_the_running_period_was_observed_now(live):
    assert (await ask(live, "hours")).readings[0].at == NOW


async def test_a_value_that_its_source_may_restate_is_provisional_until_it_settled(live):
    assert (await ask(live, "settling", now=MAY.end)).readings[0].completeness is Completeness.PROVISIONAL
    later = await ask(live, "settling", now=MAY.end + timedelta(days=2))
    assert later.readings[0].completeness is Completeness.FINAL


@pytest.mark.parametrize("name", ["raises", "exits", "exits_plainly", "interrupts", "over_wrong", "endless"])
async def test_what_a_plugin_raises_is_its_own_error_and_nothing_else(live, name):
    result = await ask(live, name)
    assert result.error.reason is CollectorError.PLUGIN
    assert CANARY not in result.error.message
    assert not result.readings


async def test_the_error_names_the_line_of_the_plugin(live):
    message = (await ask(live, "raises")).error.message
    assert "ZeroDivisionError (test_run.py:" in message
    assert "***" in message


@pytest.mark.parametrize("name", ["hangs", "hangs_plainly", "swallows", "cancels"])
async def test_a_plugin_that_never_returns_is_given_up_at_the_deadline(live, name, monkeypatch):
    monkeypatch.setattr("bsc_monitor.collect.guard._GRACE", 0.05)
    result = await ask(live, name)
    assert result.error.reason is CollectorError.TIMEOUT
    assert abandoned() == (1 if name == "swallows" else 0)
    live.collector.config = Config(token=Secret("stop"))
    while abandoned():  # noqa: ASYNC110
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("value", [None, "12", 3, object(), [1], {"a": 1}, [Reading(1.0), "x"], b"x", Reading])
async def test_what_is_no_reading_is_refused_in_words(live, value):
    result = await ask(live, "nonsense", {"value": value})
    assert result.error.reason is CollectorError.PLUGIN
    assert "nonsense returned" in result.error.message


@pytest.mark.parametrize("value", [None, "12", float("nan"), float("-inf"), 10**400, [1], 1j, object()])
async def test_a_value_that_is_no_number_is_refused_in_words(live, value):
    result = await ask(live, "nonsense_value", {"value": value})
    assert result.error.reason is CollectorError.PLUGIN


async def test_an_unknown_measure_and_wrong_parameters_are_configuration_errors(live):
    unknown = (await ask(live, "nothing")).error
    assert unknown.reason is CollectorError.CONFIG
    assert "how_many" in unknown.hint
    wrong = (await ask(live, "one", {"projct": "b"})).error
    assert wrong.reason is CollectorError.CONFIG
    assert "projct" in wrong.message


async def test_measures_over_records_share_one_fetch_and_are_broken_down_by_any_field(live):
    records = TransientRecords()
    Zoo.fetches = 0
    total = await ask(live, "how_many", records=records)
    split = await ask(live, "how_many", {"least": 1}, records=records, by=("team",))
    assert Zoo.fetches == 1
    assert [r.value for r in total.readings] == [6]  # the seventh is a newer version of the first
    assert {r.labels.get("team"): r.value for r in split.readings} == {None: 6, "x": 1, "y": 2, "none": 2, "z": 1}
    assert total.readings[0].period == MAY


async def test_a_breakdown_by_an_unknown_field_names_the_fields(live):
    error = (await ask(live, "how_many", by=("tem",))).error
    assert error.reason is CollectorError.CONFIG
    assert "team" in error.hint


async def test_a_pager_that_goes_in_a_circle_is_noticed(live):
    error = (await ask(live, "circles")).error
    assert error.reason is CollectorError.SCHEMA
    assert "circle" in error.message


def test_the_next_window_starts_at_the_start_of_the_last_success_minus_the_overlap():
    spec = declared(Zoo, "stream")["items"]
    state = StreamState("hash", NOW)
    later = NOW + timedelta(hours=1)
    assert next_window(None, spec, "hash", later) == Window(None, later)
    assert next_window(state, spec, "hash", later) == Window(NOW - timedelta(minutes=10), later)
    assert next_window(state, spec, "changed", later) == Window(None, later)
    back = NOW - timedelta(hours=3)  # the clock was set back
    assert next_window(state, spec, "hash", back).start == back - timedelta(minutes=10)


def test_records_that_are_gone_are_dropped_but_never_most_of_them():
    known = [str(n) for n in range(100)]
    assert vanished(known, known[5:]) == set(known[:5])
    with pytest.raises(SourceError, match="would vanish at once"):
        vanished(known, known[30:])
    assert vanished([], []) == set()


async def test_a_constructor_that_fails_is_an_error_without_secrets():
    class Broken(Zoo):
        def __init__(self, config):
            raise RuntimeError(f"no {config.token.reveal()}")

    with pytest.raises(SourceError, match=r"\*\*\*"):
        open_source(Source("s", "zoo", Config()), Broken)
