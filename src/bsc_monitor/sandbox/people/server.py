"""``GET /people/TABLE?page=1&per_page=500`` with a bearer token: ``{"items": […], "next": "/people/…", "total": n}``."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import date
from typing import Any

from aiohttp import web

from bsc_monitor.sandbox.callers import Callers

Tables = Callable[[str], list[dict[str, Any]] | None]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
_MOST = 1000


def people_app(tables: Tables, callers: Callers) -> web.Application:
    """The service. ``tables(name)`` gives the rows of a table as of now, None where there is no such table."""

    @web.middleware
    async def gate(request: web.Request, handler: Handler) -> web.StreamResponse:
        if not callers.knows(request.headers.get("Authorization", ""), "bearer"):
            return _failure(401, "a bearer token is needed")
        allowed, _, reset = callers.take()
        if not allowed:
            return _failure(429, "too many requests", {"X-RateLimit-Reset": str(int(reset) + 1)})
        return await handler(request)

    async def listing(request: web.Request) -> web.Response:
        name = request.match_info["table"]
        try:
            page, size = int(request.query.get("page", 1)), min(_MOST, int(request.query.get("per_page", 500)))
        except ValueError:
            page = size = 0
        if page < 1 or size < 1:
            return _failure(400, "page and per_page are whole numbers from 1")
        rows = await asyncio.to_thread(tables, name)
        if rows is None:
            return _failure(404, f"there is no table {name}")
        more = page * size < len(rows)
        following = str(request.rel_url.update_query(page=str(page + 1), per_page=str(size))) if more else None
        body = {"items": rows[(page - 1) * size : page * size], "next": following, "total": len(rows)}
        return web.json_response(text=await asyncio.to_thread(json.dumps, body, default=_text))

    app = web.Application(middlewares=[gate])
    app.router.add_get("/{table}", listing)
    return app


def _text(value: Any) -> str:
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(type(value))


def _failure(status: int, message: str, headers: dict[str, str] | None = None) -> web.Response:
    return web.json_response({"error": message}, status=status, headers=headers)
