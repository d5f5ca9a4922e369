"""Cost Explorer and Budgets over HTTP: AWS JSON 1.1 at one address, told apart by ``X-Amz-Target``, signatures verified."""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from bsc_monitor.sandbox.cloud import budgets, cost_explorer
from bsc_monitor.sandbox.cloud.ledger import Ledger
from bsc_monitor.sandbox.cloud.refusal import RefusedError
from bsc_monitor.sandbox.cloud.sigv4 import BadSignatureError, verify

_Operation = Callable[[Ledger, dict[str, Any], int], dict[str, Any]]  # ledger, request, page size → answer
_TARGETS: dict[str, tuple[str, dict[str, _Operation]]] = {
    "AWSInsightsIndexService": ("ce", cost_explorer.OPERATIONS),
    "AWSBudgetServiceGateway": ("budgets", budgets.OPERATIONS),
}


@dataclass(frozen=True, slots=True)
class AwsBehaviour:
    """Who is let in, and the limits and faults that a collector has to survive."""

    access_key_id: str = "demo"
    secret_access_key: str = "demo"  # noqa: S105 - the sandbox's documented key
    page_size: int = 500  #: groups of one answer
    requests_per_minute: int | None = None  #: of Cost Explorer; beyond it LimitExceededException
    denied: frozenset[str] = frozenset()  #: operations that this user may not call
    stuck_token: bool = False  #: the last page repeats its token for ever


def aws_app(ledger: Callable[[], Ledger], behaviour: AwsBehaviour) -> web.Application:
    """The two services as a web application, to be mounted under a path of its own."""
    side = _Side(ledger, behaviour)
    app = web.Application()
    for path in ("", "/"):
        app.router.add_post(path, side.answer)
        app.router.add_get(path, side.page)
    return app


class _Side:
    def __init__(self, ledger: Callable[[], Ledger], behaviour: AwsBehaviour) -> None:
        self.ledger, self.behaviour = ledger, behaviour
        self._calls: deque[float] = deque()

    async def answer(self, request: web.Request) -> web.Response:
        """One call of one operation."""
        body = await request.read()
        service, _ = _TARGETS.get(request.headers.get("X-Amz-Target", "").partition(".")[0], ("", {}))
        try:
            operation = self._admit(request, body)
            asked = _parsed(body)
            found = await asyncio.to_thread(operation, self.ledger(), asked, self.behaviour.page_size)
        except (BadSignatureError, RefusedError) as error:
            return _reply({"__type": error.kind, "message" if service != "ce" else "Message": str(error)}, 400)
        if self.behaviour.stuck_token and service == "ce":
            found["NextPageToken"] = "stuck"
        return _reply(found, 200)

    def _admit(self, request: web.Request, body: bytes) -> _Operation:
        """The operation asked for. Raises RefusedError or BadSignatureError."""
        prefix, _, name = request.headers.get("X-Amz-Target", "").partition(".")
        service, operations = _TARGETS.get(prefix, ("", {}))
        keys = {self.behaviour.access_key_id: self.behaviour.secret_access_key}
        signed_for = verify(request.method, request.rel_url.raw_path, request.query, request.headers, body, keys)
        if name not in operations:
            raise RefusedError("UnknownOperationException", "")
        if signed_for != service:
            raise RefusedError(
                "InvalidSignatureException", f"Credential should be scoped to correct service: '{service}'."
            )
        if name in self.behaviour.denied:
            user, action = f"arn:aws:iam::111122223333:user/{self.behaviour.access_key_id}", f"{service}:{name}"
            raise RefusedError(
                "AccessDeniedException",
                f"User: {user} is not authorized to perform: {action} on resource: * because no identity-based policy"
                f" allows the {action} action",
            )
        self._limit(service)
        return operations[name]

    def _limit(self, service: str) -> None:
        limit = self.behaviour.requests_per_minute
        if service != "ce" or limit is None:
            return
        now = time.monotonic()
        while self._calls and self._calls[0] <= now - 60:
            self._calls.popleft()
        if len(self._calls) >= limit:
            raise RefusedError("LimitExceededException", "Rate exceeded")
        self._calls.append(now)

    async def page(self, request: web.Request) -> web.Response:
        """Where evidence links lead: the daily sums of the days asked for."""
        text = await asyncio.to_thread(cost_explorer.page, self.ledger(), dict(request.query))
        return web.Response(text=text, content_type="text/html")


def _parsed(body: bytes) -> dict[str, Any]:
    try:
        asked = json.loads(body)
    except ValueError:
        asked = None
    if not isinstance(asked, dict):
        raise RefusedError("SerializationException", "")
    return asked


def _reply(body: dict[str, Any], status: int) -> web.Response:
    return web.Response(
        text=json.dumps(body), status=status, content_type="application/x-amz-json-1.1",
        headers={"x-amzn-RequestId": str(uuid.uuid4())},
    )  # fmt: skip
