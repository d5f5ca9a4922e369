"""Calling a plugin's hooks, on the inner side of its worker process."""

from __future__ import annotations

import base64
import inspect
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

import msgspec

from bsc_monitor.collect.acting import open_ticket
from bsc_monitor.collect.plugins import Plugins
from bsc_monitor.model.adapter import adapter
from bsc_monitor.model.event import AlertChanged, Event, InsightFound, KpiJudged, ReadingStored, ScoreChanged
from bsc_monitor.model.page import Page, PageRequest, PageRoute
from bsc_monitor.model.source import Source
from bsc_monitor.plugin import CollectorError, SourceError, TicketRequest

#: Each kind of event that hooks are told of, on the wire.
EVENTS: dict[str, type[Event]] = {
    kind.__name__: kind for kind in (ReadingStored, KpiJudged, ScoreChanged, AlertChanged, InsightFound)
}


async def _tell(found: Plugins, asked: dict[str, Any]) -> None:
    event = msgspec.convert(asked["event"], EVENTS[asked["kind"]])
    for result in getattr(found.hooks.hook, asked["hook"])(event=event):
        if inspect.isawaitable(result):
            await result


async def _receivers(found: Plugins, _: dict[str, Any]) -> list[str]:
    return sorted(_all_receivers(found))


async def _receive(found: Plugins, asked: dict[str, Any]) -> None:
    result = _all_receivers(found)[asked["name"]](asked["config"], asked["message"])
    if inspect.isawaitable(result):
        await result


def _all_receivers(found: Plugins) -> dict[str, Any]:
    return {name: one for provided in found.hooks.hook.bsc_receivers() for name, one in provided.items()}


async def _routes(found: Plugins, _: dict[str, Any]) -> list[list[str]]:
    return [[route.method, route.path, route.policy] for route in _all_routes(found)]


def _all_routes(found: Plugins) -> list[PageRoute]:
    routes = [route for provided in found.hooks.hook.bsc_routes() for route in provided]
    for route in routes:
        if not isinstance(route, PageRoute):
            raise SourceError(f"bsc_routes gave {type(route).__name__}, not PageRoute", CollectorError.PLUGIN)
    return routes


async def _page(found: Plugins, asked: dict[str, Any]) -> dict[str, Any]:
    request = PageRequest(**{**asked["request"], "body": base64.b64decode(asked["request"]["body"])})
    for route in _all_routes(found):
        if (route.method, route.path) == (request.method, request.path):
            page = route.handler(request)
            page = await page if inspect.isawaitable(page) else page
            if not isinstance(page, Page) or not isinstance(page.body, str):
                raise SourceError(f"the page {route.path} gave {type(page).__name__}, not Page", CollectorError.PLUGIN)
            return {
                "body": page.body, "status": page.status, "content_type": page.content_type, "run": page.run,
            }  # fmt: skip
    raise SourceError(f"there is no page {request.path} any more", CollectorError.PLUGIN)


async def _ticket(found: Plugins, asked: dict[str, Any]) -> str:
    source = own_source(found, asked["source"])
    opener = found.openers.get(source.plugin)
    if opener is None:
        raise SourceError(f"no ticket can be opened in a source of the plugin {source.plugin} any more")
    request, now = adapter(TicketRequest).validate_python(asked["request"]), datetime.fromisoformat(asked["now"])
    return await open_ticket(opener, source, request, asked["params"], now)


def own_source(found: Plugins, given: dict[str, Any]) -> Source:
    """A source as its plugin's worker was given it. Raises SourceError when its collector is gone."""
    cls = found.collectors.get(given["plugin"])
    if cls is None:
        why = "; ".join(problem.message for problem in found.problems) or "it is gone"
        raise SourceError(f"the plugin {given['plugin']} cannot be loaded any more: {why}", CollectorError.PLUGIN)
    return Source(**{**given, "config": cls.Config.model_validate(given["config"]), "hosts": tuple(given["hosts"])})


Answer = Callable[[Plugins, dict[str, Any]], Awaitable[Any]]
HOOKS: dict[str, Answer] = {
    "tell": _tell, "receivers": _receivers, "receive": _receive, "routes": _routes, "page": _page,
    "ticket": _ticket,
}  # fmt: skip
