"""Initiatives in their plan–do–check–act cycle: progress, lateness, and whether they had the effect they promised."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from bsc_monitor.improve.assurance import good_side
from bsc_monitor.improve.effect import Effect, effect
from bsc_monitor.improve.relations import Relations
from bsc_monitor.improve.series import Series, closed_series
from bsc_monitor.model.event import InitiativeChanged
from bsc_monitor.model.insight import InitiativePhase, InitiativeState, NotEnoughData
from bsc_monitor.model.organisation import Initiative, Kpi
from bsc_monitor.model.period import PeriodKind
from bsc_monitor.model.period_value import PeriodValue

SETTLING = 6  #: periods after the start at which an effect is checked, where neither ``by`` nor ``due`` says when
BEHIND = 0.25  #: share of the time by which progress may lag

_DAYS = {PeriodKind.DAY: 1, PeriodKind.WEEK: 7, PeriodKind.MONTH: 31, PeriodKind.QUARTER: 92, PeriodKind.YEAR: 366}

Values = Mapping[str, Sequence[PeriodValue]]  #: closed periods by KPI, oldest first


@dataclass(frozen=True, slots=True)
class Check:
    """The comparison of a KPI before and after an initiative began."""

    kpi: Kpi
    effect: Effect | NotEnoughData


def process_changes(kpi: Kpi, initiatives: Iterable[Initiative], states: Mapping[str, InitiativeState]) -> list[date]:
    """The days on which a KPI's process was changed for good: the starts of its initiatives that became the standard."""
    return [
        each.start
        for each in initiatives
        if each.start is not None
        and (kpi.name in each.targets or kpi.objective in each.targets or (each.expect and each.expect.kpi == kpi.name))
        and each.id in states
        and states[each.id].phase is InitiativePhase.STANDARDISED
    ]


def settled_on(initiative: Initiative, kpi: Kpi) -> date | None:
    """The day from which its effect can be judged; None without a start."""
    if initiative.start is None:
        return None
    if initiative.expect and initiative.expect.by:
        return initiative.expect.by
    settling = timedelta(days=SETTLING * _DAYS[kpi.period])
    return initiative.due or initiative.start + settling


def check(initiative: Initiative, kpi: Kpi, records: Sequence[PeriodValue], timezone: str) -> Check | None:
    """Compare a KPI's closed periods that ended before the start with those that began on it or later.

    None without a start, or where neither direction of change is better and none is expected.
    """
    if initiative.start is None:
        return None
    series = closed_series(records)
    before, after = _around(series, initiative.start, timezone)
    expected = initiative.expect.change if initiative.expect and initiative.expect.kpi == kpi.name else None
    target = series.records[-1].thresholds.target if series.records else None
    centre = sorted(before)[len(before) // 2] if before else 0.0
    good = good_side(kpi.better, target, centre)
    if not good:
        good = 0 if not expected else 1 if expected > 0 else -1
    if not good:
        return None
    wanted: Literal[1, -1] = 1 if good > 0 else -1
    return Check(kpi, effect(before, after, good=wanted, expected=expected))


def _around(series: Series, start: date, timezone: str) -> tuple[list[float], list[float]]:
    """Values before and after; the period in which it began mixes both and is left out."""
    zone = ZoneInfo(timezone)
    before, after = [], []
    for record, value in zip(series.records, series.values, strict=True):
        if record.period.end.astimezone(zone).date() <= start:
            before.append(value)
        elif record.period.start.astimezone(zone).date() >= start:
            after.append(value)
    return before, after


def review(
    known: Relations, values: Values, now: datetime, *, states: Mapping[str, InitiativeState] | None = None,
    progress: Mapping[str, float] | None = None, only: Collection[str] | None = None,
) -> tuple[dict[str, InitiativeState], list[InitiativeChanged]]:  # fmt: skip
    """The states of initiatives now (``only`` some, by id), and what changed since ``states``.

    ``progress`` is what tickets say, 0–1; ``values`` must hold the KPIs that the initiatives promise to change.
    """
    found: dict[str, InitiativeState] = {}
    events: list[InitiativeChanged] = []
    for initiative in known.organisation.initiatives.values():
        if only is not None and initiative.id not in only:
            continue
        kpis = known.kpis[initiative.id]
        zone = known.zone(kpis[0]) if kpis else "UTC"
        checked = check(initiative, kpis[0], values.get(kpis[0].name, ()), zone) if kpis else None
        found[initiative.id], more = advance(
            initiative, (states or {}).get(initiative.id), now, found=checked,
            progress=(progress or {}).get(initiative.id), timezone=zone,
        )  # fmt: skip
        events += more
    return found, events


def advance(
    initiative: Initiative, known: InitiativeState | None, now: datetime, *, found: Check | None = None,
    progress: float | None = None, timezone: str = "UTC",
) -> tuple[InitiativeState, tuple[InitiativeChanged, ...]]:  # fmt: skip
    """One step of an initiative's life, and the event of it.

    A state said in the configuration holds. Else: *planned* until it starts, *doing* until its progress is whole (or,
    where nobody says, until it is due), *checking* until its effect has settled; *standardised* once that worked. One
    without evidence stays in *checking* with its verdict: to revise or to abandon it is for people.
    """
    today = now.astimezone(ZoneInfo(timezone)).date()
    done = _progress(initiative, known, progress)
    phase = _phase(initiative, known, today, done)
    verdict, achieved = None, None
    if found is not None and isinstance(found.effect, Effect) and phase is not InitiativePhase.PLANNED:
        achieved = found.effect.shift
        settled = settled_on(initiative, found.kpi)
        if phase in _CHECKED and settled is not None and today >= settled:
            verdict = found.effect.verdict
    if known is not None and known.phase is InitiativePhase.STANDARDISED and phase is InitiativePhase.STANDARDISED:
        verdict = verdict if verdict == "got_worse" else known.verdict or verdict
    if initiative.state is None and phase is InitiativePhase.CHECKING and verdict == "worked":
        phase = InitiativePhase.STANDARDISED
    elapsed = _elapsed(initiative, today)
    open_ = phase in (InitiativePhase.PLANNED, InitiativePhase.DOING)
    late = open_ and initiative.due is not None and today > initiative.due
    state = InitiativeState(
        initiative=initiative.id, phase=phase, since=known.since if known and known.phase is phase else now,
        progress=done, elapsed=elapsed, late=late,
        behind=not late and open_ and done is not None and elapsed is not None and elapsed - done > BEHIND,
        verdict=verdict, kpi=found.kpi.name if found else None,
        expected=initiative.expect.change if initiative.expect else None, achieved=achieved,
    )  # fmt: skip
    if known is not None and replace(known, elapsed=elapsed) == state:
        return state, ()
    return state, (InitiativeChanged(now, state, known),)


_CHECKED = (InitiativePhase.CHECKING, InitiativePhase.STANDARDISED)


def _progress(initiative: Initiative, known: InitiativeState | None, told: float | None) -> float | None:
    if told is not None:
        return min(1.0, max(0.0, told))
    if isinstance(initiative.progress, float | int):
        return float(initiative.progress)
    return known.progress if known is not None and initiative.progress is not None else None


def _phase(initiative: Initiative, known: InitiativeState | None, today: date, done: float | None) -> InitiativePhase:
    if initiative.state is not None:
        return InitiativePhase(initiative.state)
    if known is not None and known.phase is InitiativePhase.STANDARDISED:
        return InitiativePhase.STANDARDISED
    if done is not None and done >= 1:
        return InitiativePhase.CHECKING
    if done is None and initiative.due is not None and today > initiative.due:
        return InitiativePhase.CHECKING
    started = initiative.start is not None and initiative.start <= today
    return InitiativePhase.DOING if started or done else InitiativePhase.PLANNED


def _elapsed(initiative: Initiative, today: date) -> float | None:
    if initiative.start is None or initiative.due is None:
        return None
    whole = (initiative.due - initiative.start).days
    passed = (today - initiative.start).days
    return min(1.0, max(0.0, passed / whole)) if whole > 0 else float(passed >= 0)
