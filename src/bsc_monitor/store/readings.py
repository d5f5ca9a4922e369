"""Readings as rows."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, select

from bsc_monitor.model.period import Period, PeriodKind
from bsc_monitor.model.reading import KpiReading
from bsc_monitor.model.status import Completeness, ReadingState
from bsc_monitor.store.schema import reading, upsert

Labels = tuple[tuple[str, str], ...]


def labels_text(labels: Labels) -> str:
    """Labels as the key they are kept under."""
    return json.dumps(labels, ensure_ascii=False, separators=(",", ":")) if labels else "[]"


def labels_of(text: str) -> Labels:
    """Labels from their key."""
    return () if text == "[]" else tuple((str(name), str(value)) for name, value in json.loads(text))


def save_readings(connection: Connection, readings: Iterable[KpiReading], now: datetime) -> None:
    """Keep readings; one of the same KPI, labels and instant replaces the earlier (a source restated it)."""
    upsert(connection, reading, [_row(each, now) for each in readings])


def readings_within(connection: Connection, kpi: str, labels: Labels, period: Period) -> list[KpiReading]:
    """The readings observed in a period or made for it, oldest first: what its value is aggregated from."""
    here = (reading.c.kpi == kpi) & (reading.c.labels == labels_text(labels))
    seen = (reading.c.at >= period.start) & (reading.c.at < period.end)
    made = (reading.c.period_start == period.start) & (reading.c.period_end == period.end)
    rows = connection.execute(select(reading).where(here, seen | made).order_by(reading.c.at))
    return [to_reading(row) for row in rows]


def recent_readings(
    connection: Connection, kpi: str, *, before: datetime | None = None, limit: int = 100, whole: bool = False
) -> list[KpiReading]:
    """The newest readings of a KPI and its segments, newest first; ``before`` pages on, for which ``whole`` has all of the
    last one's instant on this page."""
    query = select(reading).where(reading.c.kpi == kpi).order_by(reading.c.at.desc(), reading.c.labels)
    if before is not None:
        query = query.where(reading.c.at < before)
    rows = connection.execute(query.limit(limit)).all()
    if whole and len(rows) == limit:
        rows = connection.execute(query.where(reading.c.at >= rows[-1].at)).all()
    return [to_reading(row) for row in rows]


def clear_readings(connection: Connection, before: datetime) -> int:
    """Delete the readings observed before an instant; how many they were."""
    return connection.execute(delete(reading).where(reading.c.at < before)).rowcount


def _row(each: KpiReading, now: datetime) -> dict[str, Any]:
    period = each.period
    return {
        "kpi": each.kpi,
        "labels": labels_text(each.labels),
        "at": each.at,
        "value": each.value,
        "samples": each.samples,
        "numerator": each.numerator,
        "denominator": each.denominator,
        "period_kind": period and (period.kind or ""),
        "period_start": period and period.start,
        "period_end": period and period.end,
        "period_label": period and period.label,
        "state": each.state.value,
        "completeness": each.completeness.value,
        "evidence": each.evidence,
        "note": each.note,
        "author": each.author,
        "stored_at": now,
    }


def to_reading(row: Row[Any]) -> KpiReading:
    """A row as a reading."""
    period = None
    if row.period_start is not None:
        kind = PeriodKind(row.period_kind) if row.period_kind else None
        period = Period(row.period_start, row.period_end, kind, row.period_label)
    return KpiReading(
        kpi=row.kpi, at=row.at, value=row.value, labels=labels_of(row.labels), samples=row.samples,
        numerator=row.numerator, denominator=row.denominator, period=period, state=ReadingState(row.state),
        completeness=Completeness(row.completeness), evidence=row.evidence, note=row.note, author=row.author,
    )  # fmt: skip
