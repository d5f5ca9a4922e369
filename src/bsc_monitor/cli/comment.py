"""``bsc-monitor comment``: write what people should know beside a KPI, a node or an alert."""

from __future__ import annotations

from typing import Annotated

import typer

from bsc_monitor.cli.desk import at_desk
from bsc_monitor.cli.frame import DEFAULT_CONFIG, AuthorOption, ConfigOption, load_all
from bsc_monitor.cli.matchers import author_of
from bsc_monitor.config import Configuration


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command()(comment)


def comment(
    subject: Annotated[str, typer.Argument(help="it/mttr, it/restore-fast, it, or an alert's id")],
    text: Annotated[str, typer.Argument(help="What to say")],
    author: AuthorOption = None,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Write a comment on a KPI, an objective, a scorecard or an alert; it is kept with author and time.

    Example: bsc-monitor comment it/mttr "The March peak was the data centre move."
    """
    configuration, _ = load_all(config)
    named = _subject(configuration, subject)
    with at_desk(configuration) as desk:
        desk.comment(named, text, author_of(author))
    typer.echo(f"written to {named}")


def _subject(configuration: Configuration, said: str) -> str:
    """The subject as comments are kept under: ``kpi:it/mttr``; an alert's id stands for itself."""
    organisation = configuration.organisation
    kinds = {"kpi": organisation.kpis, "objective": organisation.objectives, "scorecard": organisation.scorecards}
    for kind, names in kinds.items():
        if said in names:
            return f"{kind}:{said}"
    return said
