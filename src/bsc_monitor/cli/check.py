"""``bsc-monitor check``: whether the configuration is right, what would run and when, what is dead or suspicious."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from bsc_monitor.cli.frame import DEFAULT_CONFIG, ConfigOption, JsonOption, load_all
from bsc_monitor.collect.agenda import Job, jobs_of
from bsc_monitor.collect.plugins import Plugins
from bsc_monitor.config import ConfigError, Configuration, Problem, ServiceSettings
from bsc_monitor.config.build_service import is_local
from bsc_monitor.config.durations import format_duration
from bsc_monitor.model.words import plural
from bsc_monitor.plugin import SourceError

_SHOWN = 40


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command()(check)


def check(
    config: ConfigOption = DEFAULT_CONFIG,
    online: Annotated[bool, typer.Option("--online", help="Try the credentials of every source")] = False,
    as_json: JsonOption = False,
) -> None:
    """Check the configuration: every mistake with file, line and hint; what would run, and when.

    Example: bsc-monitor check --online
    """
    configuration, plugins = load_all(config, _address_fault)
    _check_sign_in(configuration.service)
    jobs = list(jobs_of(configuration.organisation, configuration.sources).values())
    answers = asyncio.run(_try_sources(configuration, plugins)) if online else {}
    if as_json:
        typer.echo(json.dumps(_as_json(configuration, plugins, jobs, answers), indent=2))
    else:
        _print(configuration, plugins, jobs, answers)
    if any(answers.values()):
        raise typer.Exit(1)


def _address_fault(address: str) -> str:
    """What is wrong with an address of Apprise. The service itself finds out when it sends, and says so then."""
    from bsc_monitor.notify.apprising import open_service, scheme

    return "" if open_service(address) else f"the address {scheme(address)}://… is none that Apprise understands"


def _check_sign_in(settings: ServiceSettings) -> None:
    """The service would not start with a sign-in file that it cannot use. Raises ConfigError."""
    if settings.auth is None:
        return
    from bsc_monitor.web.auth.file import AuthFileError, load_access

    try:
        names_nobody = load_access(settings.auth).auth is None
    except AuthFileError as error:
        raise ConfigError([_problem(settings, "auth", error.message, error.hint)]) from None
    if names_nobody and not is_local(settings.host):
        message = f"{settings.host} can be reached from other machines, and {settings.auth} names nobody"
        raise ConfigError([_problem(settings, "listen", message, "add users or tokens, or listen on 127.0.0.1")])


def _problem(settings: ServiceSettings, key: str, message: str, hint: str) -> Problem:
    file, _, line = (settings.places.get(key) or "").rpartition(":")
    return Problem(file, int(line), f"service.{key}", message, hint)


async def _try_sources(configuration: Configuration, plugins: Plugins) -> dict[str, str]:
    """What each source says to its credentials: an empty text is well."""
    from bsc_monitor.collect.probe import probe_source

    found: dict[str, str] = {}
    for source in configuration.sources.values():
        try:
            await probe_source(source, plugins.collectors[source.plugin])
            found[source.id] = ""
        except SourceError as error:
            found[source.id] = f"{error.message} {error.hint}".strip()
    return found


def _schedule(job: Job) -> str:
    schedule = job.schedule
    return f"cron {schedule.cron}" if schedule.cron else f"every {format_duration(job.every)}"


def _as_json(
    configuration: Configuration, plugins: Plugins, jobs: list[Job], answers: dict[str, str]
) -> dict[str, Any]:
    return {
        "scorecards": len(configuration.organisation.scorecards),
        "kpis": len(configuration.organisation.kpis),
        "collections": [
            {"source": j.source, "measure": j.measure, "schedule": _schedule(j), "kpis": [k.name for k in j.kpis]}
            for j in jobs
        ],
        "warnings": [
            {"file": w.file, "line": w.line, "key": w.key, "message": w.message, "hint": w.hint}
            for w in configuration.warnings
        ],
        "plugin_problems": [str(problem) for problem in plugins.problems],
        "sources": answers,
    }


def _print(configuration: Configuration, plugins: Plugins, jobs: list[Job], answers: dict[str, str]) -> None:
    console = Console()
    for warning in configuration.warnings:
        console.print(f"[yellow]warning[/] {escape(str(warning))}", soft_wrap=True)
    for problem in plugins.problems:
        console.print(f"[yellow]plugin[/] {escape(str(problem))}", soft_wrap=True)
    table = Table(show_edge=False)
    for name in ("source", "measure", "schedule", "KPIs"):
        table.add_column(name)
    for job in jobs[:_SHOWN]:
        names = ", ".join(kpi.name for kpi in job.kpis[:3]) + (" …" if len(job.kpis) > 3 else "")
        table.add_row(*map(escape, (job.source, job.measure, _schedule(job), names)))
    console.print(table)
    if len(jobs) > _SHOWN:
        counts = Counter(job.source for job in jobs[_SHOWN:])
        console.print("… and " + ", ".join(f"{count} of {source}" for source, count in counts.items()))
    for source, words in answers.items():
        console.print(f"[red]✗[/] {source}: {escape(words)}" if words else f"[green]✓[/] {source}", soft_wrap=True)
    organisation = configuration.organisation
    console.print(
        f"[green]OK[/] {plural(len(organisation.scorecards), 'scorecard')}, "
        f"{plural(len(organisation.objectives), 'objective')}, {plural(len(organisation.kpis), 'KPI')}, "
        f"{plural(len(configuration.sources), 'source')}, {plural(len(jobs), 'collection')}, "
        f"{plural(len(configuration.warnings), 'warning')}"
    )
