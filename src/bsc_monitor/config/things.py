"""The things a configuration names, each checked against its form; templates written out."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ValidationError

from bsc_monitor.config.form import ActionForm, CalendarForm, ReportForm, SandboxForm, ServiceForm, SourceForm
from bsc_monitor.config.form_alert import AlertForm, InhibitionForm, MaintenanceForm, ReceiverForm, RouteForm
from bsc_monitor.config.form_scorecard import InitiativeForm, KpiForm, ObjectiveForm, ScorecardForm, TemplateForm
from bsc_monitor.config.include import Documents
from bsc_monitor.config.notes import Notes
from bsc_monitor.config.positions import Path
from bsc_monitor.config.problems import near
from bsc_monitor.config.validate import known_keys, validate
from bsc_monitor.config.values import ID

F = TypeVar("F", bound=BaseModel)

SINGLE: dict[str, type[BaseModel]] = {"service": ServiceForm, "sandbox": SandboxForm, "calendar": CalendarForm}
TABLES: dict[str, type[BaseModel]] = {
    "sources": SourceForm, "scorecards": ScorecardForm, "objectives": ObjectiveForm, "kpis": KpiForm,
    "initiatives": InitiativeForm, "alerts": AlertForm, "receivers": ReceiverForm, "routes": RouteForm,
    "maintenance": MaintenanceForm, "inhibitions": InhibitionForm, "reports": ReportForm, "actions": ActionForm,
    "templates": TemplateForm,
}  # fmt: skip

#: tables whose entries are looked at further although they have mistakes, and the keys without which that is in vain
_NEEDED = {
    "sources": {"plugin"}, "scorecards": {"perspectives", "template", "with"}, "objectives": {"scorecard", "perspective"},
    "kpis": {"objective"}, "initiatives": set(),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Thing(Generic[F]):
    """One entry of a table that its form accepts."""

    id: str
    path: Path  #: where it is written
    form: F
    data: Mapping[str, Any]  #: as written, parameters filled in
    scorecard: str | None = None  #: that a template wrote it out for
    spoilt: frozenset[str] = frozenset()  #: keys with mistakes, left out of the form so that the rest is checked too


@dataclass(slots=True)
class Things:
    """All entries by table. ``names`` also holds those with mistakes, so that one mistake stays one message."""

    tables: dict[str, list[Thing[Any]]] = field(default_factory=dict)
    names: dict[str, set[str]] = field(default_factory=dict)
    single: dict[str, Any] = field(default_factory=dict)

    def of(self, table: str, form: type[F]) -> Iterator[Thing[F]]:  # noqa: ARG002 - tells the type checker the form
        """The entries of a table, in the order of the files."""
        return iter(self.tables.get(table, ()))

    def known(self, table: str) -> set[str]:
        """The ids of a table, of entries with mistakes too."""
        return self.names.get(table, set())


def gather(documents: Documents, notes: Notes) -> Things:
    """Check every table against its form."""
    things = Things()
    for table, content in documents.tables.items():
        if table in SINGLE:
            things.single[table] = validate(SINGLE[table], content, (table,), notes)
        elif table not in TABLES:
            notes.error((table,), "unknown key", near(table, [*SINGLE, *TABLES, "include"]))
        elif not isinstance(content, Mapping):
            notes.error((table,), f"expected tables such as [{table}.my-id]")
        else:
            for name, entry in content.items():
                add(things, table, name, entry, (table, name), notes)
    for table, form in SINGLE.items():
        if table not in documents.tables and table != "sandbox":
            things.single[table] = form()
    return things


def add(
    things: Things, table: str, name: str, entry: Any, path: Path, notes: Notes, *, scorecard: str | None = None
) -> None:
    """Check one entry and take it in."""
    things.names.setdefault(table, set()).add(name if scorecard is None else f"{scorecard}/{name}")
    if not ID.fullmatch(name):
        notes.error(path, f"{name[:60]!r} is no id", "use small letters, digits, - and _; the title may hold anything")
        return
    form, spoilt = _check(table, entry, path, notes)
    if form is not None:
        things.tables.setdefault(table, []).append(Thing(name, path, form, entry, scorecard, spoilt))


def _check(table: str, entry: Any, path: Path, notes: Notes) -> tuple[BaseModel | None, frozenset[str]]:
    """The entry's form; with mistakes, that of the keys without, where such a thing can still be looked at."""
    model = TABLES[table]
    spoilt: set[str] = set()
    form = validate(model, entry, path, notes, spoilt=spoilt)
    if form is not None or not isinstance(entry, Mapping) or spoilt & _NEEDED.get(table, spoilt):
        return form, frozenset()
    rest = {key: value for key, value in entry.items() if key not in spoilt}
    try:
        meant = {name for key in spoilt for name in difflib.get_close_matches(key, known_keys(model, ()), n=1)}
        return model.model_validate(rest), frozenset(spoilt | meant)
    except ValidationError:
        return None, frozenset()
