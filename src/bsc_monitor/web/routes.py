"""Route tables in which every route says who may use it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Policy(IntEnum):
    """Who may use a route, and what a person may do: each includes those before it."""

    PUBLIC = 0  #: anybody; the route checks for itself where that matters
    VIEWER = 1  #: looks
    OPERATOR = 2  #: acknowledges, silences, comments, enters values
    ADMIN = 3  #: reloads, runs collectors


@dataclass(frozen=True, slots=True)
class Route:
    """One method of one address."""

    method: str
    path: str
    policy: Policy
    handler: Handler
    about: Any = None  #: what the API's description says of it; None: not part of the API


class Routes:
    """A table of routes, filled by decorators."""

    def __init__(self) -> None:
        self.routes: list[Route] = []

    def get(self, path: str, policy: Policy) -> Callable[[Handler], Handler]:
        """Answer GET (and HEAD)."""
        return self._adding("GET", path, policy)

    def post(self, path: str, policy: Policy) -> Callable[[Handler], Handler]:
        """Answer POST."""
        return self._adding("POST", path, policy)

    def delete(self, path: str, policy: Policy) -> Callable[[Handler], Handler]:
        """Answer DELETE."""
        return self._adding("DELETE", path, policy)

    def _adding(self, method: str, path: str, policy: Policy) -> Callable[[Handler], Handler]:
        def add(handler: Handler) -> Handler:
            self.routes.append(Route(method, path, policy, handler))
            return handler

        return add


class Policies:
    """The policy of every registered route. Raises ValueError for a route that declares none."""

    def __init__(self, router: web.UrlDispatcher, routes: list[Route]) -> None:
        self._known = {(route.method, route.path): route.policy for route in routes}
        for registered in router.routes():
            canonical = registered.resource.canonical if registered.resource else str(registered)
            if (_method(registered.method), canonical) not in self._known:
                raise ValueError(f"the route {registered.method} {canonical} declares no policy")

    def of(self, request: web.Request) -> Policy | None:
        """The policy of the route that a request met; None for an address or method that there is not."""
        resource = request.match_info.route.resource
        if resource is None:
            return None
        return self._known.get((_method(request.method), resource.canonical))


def _method(name: str) -> str:
    return "GET" if name == "HEAD" else name
