"""``bsc-monitor plugin``: what collectors there are, and what is wrong with those that are not."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from bsc_monitor.cli.plugin_check import check
from bsc_monitor.cli.plugin_docs import docs
from bsc_monitor.cli.plugin_new import new
from bsc_monitor.collect.plugins import Plugins, find_plugins
from bsc_monitor.config import plugin_folders
from bsc_monitor.plugin import Collector, declared


def register(app: typer.Typer) -> None:
    """Add the group of commands to the application."""
    app.add_typer(plugin_app(plugin_folders))


def plugin_app(folders: Callable[[Path], Sequence[Path]]) -> typer.Typer:
    """The group of commands. ``folders`` gives the plugin folders that a configuration file names."""
    app = typer.Typer(name="plugin", help="Collector plugins.", no_args_is_help=True)

    @app.callback()
    def group() -> None:
        """Collector plugins."""

    @app.command("list")
    def list_plugins(
        config: Annotated[Path, typer.Option(help="Configuration file; its plugin folders are searched")] = Path(
            "config.toml"
        ),
        folder: Annotated[list[Path] | None, typer.Option(help="Search this folder too; may be repeated")] = None,
        as_json: Annotated[bool, typer.Option("--json", help="Print JSON")] = False,
    ) -> None:
        """List collectors, their measures, where each comes from, and plugins that could not be loaded.

        Example: bsc-monitor plugin list --folder my-plugins
        """
        found = find_plugins([*(folders(config) if config.exists() else ()), *(folder or ())])
        if as_json:
            typer.echo(json.dumps(_as_json(found), indent=2))
        else:
            _print(found)
        if found.problems:
            raise typer.Exit(1)

    app.command()(new)
    app.command()(check)
    app.command("docs")(docs(folders))
    return app


def _first_line(cls: type[Collector]) -> str:
    module = inspect.getmodule(cls)
    return (inspect.getdoc(module) or inspect.getdoc(cls) or "").partition("\n")[0]


def _as_json(found: Plugins) -> dict[str, Any]:
    return {
        "collectors": [
            {
                "name": name,
                "description": _first_line(cls),
                "bundled": name in found.bundled,
                "origin": found.origins[name],
                "measures": [
                    {"name": m.name, "title": m.title, "unit": m.unit, "better": m.better, "over": m.over}
                    for m in declared(cls, "measure").values()
                ],
            }
            for name, cls in sorted(found.collectors.items())
        ],
        "problems": [{"file": p.file, "message": p.message, "hint": p.hint} for p in found.problems],
    }


def _print(found: Plugins) -> None:
    console = Console()
    table = Table(show_edge=False)
    for name in ("collector", "what it reads", "measures", "from"):
        table.add_column(name)
    for name, cls in sorted(found.collectors.items()):
        origin = "bundled" if name in found.bundled else found.origins[name]
        measures = ", ".join(declared(cls, "measure"))
        table.add_row(*map(escape, (name, _first_line(cls), measures, origin)))
    console.print(table)
    for problem in found.problems:
        console.print(f"[red]not loaded:[/] {escape(str(problem))}", soft_wrap=True)
