"""``bsc-monitor run``: the service, until Ctrl-C or SIGTERM."""

from __future__ import annotations

import asyncio
import gc
import signal
from collections.abc import Coroutine
from typing import Annotated, Any

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
    gc.disable()  # starting makes many objects that stay, and no garbage worth looking for among them
    from bsc_monitor.service.logs import set_up_logs

    set_up_logs(verbose=verbose)
    asyncio.run(_run(config))


async def _run(config: ConfigOption) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    while not stop.is_set():
        await _live(config, stop)


async def _live(config: ConfigOption, stop: asyncio.Event) -> None:
    """One service from start to stop: until it is asked to end, or another process leads and it is to stand by."""
    from bsc_monitor.service import Service
    from bsc_monitor.service.stand_in import StandInError
    from bsc_monitor.store import Taken
    from bsc_monitor.web import AuthFileError
    from bsc_monitor.web.serve import ServeError

    service = Service(config, load_all)
    gc.freeze()
    gc.enable()
    asyncio.get_running_loop().add_signal_handler(
        signal.SIGHUP, lambda: service.spawn(service.operations.reload()) if service.ready else None
    )
    try:
        if not await _unless(stop, service.start()):
            return
    except StandInError as error:
        typer.echo(f"{error}\nRemove [sandbox] from the configuration, or give it another port.", err=True)
        raise typer.Exit(1) from None
    except Taken:
        typer.echo("another bsc-monitor uses this database: stop it, or look at its board", err=True)
        raise typer.Exit(1) from None
    except AuthFileError as error:
        typer.echo(f"{error.message}" + (f" ({error.hint})" if error.hint else ""), err=True)
        raise typer.Exit(1) from None
    except ServeError as error:
        typer.echo(f"{error} ({error.hint})", err=True)
        raise typer.Exit(1) from None
    for line in service.stand_in.lines if service.stand_in else ():
        typer.echo(f"sandbox  {line}")
    typer.echo(f"board    {service.configuration.service.url or service.address}")
    typer.echo("Ctrl-C stops it.")
    await _unless(stop, service.lost.wait())
    typer.echo("stopping …" if stop.is_set() else "another bsc-monitor leads: standing by")
    await service.stop()


async def _unless(stop: asyncio.Event, work: Coroutine[Any, Any, Any]) -> bool:
    """Do something unless one is asked to stop before; whether it was done. Raises what ``work`` raises."""
    doing, asked = asyncio.create_task(work), asyncio.create_task(stop.wait())
    await asyncio.wait({doing, asked}, return_when=asyncio.FIRST_COMPLETED)
    asked.cancel()
    if doing.done():
        doing.result()
        return True
    doing.cancel()
    await asyncio.wait({doing})
    return False
