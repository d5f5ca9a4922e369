"""``bsc-monitor explain`` and ``alignment``: why a score is what it is, and whether the strategy hangs together."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from bsc_monitor.cli.frame import DEFAULT_CONFIG, ConfigOption, JsonOption, load_all
from bsc_monitor.config import Configuration
from bsc_monitor.improve.words import amount
from bsc_monitor.model.health import CollectionHealth
from bsc_monitor.model.judgement import NodeKind
from bsc_monitor.model.organisation import Level, Organisation
from bsc_monitor.model.words import node_reason
from bsc_monitor.score.alignment import alignment
from bsc_monitor.score.explain import Explanation, explain, explain_past, to_data
from bsc_monitor.score.explain_kpi import KpiExplanation
from bsc_monitor.score.periods import asked_period
from bsc_monitor.store import history, read_only
from bsc_monitor.store.standing import load_collections

_READINGS = 10
_INSTANT = timedelta(microseconds=1)


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.command("explain")(explain_node)
    app.command("alignment")(show_alignment)


def explain_node(
    node: Annotated[str, typer.Argument(help="it/mttr, it/restore-fast, it/customer, it, or a unique id")],
    at: Annotated[str | None, typer.Option(help="A past period, as it was frozen: 2026-06, 2026-Q2 …")] = None,
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Explain a score: value, thresholds, curve, weights, each child's share, and what would raise it most.

    Example: bsc-monitor explain it/mttr
    """
    configuration, _ = load_all(config)
    kind, name = _find(configuration.organisation, node)
    found = _explain(configuration, kind, name, at)
    failing = _failing(configuration, name) if found.kpi is not None and found.at is None else None
    if as_json:
        about: dict[str, Any] = {"reason": node_reason(found.reason)}
        if found.kpi is not None:
            about["failing"] = to_data(failing)
        typer.echo(json.dumps(to_data(found) | about, indent=2))
        return
    console = Console()
    score = "–" if found.score is None else f"{found.score:.1f}"
    console.print(f"[bold]{escape(found.title)}[/] ({found.name}): {found.status}, score {score}", highlight=False)
    if found.reason:
        console.print(escape(node_reason(found.reason)))
    if found.kpi is not None:
        _print_kpi(console, found.kpi, failing)
    if found.children:
        console.print(_children(found))
    for gain in found.gains[:5]:
        console.print(f"+{gain.gain_best:.1f} points at most by {escape(gain.title)} ({gain.kpi})", highlight=False)


def _find(organisation: Organisation, node: str) -> tuple[NodeKind, str]:
    tables: dict[NodeKind, list[str]] = {
        "kpi": list(organisation.kpis),
        "objective": list(organisation.objectives),
        "perspective": [view.name for card in organisation.scorecards.values() for view in card.perspectives],
        "scorecard": list(organisation.scorecards),
    }
    exact = [(kind, name) for kind, names in tables.items() for name in names if name == node]
    short = [(kind, name) for kind, names in tables.items() for name in names if name.rpartition("/")[2] == node]
    found = exact or short
    if len(found) == 1 or exact:
        return found[0]
    if found:
        raise typer.BadParameter(f"{node!r} may be {', '.join(name for _, name in found[:6])}")
    near = get_close_matches(node, [name for names in tables.values() for name in names], n=1, cutoff=0.4)
    raise typer.BadParameter(f"there is no {node!r}" + (f"; did you mean {near[0]}?" if near else ""))


def _explain(configuration: Configuration, kind: NodeKind, name: str, at: str | None) -> Explanation:
    from bsc_monitor.evaluate.awaiting import with_period
    from bsc_monitor.evaluate.picture import present

    organisation, now, database = configuration.organisation, datetime.now(UTC), configuration.service.database
    readings = read_only(database, lambda read: history.readings(read, name, limit=_READINGS)) if kind == "kpi" else []
    try:
        period = asked_period(at or "", organisation.scorecards[name.partition("/")[0]].calendar, now)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    if period is None:
        judgements = read_only(database, lambda read: present(read, configuration, now)).judgements
        found = explain(organisation, kind, name, judgements, now, readings)
    else:
        values = read_only(database, lambda read: history.values_ended_by(read, period.end))
        inside = [reading for reading in readings if reading.at in period]
        found = explain_past(organisation, kind, name, period, values, now, inside)
    if found.kpi is None:
        return found
    kpi = organisation.kpis[name]
    calendar = organisation.scorecards[kpi.scorecard].calendar
    return replace(found, kpi=with_period(found.kpi, kpi, calendar, period.end - _INSTANT if period else now))


def _failing(configuration: Configuration, name: str) -> CollectionHealth | None:
    """The collection that fails to feed a KPI, as the service kept it last; None: it does not fail."""
    from bsc_monitor.collect.agenda import jobs_of
    from bsc_monitor.collect.outcome import blank

    jobs = jobs_of(configuration.organisation, configuration.sources).values()
    asked = blank(job for job in jobs if any(kpi.name == name for kpi in job.kpis))
    known = read_only(configuration.service.database, lambda read: load_collections(read, asked))
    return next((each for each in known if each.error is not None), None)


def _print_kpi(console: Console, kpi: KpiExplanation, failing: CollectionHealth | None) -> None:
    from bsc_monitor.evaluate.awaiting import failure, looked_at

    shown = f"no value in {looked_at(kpi)}" if kpi.value is None else f"{amount(kpi.value, kpi.unit)} in {kpi.period}"
    limits = kpi.thresholds
    rows = {
        "value": shown + (f", {kpi.samples} observations" if kpi.samples is not None else ""),
        "red": _level(limits.red, kpi.unit),
        "target": _level(limits.target, kpi.unit) + (" (pro-rated)" if kpi.prorated else ""),
        "curve": " → ".join(f"{amount(value, kpi.unit)}: {score:.3g}" for value, score in kpi.segment or ()),
        "formula": kpi.formula or "",
        "operands": ", ".join(f"{each.name} = {each.value}" for each in kpi.operands),
        "source": f"{kpi.source}.{kpi.measure}" if kpi.source else "",
        "failing": failure(failing) if failing else "",
        "evidence": kpi.evidence or "",
        "note": kpi.note or "",
    }
    for label, text in rows.items():
        if text:
            console.print(f"{label:<10}{escape(text)}", soft_wrap=True, highlight=False)


def _level(level: Level | None, unit: str) -> str:
    if level is None:
        return ""
    return " to ".join(amount(edge, unit) for edge in (level if isinstance(level, tuple) else (level,)))


def _children(found: Explanation) -> Table:
    table = Table(show_edge=False)
    for name in ("child", "status", "score", "weight", "points of the score", "score without it", "green adds"):
        table.add_column(name)
    for child in found.children:
        cells = (child.score, child.weight, child.contribution, child.without, child.gain_green)
        table.add_row(
            escape(child.title), str(child.status), *("–" if cell is None else f"{cell:.3g}" for cell in cells)
        )
    return table


def show_alignment(config: ConfigOption = DEFAULT_CONFIG, as_json: JsonOption = False) -> None:
    """List what does not hang together: objectives that support nothing, parents that nothing supports, odd links.

    Example: bsc-monitor alignment --json
    """
    configuration, _ = load_all(config)
    found = alignment(configuration.organisation)
    if as_json:
        typer.echo(json.dumps([to_data(each) for each in found], indent=2))
        return
    table = Table(show_edge=False)
    for name in ("scorecard", "what", "where"):
        table.add_column(name)
    for each in found:
        table.add_row(*map(escape, (each.scorecard, each.message, each.place or "")))
    Console().print(table if found else "The strategy hangs together.")
