"""``bsc-monitor silence``: tell nobody of some alerts for a while."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from bsc_monitor.cli.desk import at_desk, read_silences
from bsc_monitor.cli.frame import DEFAULT_CONFIG, ConfigOption, JsonOption, load_all
from bsc_monitor.cli.matchers import author_of, moment, parse_matchers, span
from bsc_monitor.model.alert import Silence
from bsc_monitor.notify.payload import instant


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    silences = typer.Typer(no_args_is_help=True, help="Tell nobody of some alerts for a while.")
    silences.command()(add)
    silences.command("list")(listed)
    silences.command()(expire)
    app.add_typer(silences, name="silence")


def add(
    match: Annotated[list[str], typer.Argument(help="kpi=mttr, severity!=info, kpi=~m.*; all must match")],
    lasts: Annotated[str, typer.Option("--for", help="How long: 30m, 2h, 3d")] = "1h",
    start: Annotated[str | None, typer.Option(help="When it begins: 2h from now, or a date and time")] = None,
    comment: Annotated[str, typer.Option("--comment", "-m", help="Why")] = "",
    author: Annotated[str | None, typer.Option(help="Who asks for it; you by default")] = None,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Silence matching alerts. It holds once this command says so.

    Example: bsc-monitor silence add scorecard=it source=itsm --for 3h -m "patch day"
    """
    matchers, now = parse_matchers(match), datetime.now(UTC)
    starts = moment(start, now) if start else now
    ends = starts + span(lasts)
    configuration, _ = load_all(config)
    with at_desk(configuration) as desk:
        name = desk.silence(matchers, starts, ends, author_of(author), comment)
    typer.echo(f"{name} until {ends.isoformat(timespec='minutes')}")


def listed(config: ConfigOption = DEFAULT_CONFIG, as_json: JsonOption = False) -> None:
    """Show the silences that have not ended.

    Example: bsc-monitor silence list --json
    """
    configuration, _ = load_all(config)
    now = datetime.now(UTC)
    found = read_silences(configuration, now)
    if as_json:
        typer.echo(json.dumps([as_alertmanager(silence, now) for silence in found], indent=2))
        return
    if not found:
        typer.echo("nothing is silenced")
        return
    table = Table(show_edge=False)
    for name in ("id", "alerts", "from", "until", "by", "why"):
        table.add_column(name, no_wrap=name == "id")
    for silence in found:
        said = " ".join(f"{m.label}{m.operator}{m.value}" for m in silence.matchers)
        times = (silence.starts_at.isoformat(timespec="minutes"), silence.ends_at.isoformat(timespec="minutes"))
        table.add_row(*map(escape, (silence.id, said, *times, silence.author, silence.comment)))
    Console().print(table)


def expire(
    silence: Annotated[str, typer.Argument(help="The silence's id")],
    author: Annotated[str | None, typer.Option(help="Who ends it; you by default")] = None,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """End a silence now.

    Example: bsc-monitor silence expire 8f2c6e1d
    """
    configuration, _ = load_all(config)
    with at_desk(configuration) as desk:
        desk.expire(silence, author_of(author))
    typer.echo(f"{silence} is over")


def as_alertmanager(silence: Silence, now: datetime) -> dict[str, object]:
    """A silence in the shape of Alertmanager's v2 API."""
    state = "expired" if silence.ends_at <= now else "pending" if silence.starts_at > now else "active"
    return {
        "id": silence.id,
        "status": {"state": state},
        "matchers": [
            {"name": m.label, "value": m.value, "isRegex": m.operator.endswith("~"), "isEqual": m.operator[0] == "="}
            for m in silence.matchers
        ],
        "startsAt": instant(silence.starts_at),
        "endsAt": instant(silence.ends_at),
        "createdBy": silence.author,
        "comment": silence.comment,
    }
