"""Pages and webhooks that plugins add. Each declares who may use it; its handler runs in the plugin's own process."""

import asyncio

import structlog
from aiohttp import web

from bsc_monitor.model.page import PageRequest
from bsc_monitor.plugin import SourceError
from bsc_monitor.web.board import BOARD
from bsc_monitor.web.guard import IDENTITY, demand
from bsc_monitor.web.routes import Policy, Routes

ROUTES: Routes = Routes()
_log = structlog.get_logger(__name__)
_READ_WITHIN = 10.0
_PRIVATE = frozenset({"authorization", "cookie", "proxy-authorization"})


@ROUTES.get("/plugins/{plugin}/{path}", Policy.PUBLIC)
async def show(request: web.Request) -> web.Response:
    """A plugin's page."""
    return await _answer(request)


@ROUTES.post("/plugins/{plugin}/{path}", Policy.PUBLIC)
async def take(request: web.Request) -> web.Response:
    """A plugin's form or webhook."""
    return await _answer(request)


async def _answer(request: web.Request) -> web.Response:
    board, name, path = request.app[BOARD], request.match_info["plugin"], request.match_info["path"]
    method = "GET" if request.method == "HEAD" else request.method
    found = board.pages().get((name, method, path))
    if found is None:
        raise web.HTTPNotFound(text="No plugin serves this address.")
    plugin, policy = found
    demand(request, Policy[policy.upper()])
    async with asyncio.timeout(_READ_WITHIN):
        body = await request.read()
    headers = {key.lower(): value for key, value in request.headers.items() if key.lower() not in _PRIVATE}
    asked = PageRequest(method, path, dict(request.query), headers, body, request[IDENTITY].name)
    try:
        page = await plugin.page(asked)
    except SourceError as error:
        _log.warning("a plugin's page failed", plugin=name, path=path, error=error.message)
        raise web.HTTPBadGateway(text=f"The plugin {name} could not answer.") from None
    source = board.sources().get(page.run)
    if source is not None and source.plugin in plugin.collectors:
        await board.operations.webhook(page.run, board.clock())
    kind = page.content_type if page.content_type in ("text/html", "text/plain", "application/json") else "text/plain"
    status = page.status if 200 <= page.status < 600 else 502
    return web.Response(text=page.body, status=status, content_type=kind, charset="utf-8")
