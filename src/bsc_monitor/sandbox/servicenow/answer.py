"""Rows as the Table and Aggregate APIs write them into an answer."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from bsc_monitor.sandbox.servicenow.instance import TIME_FORMAT, Column, Instance, Row, Table

_NUMBERS = ("integer", "decimal")


def wants(parameters: Mapping[str, str], name: str) -> bool:
    """Whether a yes/no parameter is on."""
    return parameters.get(name, "").lower() == "true"


class Writer:
    """Writes rows as one request's ``sysparm_*`` parameters ask."""

    def __init__(self, instance: Instance, table: Table, parameters: Mapping[str, str], base: str, zone: str) -> None:
        self.instance, self.table, self.base = instance, table, base
        self.zone = ZoneInfo(zone)
        self.display = parameters.get("sysparm_display_value", "false").lower()
        self.links = not wants(parameters, "sysparm_exclude_reference_link")
        asked = [name for name in parameters.get("sysparm_fields", "").split(",") if name]
        paths = asked or list(table.columns)
        found = {path: instance.column(table, path) for path in paths}
        self.columns = {path: column for path, column in found.items() if column}  # unknown fields: not a word

    def record(self, row: Row) -> dict[str, Any]:
        """One record of an answer."""
        return {path: self._field(path, column, row) for path, column in self.columns.items()}

    def _field(self, path: str, column: Column, row: Row) -> Any:
        value = self.instance.value(self.table, row, path)
        shown = self.shown(column, value) if self.display in ("true", "all") else ""
        link = f"{self.base}/api/now/table/{column.target}/{value}" if column.kind == "reference" and value else ""
        if self.display == "all":
            field = {"display_value": shown, "value": value}
            return {**field, "link": link} if link and self.links else field
        if self.display == "true":
            return {"display_value": shown, "link": link} if link and self.links else shown
        return {"link": link, "value": value} if link and self.links else value

    def shown(self, column: Column, value: str) -> str:
        """A value as the calling user reads it: in the user's zone, with labels for choices and references."""
        if column.kind == "date" and value:
            instant = datetime.strptime(value, TIME_FORMAT).replace(tzinfo=UTC)
            return instant.astimezone(self.zone).strftime(TIME_FORMAT)
        return self.instance.shown(column, value)


def statistics(instance: Instance, table: Table, rows: list[Row], parameters: Mapping[str, str]) -> dict[str, Any]:
    """The ``stats`` object over some rows; every number a string."""
    found: dict[str, Any] = {}
    if wants(parameters, "sysparm_count"):
        found["count"] = str(len(rows))
    for name in ("avg", "sum", "min", "max"):
        values = {
            path: _aggregate(name, instance, table, rows, path)
            for path in parameters.get(f"sysparm_{name}_fields", "").split(",")
            if path and instance.column(table, path)
        }
        if values:
            found[name] = values
    return found


def grouped(instance: Instance, table: Table, rows: list[Row], writer: Writer, parameters: Mapping[str, str]) -> Any:
    """The answer of the Aggregate API: an object ungrouped, a list when grouped."""
    by = {path: instance.column(table, path) for path in parameters.get("sysparm_group_by", "").split(",") if path}
    columns = {path: column for path, column in by.items() if column}
    if not columns:
        return {"stats": statistics(instance, table, rows, parameters)}
    groups: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        groups.setdefault(tuple(instance.value(table, row, path) for path in columns), []).append(row)
    return [
        {
            "stats": statistics(instance, table, members, parameters),
            "groupby_fields": [
                _group_field(writer, path, column, value)
                for (path, column), value in zip(columns.items(), values, strict=True)
            ],
        }
        for values, members in sorted(groups.items())
    ]


def _group_field(writer: Writer, path: str, column: Column, value: str) -> dict[str, str]:
    if writer.display == "all":
        return {"display_value": writer.shown(column, value), "field": path, "value": value}
    return {"value": writer.shown(column, value) if writer.display == "true" else value, "field": path}


def _aggregate(name: str, instance: Instance, table: Table, rows: list[Row], path: str) -> str:
    """One aggregate of one field; "" where no row has a value."""
    values = [value for row in rows if (value := instance.value(table, row, path))]
    if not values:
        return ""
    column = instance.column(table, path)
    if column is None or column.kind not in _NUMBERS:
        return {"min": min(values), "max": max(values)}.get(name, "")
    numbers = [float(value) for value in values]
    if name == "avg":
        return f"{sum(numbers) / len(numbers):.4f}"
    result = sum(numbers) if name == "sum" else min(numbers) if name == "min" else max(numbers)
    return str(int(result)) if column.kind == "integer" else f"{result:.2f}"
