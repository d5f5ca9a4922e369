"""Tickets opened from insights: a Jira issue, a ServiceNow record.

An action is asked again after every failure and after a restart, so each looks first for a ticket that carries the
request's key: in Jira a label, in ServiceNow the ``correlation_id``.
"""

import re
from typing import Any, Literal

from pydantic import Field

from bsc_monitor.plugin import CollectorError, Context, Params, SourceError, TicketRequest, hookimpl

_TITLE = {"jira": 255, "servicenow": 160}  # as the vendors cap them
_REFUSALS = (400, 403, 404)  # of ServiceNow, which says why


class IssueParams(Params):
    """Which issue is opened."""

    project: str = Field(description="key of the project")
    type: str = Field("Task", description="issue type, by name")
    parent: str = Field("", description="key of an epic that it belongs to")
    labels: list[str] = Field(["bsc-monitor"], description="further labels")
    fields: dict[str, Any] = Field({}, description="further fields, as Jira's API takes them")


class RecordParams(Params):
    """Which record is opened."""

    table: Literal["incident", "problem", "change_request"] = "problem"
    fields: dict[str, str] = Field({}, description="further columns, e.g. assignment_group")


@hookimpl
def bsc_actions() -> dict[str, Any]:
    """By the name of the collector whose sources they work on."""
    return {"jira": open_issue, "servicenow": open_record}


async def open_issue(ctx: Context, config: Any, request: TicketRequest, p: IssueParams) -> str:
    """Open an issue in a source of the plugin ``jira``; the account needs the permission Create issues."""
    jira = _Jira(ctx, config)
    cloud = await jira.is_cloud()
    jql = f"project = {_quoted(p.project)} AND labels = {_quoted(request.key)}"
    if cloud:
        found = await jira.post("api/3/search/jql", {"jql": jql, "fields": ["key"], "maxResults": 1})
    else:
        found = await jira.get("api/2/search", {"jql": jql, "fields": "key", "maxResults": 1})
    issues = found.get("issues") if isinstance(found, dict) else None
    if not isinstance(issues, list):  # whether there is one already is unknown: a second must not be opened
        raise SourceError("Jira's answer has no issues", CollectorError.SCHEMA)
    if not issues:
        labels = [re.sub(r"\s+", "-", label) for label in (request.key, *p.labels)]
        fields: dict[str, Any] = {
            "project": {"key": p.project}, "issuetype": {"name": p.type}, "summary": _line(request.title, _TITLE["jira"]),
            "description": _document(request) if cloud else _plain(request), "labels": labels, **p.fields,
        }  # fmt: skip
        if p.parent:
            fields["parent"] = {"key": p.parent}
        issues = [await jira.post(f"api/{3 if cloud else 2}/issue", {"fields": fields}, once=True)]
    key = issues[0].get("key") if isinstance(issues[0], dict) else None
    if not isinstance(key, str):
        raise SourceError("Jira's answer names no issue", CollectorError.SCHEMA)
    return f"{jira.url}/browse/{key}"


class _Jira:
    """Asks one site."""

    def __init__(self, ctx: Context, config: Any) -> None:
        self.url = config.url.rstrip("/")
        self._ctx, self._config = ctx, config
        user = config.email or config.username
        self._how: dict[str, Any] = {"basic": (user, config.token)} if user else {"bearer": config.token}

    async def is_cloud(self) -> bool:
        if self._config.deployment is not None:
            return bool(self._config.deployment == "cloud")
        info = await self.get("api/2/serverInfo", {})
        return isinstance(info, dict) and info.get("deploymentType") == "Cloud"

    async def get(self, path: str, params: dict[str, Any]) -> Any:
        return _read(await self._ctx.http.get(f"{self.url}/rest/{path}", params=params, allow=(400, 404), **self._how))

    async def post(self, path: str, body: dict[str, Any], *, once: bool = False) -> Any:
        reply = await self._ctx.http.post(
            f"{self.url}/rest/{path}", json=body, allow=(400, 404), retry=not once, **self._how
        )
        return _read(reply)


def _read(reply: Any) -> Any:
    body = reply.json()
    if reply.status in (400, 404):
        said = (
            []
            if not isinstance(body, dict)
            else [*(body.get("errorMessages") or []), *(body.get("errors") or {}).values()]
        )
        raise SourceError(f"Jira refused: {'; '.join(map(str, said))[:300] or reply.status}", CollectorError.CONFIG)
    return body


async def open_record(ctx: Context, config: Any, request: TicketRequest, p: RecordParams) -> str:
    """Open a record in a source of the plugin ``servicenow``; the user needs write access to the table."""
    url = config.url.rstrip("/")
    how: dict[str, Any] = {"bearer": config.token} if config.token else {"basic": (config.username, config.password)}
    how |= {"headers": {"Accept": "application/json"}, "allow": _REFUSALS}
    params: dict[str, str | int] = {
        "sysparm_query": f"correlation_id={request.key}", "sysparm_fields": "sys_id,correlation_id", "sysparm_limit": 1,
    }  # fmt: skip
    table = f"{url}/api/now/table/{p.table}"
    rows = _result(await ctx.http.get(table, params=params, **how), list)
    # A term that the instance does not understand is dropped in silence, and any record would be found.
    known = [row for row in rows if isinstance(row, dict) and row.get("correlation_id") == request.key]
    if not known:
        body = {
            "short_description": _line(request.title, _TITLE["servicenow"]), "description": _plain(request),
            "correlation_id": request.key, "correlation_display": "bsc-monitor", **p.fields,
        }  # fmt: skip
        known = [_result(await ctx.http.post(table, json=body, retry=False, **how), dict)]
        if known[0].get("correlation_id") != request.key:
            raise SourceError(
                f"{p.table} did not keep the correlation_id", CollectorError.PERMISSION,
                hint="give the user write access to it: without it a ticket could be opened twice",
            )  # fmt: skip
    return f"{url}/{p.table}.do?sys_id={known[0].get('sys_id', '')}"


def _result(reply: Any, kind: type) -> Any:
    body = reply.json()
    error = body.get("error") if isinstance(body, dict) else None
    if error or reply.status in _REFUSALS:
        said = error.get("message", error) if isinstance(error, dict) else error or f"HTTP {reply.status}"
        reason = CollectorError.PERMISSION if reply.status == 403 else CollectorError.CONFIG
        raise SourceError(f"ServiceNow refused: {str(said)[:300]}", reason)
    result = body.get("result") if isinstance(body, dict) else None
    if not isinstance(result, kind):
        raise SourceError("ServiceNow's answer has no result", CollectorError.SCHEMA)
    return result


def _line(text: str, most: int) -> str:
    text = " ".join(text.split())
    return text if len(text) <= most else text[: most - 1] + "…"


def _plain(request: TicketRequest) -> str:
    return "\n\n".join([*request.paragraphs, request.link]).strip()


def _document(request: TicketRequest) -> dict[str, Any]:
    """The text in Atlassian's document format: every paragraph is data, never markup."""
    content: list[dict[str, Any]] = [
        {"type": "paragraph", "content": [{"type": "text", "text": text}]} for text in request.paragraphs if text
    ]
    if request.link:
        mark = {"type": "link", "attrs": {"href": request.link}}
        content.append({"type": "paragraph", "content": [{"type": "text", "text": request.link, "marks": [mark]}]})
    return {"type": "doc", "version": 1, "content": content}


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
