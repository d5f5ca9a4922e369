"""Sending through apprise: mail, chat, paging, a hundred services by their addresses."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from bsc_monitor.notify.message import Message
from bsc_monitor.notify.outcome import Outcome, Send
from bsc_monitor.notify.render import Rendered

_MOST_SAID = 20
_DEADLINE = 60.0  #: seconds for one message, in apprise's own threads
_said: ContextVar[list[str] | None] = ContextVar("said", default=None)


def apprise_sender(address: str) -> Send:
    """What sends to one apprise address. A wrong one is said at every attempt, so that it can be put right."""
    service: Any = None

    async def send(message: Message, words: Rendered) -> Outcome:
        nonlocal service
        service = service or await asyncio.to_thread(open_service, address)
        if service is None:
            return Outcome(f"the address {scheme(address)}://… is none that apprise understands")
        kind, form, title, body = _form(service, message, words)
        return await tell(service, address, title=title, body=body, notify_type=kind, body_format=form)

    return send


async def tell(service: Any, address: str, **message: Any) -> Outcome:
    """Hand a message to apprise's object for an address; what goes wrong is told without the address's secrets."""
    with _listening() as reasons:
        try:
            async with asyncio.timeout(_DEADLINE):
                taken = await service.async_notify(**message)
        except TimeoutError:
            return Outcome(f"no answer within {_DEADLINE:.0f} s", sure=False)
        except Exception as error:  # noqa: BLE001 - a hundred services, each may raise anything
            return Outcome(_mask(f"{type(error).__name__}: {error}", address), sure=False)
    if taken:
        return Outcome()
    return Outcome(_mask("; ".join(reasons[-3:]), address) or "it was not taken, and apprise does not say why")


def open_service(address: str) -> Any:
    """apprise's object for an address; None where it understands none."""
    import apprise

    logging.getLogger("apprise").addFilter(_LISTENER)  # added once, however often
    service = apprise.Apprise.instantiate(address, suppress_exceptions=True)
    if service is not None:
        service.request_rate_per_sec = min(service.request_rate_per_sec, 1.0)
    return service


def scheme(address: str) -> str:
    """The kind of an address: all of it that may be shown."""
    found = re.match(r"[a-z][a-z0-9+.-]{0,30}(?=:)", address.strip(), re.IGNORECASE)
    return found.group().lower() if found else "?"


def _form(service: Any, message: Message, words: Rendered) -> tuple[Any, Any, str, str]:
    """Kind, format, title and body as the service wants them: HTML for mail, harmless plain text for the rest."""
    from apprise import NotifyFormat, NotifyType

    mood = NotifyType.FAILURE if message.firing else NotifyType.SUCCESS
    kind = NotifyType.INFO if message.test else mood
    if "mailto" in service.schemas():
        return kind, NotifyFormat.HTML, words.title, words.html
    return kind, NotifyFormat.TEXT, words.chat_title, words.chat


class _Listener(logging.Filter):
    """Hears why apprise could not send: it tells its log alone. The contexts of its threads are copies of ours.

    Nothing goes on to a log from here: apprise's words hold tokens, whole addresses even. We tell them, masked.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno >= logging.WARNING and (said := _said.get()) is not None and len(said) < _MOST_SAID:
            said.append(record.getMessage())
        return False


_LISTENER = _Listener()


@contextmanager
def _listening() -> Iterator[list[str]]:
    reasons: list[str] = []
    token = _said.set(reasons)
    try:
        yield reasons
    finally:
        _said.reset(token)


def _mask(text: str, address: str) -> str:
    """Without any part of the address that may be a password or a token."""
    host = re.search(r"@([^/?#:@]+)|//([^/?#:@]+)", address)
    shown = {scheme(address), *(host.groups() if host else ())}
    for part in sorted(set(re.split(r"[/:@?&=#,]", address)), key=len, reverse=True):
        if len(part) > 3 and part not in shown:
            text = text.replace(part, "***")
    return " ".join(text.split())[:500]
