"""What was in a sprint while it ran, rebuilt from the changelogs of issues: today's Sprint field lies about the past."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from bsc_monitor.kit.issues import Change, expect, instant, moves, number
from bsc_monitor.kit.statuses import Statuses
from bsc_monitor.plugin import Record


class Planned(Record):
    """An issue that was in a sprint while it ran."""

    key: str
    points: float | None = None
    committed: bool  # in the sprint and not done when it started
    added: bool  # came in after the start
    removed: bool  # was taken out before the end
    done: bool  # in the sprint and done at its end


class ClosedSprint(Record):
    """A closed sprint and what was in it, rebuilt from the changelogs."""

    id: str
    name: str
    board: str
    start: datetime
    completed: datetime
    issues: tuple[Planned, ...] = ()


class Tracked(NamedTuple):
    """An issue's sprints, points and statuses over time: (since, value), oldest first."""

    key: str
    sprints: list[tuple[datetime, set[str]]]
    points: list[tuple[datetime, float | None]]
    done: list[tuple[datetime, bool]]


def tracked(
    raw: Mapping[str, Any], changes: Sequence[Change], statuses: Statuses, membership: str, points: str | None
) -> Tracked:
    """An issue's sprints, points and statuses over time."""
    fields = expect(raw, "fields", dict)
    created = instant(fields.get("created")) or datetime.min.replace(tzinfo=UTC)
    sprints, sizes, done = [], [], []
    by_field = {name: [c for c in changes if c.field == name] for name in (membership, points, "status")}
    now_in = {_sprint_id(each) for each in fields.get(membership) or ()}
    first = by_field[membership][0].old if by_field[membership] else None
    sprints.append((created, now_in if first is None else _ids(first)))
    sprints += [(change.at, _ids(change.new)) for change in by_field[membership]]
    if points:
        before = by_field[points][0].old if by_field[points] else None
        sizes.append((created, number(fields.get(points)) if before is None else _size(before)))
        sizes += [(change.at, _size(change.new)) for change in by_field[points]]
    done += [(move.at, move.category == "done") for move in moves(fields, created, by_field["status"], statuses)]
    return Tracked(str(raw.get("key", "")), sprints, sizes, done)


def planned(life: Tracked, sprint: str, start: datetime, completed: datetime) -> Planned | None:
    """What an issue was to a sprint; None when it was not in it while it ran."""
    inside = sprint in (_at(life.sprints, start) or ())
    joined = next((at for at, held in life.sprints if start < at < completed and sprint in held), None)
    if not inside and joined is None:
        return None
    finished_before = bool(_at(life.done, start))
    stayed = sprint in (_at(life.sprints, completed) or ())
    size_at = start if inside else joined or completed
    return Planned(
        key=life.key, points=_at(life.points, size_at), committed=inside and not finished_before,
        added=not inside and not (joined is not None and bool(_at(life.done, joined))), removed=not stayed,
        done=stayed and bool(_at(life.done, completed)),
    )  # fmt: skip


def scope_of(sprints: Iterable[ClosedSprint], counts: Callable[[Planned], bool], *, points: bool) -> float:
    """How many issues of some sprints count, or how many points they have."""
    members = (issue for sprint in sprints for issue in sprint.issues)
    return sum((issue.points or 0.0) if points else 1.0 for issue in members if counts(issue))


def _sprint_id(value: Any) -> str:
    """Cloud gives an object, Data Center a string of Java."""
    if isinstance(value, dict):
        return str(value.get("id", ""))
    found = re.search(r"[\[,]id=(\d+)", str(value))
    return found[1] if found else str(value)


def _ids(text: str) -> set[str]:
    return {part.strip() for part in text.split(",") if part.strip()}


def _size(text: str) -> float | None:
    try:
        return float(text) if text else None
    except ValueError:
        return None


def _at(values: Sequence[tuple[datetime, Any]], at: datetime) -> Any:
    """The value that held at a moment; None before the first."""
    return next((value for since, value in reversed(values) if since <= at), None)
