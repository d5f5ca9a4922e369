"""An admin's own issues, served as the site they came from.

Either JSON: answers of a search with ``expand=changelog`` (``{"issues": […]}``, or the list alone), any number of files,
with the answer of ``/status`` beside them as ``status.json`` so that former statuses have their category. Or Jira's CSV
export (Issue key, Issue Type, Status, Created, …), which knows no history: an issue is taken as done when it was resolved.
"""

import csv
import json
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bsc_monitor.sandbox.jira.fields import POINTS
from bsc_monitor.sandbox.jira.site import Category, IssueType, Item, Person, Project, Site, Status, Step

_CATEGORIES: dict[str, Category] = {"To Do": "new", "In Progress": "indeterminate", "Done": "done"}
_FORMS = ("%d/%b/%y %I:%M %p", "%d/%b/%y %H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d")
_KNOWN = {"new", "indeterminate", "done"}

Raw = Mapping[str, Any]


def load_site(path: Path, now: Callable[[], datetime]) -> Site:
    """The site of a file or folder. Raises OSError, and ValueError naming file and issue where one cannot be read."""
    files = sorted(path.glob("*")) if path.is_dir() else [path]
    issues: list[Raw] = []
    statuses: list[Raw] = []
    for file in files:
        if file.suffix == ".csv":
            issues += _csv(file)
        elif file.suffix == ".json":
            content = _json(file)
            found = content.get("issues") if isinstance(content, dict) else content
            if not isinstance(found, list):
                raise ValueError(f"{file}: not an answer of a search: a list of issues was expected")
            (statuses if file.stem == "status" else issues).extend(found)
    if not issues:
        raise ValueError(f"{path}: holds no issues: a search's answers (.json) or Jira's export (.csv) are expected")
    site = Site(now)
    _mention_statuses(site, statuses, issues)
    for number, raw in enumerate(issues, 1):
        try:
            _tell(site, number, raw)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ValueError(f"{path}, issue {raw.get('key', number)}: {error!r}") from error
    return site


def _json(file: Path) -> Any:
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{file}: not JSON: {error}") from error


def _mention_statuses(site: Site, statuses: Iterable[Raw], issues: Iterable[Raw]) -> None:
    """Learn what statuses there are; one that only a changelog names counts as work in progress."""
    for raw in (*statuses, *((issue.get("fields") or {}).get("status") or {} for issue in issues)):
        category = (raw.get("statusCategory") or {}).get("key")
        if raw.get("id") and category in _KNOWN:
            site.statuses[str(raw["id"])] = Status(str(raw["id"]), str(raw.get("name", "")), category)
    for item in (item for issue in issues for history in _histories(issue) for item in history.get("items", [])):
        if item.get("field") == "status":
            for key, name in ((item.get("from"), item.get("fromString")), (item.get("to"), item.get("toString"))):
                if key:
                    site.statuses.setdefault(str(key), Status(str(key), str(name), "indeterminate"))


def _tell(site: Site, number: int, raw: Raw) -> None:
    fields = raw["fields"]
    created, updated = _instant(fields["created"]), _instant(fields.get("updated") or fields["created"])
    project, kind = fields["project"], fields["issuetype"]
    site.projects.setdefault(
        project["key"],
        Project(str(project.get("id", project["key"])), project["key"], project.get("name", project["key"])),
    )
    level = -1 if kind.get("subtask") else int(kind.get("hierarchyLevel", 0))
    site.types.setdefault(str(kind["id"]), IssueType(str(kind["id"]), kind["name"], level))
    values: dict[str, Any] = {
        "issuekey": raw["key"], "project": project["key"], "issuetype": str(kind["id"]), "status": str(fields["status"]["id"]),
        "summary": fields.get("summary") or "", "labels": fields.get("labels") or [],
        "components": [each["name"] for each in fields.get("components") or []],
        "priority": (fields.get("priority") or {}).get("name"), "resolution": (fields.get("resolution") or {}).get("name"),
        "assignee": _person(site, fields.get("assignee")), "reporter": _person(site, fields.get("reporter")),
        "parent": (fields.get("parent") or {}).get("id"), POINTS: fields.get(POINTS),
        "resolutiondate": _instant(fields["resolutiondate"]) if fields.get("resolutiondate") else None,
        "statuscategorychangedate": _instant(fields.get("statuscategorychangedate") or fields["created"]),
    }  # fmt: skip
    issue_id = str(raw.get("id") or number)
    steps = [Step(created, values)]
    for history in sorted(_histories(raw), key=lambda each: _instant(each["created"])):
        items = tuple(_items(site, history))
        if items:
            steps.append(Step(_instant(history["created"]), {}, _person(site, history.get("author")) or "", items))
    steps.append(Step(max(updated, steps[-1].at), {}))
    site.tell(issue_id, steps)


def _histories(raw: Raw) -> list[Raw]:
    return list((raw.get("changelog") or {}).get("histories") or [])


def _items(site: Site, history: Raw) -> Iterable[Item]:
    names = {field.name.lower(): field.id for field in site.fields.values()}
    for item in history.get("items") or []:
        field = item.get("fieldId") or names.get(str(item.get("field", "")).lower())
        if field in site.fields:
            yield Item(field, item.get("from"), item.get("to"), item.get("fromString"), item.get("toString"))


def _person(site: Site, raw: Any) -> str | None:
    if not isinstance(raw, dict):
        return None
    key = str(raw.get("accountId") or raw.get("key") or raw.get("name") or raw.get("displayName"))
    site.people.setdefault(key, Person(key, str(raw.get("name") or key), str(raw.get("displayName") or key)))
    return key


def _instant(text: str) -> datetime:
    for form in _FORMS:
        try:
            return datetime.strptime(text, form).replace(tzinfo=UTC)
        except ValueError:
            continue
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _csv(file: Path) -> list[Raw]:
    with file.open(encoding="utf-8-sig", newline="") as lines:
        rows = csv.reader(lines)
        head = next(rows, [])
        missing = {"Issue key", "Status", "Created"} - set(head)
        if missing:
            raise ValueError(f"{file}: not Jira's export: it has no column {', '.join(sorted(missing))}")
        return [_row(dict(zip(reversed(head), reversed(row), strict=False))) for row in rows if row]


def _row(row: Mapping[str, str]) -> Raw:
    """An issue as a search would answer it. Of columns that come more than once the first is taken."""
    key, resolved = row["Issue key"], row.get("Resolved", "")
    category = _CATEGORIES.get(row.get("Status Category", ""), "done" if resolved else "new")
    status = {"id": row["Status"], "name": row["Status"], "statusCategory": {"key": category}}
    project = row.get("Project key") or key.rpartition("-")[0]
    names = {"name": row.get("Issue Type") or "Task", "id": row.get("Issue Type") or "Task"}
    fields: dict[str, Any] = {
        "created": row["Created"], "updated": row.get("Updated") or row["Created"], "status": status, "issuetype": names,
        "project": {"key": project, "name": row.get("Project name") or project}, "summary": row.get("Summary", ""),
        "priority": {"name": row["Priority"]} if row.get("Priority") else None, "resolutiondate": resolved or None,
        "labels": [row["Labels"]] if row.get("Labels") else [],
        "assignee": {"displayName": row["Assignee"]} if row.get("Assignee") else None,
        "resolution": {"name": row.get("Resolution") or "Done"} if resolved else None,
    }  # fmt: skip
    histories = []
    if category == "done" and resolved:
        item = {"field": "status", "fieldId": "status", "from": "To Do", "fromString": "To Do", "to": row["Status"],
                "toString": row["Status"]}  # fmt: skip
        histories = [{"created": resolved, "items": [item]}]
    return {"id": row.get("Issue id"), "key": key, "fields": fields, "changelog": {"histories": histories}}
