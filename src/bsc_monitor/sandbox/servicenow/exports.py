"""An admin's own exports served as the tables they came from: one ``TABLE.json`` or ``TABLE.csv`` each.

JSON is what the Table API answers (``{"result": […]}`` or the list alone), values plain or as ``{value, display_value, link}``.
CSV has column names in its first line; choices and references may be given by what people read ("3 - Moderate", a group's
name). Times are UTC, ``YYYY-MM-DD HH:MM:SS``. Columns that this sandbox does not know get the type their values look like.
"""

import csv
import json
import re
from collections.abc import Callable, Iterable, Mapping
from hashlib import md5
from pathlib import Path
from typing import Any

from bsc_monitor.sandbox.servicenow.instance import (
    BOOLEAN,
    DATE,
    DECIMAL,
    STRING,
    SYSTEM,
    Column,
    Loader,
    Table,
    reference,
)
from bsc_monitor.sandbox.servicenow.tables import COLUMNS

_SHAPES = (
    (re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"), DATE),
    (re.compile(r"-?\d+(\.\d+)?"), DECIMAL),
    (re.compile(r"true|false"), BOOLEAN),
)
_PREFIXES = {"incident": "INC", "problem": "PRB", "change_request": "CHG", "sc_req_item": "RITM"}

Raw = dict[str, Any]


def load_exports(folder: Path) -> dict[str, Loader]:
    """The tables of a folder. Raises OSError, and ValueError naming file and record where one cannot be read."""
    raw = {file.stem: _records(file) for file in sorted(folder.glob("*")) if file.suffix in (".json", ".csv")}
    if not raw:
        raise ValueError(f"{folder}: holds no TABLE.json or TABLE.csv")
    tables = {name: _table(name, records) for name, records in raw.items()}
    known = {name: _names(name, records) for name, records in raw.items()}
    for name, records in raw.items():
        for number, record in enumerate(records, 1):
            row = {
                column: _stored(f"{name}, record {number}", tables, known, kind, record[column])
                for column, kind in tables[name].columns.items()
                if column in record
            }
            row["sys_id"] = _key(name, number, record)
            tables[name].add([row])
    return {name: _loaded(table) for name, table in tables.items()}


def _loaded(table: Table) -> Callable[[], Table]:
    return lambda: table


def _records(file: Path) -> list[Raw]:
    if file.suffix == ".csv":
        with file.open(encoding="utf-8-sig", newline="") as lines:
            return [{name: value or "" for name, value in line.items() if name} for line in csv.DictReader(lines)]
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{file}: not JSON: {error}") from error
    found = content.get("result") if isinstance(content, dict) else content
    if not isinstance(found, list) or not all(isinstance(record, dict) for record in found):
        raise ValueError(f"{file}: not an answer of the Table API: a list of records was expected")
    return found


def _table(name: str, records: list[Raw]) -> Table:
    columns: dict[str, Column] = {**SYSTEM, **COLUMNS.get(name, {})}
    for column in dict.fromkeys(column for record in records for column in record):
        if column not in columns:
            columns[column] = _looks_like([record[column] for record in records if record.get(column)])
    shown = next((column for column in ("name", "number") if column in columns), "sys_id")
    return Table(name, columns, shown_by=shown, prefix=_PREFIXES.get(name, ""))


def _looks_like(values: list[Any]) -> Column:
    for value in values:
        target = re.search(r"/table/(\w+)/", str(value.get("link", ""))) if isinstance(value, dict) else None
        if target:
            return reference(target[1])
    plain = [_plain(value) for value in values]
    return next((column for shape, column in _SHAPES if plain and all(map(shape.fullmatch, plain))), STRING)


def _plain(value: Any) -> str:
    value = value.get("value", "") if isinstance(value, dict) else value
    return str(value).lower() if isinstance(value, bool) else "" if value is None else str(value)


def _key(name: str, number: int, record: Mapping[str, Any]) -> str:
    own = _plain(record.get("sys_id", ""))
    return own or _hash(f"{name}:{_plain(record.get('number', '')) or number}")


def _hash(name: str) -> str:
    return md5(name.encode(), usedforsecurity=False).hexdigest()


def _names(name: str, records: Iterable[Raw]) -> dict[str, str]:
    """What people call a record → its key, for references given by name."""
    return {
        _plain(record[column]): _key(name, number, record)
        for number, record in enumerate(records, 1)
        for column in ("name", "number")
        if record.get(column)
    }


def _stored(place: str, tables: dict[str, Table], known: dict[str, dict[str, str]], column: Column, value: Any) -> str:
    """A value as the instance stores it; a reference to a record that was not exported makes that record."""
    text = _plain(value)
    if column.kind == "date" and text and not _SHAPES[0][0].fullmatch(text):
        raise ValueError(f"{place}: {text!r} is not a UTC time such as 2026-06-30 14:05:00")
    if column.kind == "choice":
        return next((key for key, label in column.labels.items() if label == text), text)
    if column.kind != "reference" or not text:
        return text
    names = known.setdefault(column.target, {})
    is_key = isinstance(value, dict) or re.fullmatch(r"[0-9a-f]{32}", text) is not None
    key = text if is_key else names.setdefault(text, _hash(f"{column.target}:{text}"))
    shown = str(value.get("display_value") or text) if isinstance(value, dict) else text
    _mention(tables, column.target, key, shown)
    return key


def _mention(tables: dict[str, Table], name: str, key: str, shown: str) -> None:
    """Make the record that is referred to, unless it is a task: those are exported or left out."""
    columns = {**SYSTEM, "name": STRING, **COLUMNS.get(name, {})}
    if "number" not in columns:
        table = tables.setdefault(name, Table(name, columns))
        table.rows.setdefault(key, {"sys_id": key, "name": shown})
