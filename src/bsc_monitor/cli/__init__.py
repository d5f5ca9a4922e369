"""The command line: one file a verb; this one gathers them and turns mistakes into words."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from bsc_monitor import __version__
from bsc_monitor.config.problems import ConfigError
from bsc_monitor.store import StoreError, Taken

__all__ = ["build_app", "main"]


def build_app() -> typer.Typer:
    """The whole command line."""
    from bsc_monitor.cli import (
        ack,
        alerts,
        backfill,
        catalog,
        check,
        collect,
        comment,
        demo,
        explain,
        export,
        init,
        initiative,
        insights,
        notify,
        plugin,
        report,
        rule_test,
        run,
        sandbox,
        schema,
        silence,
        status,
    )
    from bsc_monitor.cli import set as set_
    from bsc_monitor.cli.frame import collect_tools, plugin_folders_of

    app = typer.Typer(
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

    for module in (
        init, demo, run, check, status, explain, insights, initiative, report, alerts, ack, comment, silence, set_, backfill, catalog, notify, rule_test, schema, sandbox,
    ):  # fmt: skip
        module.register(app)
    export.register(app, export.store_tools())
    collect.register(app, collect_tools())
    app.add_typer(plugin.plugin_app(plugin_folders_of))
    return app


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"bsc-monitor {__version__}")
        raise typer.Exit


def main() -> None:
    """Run the command line; a user's mistake is told in words, without a traceback, and exits with 1."""
    try:
        build_app()()
    except ConfigError as error:
        for problem in error.problems:
            typer.echo(str(problem), err=True)
        count = len(error.problems)
        typer.echo(f"{count} mistake{'s' if count != 1 else ''}; nothing was started.", err=True)
        sys.exit(1)
    except StoreError as error:
        typer.echo(f"{error.message}" + (f" ({error.hint})" if error.hint else ""), err=True)
        sys.exit(1)
    except Taken:
        typer.echo("another bsc-monitor uses this database: stop it, or act through its board", err=True)
        sys.exit(1)
    except BrokenPipeError:  # the reader of a pipe has had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
