"""ServiceNow's answers as rows and groups. All raise SourceError(SCHEMA) on what is none."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from bsc_monitor.kit.servicenow_query import dotted, narrowed
from bsc_monitor.plugin import CollectorError, Reply, SourceError

Row = dict[str, tuple[str, str]]  # column → (stored value, what people read)
Labels = tuple[tuple[str, str], ...]
_NONE = "none"  # a breakdown value that is empty


@dataclass(frozen=True, slots=True)
class Records:
    """What a walk brought home, and how many records access rules kept from us."""

    rows: list[Row]
    lost: int


@dataclass(frozen=True, slots=True)
class Group:
    """A count or aggregate of one breakdown value (of all records without breakdown)."""

    count: int
    value: float | None
    query: str


def instant(text: str) -> datetime | None:
    """A vendor's time; None for an empty one."""
    if not text:
        return None
    try:
        return datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
    except ValueError:
        raise SourceError(f"{text!r} is not a ServiceNow time", CollectorError.SCHEMA) from None


def number(text: str) -> float:
    """A vendor's number."""
    try:
        return float(text)
    except ValueError:
        raise SourceError(f"{text!r} is not a number", CollectorError.SCHEMA) from None


def total_of(reply: Reply) -> int:
    """How many records there are, whatever came of them."""
    try:
        return int(reply.headers["X-Total-Count"])
    except (KeyError, ValueError):
        raise SourceError(
            "the answer says not how many records there are (X-Total-Count)", CollectorError.SCHEMA
        ) from None


def group_of(answer: Any, query: str, function: str, field: str) -> Group:
    """A statistic of the Aggregate API."""
    try:
        stats = answer["stats"]
        value = stats[function][field] if field else ""
        return Group(int(stats["count"]), number(value) if value else None, query)
    except (KeyError, TypeError, ValueError) as error:
        raise SourceError(f"not a statistic of ServiceNow's Aggregate API: {error!r}", CollectorError.SCHEMA) from error


def group_value(answer: Any) -> tuple[str, str]:
    """A group's stored value and what people read."""
    try:
        value = answer["groupby_fields"][0]
        return value["value"], value["display_value"] or value["value"] or _NONE
    except (KeyError, IndexError, TypeError) as error:
        raise SourceError(f"not a group of ServiceNow's Aggregate API: {error!r}", CollectorError.SCHEMA) from error


def split(
    known: list[tuple[Row, float]], query: str, by: Iterable[str], prefix: str = ""
) -> list[tuple[Labels, str, list[tuple[Row, float]]]]:
    """All rows, and those of each value of each dimension, with the query that finds them."""
    groups: dict[tuple[Labels, str], list[tuple[Row, float]]] = {((), query): known}
    for name in by:
        path = dotted(prefix, name)
        for row, value in known:
            stored, shown = row[path]
            labels = ((name, shown or stored or _NONE),)
            groups.setdefault((labels, narrowed(query, path, stored)), []).append((row, value))
    return [(labels, found, members) for (labels, found), members in groups.items()]
