"""The Table API and the Aggregate API over HTTP, with the vendor's authentication, limits, errors and oddities."""

import asyncio
import base64
import binascii
import hmac
import json
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from hashlib import md5
from typing import Any

from aiohttp import web

from bsc_monitor.sandbox.servicenow.answer import Writer, grouped
from bsc_monitor.sandbox.servicenow.instance import Instance, Row, Table, stamp
from bsc_monitor.sandbox.servicenow.listing import page
from bsc_monitor.sandbox.servicenow.query import select

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_HIBERNATING = (
    "<!DOCTYPE html><html><head><title>Instance Hibernating page</title></head><body>"
    "<h2>This instance is hibernating</h2><p>Please log in to wake it up.</p></body></html>"
)
_TRUNCATED = (
    '{\n  "result": [\n    {\n      "number": "INC0000001",\n    }"\n  ],\n  "error": {\n    "detail": "Transaction'
    ' cancelled: maximum execution time exceeded. Check logs for error trace.",\n    "message": "Transaction cancelled:'
    ' maximum execution time exceeded"\n  },\n  "status": "failure"\n}\n'
)


@dataclass(frozen=True, slots=True)
class Behaviour:
    """How the instance treats its callers: credentials, limits, and the faults a collector has to survive."""

    username: str = "demo"
    password: str = "demo"  # noqa: S105 - the sandbox's documented password
    token: str = "demo"  # noqa: S105
    timezone: str = "UTC"  #: of the calling user: display values and ``gs.dateGenerate``
    requests_per_window: int | None = None  #: beyond it 429
    window_seconds: float = 3600.0
    default_limit: int = 10_000
    hibernating: bool = False  #: 200 with an HTML page
    truncated: bool = False  #: 200 with JSON broken off by a transaction time-out
    unreadable: frozenset[str] = frozenset()  #: sys_ids that access rules hide *after* the limit was applied
    forbidden: frozenset[str] = frozenset()  #: tables that this user may not read


def failure(
    status: int, message: str, detail: str | None = None, headers: dict[str, str] | None = None
) -> web.Response:
    """An error in the vendor's form."""
    body = {"error": {"message": message, "detail": detail}, "status": "failure"}
    return web.json_response(body, status=status, headers=headers)


def servicenow_app(instance: Instance, behaviour: Behaviour) -> web.Application:
    """The instance as a web application, to be mounted under a path of its own."""
    side = _Side(instance, behaviour)
    app = web.Application(middlewares=[side.gate])
    for version in ("", "/v1", "/v2"):
        app.router.add_get(f"/api/now{version}/table/{{table}}", side.listing)
        app.router.add_post(f"/api/now{version}/table/{{table}}", side.create)
        app.router.add_get(f"/api/now{version}/table/{{table}}/{{sys_id}}", side.single)
        app.router.add_patch(f"/api/now{version}/table/{{table}}/{{sys_id}}", side.change)
        app.router.add_put(f"/api/now{version}/table/{{table}}/{{sys_id}}", side.change)
        app.router.add_get(f"/api/now{version}/stats/{{table}}", side.stats)
    app.router.add_get("/{table}_list.do", side.list_page)
    app.router.add_get("/{table}.do", side.record_page)
    return app


class _Side:
    def __init__(self, instance: Instance, behaviour: Behaviour) -> None:
        self.instance, self.behaviour = instance, behaviour
        self._calls: deque[float] = deque()

    @web.middleware
    async def gate(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """What happens to a request before its table is looked at."""
        if not self._authenticated(request.headers.get("Authorization", "")):
            ask = {"WWW-Authenticate": 'Basic realm="Service-now"'}  # so that a browser asks for the password
            return failure(401, "User Not Authenticated", "Required to provide Auth information", ask)
        limited = self._limited()
        if limited is not None:
            return limited
        if self.behaviour.hibernating:
            return web.Response(text=_HIBERNATING, content_type="text/html")
        if "Accept" not in request.headers:
            return failure(400, "Exception while reading request", "The payload is not valid: no Accept header")
        if self.behaviour.truncated:
            return web.Response(text=_TRUNCATED, content_type="application/json")
        try:
            return await handler(request)
        except web.HTTPNotFound:
            return failure(400, "Requested URI does not represent any resource", request.path)
        except web.HTTPMethodNotAllowed:
            return failure(405, "Method not supported", request.method)

    def _authenticated(self, header: str) -> bool:
        kind, _, credential = header.partition(" ")
        if kind.lower() == "bearer":
            return hmac.compare_digest(credential.strip().encode(), self.behaviour.token.encode())
        if kind.lower() != "basic":
            return False
        try:
            given = base64.b64decode(credential, validate=True)
        except (binascii.Error, ValueError):
            return False
        return hmac.compare_digest(given, f"{self.behaviour.username}:{self.behaviour.password}".encode())

    def _limited(self) -> web.Response | None:
        """A 429 once the caller used up its requests of the sliding window."""
        limit, window = self.behaviour.requests_per_window, self.behaviour.window_seconds
        if limit is None:
            return None
        now = time.time()
        while self._calls and self._calls[0] <= now - window:
            self._calls.popleft()
        if len(self._calls) < limit:
            self._calls.append(now)
            return None
        reset = self._calls[0] + window if self._calls else now + window
        headers = {
            "X-RateLimit-Limit": str(limit),
            "X-RateLimit-Reset": str(int(reset)),
            "X-RateLimit-Rule": _sys_id("rate-limit"),
            "Retry-After": str(max(1, round(reset - now))),
        }
        return failure(429, "Rate limit exceeded", f"Rate limit of {limit} requests exceeded", headers)

    def _table(self, request: web.Request) -> Table | web.Response:
        name = request.match_info["table"]
        if name in self.behaviour.forbidden:
            return failure(403, "Insufficient rights to query records", f"User may not read {name}")
        return self.instance.table(name) or failure(400, f"Invalid table {name}")

    def _writer(self, request: web.Request, table: Table) -> Writer:
        prefix = request.path.partition("/api/now")[0]
        return Writer(self.instance, table, request.query, f"{request.url.origin()}{prefix}", self.behaviour.timezone)

    async def listing(self, request: web.Request) -> web.Response:
        """GET of a table: the matching records of one page."""
        table = await asyncio.to_thread(self._table, request)
        if isinstance(table, web.Response):
            return table
        try:
            limit = int(request.query.get("sysparm_limit", self.behaviour.default_limit))
            offset = int(request.query.get("sysparm_offset", 0))
        except ValueError:
            return failure(400, "Exception while reading request", "sysparm_limit and sysparm_offset are numbers")
        writer, parameters = self._writer(request, table), dict(request.query)

        def answer() -> tuple[int, str]:
            rows = select(self.instance, table, parameters.get("sysparm_query", ""), self.behaviour.timezone)
            found = [row for row in rows[offset : offset + limit] if row["sys_id"] not in self.behaviour.unreadable]
            return len(rows), json.dumps({"result": [writer.record(row) for row in found]})

        total, body = await asyncio.to_thread(answer)  # a large page must not hold up the other requests
        if not total and "/api/now/v1/" in request.path:
            return failure(404, "No Record found", "Record doesn't exist or ACL restricts the record retrieval")
        headers = {"X-Total-Count": str(total), "Link": _links(request, limit, offset, total)}
        return web.json_response(text=body, headers=headers)

    async def single(self, request: web.Request) -> web.Response:
        """GET of one record by its sys_id."""
        found = await self._find(request)
        if isinstance(found, web.Response):
            return found
        table, row = found
        return web.json_response({"result": self._writer(request, table).record(row)})

    async def stats(self, request: web.Request) -> web.Response:
        """GET of aggregates."""
        table = await asyncio.to_thread(self._table, request)
        if isinstance(table, web.Response):
            return table
        writer, parameters = self._writer(request, table), dict(request.query)

        def answer() -> Any:
            rows = select(self.instance, table, parameters.get("sysparm_query", ""), self.behaviour.timezone)
            return grouped(self.instance, table, rows, writer, parameters)

        return web.json_response({"result": await asyncio.to_thread(answer)})

    async def list_page(self, request: web.Request) -> web.Response:
        """GET of the page that people see: where evidence links lead."""
        table = await asyncio.to_thread(self._table, request)
        if isinstance(table, web.Response):
            return table
        writer, text = self._writer(request, table), request.query.get("sysparm_query", "")
        rows = await asyncio.to_thread(select, self.instance, table, text, self.behaviour.timezone)
        return web.Response(text=page(writer, rows, text), content_type="text/html")

    async def record_page(self, request: web.Request) -> web.Response:
        """GET of one record's page: where a ticket's link leads."""
        table = await asyncio.to_thread(self._table, request)
        if isinstance(table, web.Response):
            return table
        row = table.rows.get(request.query.get("sys_id", ""))
        if row is None:
            return web.Response(status=404, text="Record not found")
        return web.Response(text=f"{row.get('number', '')}: {row.get('short_description', '')}")

    async def create(self, request: web.Request) -> web.Response:
        """POST of a new record."""
        table = await asyncio.to_thread(self._table, request)
        values = await _body(request)
        if isinstance(table, web.Response) or isinstance(values, web.Response):
            return table if isinstance(table, web.Response) else values  # type: ignore[return-value]
        if not table.prefix:
            return failure(
                403, "Operation Failed", f"ACL Exception Insert Failed due to security constraints: {table.name}"
            )
        now = stamp(self.instance.now())
        number = f"{table.prefix}{9_000_000 + len(table.rows)}"
        row = {"sys_id": _sys_id(number), "number": number, "sys_created_on": now, "opened_at": now, "state": "1"}
        row |= {"active": "true", **_known(table, values), "sys_updated_on": now, "sys_mod_count": "0"}
        table.add([row])
        location = {"Location": f"{request.url.with_query(None)}/{row['sys_id']}"}
        return web.json_response(
            {"result": self._writer(request, table).record(row)}, status=201, headers=location
        )  # fmt: skip

    async def change(self, request: web.Request) -> web.Response:
        """PATCH or PUT of one record."""
        found, values = await self._find(request), await _body(request)
        if isinstance(found, web.Response) or isinstance(values, web.Response):
            return found if isinstance(found, web.Response) else values  # type: ignore[return-value]
        table, row = found
        count = str(int(row.get("sys_mod_count") or 0) + 1)
        row.update(_known(table, values), sys_updated_on=stamp(self.instance.now()), sys_mod_count=count)
        return web.json_response({"result": self._writer(request, table).record(row)})

    async def _find(self, request: web.Request) -> tuple[Table, Row] | web.Response:
        table = await asyncio.to_thread(self._table, request)
        if isinstance(table, web.Response):
            return table
        row = table.rows.get(request.match_info["sys_id"])
        if row is None or row["sys_id"] in self.behaviour.unreadable:
            return failure(404, "No Record found", "Record doesn't exist or ACL restricts the record retrieval")
        return table, row


async def _body(request: web.Request) -> dict[str, Any] | web.Response:
    try:
        values = await request.json()
    except ValueError:
        values = None
    if not isinstance(values, dict):
        return failure(400, "Exception while reading request", "The payload is not valid JSON")
    return values


def _known(table: Table, values: dict[str, Any]) -> Row:
    """The values of existing columns, as strings; others are dropped without a word, as the vendor does."""
    return {k: v if isinstance(v, str) else str(v) for k, v in values.items() if k in table.columns and k != "sys_id"}


def _sys_id(name: str) -> str:
    return md5(name.encode(), usedforsecurity=False).hexdigest()


def _links(request: web.Request, limit: int, offset: int, total: int) -> str:
    """The ``Link`` header: first, previous, next and last page of the same request."""
    last = max(0, (total - 1) // limit * limit) if limit > 0 else 0
    places = {"first": 0, "last": last}
    if offset > 0:
        places["prev"] = max(0, offset - limit)
    if offset + limit < total:
        places["next"] = offset + limit
    return ",".join(
        f'<{request.url.update_query(sysparm_offset=str(place), sysparm_limit=str(limit))}>;rel="{name}"'
        for name, place in places.items()
    )
