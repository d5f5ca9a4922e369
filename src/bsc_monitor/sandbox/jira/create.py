"""Creating an issue, with the refusals that a wrong one meets."""

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from bsc_monitor.sandbox.jira.answer import Writer
from bsc_monitor.sandbox.jira.match import Caller
from bsc_monitor.sandbox.jira.site import Site, Step

_FIRST = 90_000  #: ids of created issues start here
_EMPTY: Mapping[str, Any] = {
    "assignee": None, "parent": None, "priority": "Medium", "components": [], "resolution": None, "resolutiondate": None,
}  # fmt: skip


def create(site: Site, asked: Mapping[str, Any], caller: Caller, writer: Writer) -> web.Response:
    """POST of a new issue."""
    given = asked.get("fields")
    fields: Mapping[str, Any] = given if isinstance(given, Mapping) else {}
    project = site.projects.get(_named(fields.get("project"), "key"))
    kind = next(
        (t for t in site.types.values() if _named(fields.get("issuetype"), "name", "id") in (t.name, t.id)), None
    )
    errors = _mistakes(site, fields, cloud=writer.cloud)
    if project is None or project.key in caller.hidden:
        errors["project"] = "valid project is required"
    if kind is None:
        errors["issuetype"] = "Specify a valid issue type"
    if errors or project is None or kind is None:
        return web.json_response({"errorMessages": [], "errors": errors}, status=400)
    parent = site.find(_named(fields.get("parent"), "key"))
    id_ = str(_FIRST + sum(int(name) >= _FIRST for name in site.issues))
    numbers = [
        int(issue.key.rpartition("-")[2]) for issue in site.issues.values() if issue.values["project"] == project.key
    ]
    now, key = site.now(), f"{project.key}-{max(numbers, default=0) + 1}"
    values = {
        **_EMPTY, "issuekey": key, "project": project.key, "issuetype": kind.id, "summary": fields["summary"],
        "status": _first_status(site, project.key), "labels": list(fields.get("labels") or []), "reporter": None,
        "statuscategorychangedate": now, "description": fields.get("description"),
        "parent": parent.id if parent else None,
    }  # fmt: skip
    site.tell(id_, [Step(now, values)])
    return web.json_response({"id": id_, "key": key, "self": f"{writer.api}/issue/{id_}"}, status=201)


def _mistakes(site: Site, fields: Mapping[str, Any], *, cloud: bool) -> dict[str, str]:
    errors: dict[str, str] = {}
    summary = fields.get("summary")
    if not isinstance(summary, str) or not summary.strip():
        errors["summary"] = "You must specify a summary of the issue."
    elif len(summary) > 255 or "\n" in summary:
        errors["summary"] = "Summary must be less than 255 characters and on one line."
    labels = fields.get("labels") or []
    if not isinstance(labels, list) or any(not isinstance(each, str) or " " in each for each in labels):
        errors["labels"] = "The label contains spaces which is invalid."
    text = fields.get("description")
    if cloud and text is not None and not (isinstance(text, Mapping) and text.get("type") == "doc"):
        errors["description"] = "Operation value must be an Atlassian Document (see the Atlassian Document Format)"
    if fields.get("parent") and site.find(_named(fields["parent"], "key")) is None:
        errors["parent"] = "Could not find issue by id or key."
    return errors


def _first_status(site: Site, project: str) -> str:
    """The status that a project's issues start in: of its oldest issue's kind, or the site's first new one."""
    used = {str(issue.values["status"]) for issue in site.issues.values() if issue.values["project"] == project}
    new = [status.id for status in site.statuses.values() if status.category == "new"]
    return next((each for each in new if each in used), new[0])


def _named(given: Any, *keys: str) -> str:
    if not isinstance(given, Mapping):
        return ""
    return next((str(given[key]) for key in keys if given.get(key)), "")
