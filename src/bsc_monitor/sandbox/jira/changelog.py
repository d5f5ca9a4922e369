"""Changelogs: of one issue, oldest first, and of many at once, which may split one issue over two pages."""

import base64
from collections.abc import Callable, Mapping
from typing import Any

from aiohttp import web

from bsc_monitor.sandbox.jira.answer import Writer
from bsc_monitor.sandbox.jira.door import Behaviour, failure
from bsc_monitor.sandbox.jira.site import Change, Issue

_BULK_KEYS = {"issueIdsOrKeys", "fieldIds", "maxResults", "nextPageToken"}
_MOST_ISSUES, _MOST_FIELDS = 1000, 10


def issue_page(issue: Issue, request: web.Request, writer: Writer, behaviour: Behaviour) -> web.Response:
    """One page of an issue's changelog, oldest first; the page is smaller than asked for where the site says so."""
    start = int(request.query.get("startAt", 0))
    size = min(int(request.query.get("maxResults", 100)), behaviour.changelog_page)
    body: dict[str, Any] = {
        "self": str(request.url), "maxResults": size, "startAt": start, "total": len(issue.changes),
        "isLast": start + size >= len(issue.changes),
        "values": [writer.change(change) for change in issue.changes[start : start + size]],
    }  # fmt: skip
    if not body["isLast"]:
        body["nextPage"] = str(request.url.update_query(startAt=str(start + size)))
    return web.json_response(body)


def bulk_page(asked: Mapping[str, Any], find: Callable[[str], Issue | None], writer: Writer) -> web.Response:
    """One page of the changes of many issues; issues without a matching change are left out."""
    names, fields = asked.get("issueIdsOrKeys", []), asked.get("fieldIds") or []
    if set(asked) - _BULK_KEYS or not 1 <= len(names) <= _MOST_ISSUES or len(fields) > _MOST_FIELDS:
        return failure(400, "Invalid request payload. Refer to the REST API documentation and try again.")
    size = int(asked.get("maxResults", 1000))
    issues = {issue.id: issue for name in names if (issue := find(str(name)))}
    every = [(issue, change) for issue in issues.values() for change in issue.changes if _touches(change, fields)]
    try:
        start = int(base64.b64decode(asked.get("nextPageToken") or base64.b64encode(b"0")))
    except ValueError:
        return failure(400, "The provided next page token is invalid or expired.")
    found: dict[str, list[Any]] = {}
    for issue, change in every[start : start + size]:
        found.setdefault(issue.id, []).append(writer.change(change))
    body: dict[str, Any] = {
        "issueChangeLogs": [{"issueId": key, "changeHistories": histories} for key, histories in found.items()]
    }
    if start + size < len(every):
        body["nextPageToken"] = base64.b64encode(str(start + size).encode()).decode()
    return web.json_response(body)


def _touches(change: Change, fields: list[str]) -> bool:
    return not fields or any(item.field_id in fields for item in change.items)
