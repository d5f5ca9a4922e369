"""One run: ask a source for one measure over one period. Schedule, back-fill and dry run all come through here."""

from __future__ import annotations

import asyncio
import inspect
import math
from collections import Counter
from collections.abc import AsyncIterable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Protocol

from pydantic import ValidationError

from bsc_monitor.collect.answer import Exchange
from bsc_monitor.collect.context import RunContext, RunLog, seconds_of
from bsc_monitor.collect.guard import as_source_error, guarded, in_thread
from bsc_monitor.collect.live import LiveSource
from bsc_monitor.model.period import Calendar, Period
from bsc_monitor.plugin import (
    CollectorError,
    Completeness,
    Measure,
    Params,
    Reading,
    ReadingState,
    Record,
    SourceError,
    Stream,
    Window,
)  # fmt: skip

_MOST_READINGS = 20_000  #: of one run
_MOST_SEGMENTS = 500  #: values of one breakdown dimension; the smaller ones fold into ``other``
OTHER, NONE = "other", "none"


@dataclass(frozen=True, slots=True)
class RunResult:
    """What a run brought. With an ``error`` there are no readings. Everything in it is masked."""

    readings: tuple[Reading, ...] = ()
    requests: int = 0
    duration: float = 0.0  #: seconds
    error: SourceError | None = None
    trace: tuple[Exchange, ...] = ()
    checkpoint: dict[str, Any] = field(default_factory=dict)  #: to be committed with the readings


class Records(Protocol):
    """Where the records of a stream come from: the store, or memory in a dry run."""

    async def fetch(self, live: LiveSource, stream: Stream, scope: Params, run: RunContext) -> Sequence[Record]:
        """Bring the stream up to date and return all its records of ``scope``."""


async def run_measure(
    live: LiveSource,
    measure: str,
    params: Mapping[str, Any],
    *,
    period: Period,
    now: datetime,
    calendar: Calendar,
    records: Records,
    by: Sequence[str] = (),
    checkpoint: Mapping[str, Any] | None = None,
    fresh_since: datetime | None = None,
    patience: float = 0.0,
) -> RunResult:
    """Ask ``live`` for a measure over ``period`` as of ``now``. Never raises for the source's or plugin's sake.

    ``fresh_since``: records fetched since then by another run serve this one too. ``patience``: seconds that the run may
    go on beyond the deadline of its requests.
    """
    loop = asyncio.get_running_loop()
    started = loop.time()
    http = live.client.run()
    window = Window(period.start, max(period.start, min(now, period.end)))
    log = RunLog(live.source.id, measure, live.client.redactor)
    run = RunContext(http, now, window, period, tuple(by), calendar, log, dict(checkpoint or {}))
    run.fresh_since = fresh_since or now
    readings: tuple[Reading, ...] = ()
    error = None
    try:
        spec = live.measure(measure)
        accepted = accept_params(spec, params)
        asked = _over_records(live, spec, accepted, run, records) if spec.over else _direct(live, spec, accepted, run)
        found = await guarded(asked, lambda: http.deadline + patience)
        of_period = spec.over is not None or run.looked
        readings = tuple(_complete(reading, spec, run, of_period=of_period) for reading in found)
    except Exception as failure:  # noqa: BLE001 - a wrong plugin class can raise anything anywhere
        known = as_source_error(failure)
        mask = live.client.redactor.text
        error = SourceError(mask(known.message), known.reason, hint=mask(known.hint), retry_after=known.retry_after)
    return RunResult(readings, http.requests, loop.time() - started, error, tuple(http.trace), run.checkpoint)


def accept_params(measure: Measure, params: Mapping[str, Any]) -> Params:
    """The parameters of a KPI as the measure's own type. Raises SourceError(CONFIG) in words."""
    try:
        return measure.params.model_validate(dict(params))
    except ValidationError as error:
        words = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'params'}: {e['msg']}" for e in error.errors()[:5])
        raise SourceError(f"the parameters of {measure.name} are wrong: {words}", CollectorError.CONFIG) from None


async def _direct(live: LiveSource, measure: Measure, params: Params, run: RunContext) -> list[Reading]:
    if live.worker is not None:
        return await live.worker.direct(live.source, measure, params, run)
    function = getattr(live.collector, measure.name)
    arguments = (run, params) if len(inspect.signature(function).parameters) > 1 else (run,)
    if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
        result = function(*arguments)
    else:
        result = await in_thread(partial(_call, function, arguments), live.threads)
    if inspect.isawaitable(result):
        result = await result
    if isinstance(result, AsyncIterable):
        found: list[Any] = []
        async for item in result:
            found.append(item)
            if len(found) > _MOST_READINGS:
                break
        result = found
    return _checked(result, measure)


def _call(function: Any, arguments: tuple[Any, ...]) -> Any:
    """Call a plain function, and exhaust what it yields in the same thread."""
    result = function(*arguments)
    if inspect.isgenerator(result):
        return [item for item, _ in zip(result, range(_MOST_READINGS + 1), strict=False)]
    return result


async def _over_records(
    live: LiveSource, measure: Measure, params: Params, run: RunContext, records: Records
) -> list[Reading]:
    stream = live.streams[str(measure.over)]
    for dimension in run.by:
        if dimension not in stream.record.model_fields:
            raise SourceError(
                f"{measure.name} cannot be broken down by {dimension!r}",
                CollectorError.CONFIG,
                hint=f"Fields of its records are {', '.join(stream.record.model_fields)}.",
            )
    scope = stream.scope.model_validate({name: getattr(params, name) for name in stream.scope.model_fields})
    found = await records.fetch(live, stream, scope, run)
    if live.worker is not None:
        return await live.worker.measured(live.source, measure, params, found, run)
    return await in_thread(partial(measured, live, measure, params, found, run), live.threads)


def measured(
    live: LiveSource, measure: Measure, params: Params, records: Sequence[Record], run: RunContext
) -> list[Reading]:
    """The pure part: the total, and each value of each breakdown dimension by itself. Runs in a thread."""
    function = getattr(live.collector, measure.name)
    found = _checked(function(records, params, run.window, run.calendar), measure)
    for dimension in run.by:
        for value, part in _segments(records, dimension).items():
            for reading in _checked(function(part, params, run.window, run.calendar), measure):
                found.append(replace(reading, labels={**reading.labels, dimension: value}))
    return found


def _segments(records: Sequence[Record], dimension: str) -> dict[str, list[Record]]:
    values = [_label(getattr(record, dimension)) for record in records]
    kept = {value for value, _ in Counter(values).most_common(_MOST_SEGMENTS)}
    parts: dict[str, list[Record]] = {}
    for value, record in zip(values, records, strict=True):
        parts.setdefault(value if value in kept else OTHER, []).append(record)
    return parts


def _label(value: Any) -> str:
    return NONE if value is None or value == "" else str(getattr(value, "value", value))


def _checked(result: Any, measure: Measure) -> list[Reading]:
    """The readings that a measure returned. Raises SourceError(PLUGIN) saying what it returned instead."""
    if isinstance(result, Reading):
        result = [result]
    if not isinstance(result, Iterable) or isinstance(result, (str, bytes, Mapping)):
        raise _nonsense(measure, result)
    found: list[Reading] = []
    for reading in result:
        if not isinstance(reading, Reading):
            raise _nonsense(measure, reading)
        if len(found) >= _MOST_READINGS:
            raise SourceError(f"{measure.name} returned more than {_MOST_READINGS:,} readings", CollectorError.PLUGIN)
        found.append(_checked_value(reading, measure))
    return found


def _checked_value(reading: Reading, measure: Measure) -> Reading:
    value: Any = reading.value
    if isinstance(value, bool):
        return replace(reading, value=float(value))
    if value is None:
        if reading.state in (ReadingState.OK, ReadingState.PARTIAL):
            raise SourceError(
                f"{measure.name} returned no value without saying why",
                CollectorError.PLUGIN,
                hint="Return Reading(None, state=ReadingState.NO_DATA) where there was nothing to measure.",
            )
        return reading
    if not isinstance(value, (int, float)):
        raise _nonsense(measure, value)
    try:
        finite = math.isfinite(value)
    except OverflowError:
        finite = False
    if not finite:
        raise SourceError(f"{measure.name} returned {str(value)[:20]}, which is no number", CollectorError.PLUGIN)
    if reading.at is not None and (not isinstance(reading.at, datetime) or reading.at.tzinfo is None):
        raise SourceError(f"{measure.name} returned a time without a time zone", CollectorError.PLUGIN)
    if not isinstance(reading.labels, Mapping):
        raise _nonsense(measure, reading.labels)
    return reading


def _nonsense(measure: Measure, value: Any) -> SourceError:
    kind = type(value).__name__
    return SourceError(
        f"{measure.name} returned {kind} {str(value)[:60]!r} where a Reading with a number was expected",
        CollectorError.PLUGIN,
    )


def _complete(reading: Reading, measure: Measure, run: RunContext, *, of_period: bool) -> Reading:
    """Add what the plugin left to the service: the instant, the period of a pure measure, and whether it is settled.

    What was answered about a past period was observed at its end. A direct measure that did not look at the period it
    was asked about cannot have answered about it: its answer is of now (open pull requests do not become January's).
    """
    past = run.now >= run.period.end and (of_period or reading.period is not None)
    at = reading.at or (run.period.end - timedelta(milliseconds=1) if past else run.now)
    period = reading.period or (run.period if measure.over else None)
    completeness = reading.completeness
    if completeness is Completeness.FINAL and measure.settle and period is not None:
        settled = period.end + seconds_of(measure.settle)
        completeness = Completeness.FINAL if run.now >= settled else Completeness.PROVISIONAL
    return replace(reading, at=at, period=period, completeness=completeness)
