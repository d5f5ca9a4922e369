"""Issues and what hangs on them as Cloud (v3) and Data Center (v2) write them into an answer."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from bsc_monitor.sandbox.jira.fields import Field
from bsc_monitor.sandbox.jira.site import Board, Change, Issue, IssueType, Person, Project, Site, Sprint, Status

_CATEGORIES = {
    "new": (2, "blue-gray", "To Do"), "indeterminate": (4, "yellow", "In Progress"), "done": (3, "green", "Done"),
}  # fmt: skip
_TYPES = {"text": "string", "date": "datetime", "day": "date", "number": "number", "user": "user", "options": "array"}
_UNLISTED = ("issuekey", "statusCategory")


def stamp(at: datetime, zone: ZoneInfo) -> str:
    """A time as Jira writes it: with milliseconds, in the caller's zone, the offset without a colon."""
    local = at.astimezone(zone)
    return local.strftime("%Y-%m-%dT%H:%M:%S.") + f"{local.microsecond // 1000:03d}" + local.strftime("%z")


class Writer:
    """Writes answers for one caller: in their time zone, with links to ``base``, as Cloud or Data Center would."""

    def __init__(self, site: Site, base: str, zone: ZoneInfo, *, cloud: bool, agent: bool = True) -> None:
        self.site, self.zone, self.cloud, self.agent = site, zone, cloud, agent
        self.base = base
        self.api = f"{base}/rest/api/{3 if cloud else 2}"
        self.now = site.now()

    def issue(self, issue: Issue, fields: Iterable[str], *, changelog: bool = False, most: int = 100) -> dict[str, Any]:
        """One issue with the fields asked for; ``changelog`` newest first (Cloud) and at most ``most`` entries of it."""
        found: dict[str, Any] = {"expand": "", "id": issue.id, "self": f"{self.api}/issue/{issue.id}", "key": issue.key}
        wanted = self.fields(fields)
        if wanted:
            found["fields"] = {field.id: self.value(field, issue) for field in wanted}
        if changelog:
            told = issue.changes[::-1][:most] if self.cloud else issue.changes
            found["changelog"] = {
                "startAt": 0, "maxResults": len(told), "total": len(issue.changes),
                "histories": [self.change(change) for change in told],
            }  # fmt: skip
        return found

    def fields(self, asked: Iterable[str]) -> list[Field]:
        """The fields that a list such as ``summary,status`` or ``*all,-comment`` names; unknown ones are ignored."""
        every = [field for field in self.site.fields.values() if field.id not in _UNLISTED]
        names = [name.strip() for entry in asked for name in entry.split(",") if name.strip()]
        without = {name[1:] for name in names if name.startswith("-")}
        if any(name in ("*all", "*navigable") for name in names) or (without and len(without) == len(names)):
            return [field for field in every if field.id not in without]
        return [field for field in every if field.id in names and field.id not in without]

    def value(self, field: Field, issue: Issue) -> Any:
        """A field's value in an answer."""
        if field.id in ("created", "updated"):
            return stamp(getattr(issue, field.id), self.zone)
        value = issue.values.get(field.id)
        if value is None:
            return [] if field.kind == "options" else None
        write: Callable[[Any], Any] | None = {
            "project": lambda v: self.project(self.site.projects[v]),
            "status": lambda v: self.status(self.site.statuses[v]),
            "issuetype": lambda v: self.issue_type(self.site.types[v]),
            "option": lambda v: self._option(field, v),
            "options": lambda v: v if field.id == "labels" else [self._option(field, each) for each in v],
            "user": lambda v: self.person(self.site.people[v]),
            "date": lambda v: stamp(v, self.zone),
            "day": lambda v: v.isoformat(),
            "parent": lambda v: self._parent(field, v),
            "sprint": lambda v: [self._sprint(self.site.sprints[each]) for each in v] or None,
            "sla": lambda v: self.sla(field, v) if self.agent else None,
            "rating": lambda v: {"rating": v},
        }.get(field.kind)
        return write(value) if write else value

    def project(self, project: Project) -> dict[str, Any]:
        """A project."""
        return {
            "self": f"{self.api}/project/{project.id}", "id": project.id, "key": project.key, "name": project.name,
            "projectTypeKey": project.kind, "simplified": False, "avatarUrls": {},
        }  # fmt: skip

    def status(self, status: Status) -> dict[str, Any]:
        """A status with its category."""
        number, color, name = _CATEGORIES[status.category]
        return {
            "self": f"{self.api}/status/{status.id}", "description": "", "iconUrl": f"{self.base}/", "name": status.name,
            "id": status.id,
            "statusCategory": {
                "self": f"{self.api}/statuscategory/{number}", "id": number, "key": status.category, "colorName": color,
                "name": name,
            },
        }  # fmt: skip

    def issue_type(self, kind: IssueType) -> dict[str, Any]:
        """An issue type."""
        found = {
            "self": f"{self.api}/issuetype/{kind.id}", "id": kind.id, "description": "", "name": kind.name,
            "subtask": kind.level < 0,
        }  # fmt: skip
        return found | {"hierarchyLevel": kind.level} if self.cloud else found

    def person(self, person: Person) -> dict[str, Any]:
        """Somebody: by accountId on Cloud, by name and key on Data Center."""
        known = (
            {"accountId": person.id, "accountType": "atlassian"}
            if self.cloud
            else {"name": person.name, "key": person.name}
        )
        return {
            "self": f"{self.api}/user?{'accountId=' + person.id if self.cloud else 'username=' + person.name}", **known,
            "displayName": person.shown, "emailAddress": f"{person.name}@example.com", "active": True, "avatarUrls": {},
            "timeZone": str(self.zone),
        }  # fmt: skip

    def change(self, change: Change) -> dict[str, Any]:
        """One entry of a changelog."""
        found: dict[str, Any] = {
            "id": change.id, "created": stamp(change.at, self.zone), "items": [self._item(item) for item in change.items],
        }  # fmt: skip
        author = self.site.people.get(change.author)
        return found | {"author": self.person(author)} if author else found

    def _item(self, item: Any) -> dict[str, Any]:
        field = self.site.fields[item.field_id]
        named = {"field": field.name if field.custom else field.id, "fieldtype": "custom" if field.custom else "jira"}
        known = {"fieldId": field.id} if self.cloud else {}
        return {
            **named, **known, "from": item.old, "fromString": item.old_text, "to": item.new, "toString": item.new_text,
        }  # fmt: skip

    def sprint(self, sprint: Sprint) -> dict[str, Any]:
        """A sprint as the agile API writes it, times in UTC."""
        state = sprint.state(self.now)
        found = {
            "id": sprint.id, "self": f"{self.base}/rest/agile/1.0/sprint/{sprint.id}", "state": state, "name": sprint.name,
            "startDate": _utc(sprint.start), "endDate": _utc(sprint.end), "originBoardId": sprint.board, "goal": "",
        }  # fmt: skip
        return found | {"completeDate": _utc(sprint.complete)} if state == "closed" else found

    def board(self, board: Board) -> dict[str, Any]:
        """A board as the agile API writes it."""
        project = self.site.projects[board.project]
        return {
            "id": board.id, "self": f"{self.base}/rest/agile/1.0/board/{board.id}", "name": board.name, "type": board.kind,
            "location": {"projectId": int(project.id), "projectKey": project.key, "projectName": project.name},
        }  # fmt: skip

    def field(self, field: Field) -> dict[str, Any]:
        """A field as ``/field`` describes it."""
        found: dict[str, Any] = {
            "id": field.id, "key": field.id, "name": field.name, "custom": bool(field.custom), "orderable": True,
            "navigable": True, "searchable": True, "clauseNames": list(field.names),
            "schema": {"type": _TYPES.get(field.kind, field.kind)},
        }  # fmt: skip
        if field.custom:
            found["schema"] |= {"custom": field.custom, "customId": int(field.id.rpartition("_")[2])}
        else:
            found["schema"]["system"] = field.id
        return found

    def sla(self, field: Field, cycles: list[dict[str, Any]]) -> dict[str, Any]:
        """A service level: its completed cycles, and the one that runs."""
        done = [self._cycle(cycle) for cycle in cycles if cycle["stop"] is not None]
        found: dict[str, Any] = {
            "id": field.id.rpartition("_")[2],
            "name": field.name,
            "_links": {},
            "completedCycles": done,
        }
        running = [cycle for cycle in cycles if cycle["stop"] is None]
        if running:
            found["ongoingCycle"] = self._cycle(running[0])
        return found

    def _cycle(self, cycle: dict[str, Any]) -> dict[str, Any]:
        written = {"breached": cycle["breached"], "goalDuration": {"millis": cycle["goal"]}}
        for name, at in (("startTime", cycle["start"]), ("stopTime", cycle["stop"])):
            if at is not None:
                written[name] = {"iso8601": stamp(at, self.zone), "epochMillis": int(at.timestamp() * 1000)}
        if cycle["stop"] is not None:
            written["elapsedTime"] = {"millis": cycle["elapsed"]}
        return written

    def _option(self, field: Field, name: str) -> dict[str, Any]:
        key = "value" if field.custom else "name"
        return {"self": f"{self.api}/{field.id}/{name}", "id": name, key: name}

    def _parent(self, field: Field, issue_id: str) -> Any:
        parent = self.site.issues.get(issue_id)
        if parent is None:
            return None
        if field.custom:
            return parent.key
        kind = self.site.types[parent.values["issuetype"]]
        return {
            "id": parent.id, "key": parent.key, "self": f"{self.api}/issue/{parent.id}",
            "fields": {"summary": parent.values.get("summary", ""), "issuetype": self.issue_type(kind)},
        }  # fmt: skip

    def _sprint(self, sprint: Sprint) -> Any:
        state, done = sprint.state(self.now), sprint.complete <= self.now
        if self.cloud:
            found = {"id": sprint.id, "name": sprint.name, "state": state, "boardId": sprint.board, "goal": ""}
            found |= {"startDate": _utc(sprint.start), "endDate": _utc(sprint.end)}
            return found | {"completeDate": _utc(sprint.complete)} if done else found
        ended = stamp(sprint.complete, self.zone) if done else "<null>"
        return (
            f"com.atlassian.greenhopper.service.sprint.Sprint@{sprint.id:x}[id={sprint.id},rapidViewId={sprint.board},"
            f"state={state.upper()},name={sprint.name},startDate={stamp(sprint.start, self.zone)},"
            f"endDate={stamp(sprint.end, self.zone)},completeDate={ended},sequence={sprint.id},goal=]"
        )


def _utc(at: datetime) -> str:
    return stamp(at, ZoneInfo("UTC")).replace("+0000", "Z")
