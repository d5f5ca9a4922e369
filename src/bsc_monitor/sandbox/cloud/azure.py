"""Azure Cost Management over HTTP: token endpoint, Query and Forecast with ``nextLink``, budgets, 429 with the vendor's headers."""

from __future__ import annotations

import asyncio
import hmac
import json
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from bsc_monitor.sandbox.cloud.cost_management import budget, forecast, query
from bsc_monitor.sandbox.cloud.ledger import Ledger
from bsc_monitor.sandbox.cloud.refusal import RefusedError

_VERSION = "2025-03-01"
_API = "/subscriptions/{subscription}/providers/Microsoft.CostManagement"
_ROLE = "does not have authorization to perform action 'Microsoft.CostManagement/query/action' over scope"


@dataclass(frozen=True, slots=True)
class AzureBehaviour:
    """Who is let in, and the limits and faults that a collector has to survive."""

    tenant_id: str = "demo"
    client_id: str = "demo"
    client_secret: str = "demo"  # noqa: S105 - the sandbox's documented secret
    token: str = "sandbox-access-token"  # noqa: S105
    page_size: int = 1000  #: rows of one answer
    requests_per_minute: int | None = None  #: beyond it 429
    retry_after: tuple[int, int] = (7, 3)  #: seconds: of the entity, and of the query units


def azure_app(ledger: Callable[[], Ledger], behaviour: AzureBehaviour) -> web.Application:
    """Login and management endpoints as a web application, to be mounted under a path of its own."""
    side = _Side(ledger, behaviour)
    app = web.Application()
    app.router.add_post("/{tenant}/oauth2/v2.0/token", side.login)
    app.router.add_post(f"{_API}/query", side.guarded(side.query))
    app.router.add_post(f"{_API}/forecast", side.guarded(side.forecast))
    app.router.add_get(f"{_API}/budgets", side.guarded(side.budgets))
    app.router.add_get(f"{_API}/budgets/{{name}}", side.guarded(side.budgets))
    return app


class _Side:
    def __init__(self, ledger: Callable[[], Ledger], behaviour: AzureBehaviour) -> None:
        self.ledger, self.behaviour = ledger, behaviour
        self._calls: deque[float] = deque()

    async def login(self, request: web.Request) -> web.Response:
        """Client credentials for a bearer token."""
        form, known = await request.post(), self.behaviour
        if request.match_info["tenant"] != known.tenant_id:
            return _login_error(400, "invalid_request", f"AADSTS90002: Tenant '{request.match_info['tenant']}' not found.")  # fmt: skip
        if form.get("grant_type") != "client_credentials" or not str(form.get("scope", "")).endswith("/.default"):
            return _login_error(400, "invalid_scope", "AADSTS70011: The provided value for 'scope' is not valid.")
        if form.get("client_id") != known.client_id:
            return _login_error(400, "unauthorized_client", f"AADSTS700016: Application {form.get('client_id')!r} was not found in the directory.")  # fmt: skip
        if not hmac.compare_digest(str(form.get("client_secret", "")), known.client_secret):
            return _login_error(401, "invalid_client", "AADSTS7000215: Invalid client secret provided.")
        return web.json_response({
            "token_type": "Bearer", "expires_in": 3599, "ext_expires_in": 3599, "access_token": known.token,
        })  # fmt: skip

    def guarded(
        self, handler: Callable[[web.Request, str], Awaitable[web.Response]]
    ) -> Callable[[web.Request], Awaitable[web.Response]]:
        """What happens to a request before it is looked at."""

        async def handle(request: web.Request) -> web.Response:
            given = request.headers.get("Authorization", "")
            if not hmac.compare_digest(given, f"Bearer {self.behaviour.token}"):
                return _error(401, "AuthenticationFailed", "Authentication failed. The 'Authorization' header is missing or not valid.")  # fmt: skip
            if request.query.get("api-version") != _VERSION:
                return _error(400, "MissingApiVersionParameter", f"The api-version query parameter must be {_VERSION}.")
            subscription = request.match_info["subscription"]
            if subscription not in self.ledger().budgets:
                return _error(403, "AuthorizationFailed", f"The client 'demo' {_ROLE} '/subscriptions/{subscription}'.")
            if self._limited():
                return self._too_many()
            try:
                return await handler(request, subscription)
            except RefusedError as error:
                return _error(400, error.kind, str(error))

        return handle

    def _limited(self) -> bool:
        limit, now = self.behaviour.requests_per_minute, time.monotonic()
        while self._calls and self._calls[0] <= now - 60:
            self._calls.popleft()
        if limit is not None and len(self._calls) >= limit:
            return True
        self._calls.append(now)
        return False

    def _too_many(self) -> web.Response:
        entity, units = self.behaviour.retry_after
        headers = {
            "x-ms-ratelimit-microsoft.costmanagement-entity-retry-after": str(entity),
            "x-ms-ratelimit-microsoft.costmanagement-qpu-retry-after": str(units),
            "x-ms-ratelimit-remaining-microsoft.costmanagement-entity-requests": "0",
        }
        return _error(429, "429", "Too many requests. Please retry.", headers)

    async def query(self, request: web.Request, subscription: str) -> web.Response:
        """POST of a query; later pages POST the same body to ``nextLink``."""
        return await self._answer(request, subscription, query)

    async def forecast(self, request: web.Request, subscription: str) -> web.Response:
        """POST of a forecast."""
        return await self._answer(request, subscription, forecast)

    async def _answer(
        self, request: web.Request, subscription: str, ask: Callable[[Ledger, str, dict[str, Any]], Any]
    ) -> web.Response:
        asked = await _parsed(request)
        columns, rows = await asyncio.to_thread(ask, self.ledger(), subscription, asked)
        if not rows:
            return web.Response(status=204)
        offset = _offset(request.query.get("$skiptoken", ""))
        following = offset + self.behaviour.page_size
        link = None
        if following < len(rows):
            link = str(request.url.update_query({"$skiptoken": f"page-{following}"}))
        name = f"subscriptions/{subscription}/providers/Microsoft.CostManagement/query/sandbox"
        properties = {"nextLink": link, "columns": columns, "rows": rows[offset:following]}
        return web.json_response({
            "id": name, "name": "sandbox", "type": "Microsoft.CostManagement/query", "location": None, "sku": None,
            "eTag": None, "properties": properties,
        })  # fmt: skip

    async def budgets(self, request: web.Request, subscription: str) -> web.Response:
        """GET of one budget, or of all."""
        found = budget(self.ledger(), subscription)
        name = request.match_info.get("name")
        if name is None:
            return web.json_response({"value": [found], "nextLink": None})
        if name != found["name"]:
            return _error(404, "404", f"Budget with name {name} doesn't exist.")
        return web.json_response(found)


async def _parsed(request: web.Request) -> dict[str, Any]:
    try:
        asked = json.loads(await request.read())
    except ValueError:
        asked = None
    if not isinstance(asked, dict):
        raise RefusedError("BadRequest", "Request body is null or invalid.")
    return asked


def _offset(token: str) -> int:
    if token and not token.removeprefix("page-").isdigit():
        raise RefusedError("BadRequest", "Invalid $skiptoken.")
    return int(token.removeprefix("page-")) if token else 0


def _error(status: int, code: str, message: str, headers: dict[str, str] | None = None) -> web.Response:
    return web.json_response({"error": {"code": code, "message": message}}, status=status, headers=headers)


def _login_error(status: int, code: str, words: str) -> web.Response:
    return web.json_response({"error": code, "error_description": words, "error_codes": [0]}, status=status)
