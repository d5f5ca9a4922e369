"""``bsc-monitor alerts``: what is pending and firing, what holds it back, and who took it on."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from bsc_monitor.alert.quiet import Quiet
from bsc_monitor.alert.subjects import is_dead_man
from bsc_monitor.cli.desk import read_alerts
from bsc_monitor.cli.frame import DEFAULT_CONFIG, ConfigOption, JsonOption, load_all
from bsc_monitor.cli.matchers import parse_matchers, unmet_by, warn
from bsc_monitor.model.alert import Alert, AlertState, matches_all
from bsc_monitor.notify.payload import instant
from bsc_monitor.notify.wording import lasted, level, number
from bsc_monitor.store import is_led

_COLOURS = {AlertState.FIRING: "red", AlertState.PENDING: "dark_orange"}


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command()(alerts)


def alerts(
    match: Annotated[list[str] | None, typer.Argument(help="kpi=mttr, severity!=info, kpi=~m.*")] = None,
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Show pending and firing alerts. The dead man's switch is one only while the service runs.

    Example: bsc-monitor alerts scorecard=it severity=critical
    """
    matchers, now = parse_matchers(match or []), datetime.now(UTC)
    configuration, _ = load_all(config)
    alive = is_led(configuration.service.database)
    found, quiet = read_alerts(configuration, now)
    shown = [each for each in found if matches_all(matchers, each.labels) and (alive or not is_dead_man(each))]
    if as_json:
        typer.echo(json.dumps([as_alertmanager(alert, quiet, now) for alert in shown], indent=2))
        return
    if not alive:
        typer.echo("The service is not running: what follows is as it was left, and nobody watches.", err=True)
        typer.echo(f"Start it with: bsc-monitor run --config {config}", err=True)
    if not shown:
        typer.echo("no alert is pending or firing")
        warn(unmet_by(configuration, matchers))
        return
    table = Table(show_edge=False)
    for name in ("state", "severity", "alert", "value", "for", "id"):
        table.add_column(name, no_wrap=name == "id", justify="right" if name in ("value", "for") else "left")
    for alert in shown:
        state = "flapping" if alert.flapping else str(alert.state)
        facts, since = alert.facts, alert.starts_at or alert.active_since or now
        value = number(alert.value, facts.unit) if alert.value is not None else ""
        remarks = "\n".join([alert.labels.get("alertname", ""), *_remarks(alert, quiet, now)])
        about = Text.assemble(_about(alert), ("\n" + remarks, "bright_black"))
        target = f"\ntarget {level(facts.target)}" if value and facts.target is not None else ""
        table.add_row(
            Text(state, _COLOURS.get(alert.state, "")), escape(alert.labels.get("severity", "")), about, escape(value + target),
            lasted(now - since), alert.fingerprint,
        )  # fmt: skip
    Console().print(table)


def as_alertmanager(alert: Alert, quiet: Quiet, now: datetime) -> dict[str, Any]:
    """An alert in the shape of Alertmanager's v2 API, with what it has no word for beside."""
    held, taken = quiet.held(alert, now), quiet.acknowledgement(alert, now)
    state = "unprocessed" if alert.state is AlertState.PENDING else "suppressed" if held else "active"
    return {
        "fingerprint": alert.fingerprint,
        "labels": dict(alert.labels),
        "annotations": {"summary": alert.facts.title, "description": alert.facts.note or alert.reason},
        "startsAt": instant(alert.starts_at or alert.active_since),
        "endsAt": instant(alert.resolved_at),
        "updatedAt": instant(alert.observed_at or alert.starts_at),
        "status": {
            "state": state,
            "silencedBy": list(held.silenced_by),
            "inhibitedBy": list(held.inhibited_by),
            "mutedBy": list(held.muted_by),
        },
        "value": alert.value,
        "flapping": alert.flapping,
        "noDataSince": None if alert.no_data_since is None else instant(alert.no_data_since),
        "acknowledgedBy": taken.author if taken else None,
    }


def _about(alert: Alert) -> str:
    scorecard = alert.labels.get("scorecard")
    return f"{alert.facts.title or alert.subject}{f' ({scorecard})' if scorecard else ''}"


def _remarks(alert: Alert, quiet: Quiet, now: datetime) -> list[str]:
    held, taken = quiet.held(alert, now), quiet.acknowledgement(alert, now)
    parts = [f"taken on by {taken.author}"] if taken else []
    parts += ["silenced"] if held.silenced_by else []
    parts += ["inhibited"] if held.inhibited_by else []
    parts += [f"maintenance {', '.join(held.muted_by)}"] if held.muted_by else []
    parts += ["no data"] if alert.no_data_since else []
    return parts
