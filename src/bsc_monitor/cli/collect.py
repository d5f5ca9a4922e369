"""``bsc-monitor collect``: a dry run of one measure. It asks the source, shows everything, and stores nothing."""

from __future__ import annotations

import asyncio
import inspect
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from bsc_monitor.cli.frame import load_all
from bsc_monitor.collect.harvest import readings_for
from bsc_monitor.collect.http import SourceClient
from bsc_monitor.collect.live import open_source
from bsc_monitor.collect.plugins import Plugins
from bsc_monitor.collect.run import RunResult, run_measure
from bsc_monitor.collect.schedule import Configuration
from bsc_monitor.collect.streams import TransientRecords
from bsc_monitor.collect.tape import Tape
from bsc_monitor.ingest import restated
from bsc_monitor.model.organisation import Kpi
from bsc_monitor.model.period import Calendar, Period
from bsc_monitor.model.source import Source
from bsc_monitor.plugin import Collector, Measure, Reading, SourceError, declared
from bsc_monitor.score.judge import score_reading
from bsc_monitor.score.periods import current_period, parse_period

_SHOWN_REQUESTS = 20


@dataclass(frozen=True, slots=True)
class Tools:
    """What the commands here are given by the command line's frame."""

    load: Callable[[Path], tuple[Configuration, Plugins]]
    parse_period: Callable[[str, Calendar], Period]
    current_period: Callable[[datetime, Kpi | None, Calendar], Period]
    score: Callable[[Kpi, Reading, str, Period], float | None]  #: of a reading in the measure's unit; None: none


def _own_tools() -> Tools:
    return Tools(load_all, parse_period, current_period, score_reading)


@dataclass(frozen=True, slots=True)
class _Asked:
    source: Source
    collector: type[Collector]
    measure: Measure
    params: dict[str, Any]
    by: tuple[str, ...]
    period: Period
    calendar: Calendar
    kpi: Kpi | None  # the first that asks the same


def register(app: typer.Typer, given: Tools | None = None) -> None:
    """Add the command to the application; its own tools by default."""
    tools = given or _own_tools()

    @app.command()
    def collect(
        source: Annotated[str, typer.Argument(help="Id of a source in the configuration")],
        measure: Annotated[str, typer.Argument(help="Name of a measure of its plugin")],
        period: Annotated[str | None, typer.Option(help="2016-04, 2026-Q2, 2026-W23, 2026-06-14 or 2026")] = None,
        param: Annotated[list[str] | None, typer.Option("-p", "--param", help="key=value; may be repeated")] = None,
        by: Annotated[list[str] | None, typer.Option(help="Break down by this; may be repeated")] = None,
        as_json: Annotated[bool, typer.Option("--json", help="Print JSON")] = False,
        config: Annotated[Path, typer.Option(help="Configuration file")] = Path("config.toml"),
        record: Annotated[Path | None, typer.Option(help="Keep the answers in this folder")] = None,
        replay: Annotated[Path | None, typer.Option(help="Take the answers from this folder")] = None,
    ) -> None:
        """Ask a source for a measure and show what comes, without storing anything.

        Example: bsc-monitor collect itsm mttr --period 2016-04 -p query=priority=1 --by assignment_group
        """
        configuration, plugins = tools.load(config)
        wanted = (source, measure, period, _params(param or []), tuple(by or ()))
        asked = _resolve(tools, configuration, plugins, *wanted)
        result = asyncio.run(_run(asked, _tape(record, replay)))
        scores = _scores(tools, asked, result)
        if as_json:
            typer.echo(json.dumps(_as_json(asked, result, scores), indent=2))
        else:
            _print(asked, result, scores)
        if result.error is not None:
            raise typer.Exit(1)


def _params(pairs: Sequence[str]) -> dict[str, Any]:
    """``key=value`` pairs; a value that starts like a JSON list or object is read as one."""
    found: dict[str, Any] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals:
            raise typer.BadParameter(f"{pair!r} is not key=value")
        try:
            found[key] = json.loads(value) if value[:1] in ("{", "[") else value
        except ValueError:
            found[key] = value
    return found


def _tape(record: Path | None, replay: Path | None) -> Tape | None:
    if record is not None and replay is not None:
        raise typer.BadParameter("--record and --replay exclude each other")
    if replay is not None:
        return Tape(replay, "replay")
    return Tape(record, "record") if record is not None else None


def _resolve(
    tools: Tools,
    configuration: Configuration,
    plugins: Plugins,
    source_id: str,
    measure_name: str,
    period: str | None,
    params: dict[str, Any],
    by: tuple[str, ...],
) -> _Asked:
    source = configuration.sources.get(source_id)
    if source is None:
        raise typer.BadParameter(_unknown("source", source_id, configuration.sources))
    collector = plugins.collectors.get(source.plugin)
    if collector is None:
        broken = plugins.broken(source.plugin)
        if broken is not None:
            raise typer.BadParameter(f"the plugin {source.plugin!r} is broken: {broken}")
        raise typer.BadParameter(_unknown("plugin", source.plugin, plugins.collectors))
    measures = declared(collector, "measure")
    if measure_name not in measures:
        raise typer.BadParameter(_unknown("measure", measure_name, measures))
    kpis = [k for k in configuration.organisation.kpis.values() if (k.source, k.measure) == (source_id, measure_name)]
    kpi = next(
        (k for k in kpis if {n: str(v) for n, v in k.params.items()} == {n: str(v) for n, v in params.items()}), None
    )
    scorecards = configuration.organisation.scorecards
    card = scorecards[kpi.scorecard] if kpi else next(iter(scorecards.values()), None)
    calendar = card.calendar if card else Calendar()
    now = datetime.now(UTC)
    try:
        span = tools.parse_period(period, calendar) if period else tools.current_period(now, kpi, calendar)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    if span.start > now:
        raise typer.BadParameter(f"the period {period} has not begun")
    return _Asked(source, collector, measures[measure_name], params, by, span, calendar, kpi)


def _unknown(kind: str, name: str, known: Mapping[str, Any]) -> str:
    return f"there is no {kind} {name!r}; there is {', '.join(sorted(known)) or 'none at all'}"


async def _run(asked: _Asked, tape: Tape | None) -> RunResult:
    """A run in this very process: code that never lets go of the loop is broken off, as no deadline is ever seen."""
    from bsc_monitor.testing.stalling import StallWatch

    client = SourceClient(asked.source, tape=tape)
    try:
        async with StallWatch(inspect.getfile(asked.collector)):
            live = open_source(asked.source, asked.collector, client)
            return await run_measure(
                live, asked.measure.name, asked.params, period=asked.period, now=datetime.now(UTC), calendar=asked.calendar,
                records=TransientRecords(), by=asked.by,
            )  # fmt: skip
    except SourceError as error:
        return RunResult(error=error)
    finally:
        await client.close()


def _scores(tools: Tools, asked: _Asked, result: RunResult) -> dict[int, float | None]:
    """The score that each reading of a matching KPI would make, by the reading's place."""
    kpi = asked.kpi
    if kpi is None:
        return {}
    wanted = {id(reading) for reading in readings_for(kpi, result.readings)}
    return {
        place: tools.score(kpi, reading, asked.measure.unit, asked.period)
        for place, reading in enumerate(result.readings)
        if id(reading) in wanted and not reading.labels
    }


def _as_json(asked: _Asked, result: RunResult, scores: Mapping[int, float | None]) -> dict[str, Any]:
    error = result.error
    return {
        "source": asked.source.id,
        "measure": asked.measure.name,
        "unit": asked.measure.unit,
        "period": asked.period.label,
        "start": asked.period.start.isoformat(),
        "end": asked.period.end.isoformat(),
        "kpi": asked.kpi.name if asked.kpi else None,
        "readings": [_reading_json(r, asked.measure, scores.get(n)) for n, r in enumerate(result.readings)],
        "warnings": restated(result.readings),
        "requests": result.requests,
        "trace": [
            {"method": e.method, "url": e.url, "status": e.status, "bytes": e.size, "seconds": round(e.seconds, 4), "note": e.note}
            for e in result.trace
        ],
        "seconds": round(result.duration, 4),
        "error": None if error is None else {"reason": error.reason, "message": error.message, "hint": error.hint},
    }  # fmt: skip


def _reading_json(reading: Reading, measure: Measure, score: float | None) -> dict[str, Any]:
    return {
        "value": reading.value,
        "unit": reading.unit or measure.unit,
        "labels": dict(reading.labels),
        "at": reading.at.isoformat() if reading.at else None,
        "period": reading.period.label if reading.period else None,
        "samples": reading.samples,
        "numerator": reading.numerator,
        "denominator": reading.denominator,
        "state": reading.state,
        "completeness": reading.completeness,
        "score": score,
        "evidence": reading.evidence,
        "note": reading.note,
    }


def _print(asked: _Asked, result: RunResult, scores: Mapping[int, float | None]) -> None:
    console = Console()
    title = f"{asked.source.id} · {asked.measure.name} · {asked.period.label or 'trailing window'}"
    if result.error is None:
        table = Table(title=escape(title), title_justify="left", show_edge=False)
        for name in ("labels", "value", "unit", "samples", "state", "score", "note"):
            table.add_column(name, justify="right" if name in ("value", "samples", "score") else "left")
        for place, reading in enumerate(result.readings):
            score = scores.get(place)
            cells = (
                ", ".join(f"{k}={v}" for k, v in reading.labels.items()),
                "–" if reading.value is None else f"{reading.value:,.6g}",
                reading.unit or asked.measure.unit,
                "" if reading.samples is None else f"{reading.samples:,}",
                f"{reading.state}, {reading.completeness}",
                "" if score is None else f"{score:.1f}",
                reading.note or "",
            )
            table.add_row(*map(escape, cells))
        console.print(table)
        for sentence in restated(result.readings):
            console.print(f"[yellow]warning[/] {escape(sentence)}", soft_wrap=True, highlight=False)
        links = dict.fromkeys(r.evidence for r in result.readings[:5] if r.evidence)
        for link in links:
            console.print(f"evidence: {escape(link)}", soft_wrap=True, highlight=False)
    else:
        console.print(f"[bold red]{escape(title)} failed ({result.error.reason})[/]")
        console.print(escape(result.error.message), highlight=False, soft_wrap=True)
        if result.error.hint:
            console.print(f"→ {escape(result.error.hint)}", soft_wrap=True)
    for exchange in result.trace[:_SHOWN_REQUESTS]:
        line = f"{exchange.method} {exchange.url} → {exchange.status or exchange.note} ({exchange.size:,} B, {exchange.seconds * 1000:.0f} ms)"
        console.print(f"[dim]{escape(line)}[/]", highlight=False, soft_wrap=True)
    more = result.requests - min(len(result.trace), _SHOWN_REQUESTS)
    console.print(
        f"{result.requests} requests{f' ({more} more not shown)' if more else ''}, {result.duration:.2f} s; nothing was stored"
    )
