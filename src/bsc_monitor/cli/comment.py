"""``bsc-monitor comment``: write what people should know beside a KPI, a node or an alert."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Annotated

import typer
from sqlalchemy import Connection

from bsc_monitor.cli.desk import at_desk
from bsc_monitor.cli.frame import DEFAULT_CONFIG, AuthorOption, ConfigOption, load_all
from bsc_monitor.cli.matchers import author_of
from bsc_monitor.config import Configuration
from bsc_monitor.config.problems import near
from bsc_monitor.model.alert import AlertState
from bsc_monitor.store import StoreError, read_only
from bsc_monitor.store.alerts import load_alerts

_ALERT = re.compile("[0-9a-f]{4,16}")  #: an alert's id, or enough of its beginning


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command()(comment)


def comment(
    subject: Annotated[str, typer.Argument(help="it/mttr, it/restore-fast, it, or an alert's id")],
    text: Annotated[str, typer.Argument(help="What to say")],
    author: AuthorOption = None,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Write a comment on a KPI, an objective, a scorecard, an initiative or an alert; it is kept with author and time.

    Example: bsc-monitor comment it/mttr "The March peak was the data centre move."
    """
    configuration, _ = load_all(config)
    named = _subject(configuration, subject)
    with at_desk(configuration) as desk:
        desk.comment(named, text, author_of(author))
    typer.echo(f"written to {named}")


def _subject(configuration: Configuration, said: str) -> str:
    """The subject as comments are kept under: ``kpi:it/mttr``. Raises typer.BadParameter for what there is not."""
    organisation = configuration.organisation
    views = [view.name for card in organisation.scorecards.values() for view in card.perspectives]
    kinds: dict[str, Iterable[str]] = {
        "kpi": organisation.kpis, "objective": organisation.objectives, "perspective": views,
        "scorecard": organisation.scorecards, "initiative": organisation.initiatives,
    }  # fmt: skip
    keys = [f"{kind}:{name}" for kind, names in kinds.items() for name in names]
    exact = [key for key in keys if said in (key, key.partition(":")[2])]
    found = exact[:1] or [key for key in keys if key.rpartition("/")[2] == said] or _alerts(configuration, said)
    if len(found) == 1:
        return found[0]
    if found:
        raise typer.BadParameter(f"{said!r} may be {', '.join(found[:4])}{', …' if len(found) > 4 else ''}")
    names = {key.partition(":")[2] for key in keys}
    hint = near(said, names | {name.rpartition("/")[2] for name in names})
    meant = f"; {hint}" if hint.startswith("did") else "."
    raise typer.BadParameter(
        f"there is nothing {said!r} to comment on{meant} Write the name of a KPI (it/mttr), an objective (it/restore-fast), a perspective (it/customer), a scorecard (it)"
        " or an initiative, or an alert's id as bsc-monitor alerts shows it."
    )  # fmt: skip


def _alerts(configuration: Configuration, said: str) -> list[str]:
    """The alerts that an id, or its beginning, may mean; one that is over by its whole id alone."""
    if not _ALERT.fullmatch(said):
        return []

    def read(connection: Connection) -> list[str]:
        open_ = load_alerts(connection, states=[AlertState.FIRING, AlertState.PENDING])
        known = [*open_, *load_alerts(connection, fingerprints=[said])]
        return list(dict.fromkeys(f"alert:{each.fingerprint}" for each in known if each.fingerprint.startswith(said)))

    try:
        return read_only(configuration.service.database, read)
    except StoreError:
        return []  # there never was a service: there is no alert
