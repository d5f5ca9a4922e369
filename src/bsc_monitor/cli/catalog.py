"""``bsc-monitor catalog``: ready KPI definitions to look up and paste."""

from __future__ import annotations

import json
from difflib import get_close_matches
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from bsc_monitor.catalog import Definition, as_toml, load
from bsc_monitor.cli.frame import JsonOption


def register(app: typer.Typer) -> None:
    """Add the group of commands to the application."""
    group = typer.Typer(name="catalog", help="Ready KPI definitions.", invoke_without_command=True)
    group.callback()(catalog)
    group.command()(show)
    group.command()(add)
    app.add_typer(group)


def catalog(
    context: typer.Context,
    perspective: Annotated[str | None, typer.Option(help="Only of this perspective")] = None,
    plugin: Annotated[str | None, typer.Option(help="Only those that this plugin measures")] = None,
    as_json: JsonOption = False,
) -> None:
    """List the KPI definitions.

    Example: bsc-monitor catalog --perspective customer
    """
    if context.invoked_subcommand is not None:
        return
    found = [
        each for each in load().values() if perspective in (None, each.perspective) and plugin in (None, each.plugin)
    ]
    if as_json:
        typer.echo(json.dumps([each.model_dump(mode="json") for each in found], indent=2))
        return
    table = Table(show_edge=False)
    for name in ("id", "title", "perspective", "measured by", "unit", "red", "target"):
        table.add_column(name)
    for each in found:
        row = (each.id, each.title, each.perspective, f"{each.plugin}.{each.measure}", each.unit, *_thresholds(each))
        table.add_row(*map(escape, row))
    Console().print(table)
    if not found:
        raise typer.Exit(1)


def show(name: Annotated[str, typer.Argument(metavar="ID")], as_json: JsonOption = False) -> None:
    """Explain a definition: its question, measure, thresholds, pitfalls and counter-KPIs.

    Example: bsc-monitor catalog show mttr
    """
    found = _find(name)
    if as_json:
        typer.echo(json.dumps(found.model_dump(mode="json"), indent=2))
        return
    red, target = _thresholds(found)
    for label, value in {
        found.id: found.title,
        "question": found.question,
        "perspective": found.perspective + (", leading" if found.leading else ", lagging"),
        "measured by": f"{found.plugin}.{found.measure} {json.dumps(found.params, ensure_ascii=False)}",
        "better": f"{found.better}, in {found.unit}",
        "red, target": f"{red}, {target}" if found.red is not None else "none usual",
        "reference": found.reference or "no published norm",
        "pitfalls": found.pitfalls,
        "show beside": ", ".join(found.counter),
    }.items():
        typer.echo(f"{label:<14} {value}")


def add(
    name: Annotated[str, typer.Argument(metavar="ID")],
    source: Annotated[str, typer.Option(help="Id of the source that is asked")],
    objective: Annotated[str, typer.Option(help="Id of the objective that it belongs to")],
) -> None:
    """Print a definition as TOML to paste into the configuration.

    Example: bsc-monitor catalog add mttr --source itsm --objective restore-fast >> config.toml
    """
    typer.echo(as_toml(_find(name), source, objective), nl=False)


def _find(name: str) -> Definition:
    known = load()
    if name not in known:
        near = get_close_matches(name, known, 1)
        hint = f": did you mean {near[0]}?" if near else "; see bsc-monitor catalog"
        raise typer.BadParameter(f"there is no {name!r} in the catalogue{hint}")
    return known[name]


def _thresholds(each: Definition) -> tuple[str, str]:
    return ("", "") if each.red is None or each.target is None else (f"{each.red:g}", f"{each.target:g}")
