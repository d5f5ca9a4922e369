"""``bsc-monitor maintenance``: tell nobody of some alerts in a window that comes again and again."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Annotated

import typer

from bsc_monitor.alert.maintenance import next_opening, window
from bsc_monitor.cli.desk import at_desk, conditions, read_windows
from bsc_monitor.cli.frame import DEFAULT_CONFIG, AuthorOption, ConfigOption, JsonOption, load_all
from bsc_monitor.cli.listing import by, print_list
from bsc_monitor.cli.matchers import as_words, author_of, moment, parse_matchers, span, unmet_by, warn
from bsc_monitor.config.durations import format_duration
from bsc_monitor.model.alert import Maintenance
from bsc_monitor.notify.payload import instant
from bsc_monitor.notify.wording import Wording


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    windows = typer.Typer(no_args_is_help=True, help="Tell nobody of some alerts in a window that comes again.")
    windows.command()(add)
    windows.command("list")(listed)
    windows.command()(end)
    app.add_typer(windows, name="maintenance")


def add(
    name: Annotated[str, typer.Argument(help="What to call it: patch-day")],
    match: Annotated[list[str], typer.Argument(help="source=itsm, severity!=critical, kpi=~m.*; all must match")],
    cron: Annotated[str, typer.Option(help='When it opens, as cron writes it: "0 22 * * 2"')],
    lasts: Annotated[str, typer.Option("--for", help="How long it stays open: 30m, 3h, 2d")],
    timezone: Annotated[str | None, typer.Option(help="Of the times; the service's by default")] = None,
    until: Annotated[
        str | None, typer.Option(help="When it stops coming again: 90d, or a date; never by default")
    ] = None,
    comment: Annotated[str, typer.Option("--comment", "-m", help="Why")] = "",
    author: AuthorOption = None,
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Open a maintenance window that comes again. It holds once this command says so.

    Example: bsc-monitor maintenance add patch-day source=itsm --cron "0 22 * * 2" --for 3h -m "monthly patches"
    """
    now = datetime.now(UTC)
    configuration, _ = load_all(config)
    wanted = Maintenance(
        name, cron, span(lasts), parse_matchers(match), timezone or configuration.service.timezone,
        author=author_of(author), comment=comment, until=moment(until, now) if until else None,
    )  # fmt: skip
    with at_desk(configuration) as desk:
        desk.maintain(wanted)
    warnings = unmet_by(configuration, wanted.match)
    if as_json:
        typer.echo(json.dumps({**_as_json(wanted, now), "warnings": warnings}, indent=2))
        return
    typer.echo(f"{name} {_state(wanted, now)}")
    warn(warnings)


def listed(config: ConfigOption = DEFAULT_CONFIG, as_json: JsonOption = False) -> None:
    """Show the maintenance windows: the configuration file's and those that people opened.

    Example: bsc-monitor maintenance list --json
    """
    configuration, _ = load_all(config)
    now = datetime.now(UTC)
    print_list(
        read_windows(configuration, now), lambda each: _lines(each, now), lambda each: _as_json(each, now),
        empty="there is no maintenance window", as_json=as_json,
    )  # fmt: skip


def end(
    name: Annotated[str, typer.Argument(help="The window's name")],
    author: AuthorOption = None,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """End a window that a person opened, for good. Those of the configuration file are ended there.

    Example: bsc-monitor maintenance end patch-day
    """
    configuration, _ = load_all(config)
    with at_desk(configuration) as desk:
        desk.end_maintenance(name, author_of(author))
    typer.echo(f"{name} has ended")


def _lines(each: Maintenance, now: datetime) -> Iterable[str]:
    yield f"{each.id}  {as_words(each.match) or 'everything'}"
    yield f"{each.cron} {each.timezone}, for {format_duration(each.lasts)}; {_state(each, now)}"
    yield _origin(each)


def _state(each: Maintenance, now: datetime) -> str:
    wording = Wording(each.timezone)
    if (open_now := window(each, now)) is not None:
        return f"open until {wording.moment(open_now[1])}"
    opening = next_opening(each, now)
    return f"opens {wording.moment(opening)}" if opening else "does not open again"


def _origin(each: Maintenance) -> str:
    if not each.author:
        return f"of the configuration file ({each.place})" if each.place else "of the configuration file"
    last = f"until {Wording(each.timezone).moment(each.until)}, " if each.until else ""
    return last + by(each.author, each.comment)


def _as_json(each: Maintenance, now: datetime) -> dict[str, object]:
    open_now = window(each, now)
    return {
        "id": each.id, "origin": "person" if each.author else "configuration", "cron": each.cron,
        "timezone": each.timezone, "lasts": format_duration(each.lasts),
        "matchers": [conditions(matcher) for matcher in each.match],
        "opensAt": _instant(open_now[0] if open_now else next_opening(each, now)),
        "openUntil": _instant(open_now[1] if open_now else None), "startsAt": _instant(each.since),
        "endsAt": _instant(each.until), "createdBy": each.author, "comment": each.comment,
    }  # fmt: skip


def _instant(at: datetime | None) -> str | None:
    return None if at is None else instant(at)
