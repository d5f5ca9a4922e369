"""``bsc-monitor notify test``: a real message along a route, to see that it arrives."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from bsc_monitor.cli.asking import address_of
from bsc_monitor.cli.frame import DEFAULT_CONFIG, ConfigOption, load_all
from bsc_monitor.config import Configuration
from bsc_monitor.notify.outcome import Outcome


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    notify = typer.Typer(no_args_is_help=True, help="Receivers and routes of alerts.")

    @notify.callback()
    def _group() -> None:
        """Receivers and routes of alerts."""

    notify.command("test")(send_test)
    app.add_typer(notify, name="notify")


def send_test(
    route: Annotated[str, typer.Argument(help="Id of a route")] = "default",
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Send a real test message to every receiver of a route, and say how it went.

    Example: bsc-monitor notify test default
    """
    configuration, plugins = load_all(config)
    receivers: dict[str, Any] = {}
    for provided in plugins.hooks.hook.bsc_receivers():
        receivers.update(provided)
    try:
        outcomes = asyncio.run(_send(configuration, route, receivers))
    except KeyError:
        known = ", ".join(configuration.routes) or "none: alerts go to every receiver (write default)"
        raise typer.BadParameter(f"there is no route {route!r}; there is {known}") from None
    if not outcomes:
        typer.echo("this route leads to no receiver", err=True)
        raise typer.Exit(1)
    for channel, outcome in outcomes.items():
        typer.echo(f"{channel}: {'delivered' if outcome.ok else outcome.error}")
    if not all(outcome.ok for outcome in outcomes.values()):
        raise typer.Exit(1)


async def _send(configuration: Configuration, route: str, receivers: Mapping[str, Any]) -> dict[str, Outcome]:
    from bsc_monitor.alert.routing import Channel
    from bsc_monitor.collect.receiving import receiver_client
    from bsc_monitor.notify.office import Pace, Settings, sender_of
    from bsc_monitor.notify.outcome import Send
    from bsc_monitor.notify.trial import send_trial
    from bsc_monitor.plugin import Http

    service = configuration.service
    settings = Settings(
        routes=configuration.routes, receivers=configuration.receivers, timezone=service.timezone,
        board=service.url or address_of(configuration),
    )  # fmt: skip
    clients = []

    def open_http(channel: str) -> Http:
        clients.append(receiver_client(channel))
        return clients[-1].run()

    def sender(channel: Channel) -> Send:
        return sender_of(channel, settings, open_http, receivers, lambda: datetime.now(UTC), Pace())

    try:
        return await send_trial(settings, route, sender, datetime.now(UTC))
    finally:
        for client in clients:
            await client.close()
