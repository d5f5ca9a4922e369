"""Jira's answers as records: issues with the history of their status, and their service levels. Read leniently.

What real servers send does not keep to the vendor's schema: offsets without a colon, null where a string is promised,
times as numbers, people by two kinds of names.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from bsc_monitor.kit.flow import Move
from bsc_monitor.kit.jira_site import Site
from bsc_monitor.kit.statuses import Statuses
from bsc_monitor.plugin import CollectorError, Record, SourceError


class Cycle(Record):
    """A completed cycle of a service level."""

    sla: str
    start: datetime
    stop: datetime
    elapsed: float | None = None  # seconds by the service level's calendar
    breached: bool


class Issue(Record):
    """An issue with its status history; the first move is its creation."""

    id: str
    key: str
    project: str = ""
    type: str = ""
    type_id: str = ""
    subtask: bool = False
    status: str = ""
    priority: str = ""
    assignee: str = ""
    component: str = ""
    label: str = ""
    created: datetime
    updated: datetime
    points: float | None = None
    history: tuple[Move, ...] = ()
    cycles: tuple[Cycle, ...] = ()
    rating: float | None = None
    rated: datetime | None = None


class Change(NamedTuple):
    """One field that a changelog entry touched."""

    at: datetime
    order: int  #: of entries of one instant
    field: str
    old: str
    new: str
    text: str  #: what people read for the new value


def instant(value: Any) -> datetime | None:
    """A time of Jira: ISO with any offset, or seconds or milliseconds since the epoch. Raises SourceError(SCHEMA)."""
    if value is None or value == "":
        return None
    try:
        if isinstance(value, (int, float)):
            return datetime.fromtimestamp(value / 1000 if value > 100_000_000_000 else value, UTC)
        at = datetime.fromisoformat(str(value))
    except (ValueError, OverflowError, OSError):
        raise SourceError(f"{str(value)[:40]!r} is not a time of Jira", CollectorError.SCHEMA) from None
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def expect(body: Any, name: str, kind: type) -> Any:
    """A field that an answer must have. Raises SourceError(SCHEMA)."""
    value = body.get(name) if isinstance(body, dict) else None
    if not isinstance(value, kind):
        raise SourceError(f"Jira's answer has no {name}", CollectorError.SCHEMA)
    return value


def shown(value: Any, *names: str) -> str:
    """What people read for a value that is an object, or the value itself."""
    if isinstance(value, dict):
        found = next((value[name] for name in names or ("name", "value", "displayName", "key") if value.get(name)), "")
        return str(found)
    return "" if value is None else str(value)


def values_of(value: Any) -> list[str]:
    """The breakdown values of a field; none is a value too."""
    many = value if isinstance(value, list) else [value]
    return [label for each in many if (label := shown(each))] or ["none"]


def first(value: Any) -> str:
    """What people read for the first of a list."""
    return shown(value[0]) if isinstance(value, list) and value else ""


def number(value: Any) -> float | None:
    """A number; None for anything else."""
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def told(histories: Any, names: Mapping[str, str], wanted: set[str]) -> Iterable[Change]:
    """The changes of some fields out of changelog entries."""
    for history in histories or ():
        at, order = instant(history.get("created")), str(history.get("id", ""))
        for item in history.get("items") or ():
            field_id = item.get("fieldId") or names.get(str(item.get("field", "")).lower(), "")
            if at is not None and field_id in wanted:
                yield Change(
                    at, int(order) if order.isdigit() else 0, field_id, str(item.get("from") or ""),
                    str(item.get("to") or ""), str(item.get("toString") or ""),
                )  # fmt: skip


def issue_of(
    raw: Mapping[str, Any], changes: Sequence[Change], site: Site, statuses: Statuses, points: str | None
) -> Issue:
    """A record out of an issue of a search."""
    fields = expect(raw, "fields", dict)
    created, updated = instant(fields.get("created")), instant(fields.get("updated"))
    kind, project = fields.get("issuetype") or {}, fields.get("project") or {}
    if created is None or updated is None:
        raise SourceError(f"{raw.get('key')}: Jira's answer has no created or updated", CollectorError.SCHEMA)
    rating, rated = site.custom(":sd-request-feedback"), site.custom(":sd-request-feedback-date")
    given = fields.get(rating[0]) if rating else None
    return Issue(
        id=str(raw["id"]), key=str(raw.get("key", "")), project=shown(project, "key"), type=shown(kind, "name"),
        type_id=shown(kind, "id"), subtask=bool(kind.get("subtask")), status=shown(fields.get("status"), "name"),
        priority=shown(fields.get("priority")), assignee=shown(fields.get("assignee"), "displayName", "name"),
        component=first(fields.get("components")), label=first(fields.get("labels")), created=created, updated=updated,
        points=number(fields.get(points)) if points else None, history=moves(fields, created, changes, statuses),
        cycles=tuple(c for f in site.custom(":sd-sla-field") for c in completed(fields.get(f))),
        rating=number(given.get("rating") if isinstance(given, dict) else given),
        rated=instant(fields.get(rated[0])) if rated else None,
    )  # fmt: skip


def moves(
    fields: Mapping[str, Any], created: datetime, changes: Sequence[Change], statuses: Statuses
) -> tuple[Move, ...]:
    """The status history: the first status is what the first change left; without changes, today's.

    What a status meant is that of the day of the move; where it came to mean another category since, that is a move, too.
    """
    today = fields.get("status") or {}
    initial = changes[0].old if changes else shown(today, "id")
    entered = [
        (created, initial, shown(today, "name") if not changes else ""),
        *((c.at, c.new, c.text) for c in changes),
    ]
    lefts: list[datetime | None] = [*(at for at, _, _ in entered[1:]), None]
    found = []
    for (at, status, text), left in zip(entered, lefts, strict=True):
        meant, names = statuses.at(status, at), statuses.names(status)
        name, category = (names[0], meant.category) if meant else (text, "")
        if not category and status == shown(today, "id"):
            category = shown(today.get("statusCategory"), "key")
        called = tuple(dict.fromkeys([*names, *([text] if text else [])]))
        found.append(Move(at=at, status=status, name=name, names=called, category=category))
        found += [
            Move(at=since, status=status, name=name, names=called, category=meaning)
            for since, meaning in statuses.turns(status, at, left)
        ]
    return tuple(found)


def completed(value: Any) -> Iterable[Cycle]:
    """The completed cycles of a service level's field."""
    if not isinstance(value, dict):
        return
    for cycle in value.get("completedCycles") or ():
        start, stop = (instant((cycle.get(n) or {}).get("epochMillis")) for n in ("startTime", "stopTime"))
        millis = (cycle.get("elapsedTime") or {}).get("millis")
        if start and stop:
            yield Cycle(
                sla=str(value.get("name", "")), start=start, stop=stop, breached=bool(cycle.get("breached")),
                elapsed=None if millis is None else millis / 1000,
            )  # fmt: skip
