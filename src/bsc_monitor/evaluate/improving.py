"""Continuous improvement at work: looks for insights when periods closed, and follows initiatives.

Statistics take their time, so they are computed beside the writer, over what is committed; what was found is committed
in one transaction with the alerts that it raises.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping
from datetime import datetime

import structlog

from bsc_monitor.bus import Bus
from bsc_monitor.evaluate.evaluator import Evaluator
from bsc_monitor.evaluate.keeping import end_insights, keep_initiatives, keep_insights
from bsc_monitor.improve.initiatives import review
from bsc_monitor.improve.insights import examine, examined
from bsc_monitor.improve.relations import Relations, relations
from bsc_monitor.model.event import InitiativeChanged, InsightFound, PeriodClosed
from bsc_monitor.model.organisation import Organisation
from bsc_monitor.model.period_value import PeriodValue
from bsc_monitor.store.insights import load_initiatives, open_insights
from bsc_monitor.store.periods import closed_values

_log = structlog.get_logger(__name__)
_GATHER = 3.0  #: seconds: periods of many KPIs close together
_HELPING = 200  #: KPIs looked at between two breaths

Series = Mapping[str, list[PeriodValue]]


class Improving:
    """Build it in the loop's thread; ``start`` it when the evaluator runs. ``organisation`` gives the present one."""

    def __init__(
        self, evaluator: Evaluator, bus: Bus, organisation: Callable[[], Organisation], clock: Callable[[], datetime]
    ) -> None:
        self._evaluator = evaluator
        self._bus = bus
        self._organisation = organisation
        self._clock = clock
        self._closed: set[str] = set()
        self._changed = True  #: another configuration: what it no longer has is to be forgotten
        self._progress: dict[str, float] = {}
        self._wake = asyncio.Event()
        self._free = asyncio.Event()
        self._free.set()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Tell what is known, and begin to look."""
        store = self._evaluator.store
        known = await store.read(open_insights)
        states = await store.read(load_initiatives)
        now = self._clock()
        self._bus.publish([InsightFound(now, insight) for insight in known])
        present = self._organisation().initiatives
        self._bus.publish([InitiativeChanged(now, state) for name, state in states.items() if name in present])
        self._bus.subscribe(PeriodClosed, self._period_closed)
        self._task = asyncio.create_task(self._run())
        self.look_again()

    async def stop(self) -> None:
        """End; what was not looked at is looked at after the next start."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})

    def look_again(self) -> None:
        """Look at every KPI and initiative soon: after a start or a reload."""
        self._closed.update(self._organisation().kpis)
        self._changed = True
        self._wake.set()

    def follow_again(self) -> None:
        """Look at the initiatives, and at the KPIs they are for, soon: somebody changed them."""
        self._closed.update(kpi.name for kpis in relations(self._organisation()).kpis.values() for kpi in kpis)
        self._changed = True
        self._wake.set()

    def hold(self, *, held: bool) -> None:
        """Look at nothing while the past is being collected: half a history tells half-truths."""
        if held:
            self._free.clear()
        else:
            self._free.set()

    def progressed(self, progress: Mapping[str, float]) -> None:
        """Tickets say how far initiatives are (0–1, by id)."""
        self._progress.update(progress)
        self._wake.set()

    def _period_closed(self, event: PeriodClosed) -> None:
        self._closed.add(event.kpi)
        self._wake.set()

    async def _run(self) -> None:
        while True:
            await self._wake.wait()
            await asyncio.sleep(_GATHER)
            await self._free.wait()
            self._wake.clear()
            closed, self._closed = self._closed, set()
            progress, self._progress = self._progress, {}
            try:
                await self.look(closed, progress)
            except Exception:  # noqa: BLE001 - one bad series must not end the looking for ever
                _log.exception("looking for insights failed")

    async def look(self, closed: Collection[str], progress: Mapping[str, float] | None = None) -> None:
        """Look at some KPIs, the links and initiatives that they touch, and commit what is found."""
        known = relations(self._organisation())
        if self._changed:
            self._changed = False
            await self._forget(known)
        await self._follow_initiatives(known, progress or {})
        listed = [name for name in closed if name in known.organisation.kpis]
        for start in range(0, len(listed), _HELPING):
            await self._look_at(known, listed[start : start + _HELPING])

    async def _forget(self, known: Relations) -> None:
        """End what is about things that the configuration no longer has."""
        now, still = self._clock(), examined(known)
        if any(insight.subject not in still for insight in await self._evaluator.store.read(open_insights)):
            await self._evaluator.run(lambda connection, state: end_insights(connection, state, still, now))

    async def _follow_initiatives(self, known: Relations, progress: Mapping[str, float]) -> None:
        now, store = self._clock(), self._evaluator.store
        before = await store.read(load_initiatives)
        if not known.organisation.initiatives and not before:
            return
        values = await self._series({kpi.name for kpis in known.kpis.values() for kpi in kpis[:1]})
        states, changes = await asyncio.to_thread(review, known, values, now, states=before, progress=progress)
        if changes or before.keys() - states.keys():
            await self._evaluator.run(
                lambda connection, state: keep_initiatives(connection, state, states, changes, now)
            )

    async def _look_at(self, known: Relations, kpis: list[str]) -> None:
        now, store = self._clock(), self._evaluator.store
        objectives = {known.organisation.kpis[name].objective for name in kpis}
        linked = {each.name for pair in known.touching(objectives) for each in pair}
        needed = {*kpis, *(kpi.name for name in linked for kpi in known.members.get(name, ()))}
        values = await self._series(needed)
        states = await store.read(load_initiatives)
        found = await asyncio.to_thread(examine, known, values, now, states=states, only=kpis)
        subjects = examined(known, kpis)
        await self._evaluator.run(lambda connection, state: keep_insights(connection, state, found, subjects, now))

    async def _series(self, kpis: Collection[str]) -> Series:
        grouped: dict[str, list[PeriodValue]] = defaultdict(list)
        for value in await self._evaluator.store.read(lambda connection: closed_values(connection, kpis)):
            grouped[value.kpi].append(value)
        return grouped
