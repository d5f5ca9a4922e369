"""What a ServiceNow instance holds: tables of rows whose values are all strings, joined by references."""

import heapq
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

Row = dict[str, str]
TIME_FORMAT = "%Y-%m-%d %H:%M:%S"


def stamp(instant: datetime) -> str:
    """An instant as the vendor stores it: UTC, to the second, without a zone."""
    return instant.astimezone(UTC).isoformat(" ", "seconds")[:19]  # four times as fast as strftime


@dataclass(frozen=True, slots=True)
class Column:
    """A column's type: decides how it is compared and shown."""

    kind: Literal["string", "integer", "decimal", "boolean", "date", "duration", "choice", "reference"] = "string"
    target: str = ""  #: table that a reference points to
    labels: Mapping[str, str] = field(default_factory=dict)  #: of a choice: value → what people read


STRING = Column()
INTEGER = Column("integer")
DECIMAL = Column("decimal")
BOOLEAN = Column("boolean")
DATE = Column("date")
DURATION = Column("duration")
SYSTEM = {"sys_id": STRING, "sys_created_on": DATE, "sys_updated_on": DATE, "sys_mod_count": INTEGER}


def choice(labels: Mapping[str, str]) -> Column:
    """A column of numbered or named choices with the labels that people read."""
    return Column("choice", labels=labels)


def reference(target: str) -> Column:
    """A column that holds a ``sys_id`` of another table."""
    return Column("reference", target=target)


@dataclass(slots=True)
class Table:
    """One table. It may hold changes of the future, so that a generated company lives on while it is watched."""

    name: str
    columns: Mapping[str, Column]
    rows: dict[str, Row] = field(default_factory=dict)  #: by sys_id
    shown_by: str = "name"  #: the column that stands for a row where it is referred to
    prefix: str = ""  #: of record numbers; a table without takes no new records
    _pending: list[tuple[str, int, str, Row]] = field(default_factory=list)  # heap of (when, order, sys_id, changes)
    _planned: int = 0

    def add(self, rows: Iterable[Row]) -> None:
        """Insert or replace rows, by their ``sys_id``."""
        for row in rows:
            self.rows[row["sys_id"]] = row

    def unfold(self, now: datetime, sys_id: str, steps: Sequence[tuple[datetime, Row]]) -> None:
        """Tell a record's life: the steps up to ``now`` have happened, the others are planned."""
        for when, changes in steps:
            if when <= now:
                self._happen(stamp(when), sys_id, changes)
            else:
                self._planned += 1  # tells apart changes of one second, in the order in which they were planned
                heapq.heappush(self._pending, (stamp(when), self._planned, sys_id, changes))

    def _happen(self, when: str, sys_id: str, changes: Row) -> None:
        row = self.rows.get(sys_id)
        if row is None:
            row = self.rows[sys_id] = {"sys_id": sys_id, "sys_created_on": when}
        row.update(changes)
        row["sys_updated_on"] = when

    def advance(self, now: datetime) -> None:
        """Let every planned change up to ``now`` happen."""
        moment = stamp(now)
        while self._pending and self._pending[0][0] <= moment:
            when, _, sys_id, changes = heapq.heappop(self._pending)
            self._happen(when, sys_id, changes)


Loader = Callable[[], Table]


class Instance:
    """All tables. Each is loaded when it is first asked for, so that starting costs nothing."""

    def __init__(self, loaders: Mapping[str, Loader], now: Callable[[], datetime]) -> None:
        self.now = now
        self._loaders = dict(loaders)
        self._tables: dict[str, Table] = {}
        self._lock = threading.RLock()  # requests are answered in threads

    def table(self, name: str) -> Table | None:
        """The table as it is now; None where the instance has no such table."""
        with self._lock:
            if name not in self._tables:
                if name not in self._loaders:
                    return None
                self._tables[name] = self._loaders[name]()
            table = self._tables[name]
            table.advance(self.now())
            return table

    def column(self, table: Table, path: str) -> Column | None:
        """The column at the end of a (dot-walked) path; None where there is none."""
        here: Table | None = table
        *walk, last = path.split(".")
        for step in walk:
            if step.startswith("ref_"):
                continue  # "task.ref_incident.category": a class below the referenced one; rows here know theirs already
            column = here.columns.get(step) if here else None
            here = self.table(column.target) if column and column.target else None
        return here.columns.get(last) if here else None

    def value(self, table: Table, row: Row, path: str) -> str:
        """The stored value at a path that exists; "" where it, or a row on the way, is empty."""
        if "." not in path:
            return row.get(path, "")
        step, rest = path.split(".", 1)
        if step.startswith("ref_"):
            return self.value(table, row, rest)
        target = self.table(table.columns[step].target)
        found = target.rows.get(row.get(step, "")) if target else None
        return self.value(target, found, rest) if target and found else ""

    def shown(self, column: Column, value: str) -> str:
        """What people read for a choice or a reference; other values are returned as they are."""
        if column.kind == "choice":
            return column.labels.get(value, value)
        if column.kind == "reference" and value:
            target = self.table(column.target)
            row = target.rows.get(value) if target else None
            return row.get(target.shown_by, "") if target and row else ""
        return value
