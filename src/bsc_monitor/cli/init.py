"""``bsc-monitor init``: from nothing to a running scorecard on one's own systems, by answering questions."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import SecretStr, ValidationError
from pydantic.fields import FieldInfo
from rich.console import Console
from rich.markup import escape

from bsc_monitor.catalog import PERSPECTIVES, Definition, load
from bsc_monitor.cli.init_text import AnsweredSource, Answers, config_text
from bsc_monitor.collect.plugins import find_plugins
from bsc_monitor.collect.probe import probe_source
from bsc_monitor.config import ConfigError
from bsc_monitor.model.source import Source
from bsc_monitor.model.words import plural
from bsc_monitor.model.zones import zone
from bsc_monitor.plugin import Collector, SourceError

_SUGGESTED = 3  #: KPIs of a plugin suggested for each perspective
_CONSOLE = Console()


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command()(init)


def init(
    folder: Annotated[Path, typer.Argument(help="Where to write config.toml")] = Path(),
    force: Annotated[bool, typer.Option("--force", help="Write over a configuration that is there")] = False,
) -> None:
    """Set up a scorecard on your own systems: pick sources, try their credentials, pick KPIs from the catalogue.

    Example: bsc-monitor init ~/scorecard
    """
    file = folder / "config.toml"
    if file.exists() and not force:
        typer.echo(f"{file} is there already: choose another folder, or say --force", err=True)
        raise typer.Exit(1)
    folder.mkdir(parents=True, exist_ok=True)
    collectors, definitions = find_plugins([]).collectors, load()
    offered = sorted({each.plugin for each in definitions.values()} & collectors.keys())
    answers = Answers(title=typer.prompt("What is scored", default="IT department"))
    answers.timezone = _ask_zone()
    for plugin in _choose("Which systems do you have", offered, default=()):
        source = _ask_source(plugin, collectors[plugin], folder)
        if source is not None:
            mine = [each for each in definitions.values() if each.plugin == plugin]
            source.kpis = _ask_kpis(plugin, mine)
            answers.sources.append(source)
    if not answers.sources:
        typer.echo("Nothing was picked, and nothing is written. To look around first: bsc-monitor demo", err=True)
        raise typer.Exit(1)
    file.write_text(config_text(answers), encoding="utf-8")
    _verify(file)
    _CONSOLE.print(
        f"[green]Written:[/] {escape(str(file))}. Start it with: bsc-monitor run --config {escape(str(file))}"
    )


def _ask_zone() -> str:
    while True:
        try:
            return zone(typer.prompt("Time zone", default="Europe/Berlin").strip())
        except ValueError as error:
            _CONSOLE.print(f"[red]{escape(str(error))}[/]", highlight=False)


def _choose(question: str, offered: list[str], default: Iterable[str]) -> list[str]:
    """Some of what is offered, by number or name."""
    for number, name in enumerate(offered, 1):
        _CONSOLE.print(f"  {number:>2}  {escape(name)}")
    while True:
        said = typer.prompt(f"{question} (numbers or names, with commas)", default=",".join(default))
        words = [word.strip() for word in said.split(",") if word.strip()]
        found = [offered[int(word) - 1] if word.isdigit() and 0 < int(word) <= len(offered) else word for word in words]
        unknown = [word for word in found if word not in offered]
        if not unknown:
            return list(dict.fromkeys(found))
        _CONSOLE.print(f"[red]There is no {escape(', '.join(unknown))}.[/]")


def _ask_source(plugin: str, collector: type[Collector], folder: Path) -> AnsweredSource | None:
    """Ask for a source's configuration until it works, or the person goes on without it."""
    _CONSOLE.print(f"\n[bold]{escape(plugin)}[/]")
    while True:
        said = {name: _ask_field(name, info) for name, info in _wanted(collector.Config.model_fields).items()}
        said = {name: value for name, value in said.items() if value != ""}
        try:
            config = collector.Config.model_validate(said)
            asyncio.run(probe_source(Source(plugin, plugin, config), collector))
        except ValidationError as error:
            words = "; ".join(f"{'.'.join(map(str, e['loc'])) or plugin}: {e['msg']}" for e in error.errors()[:5])
        except SourceError as error:
            words = f"{error.message} {error.hint}".strip()
        else:
            _CONSOLE.print("[green]✓[/] it answers")
            return AnsweredSource(plugin, _stored(plugin, said, collector, folder))
        _CONSOLE.print(f"[red]✗[/] {escape(words)}")
        if not typer.confirm("Try again", default=True):
            return None


def _wanted(fields: Mapping[str, FieldInfo]) -> dict[str, FieldInfo]:
    """What has to be asked: what is required, and who is to be let in."""
    people = {"email", "username", "password", "token"}
    return {name: info for name, info in fields.items() if info.is_required() or name in people}


def _is_secret(info: FieldInfo) -> bool:
    return "Secret" in str(info.annotation)


def _ask_field(name: str, info: FieldInfo) -> str:
    hint = f" ({info.description})" if info.description else ""
    default = None if info.is_required() else ""
    return str(typer.prompt(f"  {name}{hint}", default=default, hide_input=_is_secret(info), show_default=False))


def _stored(plugin: str, said: Mapping[str, str], collector: type[Collector], folder: Path) -> dict[str, Any]:
    """The answers as the configuration says them: secrets in files that nobody else can read."""
    kept: dict[str, Any] = {}
    for name, value in said.items():
        if not _is_secret(collector.Config.model_fields[name]):
            kept[name] = value
            continue
        secrets = folder / "secrets"
        secrets.mkdir(mode=0o700, exist_ok=True)
        file = secrets / f"{plugin}-{name}"
        file.touch(mode=0o600)
        file.write_text(SecretStr(value).get_secret_value(), encoding="utf-8")
        kept[name] = {"file": f"secrets/{file.name}"}
    return kept


def _ask_kpis(plugin: str, offered: list[Definition]) -> list[Definition]:
    """Definitions from the catalogue, their own parameters filled in."""
    by_view = {view: [each for each in offered if each.perspective == view] for view in PERSPECTIVES}
    suggested = [each.id for found in by_view.values() for each in found[:_SUGGESTED]]
    for each in offered:
        _CONSOLE.print(f"      {escape(each.id)}: {escape(each.question)}", highlight=False)
    known = {each.id: each for each in offered}
    chosen = [known[name] for name in _choose(f"Which KPIs of {plugin}", list(known), suggested)]
    given: dict[str, str] = {}
    return [each.model_copy(update={"params": _own_params(each.params, given)}) for each in chosen]


def _own_params(params: Mapping[str, Any], given: dict[str, str]) -> dict[str, Any]:
    """The catalogue's example parameters replaced by one's own; each is asked once."""
    own: dict[str, Any] = {}
    for name, value in params.items():
        listed = isinstance(value, list) and value and all(isinstance(one, str) for one in value)
        if not isinstance(value, str) and not listed:
            own[name] = value
            continue
        example = ",".join(value) if listed else str(value)
        if (key := f"{name}={example}") not in given:
            given[key] = typer.prompt(f"  {name}", default=example)
        own[name] = [word.strip() for word in given[key].split(",")] if listed else given[key]
    return own


def _verify(file: Path) -> None:
    from bsc_monitor.cli.frame import load_all

    try:
        configuration, _ = load_all(file)
    except ConfigError as error:
        for problem in error.problems:
            typer.echo(str(problem), err=True)
        typer.echo(f"{file} is written and wants mending by hand.", err=True)
        raise typer.Exit(1) from None
    kpis, sources = len(configuration.organisation.kpis), len(configuration.sources)
    _CONSOLE.print(f"{plural(kpis, 'KPI')}, {plural(sources, 'source')}")
