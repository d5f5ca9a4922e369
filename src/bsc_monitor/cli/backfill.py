"""``bsc-monitor backfill`` and ``rescore``: collecting the past, and judging it anew."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from bsc_monitor.cli.asking import ask_service
from bsc_monitor.cli.frame import DEFAULT_CONFIG, ConfigOption, load_all
from bsc_monitor.collect.plugins import Plugins
from bsc_monitor.config import Configuration

_LOOK = 0.5  #: seconds between looks at the service's progress

FromOption = Annotated[datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="The first day, e.g. 2025-01-01")]


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.command()(backfill)
    app.command()(rescore)


def backfill(
    subject: Annotated[str, typer.Argument(help="A source, or a KPI (scorecard/id)", metavar="SOURCE|KPI")],
    since: FromOption,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Collect past periods as they would have been collected then. Interrupted, it goes on where it was.

    A running service does it itself; else it is done here, on the same database.

    Example: bsc-monitor backfill itsm --from 2025-01-01
    """
    _check_past(since)
    configuration, plugins = load_all(config)
    organisation = configuration.organisation
    if subject not in configuration.sources and subject not in organisation.kpis:
        names = [name for name in organisation.kpis if name.rpartition("/")[2] == subject]
        if len(names) != 1:
            known = ", ".join([*configuration.sources, *names])
            raise typer.BadParameter(f"there is no source or KPI {subject!r}; there is {known}")
        subject = names[0]
    day = f"{since:%Y-%m-%d}"
    try:
        begun = ask_service(configuration, "POST", "/backfill", {"subject": subject, "start": day})
    except OSError:
        total, failures = asyncio.run(_here(configuration, plugins, subject, since.replace(tzinfo=UTC)))
    else:
        total, failures = begun["total"], _follow(configuration, begun)
    if not total:
        typer.echo(f"Nothing is left to collect: no period has ended since {day}, or all were collected before.")
    for words in failures[:5]:
        typer.echo(f"failed: {words}", err=True)
    if failures:
        typer.echo("Run the same command again: it takes up what is missing.", err=True)
        raise typer.Exit(1)


def _check_past(since: datetime) -> None:
    """Raise typer.BadParameter for a day (its midnight, UTC) that has not begun."""
    if since.replace(tzinfo=UTC) > datetime.now(UTC):
        raise typer.BadParameter(f"{since:%Y-%m-%d} is still to come: name a day that has begun", param_hint="--from")


def _bar() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=Console(stderr=True))


def _follow(configuration: Configuration, begun: dict[str, Any]) -> list[str]:
    """Show the running service's progress until it is done."""
    now = begun
    with _bar() as bar:
        task = bar.add_task("periods", total=now["total"])
        while now["running"]:
            time.sleep(_LOOK)
            now = ask_service(configuration, "GET", "/backfill", None)
            bar.update(task, completed=now["done"])
        bar.update(task, completed=now["done"])
    return [f"{now['failed']} periods, first: {now['first_failure']}"] if now["failed"] else []


async def _here(configuration: Configuration, plugins: Plugins, subject: str, since: datetime) -> tuple[int, list[str]]:
    """Collect without a service: the same evaluator on the same store, no schedule and no messages.

    How many periods there were to collect, and why some failed.
    """
    from bsc_monitor.service.offline import collecting
    from bsc_monitor.service.past import fill, remaining

    failures: list[str] = []
    async with collecting(configuration, plugins) as (store, collection):
        runs = await remaining(store, collection, since, datetime.now(UTC), subject)
        with _bar() as bar:
            task = bar.add_task("periods", total=len(runs))

            def told(outcome: Any) -> None:
                bar.update(task, advance=1, description=escape(f"{outcome.run.job.measure} {outcome.run.period.label}"))
                if outcome.error:
                    failures.append(outcome.error)

            await fill(store, collection, runs, told)
    return len(runs), list(dict.fromkeys(failures))


def rescore(
    kpis: Annotated[list[str], typer.Argument(help="KPIs (scorecard/id), or a whole scorecard")],
    since: FromOption,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Judge closed periods by today's definitions, on purpose: it is kept on record who did so, and when.

    Example: bsc-monitor rescore it/mttr --from 2026-01-01
    """
    from bsc_monitor.model.words import plural

    _check_past(since)
    configuration, _ = load_all(config)
    organisation = configuration.organisation
    names = [name for name, kpi in organisation.kpis.items() if name in kpis or kpi.scorecard in kpis]
    if not names:
        raise typer.BadParameter(f"there is no KPI and no scorecard {', '.join(kpis)}")
    body = {"kpis": names, "start": f"{since:%Y-%m-%d}"}
    try:
        count = ask_service(configuration, "POST", "/rescore", body)["periods"]
    except OSError:
        count = asyncio.run(_rescore_here(configuration, names, since.replace(tzinfo=UTC)))
    periods, verb = plural(count, "closed period"), "is" if count == 1 else "are"
    typer.echo(f"{periods} of {plural(len(names), 'KPI')} {verb} judged differently now")


async def _rescore_here(configuration: Configuration, names: list[str], since: datetime) -> int:
    import getpass

    from bsc_monitor.service.offline import evaluating

    async with evaluating(configuration) as evaluator:
        return await evaluator.rescore(names, since, getpass.getuser())
