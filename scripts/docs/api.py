"""The HTTP routes: the JSON API from its OpenAPI document, the others from their route tables."""

import inspect
from typing import Any

from scripts.docs.markdown import code, head, table

from bsc_monitor.web.api.openapi import document
from bsc_monitor.web.app import TABLES
from bsc_monitor.web.routes import Route

_ABOUT = """
Every page has its JSON twin under `/api/v1`. The running service describes it as OpenAPI 3.1 at `/api/v1/openapi.json`, and
readably at `/api`. Answers are JSON with an `ETag`: who sends it as `If-None-Match` gets 304 and no body while nothing has
changed. A refusal is `application/problem+json` with words; 503 with `Retry-After` says that the database is away. Values are in the
KPI's own unit, and `null` is unknown, never zero. `?at=2026-06` looks at a past period as it was frozen.

Who may use a route: *public* anybody, *viewer* who may look, *operator* who may acknowledge, silence, comment and enter
values, *admin* who may reload and run collectors; each role includes those before it. Without an auth file the board answers to
this machine alone, and whoever sits at it is admin. See [sign-in and TLS](../how-to/sign-in-and-tls.md).
"""


def page() -> str:
    """The text of api.md."""
    made = described()
    parts = [head("HTTP API", _ABOUT)]
    policies = {(route.method, route.path): route.policy.name.lower() for route in routes()}
    groups: dict[str, list[tuple[str, str, dict[str, Any]]]] = {}
    for path, methods in made["paths"].items():
        for method, operation in methods.items():
            groups.setdefault(operation["tags"][0], []).append((method.upper(), path, operation))
    for tag, entries in groups.items():
        parts.append(f"\n## {tag[:1].upper()}{tag[1:]}\n")
        for method, path, operation in entries:
            parts.append(_entry(method, path, operation, policies[method, path], made))
    rows = [
        (
            code(f"{route.method} {route.path}"),
            route.policy.name.lower(),
            (inspect.getdoc(route.handler) or "").split("\n")[0],
        )
        for route in routes()
        if route.about is None
    ]
    parts.append("\n## Pages and operators' addresses\n\n" + table(("route", "who", "what"), rows))
    return "".join(parts)


def routes() -> list[Route]:
    """Every route of the application."""
    return [route for table_ in TABLES for route in table_.routes]


def described() -> dict[str, Any]:
    """The OpenAPI document."""
    return document(tuple(route for route in routes() if route.about is not None), "")


def _entry(method: str, path: str, operation: dict[str, Any], policy: str, made: dict[str, Any]) -> str:
    text = f"\n### {method} {path}\n\n{operation['summary']}. For: {policy}.\n"
    rows = [
        (code(each["name"]), "query", _type(each["schema"]), each.get("description", ""))
        for each in operation["parameters"]
        if each["in"] == "query"
    ]
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
    if body is not None:
        rows += _fields(body, made)
    if rows:
        text += "\n" + table(("parameter", "in", "type", "meaning"), rows)
    good = next(answer for status, answer in operation["responses"].items() if status < "300")
    if "content" in good:
        text += f"\nAnswers {_type(good['content']['application/json']['schema'])}.\n"
    return text


def _fields(schema: dict[str, Any], made: dict[str, Any]) -> list[tuple[str, ...]]:
    found = made["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    needed = found.get("required", [])
    return [
        (code(name), "body", _type(each) + (", required" if name in needed else ""), each.get("description", ""))
        for name, each in found.get("properties", {}).items()
    ]


def _type(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        return code(schema["$ref"].rpartition("/")[2])
    if "enum" in schema:
        return ", ".join(code(str(value)) for value in schema["enum"])
    options = [each for each in schema.get("anyOf", schema.get("oneOf", [])) if each.get("type") != "null"]
    if options:
        return " or ".join(dict.fromkeys(_type(each) for each in options))
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}))}"
    return str(schema.get("format") or schema.get("type") or "anything")
