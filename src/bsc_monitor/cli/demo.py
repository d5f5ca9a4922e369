"""``bsc-monitor demo``: a whole organisation to try, with 18 months of history, in a folder that may be thrown away."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from bsc_monitor.cli.run import run


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command()(demo)


def example_config() -> Path:
    """The configuration of the demo organisation: of the checkout, or as shipped in the package."""
    package = Path(__file__).resolve().parents[1]
    shipped = package / "example.toml"
    return shipped if shipped.exists() else package.parents[1] / "config.toml"


def demo(
    folder: Annotated[Path | None, typer.Option(help="Keep everything here; a temporary folder by default")] = None,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log more")] = False,
) -> None:
    """Run the demo organisation: scorecards over a generated company, its history collected at the start.

    Example: bsc-monitor demo --folder ~/bsc-demo
    """
    place = folder or Path(tempfile.mkdtemp(prefix="bsc-monitor-demo-"))
    place.mkdir(parents=True, exist_ok=True)
    config = place / "config.toml"
    if not config.exists():
        shutil.copyfile(example_config(), config)
    typer.echo(f"folder   {place}")
    run(config, verbose)
