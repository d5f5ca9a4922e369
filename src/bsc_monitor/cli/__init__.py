"""The command line: one file a verb; this one gathers them and turns mistakes into words."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, MutableMapping
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from bsc_monitor import __version__

__all__ = ["build_app", "main"]

#: each verb with its file, in the order in which ``--help`` shows them
_FILES = {
    "init": "init",
    "demo": "demo",
    "run": "run",
    "check": "check",
    "status": "status",
    "explain": "explain",
    "alignment": "explain",
    "insights": "insights",
    "initiative": "initiative",
    "report": "report",
    "alerts": "alerts",
    "ack": "ack",
    "comment": "comment",
    "silence": "silence",
    "maintenance": "maintenance",
    "set": "set",
    "backfill": "backfill",
    "rescore": "backfill",
    "catalog": "catalog",
    "notify": "notify",
    "test": "rule_test",
    "schema": "schema",
    "sandbox": "sandbox",
    "export": "export",
    "collect": "collect",
    "plugin": "plugin",
}


class _Verbs(MutableMapping[str, Any]):
    """The commands by name, each imported when it is asked for: one verb does not wait for what the others need."""

    def __init__(self) -> None:
        self._known: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._known:
            verbs = typer.Typer(rich_markup_mode="rich")
            import_module(f"bsc_monitor.cli.{_FILES[name]}").register(verbs)
            self._known.update(typer.main.get_group(verbs).commands)
        return self._known[name]

    def __setitem__(self, name: str, command: Any) -> None:
        self._known[name] = command

    def __delitem__(self, name: str) -> None:
        del self._known[name]

    def __iter__(self) -> Iterator[str]:
        return iter(_FILES)

    def __len__(self) -> int:
        return len(_FILES)


class _Root(TyperGroup):
    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self.commands = _Verbs()

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - the context is the group's own
        return list(self.commands)


def build_app() -> typer.Typer:
    """The whole command line."""
    app = typer.Typer(
        cls=_Root,
        name="bsc-monitor",
        help="A live IT balanced scorecard: collects KPIs, scores them up to strategy, alerts, exports to Prometheus.",
        no_args_is_help=True,
        rich_markup_mode="rich",
        pretty_exceptions_enable=False,
    )

    @app.callback()
    def root(
        version: Annotated[
            bool, typer.Option("--version", help="Show the version and exit", is_eager=True, callback=_show_version)
        ] = False,
    ) -> None:
        """A live IT balanced scorecard."""

    return app


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"bsc-monitor {__version__}")
        raise typer.Exit


def main() -> None:
    """Run the command line; a user's mistake is told in words, without a traceback, and exits with 1."""
    try:
        build_app()()
    except BrokenPipeError:  # the reader of a pipe has had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except Exception as error:
        from bsc_monitor.cli.mistakes import in_words  # its rooms are imported already by a verb that can fail so

        lines = in_words(error)
        if not lines:
            raise
        for line in lines:
            typer.echo(line, err=True)
        sys.exit(1)
