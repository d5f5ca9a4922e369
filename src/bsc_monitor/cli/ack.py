"""``bsc-monitor ack``: take an alert on, so that it is neither repeated nor escalated."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from bsc_monitor.cli.desk import at_desk
from bsc_monitor.cli.frame import DEFAULT_CONFIG, AuthorOption, ConfigOption, load_all
from bsc_monitor.cli.matchers import author_of, moment


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command()(ack)


def ack(
    alert: Annotated[str, typer.Argument(help="The alert's id, as alerts and messages show it")],
    note: Annotated[str, typer.Option("--note", "-m", help="What you are doing about it")] = "",
    until: Annotated[str | None, typer.Option(help="2h, or a date and time; until it resolves by default")] = None,
    author: AuthorOption = None,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Take a firing alert on: it is not repeated and does not escalate.

    Example: bsc-monitor ack e3056679cc67df43 --note "rolling back" --until 2h
    """
    configuration, _ = load_all(config)
    ends = moment(until, datetime.now(UTC)) if until else None
    with at_desk(configuration) as desk:
        desk.acknowledge(alert, note, ends, author_of(author))
    typer.echo(f"{alert} is yours" + (f" until {ends.isoformat(timespec='minutes')}" if ends else " until it resolves"))
