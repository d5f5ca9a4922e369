"""``bsc-monitor plugin check``: whether a plugin file keeps to the contract."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from bsc_monitor.cli.frame import JsonOption

_MARKS = {"ok": "[green]✓[/]", "note": "[yellow]![/]", "wrong": "[red]✗[/]"}


def check(
    file: Annotated[Path, typer.Argument(help="The plugin file")],
    config: Annotated[list[str] | None, typer.Option("--set", "-s", help="key=value of its configuration")] = None,
    param: Annotated[
        list[str] | None, typer.Option("--param", "-p", help="key=value of its measures' parameters")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Check a plugin: declarations, documentation, blocking calls, and how it behaves when its source is sick.

    Its code is run against a server of this machine that refuses, hangs and talks nonsense; none of your systems is
    asked. A field's first example (Field(examples=[…])) or a made-up value fills its configuration and parameters; --set
    and --param give others.

    Example: bsc-monitor plugin check plugins/gitea.py -p repository=acme/shop
    """
    from bsc_monitor.testing import check_plugin

    findings = check_plugin(file, config=key_values(config or []), params=key_values(param or []))
    wrong = sum(finding.level == "wrong" for finding in findings)
    if as_json:
        typer.echo(json.dumps([asdict(finding) for finding in findings], indent=2))
    else:
        table = Table(show_edge=False)
        for name in ("", "check", "of", "finding"):
            table.add_column(name)
        for finding in findings:
            table.add_row(_MARKS[finding.level], *map(escape, (finding.check, finding.subject, finding.words)))
        console = Console()
        console.print(table)
        notes = sum(finding.level == "note" for finding in findings)
        console.print(f"{wrong} wrong, {notes} to be better" if wrong or notes else "[green]All is well.[/]")
    if wrong:
        raise typer.Exit(1)


def key_values(pairs: Sequence[str]) -> dict[str, Any]:
    """``key=value`` pairs; what reads as JSON is read as JSON. Raises typer.BadParameter."""
    found: dict[str, Any] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals:
            raise typer.BadParameter(f"{pair!r} is not key=value")
        try:
            found[key] = json.loads(value)
        except ValueError:
            found[key] = value
    return found
