"""``WAS`` and ``CHANGED``: what an issue's changelog says about a field's past."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from bsc_monitor.sandbox.jira.jql import Operand
from bsc_monitor.sandbox.jira.site import Issue, Item

Predicates = tuple[tuple[str, tuple[Operand, ...]], ...]
Moment = Callable[[Operand], datetime]

_EVER = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


def when_changed(predicates: Predicates, moment: Moment) -> Callable[[Issue, str], bool]:
    """A test: did a field change, from and to these values, in this time?"""
    start, end = _span(predicates, moment)
    old, new = (
        {str(operand).lower() for word, operands in predicates if word == which for operand in operands}
        for which in ("FROM", "TO")
    )

    def test(issue: Issue, field: str) -> bool:
        return any(
            start <= at <= end
            and (not old or bool(old & _names(item.old, item.old_text)))
            and (not new or bool(new & _names(item.new, item.new_text)))
            for at, item in _items(issue, field)
        )

    return test


def was(predicates: Predicates, moment: Moment) -> Callable[[Issue, str, set[str]], bool]:
    """A test: had a field one of these values, ever or in this time?"""
    start, end = _span(predicates, moment)

    def test(issue: Issue, field: str, wanted: set[str]) -> bool:
        items = list(_items(issue, field))
        first = _names(items[0][1].old, items[0][1].old_text) if items else _names(_text(issue.values.get(field)), None)
        held = [(issue.created, first), *((at, _names(item.new, item.new_text)) for at, item in items)]
        ends = [*(at for at, _ in held[1:]), _EVER[1]]
        return any(
            names & wanted and at <= end and until > start for (at, names), until in zip(held, ends, strict=True)
        )

    return test


def _span(predicates: Predicates, moment: Moment) -> tuple[datetime, datetime]:
    start, end = _EVER
    for word, operands in predicates:
        if word == "DURING":
            start, end = moment(operands[0]), moment(operands[1])
        elif word == "AFTER":
            start = moment(operands[0])
        elif word == "BEFORE":
            end = moment(operands[0])
        elif word == "ON":
            start = end = moment(operands[0])
    return start, end


def _items(issue: Issue, field: str) -> Iterator[tuple[datetime, Item]]:
    return ((change.at, item) for change in issue.changes for item in change.items if item.field_id == field)


def _names(stored: str | None, shown: str | None) -> set[str]:
    return {name.lower() for name in (stored, shown) if name}


def _text(value: object) -> str | None:
    return None if value is None else str(value)
