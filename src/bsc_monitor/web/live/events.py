"""``/events``: the stream that a page listens to."""

import asyncio
import re

from aiohttp import web

from bsc_monitor.web.live.hub import HUB, MOST_VIEWERS
from bsc_monitor.web.routes import Policy, Routes

ROUTES: Routes = Routes()
_HEARTBEAT = 20.0  #: seconds; shows a dead connection to both ends, and keeps proxies from closing a quiet one
_CHANNEL = re.compile(r"[a-z_]+(/[a-z0-9][a-z0-9_-]*){0,2}")


@ROUTES.get("/events", Policy.VIEWER)
async def events(request: web.Request) -> web.StreamResponse:
    """Server-sent events: ``update`` with pieces to put in place, ``restart`` when the page must be loaded anew."""
    hub, channel = request.app[HUB], request.query.get("on", "overview")
    if not _CHANNEL.fullmatch(channel):
        raise web.HTTPBadRequest(text="There is no such channel.")
    if hub.count() >= MOST_VIEWERS:
        raise web.HTTPServiceUnavailable(text="Too many pages are open.", headers={"Retry-After": "30"})
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "X-Accel-Buffering": "no"})
    response.headers["Cache-Control"] = "no-store"
    await response.prepare(request)
    if request.method == "HEAD":
        return response
    since = request.headers.get("Last-Event-ID") or request.query.get("since", "")
    viewer = hub.join(channel, since)
    viewer.drop = lambda: request.transport.abort() if request.transport else None
    try:
        await response.write(f"retry: 2000\nid: {hub.stamp()}\n\n".encode())
        while (message := await _next(viewer.queue)) is not None:
            await response.write(message)
    except ConnectionError:
        pass  # the page was closed
    finally:
        hub.leave(viewer)
    return response


async def _next(queue: asyncio.Queue[bytes | None]) -> bytes | None:
    try:
        async with asyncio.timeout(_HEARTBEAT):
            return await queue.get()
    except TimeoutError:
        return b": still here\n\n"
