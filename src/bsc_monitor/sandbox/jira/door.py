"""What happens to a request before it is understood: credentials, limits, and the faults a collector has to survive."""

import asyncio
import base64
import binascii
import hmac
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from aiohttp import web

from bsc_monitor.sandbox.jira.jql import JqlError
from bsc_monitor.sandbox.jira.match import Caller
from bsc_monitor.sandbox.jira.site import Site

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
CALLER: web.RequestKey[Caller] = web.RequestKey("caller", Caller)

_LOGIN = (
    "<!DOCTYPE html><html><head><title>Log in with Atlassian account</title></head><body>"
    '<form action="/login"><input name="username"></form></body></html>'
)
_UNAUTHORISED = "Client must be authenticated to access this resource."


@dataclass(frozen=True, slots=True)
class Behaviour:
    """How the site treats its callers."""

    email: str = "demo@example.com"
    username: str = "demo"  #: on Data Center
    token: str = "demo"  # noqa: S105 - the sandbox's documented token
    timezone: str = "UTC"  #: of the calling user: how dates in JQL are read and times are written
    anonymous: bool = False  #: a search with wrong credentials finds nothing, with 200
    forbidden: frozenset[str] = frozenset()  #: keys of projects that this user may not browse
    agent: bool = True  #: False: the user sees no service levels
    requests_per_window: int | None = None  #: beyond it 429
    window_seconds: float = 3600.0
    says_when: bool = True  #: whether a 429 carries Retry-After
    reason: str = "jira-burst-based"  #: of a 429 on Cloud
    page: int = 100  #: issues on one page when fields are asked for
    changelog_page: int = 100
    failures: int = 0  #: this many requests are answered 500 first
    login_page: bool = False  #: 200 with an HTML page
    truncated: bool = False  #: 200 with JSON broken off


def failure(status: int, *messages: str, headers: dict[str, str] | None = None) -> web.Response:
    """An error in the vendor's form."""
    return web.json_response({"errorMessages": list(messages), "errors": {}}, status=status, headers=headers)


class Door:
    """Lets requests in, as the site's behaviour says; one for Cloud and one for Data Center."""

    def __init__(self, load: Callable[[], Site], behaviour: Behaviour, *, cloud: bool) -> None:
        self._load, self.behaviour, self.cloud = load, behaviour, cloud
        self.zone = ZoneInfo(behaviour.timezone)
        self._calls: deque[float] = deque()
        self._failures = behaviour.failures

    @cached_property
    def site(self) -> Site:
        """The site, loaded when it is first asked for."""
        return self._load()

    @web.middleware
    async def gate(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """The middleware."""
        behaviour = self.behaviour
        if behaviour.login_page:
            return web.Response(text=_LOGIN, content_type="text/html")
        await asyncio.to_thread(lambda: self.site)
        known = self._authenticated(request.headers.get("Authorization", ""))
        hidden = behaviour.forbidden if known else frozenset(self.site.projects)
        if not known and not self._open(request):
            body: Any = {"message": _UNAUTHORISED, "status-code": 401}
            ask = {"WWW-Authenticate": 'Basic realm="protected-area"'}  # so that a browser asks for the password
            return web.json_response(body, status=401, headers=ask)
        limited = self._limited()
        if limited is not None:
            return limited
        if self._failures > 0:
            self._failures -= 1
            return failure(500, "Internal server error")
        request[CALLER] = Caller(behaviour.email if self.cloud else behaviour.username, self.zone, hidden)
        try:
            answer = await handler(request)
        except JqlError as error:
            return failure(400, str(error))
        except web.HTTPNotFound:
            return failure(404, "null for uri: " + str(request.url))
        if behaviour.truncated and isinstance(answer, web.Response) and answer.text:
            return web.Response(text=answer.text[: len(answer.text) // 2], content_type="application/json")
        if not self.cloud:
            answer.headers.update(self._bucket())
        return answer

    def _open(self, request: web.Request) -> bool:
        """What anybody may ask: who is there, and (where the site is open) a search that finds nothing."""
        search = self.behaviour.anonymous and ("/search" in request.path or "/field" in request.path)
        return search or request.path.endswith("/serverInfo")

    def _authenticated(self, header: str) -> bool:
        kind, _, credential = header.partition(" ")
        if kind.lower() == "bearer" and not self.cloud:
            return hmac.compare_digest(credential.strip().encode(), self.behaviour.token.encode())
        if kind.lower() != "basic":
            return False
        try:
            given = base64.b64decode(credential, validate=True)
        except (binascii.Error, ValueError):
            return False
        user = self.behaviour.email if self.cloud else self.behaviour.username
        return hmac.compare_digest(given, f"{user}:{self.behaviour.token}".encode())

    def _limited(self) -> web.Response | None:
        """A 429 once the caller used up its requests of the sliding window."""
        behaviour = self.behaviour
        limit, window = behaviour.requests_per_window, behaviour.window_seconds
        if limit is None:
            return None
        now = time.time()
        while self._calls and self._calls[0] <= now - window:
            self._calls.popleft()
        if len(self._calls) < limit:
            self._calls.append(now)
            return None
        reset = self._calls[0] + window if self._calls else now + window
        headers = self._bucket()
        if self.cloud:
            until = datetime.fromtimestamp(reset, UTC).strftime("%Y-%m-%dT%H:%MZ")  # without seconds, as seen
            headers = {
                "X-RateLimit-Limit": str(limit), "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": until,
                "RateLimit-Reason": behaviour.reason,
            }  # fmt: skip
        if behaviour.says_when:
            headers["Retry-After"] = str(max(1, round(reset - now)))
        return failure(429, "Rate limit exceeded.", headers=headers)

    def _bucket(self) -> dict[str, str]:
        """Data Center's headers, on every answer when limiting is on."""
        limit, window = self.behaviour.requests_per_window, int(self.behaviour.window_seconds)
        if limit is None or self.cloud:
            return {}
        return {
            "X-RateLimit-Limit": str(limit), "X-RateLimit-Remaining": str(max(0, limit - len(self._calls))),
            "X-RateLimit-Interval-Seconds": str(window), "X-RateLimit-FillRate": str(limit), "Retry-After": "0",
        }  # fmt: skip
