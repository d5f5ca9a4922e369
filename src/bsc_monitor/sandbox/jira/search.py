"""Searching: Cloud's token pages and counts, Data Center's offset pages."""

import base64
import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from aiohttp import web

from bsc_monitor.sandbox.jira.answer import Writer
from bsc_monitor.sandbox.jira.door import Behaviour, failure
from bsc_monitor.sandbox.jira.match import Caller, select
from bsc_monitor.sandbox.jira.site import Issue, Site

_CLOUD_KEYS = {
    "jql", "fields", "maxResults", "nextPageToken", "expand", "properties", "fieldsByKeys", "reconcileIssues", "failFast",
}  # fmt: skip
_IDS_PAGE = 5000
_REMOVED = (
    "The requested API has been removed. Please migrate to the /rest/api/3/search/jql API. A full migration guideline is"
    " available at https://developer.atlassian.com/changelog/#CHANGE-2046"
)
_INVALID = "Invalid request payload. Refer to the REST API documentation and try again."


def removed() -> web.Response:
    """What Cloud says to its former search."""
    return failure(410, _REMOVED)


def token_page(
    site: Site, asked: Mapping[str, Any], caller: Caller, writer: Writer, behaviour: Behaviour
) -> web.Response:
    """One page of Cloud's search. Raises JqlError."""
    if set(asked) - _CLOUD_KEYS or not isinstance(asked.get("jql", ""), str):
        return failure(400, _INVALID)
    jql, fields = asked.get("jql", ""), asked.get("fields") or ["id"]
    fields = [fields] if isinstance(fields, str) else fields
    expand = asked.get("expand") or ""
    if not isinstance(expand, str) or not all(isinstance(name, str) for name in fields):
        return failure(400, _INVALID)
    slim = all(name in ("id", "key") for name in fields) and not expand
    size = min(int(asked.get("maxResults", 50)), _IDS_PAGE if slim else behaviour.page)
    found = select(site, jql, caller, bounded=True)
    start = _offset(asked.get("nextPageToken"), jql)
    if start is None:
        return failure(400, "The provided next page token is invalid or expired.")
    page = found[start : start + size]
    body: dict[str, Any] = {"issues": [_issue(writer, issue, fields, expand) for issue in page]}
    last = start + size >= len(found)
    body["isLast"] = last
    if not last:
        body["nextPageToken"] = _token(start + size, jql)
    return web.json_response(body)


def count(site: Site, asked: Mapping[str, Any], caller: Caller) -> web.Response:
    """Cloud's estimate of how many issues a query finds. Raises JqlError."""
    if set(asked) != {"jql"}:
        return failure(400, _INVALID)
    return web.json_response({"count": len(select(site, str(asked["jql"]), caller, bounded=True))})


def offset_page(
    site: Site, asked: Mapping[str, Any], caller: Caller, writer: Writer, behaviour: Behaviour
) -> web.Response:
    """One page of Data Center's search, which may be smaller than asked for. Raises JqlError."""
    found = select(site, str(asked.get("jql", "")), caller)
    start, size = int(asked.get("startAt", 0)), min(int(asked.get("maxResults", 50)), behaviour.page)
    fields = asked.get("fields") or ["*navigable"]
    fields = [fields] if isinstance(fields, str) else fields
    expand = asked.get("expand") or ""
    expand = expand if isinstance(expand, str) else ",".join(expand)
    page = [_issue(writer, issue, fields, expand) for issue in found[start : start + size]]
    return web.json_response({
        "expand": "schema,names", "startAt": start, "maxResults": size, "total": len(found), "issues": page,
    })  # fmt: skip


def _issue(writer: Writer, issue: Issue, fields: list[str], expand: str) -> dict[str, Any]:
    return writer.issue(issue, fields, changelog="changelog" in expand.split(","))


def _token(offset: int, jql: str) -> str:
    made = json.dumps([offset, sha256(jql.encode()).hexdigest()[:12]])
    return base64.urlsafe_b64encode(made.encode()).decode()


def _offset(token: str | None, jql: str) -> int | None:
    """Where a page starts; None for a token of another search."""
    if not token:
        return 0
    try:
        offset, of = json.loads(base64.urlsafe_b64decode(token))
    except ValueError:
        return None
    return int(offset) if of == sha256(jql.encode()).hexdigest()[:12] else None
