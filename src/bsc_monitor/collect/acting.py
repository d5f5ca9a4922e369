"""Actions: opening tickets through the functions that plugins provide (``bsc_actions``), guarded like a collector's run.

Those of the bundled plugins run here; any other plugin's run in its worker process (``hooking.Hooked.open_ticket``),
where this module does the same.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from functools import partial
from typing import Any

from pydantic import ValidationError

from bsc_monitor.collect.context import RunContext, RunLog
from bsc_monitor.collect.guard import as_source_error, guarded
from bsc_monitor.collect.http import SourceClient
from bsc_monitor.collect.opening import Open, params_of
from bsc_monitor.model.period import Calendar, Period
from bsc_monitor.model.source import Source
from bsc_monitor.plugin import CollectorError, SourceError, TicketRequest, Window

_LONGEST_LINK = 2000


async def open_ticket(
    opener: Open, source: Source, request: TicketRequest, params: Mapping[str, Any], now: datetime, *,
    sleep: Callable[[float], Awaitable[Any]] = asyncio.sleep,
) -> str:  # fmt: skip
    """The link of the ticket that carries the request's key, opened if there was none. Raises SourceError."""
    client = SourceClient(source, sleep=sleep)
    try:
        try:
            given = params_of(opener).model_validate(dict(params))
        except ValidationError as error:
            raise SourceError(f"its params are wrong: {error.errors()[0]['msg']}", CollectorError.CONFIG) from None
        moment = Period(now, now)
        run = RunContext(
            client.run(), now, Window(now, now), moment, (), Calendar(), RunLog(source.id, "action", client.redactor)
        )
        deadline = asyncio.get_running_loop().time() + source.timeout
        return checked_link(await guarded(_asked(opener(run, source.config, request, given)), partial(float, deadline)))
    except SourceError as error:
        failed, mask = as_source_error(error), client.redactor.text
        raise SourceError(mask(failed.message), failed.reason, hint=mask(failed.hint)) from None
    finally:
        await client.close()


def checked_link(link: object) -> str:
    """A ticket's link as people may follow it. Raises SourceError for anything that is none."""
    text = link.strip() if isinstance(link, str) else ""
    if not text.startswith(("https://", "http://")) or len(text) > _LONGEST_LINK or not text.isprintable():
        raise SourceError("the action gave no web address of a ticket", CollectorError.PLUGIN)
    return text


async def _asked(answer: Awaitable[str]) -> str:
    return await answer
