"""Insights, the states of initiatives, and forecasts kept until their period tells how good they were.

Functions over a connection, for the store's transactions. All of them may be repeated with the same arguments.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from math import fsum
from typing import Any

from sqlalchemy import Column, Connection, Float, Index, Integer, Row, String, Table, Text, delete, select, update

from bsc_monitor.improve.forecast import Forecast
from bsc_monitor.model.adapter import adapter
from bsc_monitor.model.insight import Direction, InitiativeState, Insight, InsightKind
from bsc_monitor.model.period import PeriodKind
from bsc_monitor.store.schema import Instant, metadata, upsert

KEPT_AHEAD = 3  #: periods ahead that forecasts are kept for
_BATCH = 500

#: Every life of every finding; one that is open has no ``ended_at``.
insight_row = Table(
    "insight",
    metadata,
    Column("id", String(1300), primary_key=True),
    Column("kind", String(12), nullable=False),
    Column("subject_kind", String(12), nullable=False),
    Column("subject", String(810), nullable=False),
    Column("aspect", String(420), nullable=False),
    Column("since", Instant, nullable=False),
    Column("direction", String(10), nullable=False),
    Column("strength", Float, nullable=False),
    Column("sentence", Text, nullable=False),
    Column("next_step", Text, nullable=False),
    Column("evidence", Text, nullable=False),
    Column("data", String(12), nullable=False),
    Column("period", String(20), nullable=False),
    Column("found_at", Instant),
    Column("ended_at", Instant),
    Index("insight_ended", "ended_at"),
    Index("insight_subject", "subject"),
    sqlite_with_rowid=False,
)

#: Where each initiative is.
initiative_row = Table(
    "initiative_state",
    metadata,
    Column("initiative", String(200), primary_key=True),
    Column("phase", String(12), nullable=False),
    Column("data", Text, nullable=False),
    sqlite_with_rowid=False,
)

#: What was expected of a period, ``ahead`` periods before; ``actual`` once it has closed.
forecast_row = Table(
    "forecast",
    metadata,
    Column("kpi", String(400), primary_key=True),
    Column("kind", String(10), primary_key=True),
    Column("time", Integer, primary_key=True),  # the period's number, as improve.series.time_of counts
    Column("ahead", Integer, primary_key=True),
    Column("method", String(10), nullable=False),
    Column("value", Float, nullable=False),
    Column("low", Float, nullable=False),
    Column("high", Float, nullable=False),
    Column("backtest_error", Float, nullable=False),
    Column("actual", Float),
    sqlite_with_rowid=False,
)


@dataclass(frozen=True, slots=True)
class KeptForecast:
    """A forecast of one period, and what became of it."""

    time: int
    ahead: int
    method: str
    value: float
    low: float
    high: float
    backtest_error: float
    actual: float | None


@dataclass(frozen=True, slots=True)
class Accuracy:
    """How good forecasts were, over the periods that have closed since."""

    periods: int
    error: float  #: mean absolute error, in the KPI's unit
    inside: float  #: share of the values that fell into the 80 % interval


def save_insights(connection: Connection, insights: Iterable[Insight]) -> None:
    """Keep insights that were opened, updated or ended, in place of what was known of the same life."""
    upsert(connection, insight_row, [_insight_values(insight) for insight in insights])


def open_insights(connection: Connection, subjects: Collection[str] | None = None) -> list[Insight]:
    """The insights that live, of some subjects or of all, oldest first."""
    query = select(insight_row).where(insight_row.c.ended_at.is_(None)).order_by(insight_row.c.since, insight_row.c.id)
    if subjects is None:
        return [_insight(row) for row in connection.execute(query)]
    found: list[Insight] = []
    listed = sorted(subjects)
    for start in range(0, len(listed), _BATCH):
        some = query.where(insight_row.c.subject.in_(listed[start : start + _BATCH]))
        found += [_insight(row) for row in connection.execute(some)]
    return found


def insights(
    connection: Connection, *, subject: str | None = None, kinds: Collection[InsightKind] = (), limit: int = 100
) -> list[Insight]:
    """Open and ended insights, those found last first."""
    query = select(insight_row).order_by(insight_row.c.found_at.desc(), insight_row.c.id).limit(limit)
    if subject is not None:
        query = query.where(insight_row.c.subject == subject)
    if kinds:
        query = query.where(insight_row.c.kind.in_([str(kind) for kind in kinds]))
    return [_insight(row) for row in connection.execute(query)]


def insight_by_id(connection: Connection, id: str) -> Insight | None:  # noqa: A002 - the field's name
    """One life of a finding."""
    row = connection.execute(select(insight_row).where(insight_row.c.id == id)).one_or_none()
    return None if row is None else _insight(row)


def save_initiatives(connection: Connection, states: Iterable[InitiativeState]) -> None:
    """Keep the states of initiatives in place of the earlier ones."""
    rows = [
        {
            "initiative": state.initiative,
            "phase": str(state.phase),
            "data": adapter(InitiativeState).dump_json(state).decode(),
        }
        for state in states
    ]
    upsert(connection, initiative_row, rows)


def load_initiatives(connection: Connection) -> dict[str, InitiativeState]:
    """The states of all initiatives, by id."""
    rows = connection.execute(select(initiative_row.c.initiative, initiative_row.c.data))
    return {row.initiative: adapter(InitiativeState).validate_json(row.data) for row in rows}


def forget_initiatives(connection: Connection, known: Collection[str]) -> None:
    """Drop the states of initiatives that the configuration no longer has."""
    stored = connection.scalars(select(initiative_row.c.initiative)).all()
    for gone in set(stored) - set(known):
        connection.execute(delete(initiative_row).where(initiative_row.c.initiative == gone))


def keep_forecasts(connection: Connection, kind: PeriodKind, made: Mapping[str, Forecast]) -> None:
    """Keep what is expected of the next periods, by KPI; a forecast made again replaces the earlier one."""
    rows = [
        {
            "kpi": kpi, "kind": str(kind), "time": point.time, "ahead": point.ahead, "method": forecast.method,
            "value": point.value, "low": point.low, "high": point.high, "backtest_error": forecast.error, "actual": None,
        }
        for kpi, forecast in made.items()
        for point in forecast.points[:KEPT_AHEAD]
    ]  # fmt: skip
    upsert(connection, forecast_row, rows)


def settle_forecasts(connection: Connection, kpi: str, kind: PeriodKind, time: int, actual: float | None) -> None:
    """Say what the period (its number as ``time_of`` counts) was really worth, or, closed anew, is worth now."""
    table = forecast_row
    same = (table.c.kpi == kpi, table.c.kind == str(kind), table.c.time == time)
    connection.execute(update(table).where(*same).values(actual=actual))


def kept_forecasts(
    connection: Connection, kpi: str, kind: PeriodKind, *, ahead: int = 1, limit: int = 60
) -> list[KeptForecast]:
    """The forecasts made ``ahead`` periods before their own, newest period first."""
    table = forecast_row
    query = select(table).where(table.c.kpi == kpi, table.c.kind == str(kind), table.c.ahead == ahead)
    rows = connection.execute(query.order_by(table.c.time.desc()).limit(limit))
    return [
        KeptForecast(row.time, row.ahead, row.method, row.value, row.low, row.high, row.backtest_error, row.actual)
        for row in rows
    ]


def accuracy(kept: Iterable[KeptForecast]) -> Accuracy | None:
    """How good kept forecasts were; None when none of their periods has closed."""
    known = [(each, each.actual) for each in kept if each.actual is not None]
    if not known:
        return None
    error = fsum(abs(actual - each.value) for each, actual in known) / len(known)
    return Accuracy(len(known), error, sum(each.low <= actual <= each.high for each, actual in known) / len(known))


def _insight_values(insight: Insight) -> dict[str, Any]:
    return {
        "id": insight.id, "kind": str(insight.kind), "subject_kind": insight.subject_kind, "subject": insight.subject,
        "aspect": insight.aspect, "since": insight.since, "direction": str(insight.direction),
        "strength": insight.strength, "sentence": insight.sentence, "next_step": insight.next_step,
        "evidence": json.dumps(dict(insight.evidence), ensure_ascii=False), "data": insight.data,
        "period": insight.period, "found_at": insight.found_at, "ended_at": insight.ended_at,
    }  # fmt: skip


def _insight(row: Row[Any]) -> Insight:
    return Insight(
        InsightKind(row.kind), row.subject_kind, row.subject, row.since, Direction(row.direction), row.strength,
        row.sentence, row.next_step, row.aspect, json.loads(row.evidence), row.data, row.period, row.found_at,
        row.ended_at,
    )  # fmt: skip
