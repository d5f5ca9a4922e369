"""``bsc-monitor set``: enter a KPI's value by hand, at the running service."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from difflib import get_close_matches
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from bsc_monitor.cli.asking import api_of, ask_service
from bsc_monitor.cli.frame import DEFAULT_CONFIG, ConfigOption, load_all
from bsc_monitor.config import Configuration
from bsc_monitor.model.organisation import Kpi


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("set")(set_value)


def set_value(
    kpi: Annotated[str, typer.Argument(help="Id of the KPI; scorecard/id where several have it")],
    value: Annotated[float, typer.Argument(help="In the KPI's unit")],
    at: Annotated[str | None, typer.Option(help="When it was so: a date, or a date and time; now by default")] = None,
    note: Annotated[str, typer.Option("--note", "-m", help="Where the value is from")] = "",
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Enter a value by hand. It is scored at once; who entered it, and when, is kept.

    BSC_TOKEN holds your token where the board asks for one: the author is whoever it belongs to.

    Example: bsc-monitor set training-hours 12.5 --at 2026-05-31 --note "LMS export of May"
    """
    configuration, _ = load_all(config)
    found = _kpi(configuration, kpi)
    if not math.isfinite(value):
        raise typer.BadParameter(f"{value} is no number that can be judged")
    body = {"value": value, "note": note, **({"at": _instant(at, configuration, found).isoformat()} if at else {})}
    try:
        ask_service(configuration, "POST", f"/kpis/{found.name}/readings", body)
    except OSError as error:
        address, why = api_of(configuration), getattr(error, "reason", error)
        typer.echo(f"No service answers at {address} ({why}): nothing was stored.", err=True)
        typer.echo(f"Start it with: bsc-monitor run --config {config}", err=True)
        raise typer.Exit(1) from None
    typer.echo(f"{found.name} = {value:g}{f' {found.unit}' if found.unit else ''}" + (f" at {at}" if at else ""))


def _kpi(configuration: Configuration, name: str) -> Kpi:
    """The KPI that is meant. Raises typer.BadParameter naming those that may be."""
    kpis = configuration.organisation.kpis
    found = [kpis[name]] if name in kpis else [kpi for kpi in kpis.values() if kpi.id == name]
    if len(found) == 1:
        return found[0]
    if found:
        raise typer.BadParameter(f"several scorecards have it: {', '.join(kpi.name for kpi in found)}")
    near = get_close_matches(name, [*kpis, *(kpi.id for kpi in kpis.values())], n=3)
    raise typer.BadParameter(f"there is no KPI {name!r}" + (f"; did you mean {' or '.join(near)}?" if near else ""))


def _instant(text: str, configuration: Configuration, kpi: Kpi) -> datetime:
    """An ISO date (its noon) or date and time; without a zone in the time zone of the KPI's scorecard."""
    try:
        said = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no date such as 2026-05-31 or 2026-05-31T14:00") from None
    if said.tzinfo is None:
        calendar = configuration.organisation.scorecards[kpi.scorecard].calendar
        said = said.replace(tzinfo=ZoneInfo(calendar.timezone))
    return (said.replace(hour=12) if len(text) <= len("2026-05-31") else said).astimezone(UTC)
