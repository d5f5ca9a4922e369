"""What changed, as events for the bus and as rows for the history."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from bsc_monitor.alert.step import Effect
from bsc_monitor.model.event import (
    AlertChanged,
    Event,
    KpiJudged,
    PeriodClosed,
    ReadingStored,
    ScoreChanged,
    SegmentJudged,
    StatusChanged,
)
from bsc_monitor.model.reading import KpiReading
from bsc_monitor.score.changes import Changes
from bsc_monitor.store.events import StoredEvent
from bsc_monitor.store.standing import Standing


def events_of(
    readings: Iterable[KpiReading], changes: Changes, effects: Iterable[Effect], now: datetime
) -> list[Event]:
    """The events of one evaluation, in the order in which they follow from each other."""
    told: list[Event] = [ReadingStored(now, reading) for reading in readings]
    for judgement, before in changes.judgements:
        told.append(KpiJudged(now, judgement, before))
        old = before.status if before else None
        if old is not None and judgement.status is not old:
            told.append(StatusChanged(now, judgement.kpi, judgement.status, old, judgement.value))
    told += [
        SegmentJudged(now, each.kpi, each.labels, each.value, each.score, each.status) for each in changes.segments
    ]
    told += [ScoreChanged(now, node, before) for node, before in changes.nodes]
    told += [
        PeriodClosed(now, value.kpi, value.period, value.revision > 0) for value in changes.closed if not value.labels
    ]
    told += [AlertChanged(now, effect.alert, effect.before) for effect in effects]
    return told


def rows_of(changes: Changes, now: datetime) -> Iterator[StoredEvent]:
    """What the history keeps: status changes of KPIs and nodes, closed and reopened periods, late readings."""
    for judgement, before in changes.judgements:
        if before is not None and judgement.status is not before.status:
            data: dict[str, Any] = {
                "from": before.status,
                "to": judgement.status,
                "value": judgement.value,
                "score": judgement.score,
            }
            yield StoredEvent(now, "status", judgement.kpi, data)
    for node, node_before in changes.nodes:
        if node_before is not None and node.status is not node_before.status:
            data = {"from": node_before.status, "to": node.status, "score": node.score, "reason": node.reason}
            yield StoredEvent(now, f"{node.kind}_status", node.name, data)
    for value in changes.closed:
        if not value.labels:
            kind = "period_reopened" if value.revision else "period_closed"
            data = {"period": value.period.label, "value": value.value, "score": value.score, "status": value.status}
            yield StoredEvent(now, kind, value.kpi, data)
    for reading in changes.late:
        data = {"value": reading.value, "observed_at": reading.at.isoformat()}
        yield StoredEvent(now, "late_reading", reading.kpi, data)


def standings_of(changes: Changes) -> Iterator[Standing]:
    """What every changed KPI and node has now."""
    for judgement, before in changes.judgements:
        if before is None or (judgement.status, judgement.since) != (before.status, before.since):
            yield Standing("kpi", judgement.kpi, judgement.status, judgement.score, judgement.since)
    for node, _ in changes.nodes:
        yield Standing(node.kind, node.name, node.status, node.score, node.since)
