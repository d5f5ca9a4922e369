"""What a Jira site holds: projects, statuses, people, boards, sprints, and issues with everything that happened to them."""

import heapq
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from bsc_monitor.sandbox.jira.fields import FIELDS, Field

Category = Literal["new", "indeterminate", "done"]


@dataclass(frozen=True, slots=True)
class Status:
    """A workflow status. Its name may be in any language; its category is what it means."""

    id: str
    name: str
    category: Category


@dataclass(frozen=True, slots=True)
class Project:
    """A project. ``kind`` decides what Jira calls its type."""

    id: str
    key: str
    name: str
    kind: Literal["software", "service_desk", "business"] = "software"


@dataclass(frozen=True, slots=True)
class IssueType:
    """A type of issue: level 1 is an epic, 0 an ordinary one, -1 a sub-task."""

    id: str
    name: str
    level: int = 0


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody, as Cloud (``id``) and Data Center (``name``) know them."""

    id: str
    name: str
    shown: str


@dataclass(frozen=True, slots=True)
class Sprint:
    """A sprint; its state follows from the time."""

    id: int
    name: str
    board: int
    start: datetime
    end: datetime
    complete: datetime

    def state(self, now: datetime) -> str:
        """``future``, ``active`` or ``closed`` at a moment."""
        return "closed" if now >= self.complete else "active" if now >= self.start else "future"


@dataclass(frozen=True, slots=True)
class Board:
    """A scrum or kanban board of one project."""

    id: int
    name: str
    project: str  #: key
    kind: Literal["scrum", "kanban"] = "scrum"


@dataclass(frozen=True, slots=True)
class Item:
    """One field that a change touched, as the changelog tells it: ids in ``old`` and ``new``, names in the ``_text``."""

    field_id: str
    old: str | None
    new: str | None
    old_text: str | None = None
    new_text: str | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """One entry of an issue's changelog."""

    id: str
    at: datetime
    author: str  #: person id
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """Something that happens to an issue: values that it gets, and what the changelog tells of it (perhaps nothing)."""

    at: datetime
    values: Mapping[str, Any]
    author: str = ""
    items: tuple[Item, ...] = ()


@dataclass(slots=True)
class Issue:
    """An issue as it is now. ``values`` by field id: ids of statuses and types, keys of projects, names of the rest."""

    id: str
    created: datetime
    updated: datetime
    values: dict[str, Any] = field(default_factory=dict)
    changes: list[Change] = field(default_factory=list)  #: oldest first

    @property
    def key(self) -> str:
        """The key, which a move to another project changes."""
        return str(self.values["issuekey"])


class Site:
    """The whole site. It may hold what is still to come, so that a generated company lives on while it is watched."""

    def __init__(
        self,
        now: Callable[[], datetime],
        *,
        projects: Iterable[Project] = (),
        statuses: Iterable[Status] = (),
        types: Iterable[IssueType] = (),
        people: Iterable[Person] = (),
        boards: Iterable[Board] = (),
        sprints: Iterable[Sprint] = (),
        fields: Iterable[Field] = FIELDS,
    ) -> None:
        self.now = now
        self.projects = {project.key: project for project in projects}
        self.statuses = {status.id: status for status in statuses}
        self.types = {kind.id: kind for kind in types}
        self.people = {person.id: person for person in people}
        self.boards = {board.id: board for board in boards}
        self.sprints = {sprint.id: sprint for sprint in sprints}
        self.fields = {each.id: each for each in fields}
        self.issues: dict[str, Issue] = {}
        self.lock = threading.RLock()  # requests are answered in threads
        self._keys: dict[str, str] = {}  # every key an issue ever had → its id
        self._coming: list[tuple[datetime, int, str, Step]] = []
        self._told = 0

    def tell(self, issue_id: str, steps: Sequence[Step]) -> None:
        """Tell an issue's life, its creation first: the steps up to now have happened, the others are planned."""
        now = self.now()
        for step in steps:
            self._told += 1
            if step.at <= now:
                self._happen(issue_id, step, self._told)
            else:
                heapq.heappush(self._coming, (step.at, self._told, issue_id, step))

    def advance(self) -> None:
        """Let every planned step up to now happen."""
        now = self.now()
        while self._coming and self._coming[0][0] <= now:
            _, number, issue_id, step = heapq.heappop(self._coming)
            self._happen(issue_id, step, number)

    def find(self, key_or_id: str) -> Issue | None:
        """An issue by id or by any key that it has or had."""
        return self.issues.get(key_or_id) or self.issues.get(self._keys.get(key_or_id.upper(), ""))

    def change(self, issue_id: str, at: datetime, author: str = "", **values: Any) -> None:
        """Change fields of an issue now or later, with an entry in its changelog."""
        issue = self.issues[issue_id]
        items = tuple(self._item(issue, name, value) for name, value in values.items())
        self.tell(issue_id, [Step(at, values, author, items)])

    def delete(self, issue_id: str) -> None:
        """Remove an issue for good, as an administrator can."""
        self.issues.pop(issue_id, None)

    def text(self, field_id: str, value: Any) -> str | None:
        """What people read for a stored value."""
        if value is None or value == []:
            return None
        if isinstance(value, list):
            return ", ".join(str(self.text(field_id, each)) for each in value)
        known: dict[str, Mapping[Any, Any]] = {
            "status": self.statuses, "issuetype": self.types, "project": self.projects, "sprint": self.sprints,
        }  # fmt: skip
        kind = self.fields[field_id].kind
        if kind == "user":
            return self.people[value].shown if value in self.people else str(value)
        found = known.get(kind, {}).get(value)
        return str(found.name if found else value)

    def _item(self, issue: Issue, name: str, value: Any) -> Item:
        before = issue.values.get(name)
        return Item(name, _stored(before), _stored(value), self.text(name, before), self.text(name, value))

    def _happen(self, issue_id: str, step: Step, number: int) -> None:
        issue = self.issues.get(issue_id)
        if issue is None:
            if "issuekey" not in step.values:
                return  # deleted in the meantime
            issue = self.issues[issue_id] = Issue(issue_id, step.at, step.at)
        issue.values.update(step.values)
        issue.updated = max(issue.updated, step.at)
        self._keys[issue.key.upper()] = issue_id
        if step.items:
            issue.changes.append(Change(str(100_000 + number), step.at, step.author, step.items))


def _stored(value: Any) -> str | None:
    if value is None or value == []:
        return None
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def once(make: Callable[[], Site]) -> Callable[[], Site]:
    """Make a site when it is first asked for, and the same one for everybody."""
    lock, made = threading.Lock(), list[Site]()

    def load() -> Site:
        with lock:
            if not made:
                made.append(make())
            return made[0]

    return load
