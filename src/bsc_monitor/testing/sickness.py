"""How a plugin behaves when its source is sick: each measure asked once for each fault."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ValidationError

from bsc_monitor.collect.run import RunResult
from bsc_monitor.model.source import Source
from bsc_monitor.plugin import Collector, CollectorError, Measure, declared
from bsc_monitor.testing.measuring import ask, asked_now
from bsc_monitor.testing.sample import sample_of
from bsc_monitor.testing.server import FAULTS, Fault, SourceServer
from bsc_monitor.testing.stalling import StallWatch

_Found = tuple[str, Literal["ok", "note", "wrong"], str]
_SECONDS = 1.5  #: for a run
_LATE = 3.0  #: seconds; a run that takes longer does not respect its deadline

_REASONS: dict[Fault, frozenset[CollectorError]] = {
    "401": frozenset({CollectorError.AUTH}),
    "403": frozenset({CollectorError.PERMISSION, CollectorError.AUTH}),
    "429": frozenset({CollectorError.RATE_LIMIT}),
    "500": frozenset({CollectorError.TRANSIENT}),
    "time-out": frozenset({CollectorError.TIMEOUT}),
    "garbage": frozenset({CollectorError.SCHEMA}),
    "html": frozenset({CollectorError.SCHEMA, CollectorError.CONFIG, CollectorError.TRANSIENT}),
    "cut off": frozenset({CollectorError.SCHEMA, CollectorError.TRANSIENT}),
    "other json": frozenset({CollectorError.SCHEMA, CollectorError.CONFIG}),
}


async def sick_runs(
    file: str, collector: type[Collector], config: Mapping[str, Any], params: Mapping[str, Any]
) -> list[_Found]:
    """What every measure of a collector does when every answer of its source has a fault."""
    found: list[_Found] = []
    with tempfile.TemporaryDirectory(prefix="bsc-check-") as folder, SourceServer() as server:
        given = dict(config)
        for name in ("url", "base_url", "endpoint"):
            if name in collector.Config.model_fields:
                given[name] = server.url  # whatever was said: no system of yours is asked
        own, why = _accepted(collector.Config, given)
        if own is None:
            return [(collector.name, "note", f"not tried, no configuration could be made up ({why}): give --set")]
        for measure in declared(collector, "measure").values():
            subject = f"{collector.name}.{measure.name}"
            _, why = _accepted(measure.params, dict(params))
            if why:
                found.append((subject, "note", f"not tried, no parameters could be made up ({why}): give --param"))
                continue
            asked = sample_of(measure.params, {k: v for k, v in params.items() if k in measure.params.model_fields})
            found += await _tried(file, collector, measure, own, asked, server, Path(folder))
    return found


def _accepted(model: type[BaseModel], given: dict[str, Any]) -> tuple[Any, str]:
    known = {name: value for name, value in given.items() if name in model.model_fields}
    try:
        return model.model_validate(sample_of(model, known)), ""
    except ValidationError as error:
        return None, "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()[:2])


async def _tried(
    file: str,
    collector: type[Collector],
    measure: Measure,
    config: Any,
    params: dict[str, Any],
    server: SourceServer,
    folder: Path,  # noqa: ARG001 - kept alive for collectors that write
) -> Sequence[_Found]:
    subject, found = f"{collector.name}.{measure.name}", list[_Found]()
    source = Source("check", collector.name, config, timeout=_SECONDS, requests_per_second=1000.0)
    asked = asked_now(measure.name, params)
    for fault in FAULTS:
        server.fault, before = fault, len(server.asked)
        async with StallWatch(file) as watch:
            result = await ask(source, collector, asked)
        found += [
            (subject, "wrong", f"line {line} blocks the event loop for {seconds:.1f} s")
            for line, seconds in watch.stalls.items()
        ]
        if len(server.asked) == before:
            found.append((subject, *_not_tried(result)))
            break
        found += [(subject, level, words) for level, words in _judged(fault, result)]
    if not any(level != "ok" for _, level, _ in found):
        return [(subject, "ok", f"says what is wrong at {', '.join(FAULTS)}")]
    return [each for each in dict.fromkeys(found) if each[1] != "ok"]


def _not_tried(result: RunResult) -> tuple[Literal["note", "wrong"], str]:
    if result.error is None:
        return "note", "not tried, it asks nothing of the source's url"
    words = result.error.message[:150]
    if result.error.reason is CollectorError.PLUGIN:
        return "wrong", f"fails before it asks anything: {words} (give --param where made-up parameters are to blame)"
    return "note", f"not tried, it asks nothing of the source's url ({words})"


def _judged(fault: Fault, result: RunResult) -> Sequence[tuple[Literal["ok", "note", "wrong"], str]]:
    if result.duration > _LATE:
        return [("wrong", f"{fault}: took {result.duration:.1f} s, with a deadline of {_SECONDS} s")]
    error = result.error
    if error is None:
        values = ", ".join(f"{r.value} ({r.state})" for r in result.readings[:3]) or "no reading"
        level: Literal["note", "wrong"] = "note" if fault == "other json" else "wrong"
        return [(level, f"{fault}: gives {values} although the source answered nothing of use; unknown is not zero")]
    if fault == "other json" and error.reason is CollectorError.PLUGIN:
        return [("note", f"{fault}: {error.message}; a SourceError with reason SCHEMA could say what was expected")]
    if error.reason not in _REASONS[fault]:
        wanted = " or ".join(sorted(_REASONS[fault]))
        return [("wrong", f"{fault}: fails with {error.reason} where {wanted} is meant: {error.message[:200]}")]
    return [("ok", fault)]
