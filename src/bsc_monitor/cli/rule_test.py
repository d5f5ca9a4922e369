"""``bsc-monitor test``: rule tests for admins, in the shape of ``promtool test rules``."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from bsc_monitor.cli.frame import DEFAULT_CONFIG, ConfigOption, load_all
from bsc_monitor.config import Configuration

_MEMORY = "/dev/shm"  # noqa: S108 - a fresh folder in it: what is played there need not survive anything


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("test")(run_tests)


def run_tests(
    files: Annotated[list[Path], typer.Argument(help="Test files", exists=True, dir_okay=False)],
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Play rule tests: readings in, expected statuses, alerts and notifications out.

    Example: bsc-monitor test rules_test.yml
    """
    from bsc_monitor.cli.rule_file import RuleTestError

    configuration, _ = load_all(config)
    failed = False
    for file in files:
        try:
            mismatches, count = asyncio.run(play_file(file, configuration))
        except RuleTestError as error:
            mismatches, count = [str(error)], 0
        typer.echo(f"{file}: {'FAILED' if mismatches else f'SUCCESS ({count} tests)'}")
        for mismatch in mismatches:
            typer.echo(f"  {mismatch}")
        failed = failed or bool(mismatches)
    if failed:
        raise typer.Exit(1)


def folder_in_memory() -> str | None:
    """Where files are quickest; None for the usual place."""
    return _MEMORY if Path(_MEMORY).is_dir() else None


async def play_file(file: Path, configuration: Configuration) -> tuple[list[str], int]:
    """Play every test of a file; returns what did not fit, and how many tests there were. Raises RuleTestError."""
    from bsc_monitor.cli.rule_file import read_rule_tests
    from bsc_monitor.cli.rule_run import Player
    from bsc_monitor.store import Store

    tests = read_rule_tests(file)
    mismatches: list[str] = []
    for test in tests.tests:
        with tempfile.TemporaryDirectory(dir=folder_in_memory()) as folder:
            store = Store.open(f"sqlite:///{folder}/test.db")
            try:
                player = Player(configuration, test, test.interval or tests.evaluation_interval, store)
                await player.play()
            finally:
                store.close()
            mismatches += player.mismatches
    return mismatches, len(tests.tests)
