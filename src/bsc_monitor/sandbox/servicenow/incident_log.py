"""An audit-event log of incidents, one row an update, served as the ServiceNow tables it came from.

The last row of an incident is its final state. ``?`` and state ``-100`` are unknown and become empty values.
Times are ``D/M/YYYY HH:MM`` and are taken as UTC.
"""

import csv
import gzip
import io
import zlib
from collections.abc import Callable
from datetime import datetime
from hashlib import md5
from pathlib import Path

from bsc_monitor.sandbox.servicenow.instance import TIME_FORMAT, Loader, Row, Table
from bsc_monitor.sandbox.servicenow.tables import GROUP_COLUMNS, INCIDENT_COLUMNS, USER_COLUMNS

_STATES = {"new": "1", "active": "2", "resolved": "6", "closed": "7"}  # every "Awaiting …" is On Hold, 3
_TIMES = ("opened_at", "resolved_at", "closed_at")
_COUNTS = ("reassignment_count", "reopen_count", "sys_mod_count")
_NUMBERED = ("priority", "impact", "urgency")  # "3 - Moderate"
_PLAIN = (
    "number",
    "active",
    "made_sla",
    "contact_type",
    "category",
    "subcategory",
    "knowledge",
    "u_symptom",
    "location",
)
_REFERENCES = {"assignment_group": "sys_user_group", "assigned_to": "sys_user", "caller_id": "sys_user",
               "opened_by": "sys_user", "resolved_by": "sys_user"}  # fmt: skip
_NEEDED = {"number", "incident_state", "opened_at", "resolved_at", "closed_at", "sys_updated_at", "priority"}


def load(path: Path) -> dict[str, Loader]:
    """The tables of a log file. Raises OSError where it cannot be read, ValueError (file:line) where it is no such log."""
    raw = path.read_bytes()
    try:
        text = gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw
    except (OSError, EOFError, zlib.error) as error:
        raise ValueError(f"{path}: a broken gzip file: {error}") from error
    last: dict[str, dict[str, str]] = {}
    reader = csv.DictReader(io.StringIO(text.decode("utf-8-sig")))
    missing = _NEEDED - set(reader.fieldnames or ())
    if missing:
        raise ValueError(f"{path}:1: not an incident log: column {', '.join(sorted(missing))} is missing")
    people: dict[str, dict[str, Row]] = {"sys_user": {}, "sys_user_group": {}}
    for event in reader:
        last[event["number"]] = event
    rows = []
    for number, event in last.items():
        try:
            rows.append(_incident(event, people))
        except ValueError as error:
            raise ValueError(f"{path}: incident {number}: {error}") from error
    incidents = Table("incident", INCIDENT_COLUMNS, shown_by="number", prefix="INC")
    incidents.add(rows)
    users, groups = Table("sys_user", USER_COLUMNS), Table("sys_user_group", GROUP_COLUMNS)
    users.add(people["sys_user"].values())
    groups.add(people["sys_user_group"].values())
    return {table.name: _loaded(table) for table in (incidents, users, groups)}


def _loaded(table: Table) -> Callable[[], Table]:
    return lambda: table


def _incident(event: dict[str, str], people: dict[str, dict[str, Row]]) -> Row:
    known = {name: "" if value in ("?", "-100") else value or "" for name, value in event.items() if name}
    row = {name: known.get(name, "") for name in (*_PLAIN, *_COUNTS)}
    row |= {name: known.get(name, "").split(" ")[0] for name in _NUMBERED}
    row |= {name: _time(known[name]) for name in _TIMES}
    state = known["incident_state"].lower()
    row["state"] = row["incident_state"] = _STATES.get(state, "3" if state.startswith("awaiting") else "")
    row["sys_class_name"] = "incident"
    row["sys_id"] = _sys_id(row["number"])
    row["sys_created_on"] = _time(known.get("sys_created_at", ""))
    row["sys_updated_on"] = _time(known["sys_updated_at"])
    row["close_code"] = known.get("closed_code", "")
    for name, target in _REFERENCES.items():
        shown = " ".join(known.get(name, "").split())
        row[name] = _sys_id(f"{target}:{shown}") if shown else ""
        if shown:
            people[target].setdefault(row[name], {"sys_id": row[name], "name": shown})
    return row


def _time(text: str) -> str:
    return datetime.strptime(text, "%d/%m/%Y %H:%M").strftime(TIME_FORMAT) if text else ""  # noqa: DTZ007 - UTC throughout


def _sys_id(name: str) -> str:
    return md5(name.encode(), usedforsecurity=False).hexdigest()
