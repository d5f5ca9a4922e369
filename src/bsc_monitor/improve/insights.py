"""From closed periods to insights: found, and reconciled with those that are open already.

``find`` looks at one KPI, ``find_all`` at an organisation or at what closed of it, ``reconcile`` makes of the same
finding one insight that lives until it is no longer found.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import NamedTuple

from bsc_monitor.improve.about_action import (
    Link,
    driver_insight,
    effect_insight,
    link_name,
    stagnation_insight,
    stuck_initiative,
)
from bsc_monitor.improve.about_course import forecast_insights, goal_insight, steady_trend, trend_insight
from bsc_monitor.improve.about_process import assurance_insight, ratchet_insight, signal_insights, volatility_insight
from bsc_monitor.improve.assess import Assessment, assess, first_day
from bsc_monitor.improve.initiatives import Values, check, process_changes, review, settled_on
from bsc_monitor.improve.links import links
from bsc_monitor.improve.relations import Relations
from bsc_monitor.improve.xmr import Rules
from bsc_monitor.model.insight import Direction, InitiativePhase, InitiativeState, Insight
from bsc_monitor.model.organisation import Initiative, Kpi
from bsc_monitor.model.period_value import PeriodValue

REMEMBERED = 12  #: closed periods after the start of an initiative's check for which its verdict stays an open insight


def find(
    kpi: Kpi, records: Sequence[PeriodValue], initiatives: Iterable[InitiativeState] = (), *,
    changes: Sequence[datetime | date] = (), rules: Rules = "wheeler", timezone: str = "UTC",
) -> list[Insight]:  # fmt: skip
    """The insights about one KPI after its newest closed period; ``records`` oldest first.

    ``initiatives`` are the states of those that are for it, ``changes`` when its process was changed on purpose.
    """
    seen = assess(kpi, records, changes=changes, rules=rules, timezone=timezone)
    return findings(seen, acted_on=any(state.active for state in initiatives))


def findings(seen: Assessment, *, acted_on: bool) -> list[Insight]:
    """The insights that an assessment gives. A drift is told once: as a trend, not as the signals that it also sets off."""
    if not seen.series.records:
        return []
    steady = steady_trend(seen)
    trend = trend_insight(seen, steady)
    found: list[Insight | None] = [trend]
    found += [told for told in signal_insights(seen) if trend is None or told.direction is not trend.direction]
    better = [told for told in found if told is not None and told.direction is Direction.IMPROVING]
    worse = [told for told in found if told is not None and told.direction is Direction.WORSENING]
    found += forecast_insights(seen)
    found.append(goal_insight(seen))
    found.append(volatility_insight(seen))
    if not better:
        found += [assurance_insight(seen), stagnation_insight(seen, acted_on=acted_on)]
    if not worse:
        found.append(ratchet_insight(seen))
    return [told for told in found if told is not None]


class Findings(NamedTuple):
    """All that a look at an organisation gives."""

    insights: list[Insight]
    assessments: dict[str, Assessment]  #: by KPI: limits, icons, forecasts for pages, metrics and the store
    links: list[Link]  #: with what the data say of them, "no evidence" included
    subjects: set[str]  #: looked at: what ``reconcile`` may end


def find_all(
    known: Relations, values: Values, now: datetime, *, states: Mapping[str, InitiativeState] | None = None,
    only: Collection[str] | None = None, rules: Rules = "wheeler",
) -> list[Insight]:  # fmt: skip
    """The insights of ``examine``."""
    return examine(known, values, now, states=states, only=only, rules=rules).insights


def examine(
    known: Relations, values: Values, now: datetime, *, states: Mapping[str, InitiativeState] | None = None,
    only: Collection[str] | None = None, rules: Rules = "wheeler",
) -> Findings:  # fmt: skip
    """Look at an organisation's KPIs, initiatives and ``drives`` links.

    ``only`` limits the work to some KPIs (those that closed a period) and to the initiatives and links that they touch;
    ``values`` then needs their series and those of the KPIs that share a link with them. ``states`` are the
    initiatives', as ``review`` gave them.
    """
    if states is None:
        states, _ = review(known, values, now)
    kpis = known.organisation.kpis
    chosen = list(kpis) if only is None else [name for name in only if name in kpis]
    found: list[Insight] = []
    assessments: dict[str, Assessment] = {}
    for name in chosen:
        mine = [(each, states[each.id]) for each in known.initiatives.get(name, ()) if each.id in states]
        zone = known.zone(kpis[name])
        changes = process_changes(kpis[name], known.initiatives.get(name, ()), states)
        seen = assess(kpis[name], values.get(name, ()), changes=changes, rules=rules, timezone=zone)
        assessments[name] = seen
        found += findings(seen, acted_on=any(state.active for _, state in mine))
        for initiative, state in mine:
            if known.checks(initiative, name):
                found += _about_initiative(initiative, state, seen, zone)
    pairs = known.touching(known.links if only is None else {kpis[name].objective for name in chosen})
    linked = links(known, values, pairs, {name: seen.series for name, seen in assessments.items()})
    found += [told for link in linked if (told := driver_insight(link)) is not None]
    return Findings(found, assessments, linked, examined(known, only))


def _about_initiative(initiative: Initiative, state: InitiativeState, seen: Assessment, zone: str) -> list[Insight]:
    found: list[Insight | None] = []
    if state.phase is InitiativePhase.DOING and state.elapsed is not None and state.elapsed > 1 / 2:
        found.append(stuck_initiative(initiative, seen, zone))
    if state.verdict is not None and not _forgotten(initiative, seen, zone):
        checked = check(initiative, seen.kpi, seen.series.records, zone)
        found.append(effect_insight(initiative, checked, seen, zone) if checked else None)
    return [told for told in found if told is not None]


def _forgotten(initiative: Initiative, seen: Assessment, zone: str) -> bool:
    settled = settled_on(initiative, seen.kpi)
    if settled is None:
        return False
    return sum(first_day(record, zone) >= settled for record in seen.series.records[-REMEMBERED - 1 :]) > REMEMBERED


def examined(known: Relations, only: Collection[str] | None = None) -> set[str]:
    """The subjects that ``examine(only=…)`` looks at: those whose insights ``reconcile`` may end.

    Without ``only``, all there are: insights about any other subject are about what the configuration no longer has.
    """
    kpis = known.organisation.kpis
    chosen = kpis.keys() if only is None else only
    subjects = set(chosen)
    for name in chosen:
        subjects.update(
            initiative.id for initiative in known.initiatives.get(name, ()) if known.checks(initiative, name)
        )
    pairs = known.touching({kpis[name].objective for name in chosen if name in kpis})
    subjects.update(link_name(cause, effect) for cause, effect in pairs)
    return subjects


class Reconciled(NamedTuple):
    """What became of insights: new ones, open ones with newer evidence, and those that ended."""

    opened: list[Insight]
    updated: list[Insight]
    ended: list[Insight]


def reconcile(
    known: Iterable[Insight], found: Iterable[Insight], now: datetime, subjects: Collection[str] | None = None
) -> Reconciled:
    """Match what is found with what is open, by key. An open insight keeps its ``since``, and so its id, for life.

    Only insights about ``subjects`` are looked at; None: all. One that is found unchanged is in no list.
    """
    open_ = {
        insight.key: insight
        for insight in known
        if insight.ended_at is None and (subjects is None or insight.subject in subjects)
    }
    fresh = {insight.key: insight for insight in found}
    result = Reconciled([], [], [])
    for key, insight in fresh.items():
        before = open_.get(key)
        if before is None:
            result.opened.append(replace(insight, found_at=now))
            continue
        after = replace(insight, since=before.since, found_at=before.found_at)
        if after != before:
            result.updated.append(after)
    for key, insight in open_.items():
        if key not in fresh:
            result.ended.append(replace(insight, ended_at=now))
    return result
