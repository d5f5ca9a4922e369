"""``bsc-monitor insights``: what closed periods show beyond noise, now or as of a past period."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text
from sqlalchemy import Connection

from bsc_monitor.cli.frame import DEFAULT_CONFIG, ConfigOption, JsonOption, check_scorecard, load_all
from bsc_monitor.model.insight import Direction, Insight, InsightKind
from bsc_monitor.model.organisation import Organisation
from bsc_monitor.model.period_value import PeriodValue

_COLOURS = {Direction.WORSENING: "red", Direction.IMPROVING: "green", Direction.NONE: "bright_black"}


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command()(insights)


def insights(
    scorecard: Annotated[str | None, typer.Argument(help="Id of one scorecard; all by default")] = None,
    at: Annotated[str | None, typer.Option(help="As of the end of a past period: 2026-06, 2026-Q2 …")] = None,
    kind: Annotated[InsightKind | None, typer.Option(help="One kind alone")] = None,
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Look at the closed periods of every KPI, whatever was found before, and say what is more than noise.

    Nothing is stored: the service looks by itself whenever a period closes.
    Example: bsc-monitor insights it --at 2026-06
    """
    from bsc_monitor.evaluate.initiatives import in_force
    from bsc_monitor.store import read_only
    from bsc_monitor.store.actions import load_said

    configuration, _ = load_all(config)
    check_scorecard(configuration, scorecard)
    moment = _moment(configuration.organisation, at)

    def look(connection: Connection) -> list[Insight]:
        present = in_force(configuration, load_said(connection))
        return found_at(connection, present.organisation, moment)

    found = [
        each
        for each in read_only(configuration.service.database, look)
        if kind in (None, each.kind) and (scorecard is None or _card(each) == scorecard)
    ]
    if as_json:
        typer.echo(json.dumps([{**asdict(each), "id": each.id} for each in found], indent=2, default=str))
    else:
        _print(found)


def _moment(organisation: Organisation, at: str | None) -> datetime:
    """Now, or the end of a past period. Raises typer.BadParameter for what is none."""
    from bsc_monitor.score.periods import parse_period

    now = datetime.now(UTC)
    if at is None:
        return now
    try:
        return min(now, parse_period(at, next(iter(organisation.scorecards.values())).calendar).end)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


def _print(found: Sequence[Insight]) -> None:
    console = Console()
    for each in sorted(found, key=lambda one: (one.direction is not Direction.WORSENING, one.kind, one.subject)):
        console.print(Text.assemble((f"{each.kind:<11}", _COLOURS[each.direction]), each.sentence))
        console.print(Text(f"{'':<11}{each.next_step}", "bright_black"))
    if not found:
        console.print("Nothing is more than noise.")


def found_at(connection: Connection, organisation: Organisation, moment: datetime) -> list[Insight]:
    """The insights that the periods closed by a moment give."""
    from bsc_monitor.improve.initiatives import review
    from bsc_monitor.improve.insights import find_all
    from bsc_monitor.improve.relations import relations
    from bsc_monitor.store.periods import closed_values

    values: dict[str, list[PeriodValue]] = defaultdict(list)
    for value in closed_values(connection, organisation.kpis):
        if value.period.end <= moment:
            values[value.kpi].append(value)
    known = relations(organisation)
    states, _ = review(known, values, moment)
    return find_all(known, values, moment, states=states)


def _card(insight: Insight) -> str:
    about = str(insight.evidence.get("kpi", "")) if insight.subject_kind == "initiative" else insight.subject
    return about.partition("/")[0]
