"""``bsc-monitor run``: the service, until Ctrl-C or SIGTERM."""

from __future__ import annotations

import asyncio
import signal
from typing import Annotated

import typer

from bsc_monitor.cli.frame import DEFAULT_CONFIG, ConfigOption, load_all


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command()(run)


def run(
    config: ConfigOption = DEFAULT_CONFIG,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log more")] = False,
) -> None:
    """Run the service: collect, score, alert, export, and serve the board.

    Example: bsc-monitor run --config /etc/bsc-monitor/config.toml
    """
    from bsc_monitor.service.logs import set_up_logs

    set_up_logs(verbose=verbose)
    asyncio.run(_run(config))


async def _run(config: ConfigOption) -> None:
    from bsc_monitor.service import Service
    from bsc_monitor.service.stand_in import StandInError
    from bsc_monitor.store import Taken
    from bsc_monitor.web.serve import ServeError

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    service = Service(config, load_all)
    loop.add_signal_handler(signal.SIGHUP, lambda: service.spawn(service.operations.reload()))
    try:
        await service.start()
    except StandInError as error:
        typer.echo(f"{error}\nRemove [sandbox] from the configuration, or give it another port.", err=True)
        raise typer.Exit(1) from None
    except Taken:
        typer.echo("another bsc-monitor uses this database: stop it, or look at its board", err=True)
        raise typer.Exit(1) from None
    except ServeError as error:
        typer.echo(f"{error} ({error.hint})", err=True)
        raise typer.Exit(1) from None
    for line in service.stand_in.lines if service.stand_in else ():
        typer.echo(f"sandbox  {line}")
    typer.echo(f"board    {service.address}")
    typer.echo("Ctrl-C stops it.")
    await stop.wait()
    typer.echo("stopping …")
    await service.stop()
