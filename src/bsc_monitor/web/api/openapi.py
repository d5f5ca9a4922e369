"""The API's description, made from the endpoints' own types, and a page to read it on."""

import json
import re
from collections.abc import Iterable
from functools import cache
from typing import Any

from aiohttp import web
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from bsc_monitor.web.api.endpoint import PART, About
from bsc_monitor.web.routes import Policy, Route, Routes
from bsc_monitor.web.templating import page

ROUTES: Routes = Routes()
DESCRIBED: web.AppKey[tuple[Route, ...]] = web.AppKey("DESCRIBED", tuple)
_REF = "#/components/schemas/{model}"
_PATH = re.compile(r"\{(\w+)\}")
_PART = {"type": "string", "pattern": f"^{PART.pattern}$"}
_PROBLEM = {
    "type": "object", "required": ["title", "status"],
    "properties": {
        "type": {"type": "string"}, "title": {"type": "string"}, "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": {"type": "array", "items": {"type": "object", "properties": {
            "where": {"type": "string"}, "message": {"type": "string"}}}},
    },
}  # fmt: skip
_ETAG = {"description": "Changes when the answer does", "schema": {"type": "string"}}
_SEEN: dict[str, Any] = {
    "name": "If-None-Match", "in": "header", "required": False, "schema": {"type": "string"},
    "description": "The ETag of the answer that is at hand: as long as it holds, the answer is 304 without a body",
}  # fmt: skip
_LINK = {"description": '<address>; rel="next", where there is more', "schema": {"type": "string"}}
_RETRY = {"description": "Seconds to wait", "schema": {"type": "string"}}
_WORDS = {
    401: "Not signed in", 403: "The role does not allow it", 404: "There is no such thing", 408: "Sent too slowly",
    409: "It cannot be done now", 413: "Too large", 415: "Not JSON", 422: "Not understood, or not possible",
    503: "The database is away: ask again",
}  # fmt: skip


@ROUTES.get("/api/v1/openapi.json", Policy.VIEWER)
async def openapi(request: web.Request) -> web.Response:
    """The OpenAPI 3.1 document."""
    version = request.app[BOARD_VERSION]
    return web.json_response(document(request.app[DESCRIBED], version))


@ROUTES.get("/api", Policy.VIEWER)
async def readable(request: web.Request) -> web.Response:
    """The same for people."""
    made = document(request.app[DESCRIBED], request.app[BOARD_VERSION])
    return page(request, "api.html", document=made, channel="", groups=_groups(made))


BOARD_VERSION = web.AppKey("BOARD_VERSION", str)


@cache
def document(routes: tuple[Route, ...], version: str) -> dict[str, Any]:
    """The OpenAPI document of the routes that are part of the API."""
    refs, schemas = _schemas(routes)
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, refs)
    made = {
        "openapi": "3.1.0",
        "info": {
            "title": "bsc-monitor", "version": version or "0",
            "description": "Scorecards, KPIs and alerts. Values are in the KPI's own unit; null is unknown, never zero.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": paths,
        "components": {
            "schemas": {**schemas, "Problem": _PROBLEM},
            "securitySchemes": {
                "basic": {"type": "http", "scheme": "basic"}, "bearer": {"type": "http", "scheme": "bearer"},
            },
        },
        "security": [{}, {"basic": []}, {"bearer": []}],
    }  # fmt: skip
    read: dict[str, Any] = json.loads(json.dumps(made))
    return read


def _schemas(routes: Iterable[Route]) -> tuple[dict[Any, dict[str, Any]], dict[str, Any]]:
    wanted: dict[tuple[type[BaseModel], Any], None] = {}
    for route in routes:
        about: About = route.about
        if about.answer is not None:
            wanted[about.answer, "serialization"] = None
        if about.body is not None:
            wanted[about.body, "validation"] = None
    refs, made = models_json_schema(list(wanted), ref_template=_REF)
    return {model: ref for (model, _), ref in refs.items()}, made.get("$defs", {})


def _operation(route: Route, refs: dict[Any, dict[str, Any]]) -> dict[str, Any]:
    about: About = route.about
    good: dict[str, Any] = {"description": "Done"}
    if about.answer is not None:
        good["content"] = {"application/json": {"schema": refs[about.answer]}}
    answers: dict[int, dict[str, Any]] = {about.status: good} | {each: _failure(each) for each in _failures(route)}
    asked = [{"name": name, "in": "path", "required": True, "schema": _PART} for name in _PATH.findall(route.path)]
    asked += _parameters(about.query) if about.query else []
    if route.method == "GET":
        asked.append(_SEEN)
        good["headers"] = {"ETag": _ETAG} | ({"Link": _LINK} if "next" in _fields(about.answer) else {})
        answers[304] = {"description": "It has not changed", "headers": {"ETag": _ETAG}}
    made: dict[str, Any] = {
        "tags": [about.tag],
        "summary": about.summary.split("\n")[0].rstrip("."),
        "operationId": _operation_id(route),
        "description": f"Needs the role {route.policy.name.lower()}.",
        "parameters": asked,
        "responses": {str(status): answers[status] for status in sorted(answers)},
    }
    if about.body is not None:
        made["requestBody"] = {"required": True, "content": {"application/json": {"schema": refs[about.body]}}}
    return made


def _parameters(query: type[BaseModel]) -> list[dict[str, Any]]:
    schema = query.model_json_schema(ref_template=_REF)
    kinds, required = schema.get("$defs", {}), schema.get("required", [])
    found = []
    for name, given in schema.get("properties", {}).items():
        options = [each for each in given.get("anyOf", [given]) if each.get("type") != "null"]
        plain = {key: value for key, value in options[0].items() if key not in ("title", "default")}
        if "$ref" in plain:
            named = kinds[plain["$ref"].rpartition("/")[2]]
            plain = {"type": named["type"], "enum": named["enum"]}
        text = plain.pop("description", given.get("description", ""))
        found.append({"name": name, "in": "query", "required": name in required, "schema": plain, "description": text})
    return found


def _failures(route: Route) -> list[int]:
    found = [401, 403, 422, 503]
    if "{" in route.path:
        found.append(404)
    about: About = route.about
    if about.body is not None:
        found += [404, 408, 409, 413, 415]
    if about.query is not None and "at" in about.query.model_fields:
        found.append(404)
    return sorted(set(found))


def _failure(status: int) -> dict[str, Any]:
    schema = {"$ref": _REF.format(model="Problem")}
    made = {"description": _WORDS[status], "content": {"application/problem+json": {"schema": schema}}}
    return made | ({"headers": {"Retry-After": _RETRY}} if status == 503 else {})


def _fields(model: type[BaseModel] | None) -> Iterable[str]:
    return model.model_fields if model is not None else ()


def _operation_id(route: Route) -> str:
    return f"{route.method.lower()}_" + re.sub(r"\W+", "_", route.path.removeprefix("/api/v1/")).strip("_")


def _groups(made: dict[str, Any]) -> dict[str, list[tuple[str, str, dict[str, Any]]]]:
    groups: dict[str, list[tuple[str, str, dict[str, Any]]]] = {}
    for path, methods in made["paths"].items():
        for method, operation in methods.items():
            groups.setdefault(operation["tags"][0], []).append((method.upper(), path, operation))
    return groups
