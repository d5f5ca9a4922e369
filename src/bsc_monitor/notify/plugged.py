"""Sending through a receiver that a plugin provides (``bsc_receivers``)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from bsc_monitor.notify.message import Message
from bsc_monitor.notify.outcome import Outcome, Send
from bsc_monitor.notify.payload import body_of
from bsc_monitor.notify.render import Rendered
from bsc_monitor.notify.wording import Wording
from bsc_monitor.plugin import CollectorError, SourceError

PluginReceiver = Callable[[Mapping[str, Any], Mapping[str, Any]], Awaitable[None]]
_DEADLINE = 30.0


def plugin_sender(
    name: str, receivers: Mapping[str, PluginReceiver], config: Mapping[str, Any], wording: Wording
) -> Send:
    """What sends through the plugin's ``name``: it is given ``config`` and the webhook's body, and returns or raises.

    ``SourceError`` with ``SCHEMA`` refuses the message for good; anything else is tried again.
    """

    async def send(message: Message, words: Rendered) -> Outcome:
        receiver = receivers.get(name)
        if receiver is None:
            return Outcome(f"no plugin provides a receiver {name!r}")
        task = asyncio.ensure_future(_call(receiver, config, body_of(message, words, wording)))
        done, _ = await asyncio.wait({task}, timeout=_DEADLINE)  # ``wait_for`` would wait for one that hangs on
        if not done:
            task.cancel()
            return Outcome(f"the plugin did not return within {_DEADLINE:.0f} s", sure=False)
        return task.result()

    return send


async def _call(receiver: PluginReceiver, config: Mapping[str, Any], body: Mapping[str, Any]) -> Outcome:
    try:
        await receiver(config, body)
    except SourceError as error:
        return Outcome(error.message, dead=error.reason is CollectorError.SCHEMA, sure=False)
    except asyncio.CancelledError:
        raise
    except BaseException as error:  # noqa: BLE001 - SystemExit too: a plugin cannot end the service
        return Outcome(f"{type(error).__name__}: {error}"[:500], sure=False)
    return Outcome()
