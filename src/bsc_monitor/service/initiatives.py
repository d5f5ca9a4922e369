"""Initiatives that people start and change while the service runs, beside those of the configuration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection

from bsc_monitor.config import Configuration
from bsc_monitor.evaluate.initiatives import id_for, in_force
from bsc_monitor.model.insight import InitiativePhase
from bsc_monitor.model.organisation import Initiative, Organisation
from bsc_monitor.store.actions import Said, load_said, save_said
from bsc_monitor.store.controls import Comment, save_comment
from bsc_monitor.store.events import StoredEvent, save_events
from bsc_monitor.store.insights import insight_by_id
from bsc_monitor.web.operations import Rejected, Unknown

if TYPE_CHECKING:
    from bsc_monitor.service.service import Service

_EARLIEST, _LATEST = 1990, 2200
_OWN = frozenset(field.name for field in fields(Initiative)) - {"id", "state", "progress", "place"}


class Initiatives:
    """Keeps what people say of initiatives, and puts it in force."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._configured: Mapping[str, Initiative] = {}
        self._said: dict[str, Said] = {}

    async def applied(self, configuration: Configuration) -> Configuration:
        """A configuration just read, with what people said. Call it at the start and at every reload."""
        self._configured = configuration.organisation.initiatives
        self._said = await self._service.store.read(load_said)
        return in_force(configuration, self._said)

    def author_of(self, initiative: str) -> str:
        """Who started it; empty for one of the configuration."""
        said = self._said.get(initiative)
        return said.author if said is not None and initiative not in self._configured else ""

    async def start(self, draft: Initiative, insight: str, author: str) -> str:
        """Take an initiative in; its id. Raises Rejected, Unknown."""
        organisation, now = self._service.configuration.organisation, self._service.clock()
        _check(draft, organisation)
        made = replace(draft, id=id_for(draft.title, {**organisation.initiatives, **self._said}), place=None)
        said = Said(made.id, replace(made, state=None, progress=None), made.state, _share(made.progress), insight,
                    author, now)  # fmt: skip

        def work(connection: Connection) -> None:
            if insight and insight_by_id(connection, insight) is None:
                raise Unknown(f"there is no insight {insight!r}")
            save_said(connection, said)
            data = {"author": author, "title": made.title, "insight": insight, "targets": list(made.targets)}
            save_events(connection, [StoredEvent(now, "initiative_started", made.id, data)])

        await self._service.store.write(work)
        await self._put_in_force(said)
        return made.id

    async def change(self, name: str, changes: Mapping[str, Any], note: str, author: str) -> None:
        """Change an initiative. Of one of the configuration people say state and progress alone. Raises Unknown, Rejected."""
        organisation, now = self._service.configuration.organisation, self._service.clock()
        present = organisation.initiatives.get(name)
        if present is None:
            raise Unknown(f"there is no initiative {name!r}")
        before = self._said.get(name)
        definition = None if name in self._configured else before.definition if before else None
        own = {key: value for key, value in changes.items() if key in _OWN}
        if own and definition is None:
            raise Rejected(f"{name} is defined in the configuration: change its {', '.join(sorted(own))} there")
        if definition is not None and own:
            definition = replace(definition, **own)
            _check(definition, organisation)
        said = Said(
            name, definition, changes.get("state", before.state if before else None),
            _share(changes.get("progress", before.progress if before else None)),
            before.insight if before else "", before.author if before and definition is not None else author,
            before.at if before else now,
        )  # fmt: skip
        if said.state is not None and said.state not in set(InitiativePhase):
            raise Rejected(f"{said.state!r} is no state: there is {', '.join(InitiativePhase)}")

        def work(connection: Connection) -> None:
            save_said(connection, said)
            data = {"author": author, "note": note, **{key: _plain(value) for key, value in changes.items()}}
            save_events(connection, [StoredEvent(now, "initiative_changed", name, data)])
            if note:
                save_comment(connection, Comment(f"initiative:{name}", now, author, note))

        await self._service.store.write(work)
        await self._put_in_force(said)

    async def _put_in_force(self, said: Said) -> None:
        self._said[said.initiative] = said
        await self._service.reloading.change(self._with_said)

    def _with_said(self, configuration: Configuration) -> Configuration:
        bare = replace(configuration.organisation, initiatives=self._configured)
        return in_force(replace(configuration, organisation=bare), self._said)


def _check(draft: Initiative, organisation: Organisation) -> None:
    """Raises Rejected for what makes no initiative."""
    if not draft.title.strip():
        raise Rejected("an initiative needs a title")
    for name in draft.targets:
        if name not in organisation.kpis and name not in organisation.objectives:
            raise Rejected(f"there is no KPI or objective {name!r}")
    if draft.expect is not None and draft.expect.kpi not in organisation.kpis:
        raise Rejected(f"there is no KPI {draft.expect.kpi!r}")
    if not draft.targets and draft.expect is None:
        raise Rejected("say which KPI or objective it is for")
    days = (draft.start, draft.due, draft.expect.by if draft.expect else None)
    if any(day is not None and not _EARLIEST <= day.year <= _LATEST for day in days):
        raise Rejected(f"its dates must lie between {_EARLIEST} and {_LATEST}")
    if draft.start and draft.due and draft.due < draft.start:
        raise Rejected(f"it would be due on {draft.due}, before its start on {draft.start}")


def _share(progress: Any) -> float | None:
    if progress is None or not isinstance(progress, int | float):
        return None
    if not 0 <= progress <= 1:
        raise Rejected("progress is a number from 0 to 1")
    return float(progress)


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, str | int | float) else str(value)
