"""Actions: opening tickets through the functions that plugins provide (``bsc_actions``), guarded like a collector's run."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, get_type_hints

from pydantic import ValidationError

from bsc_monitor.collect.context import RunContext, RunLog
from bsc_monitor.collect.guard import as_source_error, guarded
from bsc_monitor.collect.http import SourceClient
from bsc_monitor.collect.plugins import Plugins, bundled_folder
from bsc_monitor.model.period import Calendar, Period
from bsc_monitor.model.source import Source
from bsc_monitor.plugin import CollectorError, Params, SourceError, TicketRequest, Window

Open = Callable[[Any, Any, TicketRequest, Any], Awaitable[str]]
_LONGEST_LINK = 2000


def openers(plugins: Plugins) -> dict[str, Open]:
    """What opens tickets, by the collector whose sources it works on: of the bundled plugins, which are trusted."""
    found: dict[str, Open] = {}
    for origin, module in plugins.hooks.list_name_plugin():
        provide = getattr(module, "bsc_actions", None)
        if provide is not None and Path(origin).parent == bundled_folder():
            found.update(provide())
    return found


def params_of(opener: Open) -> type[Params]:
    """The parameters that an action takes."""
    hints = get_type_hints(opener).values()
    return next((hint for hint in hints if isinstance(hint, type) and issubclass(hint, Params)), Params)


async def open_ticket(
    opener: Open, source: Source, request: TicketRequest, params: Mapping[str, Any], now: datetime
) -> str:
    """The link of the ticket that carries the request's key, opened if there was none. Raises SourceError."""
    client = SourceClient(source)
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
        link = await guarded(_asked(opener(run, source.config, request, given)), partial(float, deadline))
    except SourceError as error:
        failed = as_source_error(error)
        raise SourceError(client.redactor.text(failed.message), failed.reason, hint=failed.hint) from None
    finally:
        await client.close()
    return str(link)[:_LONGEST_LINK]


async def _asked(answer: Awaitable[str]) -> str:
    return await answer
