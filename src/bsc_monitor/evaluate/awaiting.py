"""What a KPI without a value waits for: explanations are pure, and know neither the clock nor how collections go."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from bsc_monitor.config.durations import format_duration
from bsc_monitor.model.health import CollectionHealth
from bsc_monitor.model.organisation import Kpi
from bsc_monitor.model.period import Calendar
from bsc_monitor.model.words import day
from bsc_monitor.score.explain_kpi import KpiExplanation
from bsc_monitor.score.periods import current_period


def with_period(said: KpiExplanation, kpi: Kpi, calendar: Calendar, at: datetime) -> KpiExplanation:
    """The explanation with the period that the KPI looks at, where no value came that would have told it."""
    if said.period:
        return said
    period = current_period(at, kpi, calendar)
    label = period.label or f"{period.start.isoformat()}/{period.end.isoformat()}"
    return replace(said, period=label, period_start=period.start, period_end=period.end, period_kind=period.kind)


def looked_at(said: KpiExplanation) -> str:
    """The period of an explanation, for people: ``2026-06``, ``the last 30d``."""
    return said.period if said.window is None else f"the last {format_duration(said.window)}"


def failure(of: CollectionHealth) -> str:
    """Why a collection brings nothing, for people."""
    last = of.last_success
    since = f"last good run {day(last)}, {last:%H:%M} UTC" if last else "no run was ever good"
    return f"{of.error} ({f'{of.reason}, ' if of.reason else ''}{since})"
