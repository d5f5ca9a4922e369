"""How a plugin behaves when its source is sick: each measure and each action asked once for each fault."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Literal, NamedTuple

from bsc_monitor.collect.acting import open_ticket
from bsc_monitor.collect.opening import Open, params_of
from bsc_monitor.collect.plugins import Plugins, find_plugins
from bsc_monitor.ingest import restated
from bsc_monitor.model.source import Source
from bsc_monitor.plugin import Collector, CollectorError, SourceError, TicketRequest, declared
from bsc_monitor.testing.measuring import ask, asked_now, no_wait
from bsc_monitor.testing.sample import accepted
from bsc_monitor.testing.server import FAULTS, Fault, SourceServer
from bsc_monitor.testing.stalling import StallWatch

_Level = Literal["ok", "note", "wrong"]
_Said = tuple[_Level, str]
_Found = tuple[str, _Level, str]  #: with its subject
_SECONDS = 1.5  #: for a run
_LATE = 3.0  #: seconds; a run that takes longer does not respect its deadline
_ADDRESS = re.compile(r"(.*_)?(url|endpoint)")  #: fields that say where a source is

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
_TICKET = TicketRequest(
    "bsc-check-1", "A ticket of the check", ("Nobody needs to act.",), "https://scorecard.example.com/insights"
)


class _Ran(NamedTuple):
    """How a run ended: with an error, or with what it gave."""

    error: SourceError | None
    seconds: float
    gave: str = ""
    claims: bool = False  #: whether what it gave is something that it cannot know: a value, a ticket
    twice: tuple[str, ...] = ()  #: what it gave more than once, and differently


_Run = Callable[[], Awaitable[_Ran]]


async def sick_runs(
    file: str, collector: type[Collector], config: Mapping[str, Any], params: Mapping[str, Any]
) -> list[_Found]:
    """What every measure of a collector does when every answer of its source has a fault."""
    found: list[_Found] = []
    with SourceServer() as server:
        source, why = _source(collector, config, server)
        if source is None:
            return [_no_config(collector.name, why)]
        runs: dict[str, _Run] = {}
        for measure in declared(collector, "measure").values():
            subject = f"{collector.name}.{measure.name}"
            given, why = accepted(measure.params, params)
            if given is None:
                found.append(_no_params(subject, why))
            else:
                runs[subject] = partial(_asked, source, collector, measure.name, given)
        return found + await _tried(file, server, runs)


async def sick_actions(
    file: str, plugin: Plugins, config: Mapping[str, Any], params: Mapping[str, Any]
) -> list[_Found]:
    """What every action of a plugin (``bsc_actions``) does when every answer of the system that it works on has a fault."""
    found: list[_Found] = []
    with SourceServer() as server:
        runs: dict[str, _Run] = {}
        for name, opener in plugin.openers.items():
            subject = f"bsc_actions of {name}"
            collector = plugin.collectors.get(name) or find_plugins([], with_entry_points=False).collectors[name]
            source, unmade = _source(collector, config, server)
            given, why = accepted(params_of(opener), params)
            if source is None:
                found.append(_no_config(subject, unmade))
            elif given is None:
                found.append(_no_params(subject, why))
            else:
                runs[subject] = partial(_opened, opener, source, given)
        return found + await _tried(file, server, runs)


def _source(collector: type[Collector], given: Mapping[str, Any], server: SourceServer) -> tuple[Source | None, str]:
    """A source at the server's address, whatever was said: no system of yours is asked. Or None, and why there is none."""
    addresses = {name: server.url for name in collector.Config.model_fields if _ADDRESS.fullmatch(name)}
    values, why = accepted(collector.Config, {**given, **addresses})
    if values is None:
        return None, why
    own = collector.Config.model_validate(values)
    return Source("check", collector.name, own, timeout=_SECONDS, requests_per_second=1000.0), ""


def _no_config(subject: str, why: str) -> _Found:
    words = f"not tried, no configuration could be made up ({why}): give Field(examples=[…]), or --set"
    return subject, "note", words


def _no_params(subject: str, why: str) -> _Found:
    words = f"not tried, no parameters could be made up ({why}): give Field(examples=[…]), or --param"
    return subject, "note", words


async def _asked(source: Source, collector: type[Collector], measure: str, params: dict[str, Any]) -> _Ran:
    result = await ask(source, collector, asked_now(measure, params))
    values = ", ".join(f"{r.value} ({r.state})" for r in result.readings[:3]) or "no reading"
    claims = any(r.value is not None for r in result.readings)
    return _Ran(result.error, result.duration, values, claims, tuple(restated(result.readings)))


async def _opened(opener: Open, source: Source, params: dict[str, Any]) -> _Ran:
    loop = asyncio.get_running_loop()
    started, error, link = loop.time(), None, ""
    try:
        link = await open_ticket(opener, source, _TICKET, params, datetime.now(UTC), sleep=no_wait)
    except SourceError as failed:
        error = failed
    return _Ran(error, loop.time() - started, link, claims=True)


async def _tried(file: str, server: SourceServer, runs: Mapping[str, _Run]) -> list[_Found]:
    """What runs do whose source has one fault after the other, by subject; those that ask nothing of it are told so."""
    found: dict[str, list[_Said]] = {}
    asking: list[str] = []
    for subject, run in runs.items():
        before = len(server.asked)
        found[subject] = await _answered(file, server, run)
        if len(server.asked) > before:
            asking.append(subject)
    server.fault = "time-out"
    async with StallWatch(file) as watch:  # all at once: each waits for its deadline
        late = await asyncio.gather(*(runs[subject]() for subject in asking))
    for subject, ran in zip(asking, late, strict=True):
        found[subject].append(_judged("time-out", ran))
    fine: _Said = ("ok", f"says what is wrong at {', '.join(FAULTS)}")
    bad = {subject: [each for each in dict.fromkeys(said) if each[0] != "ok"] for subject, said in found.items()}
    told = [(subject, *each) for subject, said in bad.items() for each in said or [fine]]
    return told + [(Path(file).name, *each) for each in _stalls(watch)]


async def _answered(file: str, server: SourceServer, run: _Run) -> list[_Said]:
    """What a run does at each fault that is an answer."""
    found: list[_Said] = []
    for fault in FAULTS:
        if fault == "time-out":
            continue
        server.fault, before = fault, len(server.asked)
        async with StallWatch(file) as watch:
            ran = await run()
        found += _stalls(watch)
        found += [("wrong", f"{each}; give each labels, a time or a period of its own") for each in ran.twice]
        if len(server.asked) == before:
            return [*found, _not_tried(ran)]
        found.append(_judged(fault, ran))
    return found


def _stalls(watch: StallWatch) -> list[_Said]:
    return [
        ("wrong", f"line {line} blocks the event loop for {seconds:.1f} s") for line, seconds in watch.stalls.items()
    ]


def _not_tried(ran: _Ran) -> _Said:
    if ran.error is None:
        return "note", "not tried, it asks nothing of the source's url"
    words = ran.error.message[:150]
    if ran.error.reason is CollectorError.PLUGIN:
        return "wrong", f"fails before it asks anything: {words} (give --param where made-up parameters are to blame)"
    return "note", f"not tried, it asks nothing of the source's url ({words})"


def _judged(fault: Fault, ran: _Ran) -> _Said:
    if ran.seconds > _LATE:
        return "wrong", f"{fault}: took {ran.seconds:.1f} s, with a deadline of {_SECONDS} s"
    error = ran.error
    if error is None and fault == "other json" and not ran.claims:
        return "note", f"{fault}: gives {ran.gave}; a SourceError with reason SCHEMA could say what was expected"
    if error is None:
        return "wrong", f"{fault}: gives {ran.gave} although the source answered nothing of use; unknown is not zero"
    if fault == "other json" and error.reason is CollectorError.PLUGIN:
        return "note", f"{fault}: {error.message}; a SourceError with reason SCHEMA could say what was expected"
    if error.reason not in _REASONS[fault]:
        wanted = " or ".join(sorted(_REASONS[fault]))
        return "wrong", f"{fault}: fails with {error.reason} where {wanted} is meant: {error.message[:200]}"
    return "ok", fault
