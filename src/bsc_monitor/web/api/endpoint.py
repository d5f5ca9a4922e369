"""Endpoints: a handler's annotations say what it takes and answers; requests are checked against them."""

import asyncio
import hashlib
import inspect
import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, NoReturn, TypeVar, get_type_hints

from aiohttp import web
from pydantic import BaseModel, ValidationError

from bsc_monitor.web.auth.access import Identity
from bsc_monitor.web.board import BOARD, Board
from bsc_monitor.web.guard import IDENTITY
from bsc_monitor.web.live.hub import HUB, Hub
from bsc_monitor.web.routes import Handler, Policy, Route, Routes

MOST_BODY = 64 * 1024
PART = re.compile(r"[a-z0-9][a-z0-9_-]{0,99}")  #: what may stand for a name in an address
_READ_WITHIN = 10.0
_PACKED_FROM = 1400  #: bytes; smaller answers fit one packet

H = TypeVar("H", bound=Callable[..., Awaitable[BaseModel | None]])


@dataclass(frozen=True, slots=True)
class Call:
    """A request that passed the checks."""

    request: web.Request
    board: Board
    hub: Hub
    identity: Identity

    def path(self, name: str) -> str:
        """A part of the address."""
        return self.request.match_info[name]

    def kpi_name(self) -> str:
        """The full name of the KPI addressed. Raises HTTPNotFound."""
        name = f"{self.path('scorecard')}/{self.path('kpi')}"
        if name not in self.board.organisation.kpis:
            raise web.HTTPNotFound(text=f"There is no KPI {name!r}.")
        return name


@dataclass(frozen=True, slots=True)
class About:
    """What the API's description says of an endpoint."""

    tag: str
    summary: str
    status: int
    query: type[BaseModel] | None
    body: type[BaseModel] | None
    answer: type[BaseModel] | None


class Api:
    """A table of endpoints."""

    def __init__(self, tag: str) -> None:
        self.table = Routes()
        self._tag = tag

    def get(self, path: str, policy: Policy = Policy.VIEWER) -> Callable[[H], H]:
        """Answer GET, with an ETag."""
        return self._adding("GET", path, policy, 200)

    def post(self, path: str, policy: Policy, status: int = 201) -> Callable[[H], H]:
        """Answer POST."""
        return self._adding("POST", path, policy, status)

    def delete(self, path: str, policy: Policy) -> Callable[[H], H]:
        """Answer DELETE."""
        return self._adding("DELETE", path, policy, 204)

    def _adding(self, method: str, path: str, policy: Policy, status: int) -> Callable[[H], H]:
        def add(handler: H) -> H:
            hints = get_type_hints(handler)
            answer = hints.get("return")
            about = About(
                self._tag, inspect.getdoc(handler) or "", status, hints.get("query"), hints.get("body"),
                None if answer is type(None) else answer,
            )  # fmt: skip
            self.table.routes.append(Route(method, f"/api/v1{path}", policy, _served(handler, about), about))
            return handler

        return add


def _served(handler: Callable[..., Awaitable[BaseModel | None]], about: About) -> Handler:
    async def serve(request: web.Request) -> web.StreamResponse:
        call = Call(request, request.app[BOARD], request.app[HUB], request[IDENTITY])
        given: dict[str, Any] = {}
        if not all(PART.fullmatch(part) for part in request.match_info.values()):
            raise web.HTTPNotFound(text="There is no such thing.")
        if about.query is not None:
            given["query"] = _query(request, about.query)
        elif request.query_string:
            _refuse([("query", "no parameters are taken")])
        if about.body is not None:
            given["body"] = await _body(request, about.body)
        return _answer(request, await handler(call, **given), about.status)

    serve.__doc__ = about.summary
    return serve


def _query(request: web.Request, model: type[BaseModel]) -> BaseModel:
    given = {}
    for name in request.query:
        values = request.query.getall(name)
        if len(values) > 1:
            _refuse([(name, "is given more than once")])
        given[name] = values[0]
    try:
        return model.model_validate(given)
    except ValidationError as error:
        _refuse(_mistakes(error))


async def _body(request: web.Request, model: type[BaseModel]) -> BaseModel:
    if request.content_type != "application/json":
        raise web.HTTPUnsupportedMediaType(text="Send application/json.")
    async with asyncio.timeout(_READ_WITHIN):
        raw = await request.read()
    if len(raw) > MOST_BODY:
        raise web.HTTPRequestEntityTooLarge(MOST_BODY, len(raw))
    try:
        return model.model_validate_json(raw, strict=True)
    except ValidationError as error:
        _refuse(_mistakes(error))


def _mistakes(error: ValidationError) -> list[tuple[str, str]]:
    found = error.errors(include_url=False, include_context=False, include_input=False)
    return [(".".join(map(str, each["loc"])) or "body", each["msg"]) for each in found[:20]]


def _refuse(mistakes: list[tuple[str, str]]) -> NoReturn:
    """Raise a 422 that names every mistake."""
    problem = {
        "type": "about:blank", "title": "That cannot be read", "status": 422,
        "detail": "; ".join(f"{where}: {what}" for where, what in mistakes),
        "errors": [{"where": where, "message": what} for where, what in mistakes],
    }  # fmt: skip
    raise ProblemError(text=json.dumps(problem), content_type="application/problem+json")


class ProblemError(web.HTTPUnprocessableEntity):
    """An answer that is a problem document already."""


def _answer(request: web.Request, found: BaseModel | None, status: int) -> web.Response:
    if found is None:
        return web.Response(status=204)
    text = found.model_dump_json(by_alias=True)
    headers = {"Content-Type": "application/json; charset=utf-8"}
    if request.method in ("GET", "HEAD"):
        headers["ETag"] = etag = f'"{hashlib.sha256(text.encode()).hexdigest()[:24]}"'
        headers["Vary"] = "Accept-Encoding, Authorization"
        if (seen := request.headers.get("If-None-Match", "")) == "*" or etag in seen:
            return web.Response(status=304, headers=headers)
        if following := getattr(found, "next", None):
            url = request.rel_url.update_query(after=following)
            headers["Link"] = f'<{url}>; rel="next"'
    response = web.Response(text=text, status=status, headers=headers)
    if len(text) > _PACKED_FROM:
        response.enable_compression()
    return response
