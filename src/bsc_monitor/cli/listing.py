"""A list of what people did about alerts: on the terminal some lines each, or JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

import typer

T = TypeVar("T")


def print_list(
    found: Sequence[T],
    lines: Callable[[T], Iterable[str]],
    data: Callable[[T], object],
    *,
    empty: str,
    as_json: bool,
) -> None:
    """Print each one's lines, the first at the margin; ``empty`` where there is none. As JSON, print each one's data."""
    if as_json:
        typer.echo(json.dumps([data(each) for each in found], indent=2))
        return
    if not found:
        typer.echo(empty)
    for each in found:
        typer.echo("\n  ".join(lines(each)))


def by(author: str, comment: str) -> str:
    """Who did it, and why where that was said: ``by ann: patch day``."""
    return f"by {author}" + (f": {comment}" if comment else "")
