"""``bsc-monitor plugin new``: a collector to begin with, its test, and its documentation."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path
from typing import Annotated

import typer

_FILES = {
    "collector.py": "{name}.py",
    "test.py": "tests/test_{name}.py",
    "conftest.py": "tests/conftest.py",
    "docs.md": "{name}.md",
}


def new(
    name: Annotated[str, typer.Argument(help="Small letters, digits and _: what [sources] calls it by")],
    folder: Annotated[Path, typer.Option(help="Where to; the folder that plugins in [service] names")] = Path(
        "plugins"
    ),
) -> None:
    """Write a collector that works, with its test and its documentation, to be changed into yours.

    Example: bsc-monitor plugin new gitea
    """
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,39}", name):
        raise typer.BadParameter(f"{name!r}: take small letters, digits and _, beginning with a letter")
    written = {folder / place.format(name=name): _filled(kind, name) for kind, place in _FILES.items()}
    there = [path for path in written if path.exists() and path.name != "conftest.py"]
    if there:
        raise typer.BadParameter(f"{', '.join(map(str, there))}: there already; nothing was written")
    for path, text in written.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            path.write_text(text, encoding="utf-8")
            typer.echo(f"wrote {path}")
    typer.echo(f"Next: bsc-monitor plugin check {folder / name}.py; pytest {folder}/tests; then in config.toml")
    typer.echo(f'  [service] plugins = ["{folder}"]   [sources.my-{name.replace("_", "-")}] plugin = "{name}"')


def _filled(kind: str, name: str) -> str:
    text = (files("bsc_monitor.cli") / "scaffold" / f"{kind}.txt").read_text("utf-8")
    words = "".join(part.capitalize() for part in name.split("_"))
    return text.replace("NAME", name).replace("CLASS", words)
