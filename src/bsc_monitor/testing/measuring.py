"""Running one measure as the service would, in a plain test."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bsc_monitor.collect.answer import Exchange
from bsc_monitor.collect.http import SourceClient
from bsc_monitor.collect.live import open_source
from bsc_monitor.collect.plugins import load_origin
from bsc_monitor.collect.run import RunResult
from bsc_monitor.collect.run import run_measure as run
from bsc_monitor.collect.streams import TransientRecords
from bsc_monitor.collect.tape import Tape
from bsc_monitor.model.source import Source
from bsc_monitor.plugin import Calendar, Collector, Period, Reading, SourceError
from bsc_monitor.score.periods import parse_period


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run brought. With an ``error`` there are no readings."""

    readings: tuple[Reading, ...]
    error: SourceError | None
    requests: int
    trace: tuple[Exchange, ...]  #: the requests, secrets masked
    checkpoint: Mapping[str, Any]  #: to be given to the next run
    seconds: float

    @property
    def reading(self) -> Reading:
        """The total: the one reading without labels. Raises the run's error, or LookupError when there is not one."""
        if self.error is not None:
            raise self.error
        totals = [reading for reading in self.readings if not reading.labels]
        if len(totals) != 1:
            raise LookupError(f"{len(totals)} readings without labels, of {len(self.readings)}")
        return totals[0]

    @property
    def value(self) -> float | None:
        """The total's value; None with a state that says why."""
        return self.reading.value


async def no_wait(_: float) -> None:
    """Retries need not wait in a test."""


def run_measure(
    collector: type[Collector],
    measure: str,
    *,
    config: Mapping[str, Any] | None = None,
    params: Mapping[str, Any] | None = None,
    period: str | Period = "2026-05",
    now: datetime | None = None,
    calendar: Calendar | None = None,
    by: Sequence[str] = (),
    checkpoint: Mapping[str, Any] | None = None,
    timeout: float = 20.0,
    record: Path | None = None,
    replay: Path | None = None,
) -> Outcome:
    """Ask a collector for a measure, as the service does, and wait for the outcome.

    ``config`` and ``params`` are what stands in ``config.toml``. ``period`` as people write it (``2026-05``,
    ``2026-Q2``, ``2026-W23``); ``now``: its end by default. ``record`` keeps the source's answers in a folder,
    ``replay`` takes them from there instead of asking. Raises pydantic's ValidationError for a wrong ``config``; what
    goes wrong in the run is in the outcome.
    """
    zone = calendar or Calendar()
    span = parse_period(period, zone) if isinstance(period, str) else period
    given = collector.Config.model_validate(dict(config or {}))
    source = Source("test", collector.name, given, timeout=timeout, requests_per_second=1000.0)
    tape = Tape(replay, "replay") if replay else Tape(record, "record") if record else None
    asked = _Asked(measure, dict(params or {}), span, now or span.end, zone, tuple(by), dict(checkpoint or {}))
    result = asyncio.run(ask(source, collector, asked, tape))
    return Outcome(
        result.readings, result.error, result.requests, result.trace, result.checkpoint, result.duration
    )  # fmt: skip


def load_collector(file: Path | str) -> type[Collector]:
    """The collector of a plugin file. Raises LookupError with what is wrong with it, or when there is not one."""
    found = load_origin(str(Path(file).resolve()))
    if found.problems:
        raise LookupError("; ".join(map(str, found.problems)))
    if len(found.collectors) != 1:
        raise LookupError(f"{file} has {len(found.collectors)} collectors: {', '.join(found.collectors)}")
    return next(iter(found.collectors.values()))


@dataclass(frozen=True, slots=True)
class _Asked:
    measure: str
    params: Mapping[str, Any]
    period: Period
    now: datetime
    calendar: Calendar
    by: tuple[str, ...] = ()
    checkpoint: Mapping[str, Any] | None = None


def asked_now(measure: str, params: Mapping[str, Any]) -> _Asked:
    """A question about the last thirty days."""
    now = datetime.now(UTC)
    return _Asked(measure, params, Period(now - timedelta(days=30), now), now, Calendar())


async def ask(
    source: Source,
    collector: type[Collector],
    asked: _Asked,
    tape: Tape | None = None,
    sleep: Callable[[float], Awaitable[Any]] = no_wait,
) -> RunResult:
    """One run in the running loop. Never raises for the plugin's sake."""
    client = SourceClient(source, tape=tape, sleep=sleep)
    try:
        live = open_source(source, collector, client)
        return await run(
            live, asked.measure, asked.params, period=asked.period, now=asked.now, calendar=asked.calendar,
            records=TransientRecords(), by=asked.by, checkpoint=asked.checkpoint,
        )  # fmt: skip
    except SourceError as error:
        return RunResult(error=error)
    finally:
        await client.close()
