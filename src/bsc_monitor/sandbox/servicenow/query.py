"""The encoded query language of ``sysparm_query``, with the vendor's habit of ignoring what it does not understand."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from bsc_monitor.sandbox.servicenow.instance import TIME_FORMAT, Column, Instance, Row, Table, stamp

Test = Callable[[Row], bool]

_TERM = re.compile(
    r"(?P<path>[a-z0-9_.]+)(?P<operator>ISNOTEMPTY|ISEMPTY|NOT IN|NOT LIKE|STARTSWITH|ENDSWITH|BETWEEN|LIKE|IN|!=|>=|<=|=|>|<)"
    r"(?P<value>.*)",
    re.DOTALL,
)
_GENERATE = re.compile(r"javascript:gs\.dateGenerate\(\s*['\"]([^'\"]+)['\"]\s*(?:,\s*['\"]([^'\"]+)['\"]\s*)?\)")
_VALUELESS = ("ISEMPTY", "ISNOTEMPTY")


@dataclass(slots=True)
class Query:
    """A parsed query: alternatives (``^NQ``) of conditions (``^``) of options (``^OR``), and the order asked for."""

    alternatives: list[list[list[Test]]] = field(default_factory=lambda: [[]])
    order: list[tuple[str, bool]] = field(default_factory=list)  #: (path, descending)

    def matches(self, row: Row) -> bool:
        """Whether a row satisfies any alternative."""
        return any(all(any(test(row) for test in options) for options in all_of) for all_of in self.alternatives)


def parse(text: str, instance: Instance, table: Table, timezone: str = "UTC") -> Query:
    """Read an encoded query. Terms that make no sense are dropped without a word, as the vendor does."""
    query = Query()
    for term in _split(text):
        body = term
        if body.startswith("NQ"):
            query.alternatives.append([])
            body = body[2:]
        joined = body.startswith("OR") and not body.startswith("ORDERBY")
        body = body[2:] if joined else body
        if body.startswith("ORDERBY"):
            _add_order(query, body, instance, table)
            continue
        test = _term(body, instance, table, timezone)
        if test is None:
            continue
        group = query.alternatives[-1]
        if joined and group:
            group[-1].append(test)
        else:
            group.append([test])
    return query


def select(instance: Instance, table: Table, text: str, timezone: str = "UTC") -> list[Row]:
    """The rows that match, in the order asked for (in the order of insertion where none is)."""
    query = parse(text, instance, table, timezone)
    rows = [row for row in list(table.rows.values()) if query.matches(row)]
    for path, descending in reversed(query.order):
        column = instance.column(table, path)
        numeric = column is not None and column.kind in ("integer", "decimal")

        def key(row: Row, path: str = path, numeric: bool = numeric) -> tuple[float, str]:
            value = instance.value(table, row, path)
            return (_number(value) or 0.0, value) if numeric else (0.0, value)

        rows.sort(key=key, reverse=descending)
    return rows


def _split(text: str) -> list[str]:
    """Terms between ``^``; a doubled ``^^`` is a caret inside a value."""
    return [part.replace("\0", "^") for part in text.replace("^^", "\0").split("^") if part and part != "EQ"]


def _add_order(query: Query, body: str, instance: Instance, table: Table) -> None:
    descending = body.startswith("ORDERBYDESC")
    path = body.removeprefix("ORDERBYDESC" if descending else "ORDERBY")
    if instance.column(table, path):
        query.order.append((path, descending))


def _term(body: str, instance: Instance, table: Table, timezone: str) -> Test | None:
    match = _TERM.fullmatch(body)
    if match is None:
        return None
    path, operator, raw = match["path"], match["operator"], match["value"]
    column = instance.column(table, path)
    if column is None or (operator in _VALUELESS and raw):
        return None
    values = [_literal(part, timezone) for part in _operands(operator, raw)]
    if any(value is None for value in values) or (operator == "BETWEEN" and len(values) != 2):
        return None
    test = _comparison(operator, [value or "" for value in values], column)
    if "." in path:
        return lambda row: test(instance.value(table, row, path))
    return lambda row: test(row.get(path, ""))


def _operands(operator: str, raw: str) -> list[str]:
    if operator in ("IN", "NOT IN"):
        return raw.split(",")
    return raw.split("@") if operator == "BETWEEN" else [raw]


def _literal(text: str, timezone: str) -> str | None:
    """A value, with ``gs.dateGenerate`` read in the user's zone; None for a script this sandbox does not know."""
    if not text.startswith("javascript:"):
        return text
    match = _GENERATE.fullmatch(text)
    if match is None:
        return None
    try:
        local = datetime.strptime(f"{match[1]} {match[2] or '00:00:00'}", TIME_FORMAT).replace(
            tzinfo=ZoneInfo(timezone)
        )
    except ValueError:
        return None
    return stamp(local.astimezone(UTC))


def _comparison(operator: str, values: list[str], column: Column) -> Callable[[str], bool]:
    value = values[0]
    folded = value.casefold()
    simple: dict[str, Callable[[str], bool]] = {
        "=": lambda v: v == value,
        "!=": lambda v: v != value,
        "IN": frozenset(values).__contains__,
        "NOT IN": lambda v: v not in values,
        "LIKE": lambda v: folded in v.casefold(),
        "NOT LIKE": lambda v: folded not in v.casefold(),
        "STARTSWITH": lambda v: v.casefold().startswith(folded),
        "ENDSWITH": lambda v: v.casefold().endswith(folded),
        "ISEMPTY": lambda v: v == "",
        "ISNOTEMPTY": lambda v: v != "",
    }
    return simple.get(operator) or _ordered(operator, values, column)


def _ordered(operator: str, values: list[str], column: Column) -> Callable[[str], bool]:
    """A comparison of size: an empty value is never larger or smaller than anything."""
    numeric = column.kind in ("integer", "decimal", "choice") and all(_number(v) is not None for v in values)
    if column.kind == "date":
        values = [v if len(v) > 10 else f"{v} 00:00:00" for v in values]

    def key(value: str) -> tuple[float, str]:
        return (_number(value) or 0.0, "") if numeric else (0.0, value)

    low, high = key(values[0]), key(values[-1])
    compare: Callable[[tuple[float, str]], bool] = {
        ">": lambda v: v > low,
        ">=": lambda v: v >= low,
        "<": lambda v: v < low,
        "<=": lambda v: v <= low,
        "BETWEEN": lambda v: low <= v <= high,
    }[operator]
    return lambda value: bool(value) and compare(key(value))


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
