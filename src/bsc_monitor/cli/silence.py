"""``bsc-monitor silence``: tell nobody of some alerts for a while."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Annotated

import typer

from bsc_monitor.cli.desk import at_desk, conditions, read_silences
from bsc_monitor.cli.frame import DEFAULT_CONFIG, AuthorOption, ConfigOption, JsonOption, load_all
from bsc_monitor.cli.listing import by, print_list
from bsc_monitor.cli.matchers import as_words, author_of, moment, parse_matchers, span, unmet_by, warn
from bsc_monitor.model.alert import Silence
from bsc_monitor.notify.payload import instant
from bsc_monitor.notify.wording import Wording, lasted


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
    author: AuthorOption = None,
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Silence matching alerts. It holds once this command says so, also for what there is not yet.

    Example: bsc-monitor silence add scorecard=it source=itsm --for 3h -m "patch day"
    """
    matchers, now = parse_matchers(match), datetime.now(UTC)
    starts = moment(start, now) if start else now
    ends = starts + span(lasts)
    configuration, _ = load_all(config)
    with at_desk(configuration) as desk:
        name = desk.silence(matchers, starts, ends, author_of(author), comment)
    warnings = unmet_by(configuration, matchers)
    if as_json:
        made = {"silenceID": name, "startsAt": instant(starts), "endsAt": instant(ends), "warnings": warnings}
        typer.echo(json.dumps(made, indent=2))
        return
    typer.echo(f"{name} until {ends.isoformat(timespec='minutes')}")
    warn(warnings)


def listed(config: ConfigOption = DEFAULT_CONFIG, as_json: JsonOption = False) -> None:
    """Show the silences that have not ended.

    Example: bsc-monitor silence list --json
    """
    configuration, _ = load_all(config)
    now, wording = datetime.now(UTC), Wording(configuration.service.timezone)
    print_list(
        read_silences(configuration, now), lambda each: _lines(each, now, wording), lambda each: as_alertmanager(each, now),
        empty="nothing is silenced", as_json=as_json,
    )  # fmt: skip


def _lines(silence: Silence, now: datetime, wording: Wording) -> Iterable[str]:
    begins = f"from {wording.moment(silence.starts_at)} " if silence.starts_at > now else ""
    yield f"{silence.id}  {as_words(silence.matchers)}"
    yield f"{begins}until {wording.moment(silence.ends_at)} ({lasted(silence.ends_at - now)} from now)"
    yield by(silence.author, silence.comment)


def expire(
    silence: Annotated[str, typer.Argument(help="The silence's id, or the beginning of it")],
    author: AuthorOption = None,
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
        "matchers": [conditions(matcher) for matcher in silence.matchers],
        "startsAt": instant(silence.starts_at),
        "endsAt": instant(silence.ends_at),
        "createdBy": silence.author,
        "comment": silence.comment,
    }
