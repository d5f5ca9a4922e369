"""Period values and frozen nodes as rows."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, select

from bsc_monitor.model.organisation import Thresholds
from bsc_monitor.model.period import Period, PeriodKind
from bsc_monitor.model.period_value import NodePeriod, PeriodValue
from bsc_monitor.model.status import Completeness, ReadingState, Status
from bsc_monitor.store.readings import Labels, labels_of, labels_text
from bsc_monitor.store.schema import node_period, period_value, upsert


def save_values(connection: Connection, values: Iterable[PeriodValue]) -> None:
    """Keep period values, open or closed, in place of the earlier form of each."""
    upsert(connection, period_value, [_row(each) for each in values])


def save_nodes(connection: Connection, nodes: Iterable[NodePeriod]) -> None:
    """Keep frozen nodes."""
    upsert(connection, node_period, [_node_row(each) for each in nodes])


def live_values(connection: Connection) -> Iterator[PeriodValue]:
    """What a start needs: of every KPI and segment the open values and the last closed one."""
    table = period_value
    newest = (
        select(table.c.kpi, table.c.labels, func.max(table.c.start).label("start"))
        .where(table.c.closed_at.is_not(None))
        .group_by(table.c.kpi, table.c.labels)
        .subquery()
    )
    last = select(table).join(
        newest,
        (table.c.kpi == newest.c.kpi) & (table.c.labels == newest.c.labels) & (table.c.start == newest.c.start),
    )
    for row in connection.execute(last.where(table.c.closed_at.is_not(None))):
        yield to_value(row)
    for row in connection.execute(select(table).where(table.c.closed_at.is_(None))):
        yield to_value(row)


def period_values(
    connection: Connection, kpi: str, *, labels: Labels = (), until: datetime | None = None, limit: int = 60
) -> list[PeriodValue]:
    """The newest ``limit`` values of a KPI (or of one segment), oldest first; ``until``: of periods ended by then."""
    table = period_value
    query = select(table).where(table.c.kpi == kpi, table.c.labels == labels_text(labels))
    if until is not None:
        query = query.where(table.c.end <= until)
    rows = connection.execute(query.order_by(table.c.start.desc()).limit(limit)).all()
    return [to_value(row) for row in reversed(rows)]


def segment_values(connection: Connection, kpi: str, period: Period) -> list[PeriodValue]:
    """The segments of a KPI in a period."""
    table = period_value
    query = select(table).where(table.c.kpi == kpi, table.c.labels != "[]", table.c.start == period.start)
    return [to_value(row) for row in connection.execute(query)]


def closed_values(connection: Connection, kpis: Iterable[str], *, since: datetime | None = None) -> list[PeriodValue]:
    """All closed values of some KPIs (totals), oldest first: the series that insights and exports are made of."""
    table, found = period_value, list[PeriodValue]()
    for kpi in kpis:
        query = select(table).where(table.c.kpi == kpi, table.c.labels == "[]", table.c.closed_at.is_not(None))
        if since is not None:
            query = query.where(table.c.end > since)
        found += [to_value(row) for row in connection.execute(query.order_by(table.c.start))]
    return found


def has_closed(connection: Connection) -> bool:
    """Whether any period of any KPI has closed with a value."""
    table = period_value
    any_ = select(table.c.kpi).where(table.c.labels == "[]", table.c.closed_at.is_not(None), table.c.value.is_not(None))
    return connection.execute(any_.limit(1)).first() is not None


def values_ended_by(connection: Connection, instant: datetime) -> list[PeriodValue]:
    """Of every KPI the closed value of the period that ended last at or before an instant: what a past day shows."""
    table = period_value
    meant = (table.c.labels == "[]") & table.c.closed_at.is_not(None) & (table.c.end <= instant)
    newest = select(table.c.kpi, func.max(table.c.start).label("start")).where(meant).group_by(table.c.kpi).subquery()
    query = select(table).join(newest, (table.c.kpi == newest.c.kpi) & (table.c.start == newest.c.start)).where(meant)
    return [to_value(row) for row in connection.execute(query)]


def status_starts(connection: Connection, instant: datetime) -> dict[str, datetime]:
    """Of every KPI, when the first of the closed periods began that had, one after another, the status of the last by then."""
    table = period_value
    closed = (
        select(table.c.kpi, table.c.start, table.c.status)
        .where(table.c.labels == "[]", table.c.closed_at.is_not(None), table.c.end <= instant)
        .cte()
    )
    newest = select(closed.c.kpi, func.max(closed.c.start).label("start")).group_by(closed.c.kpi).subquery()
    last = (
        select(closed).join(newest, (closed.c.kpi == newest.c.kpi) & (closed.c.start == newest.c.start)).subquery()
    )  # fmt: skip
    other = (
        select(closed.c.kpi, func.max(closed.c.start).label("start"))
        .join(last, (closed.c.kpi == last.c.kpi) & (closed.c.status != last.c.status))
        .group_by(closed.c.kpi)
        .subquery()
    )
    query = (
        select(closed.c.kpi, func.min(closed.c.start).label("start"))
        .outerjoin(other, closed.c.kpi == other.c.kpi)
        .where(other.c.start.is_(None) | (closed.c.start > other.c.start))
        .group_by(closed.c.kpi)
    )
    return {row.kpi: row.start for row in connection.execute(query)}


def unfrozen_periods(connection: Connection) -> list[Period]:
    """The periods whose nodes were not rolled up since a KPI last closed in them, oldest first."""
    value, node = period_value, node_period
    closed = (
        select(value.c.kind, value.c.start, value.c.end, value.c.label, func.max(value.c.closed_at).label("closed_at"))
        .where(value.c.labels == "[]", value.c.kind != "", value.c.closed_at.is_not(None))
        .group_by(value.c.kind, value.c.start, value.c.end, value.c.label)
        .subquery()
    )
    frozen = (
        select(node.c.period_kind, node.c.start, func.min(node.c.closed_at).label("closed_at"))
        .group_by(node.c.period_kind, node.c.start)
        .subquery()
    )
    same = (closed.c.kind == frozen.c.period_kind) & (closed.c.start == frozen.c.start)
    query = (
        select(closed)
        .outerjoin(frozen, same)
        .where(frozen.c.closed_at.is_(None) | (frozen.c.closed_at < closed.c.closed_at))
    )
    rows = connection.execute(query.order_by(closed.c.start))
    return [Period(row.start, row.end, PeriodKind(row.kind), row.label) for row in rows]


def frozen_periods(connection: Connection, ended_from: datetime, ended_before: datetime) -> list[Period]:
    """The periods with frozen nodes that ended at or after one instant and before another, oldest first."""
    table = node_period
    columns = (table.c.period_kind, table.c.start, table.c.end, table.c.label)
    query = select(*columns).where(table.c.end >= ended_from, table.c.end < ended_before).distinct()
    rows = connection.execute(query.order_by(table.c.start))
    return [Period(row.start, row.end, PeriodKind(row.period_kind), row.label) for row in rows if row.period_kind]


def node_periods(connection: Connection, kind: str, name: str, *, limit: int = 60) -> list[NodePeriod]:
    """The newest frozen forms of a node, oldest first."""
    table = node_period
    query = select(table).where(table.c.kind == kind, table.c.name == name).order_by(table.c.start.desc()).limit(limit)
    return [to_node(row) for row in reversed(connection.execute(query).all())]


def nodes_of(connection: Connection, period: Period) -> list[NodePeriod]:
    """Every node as it was frozen with a period."""
    table = node_period
    query = select(table).where(table.c.period_kind == (period.kind or ""), table.c.start == period.start)
    return [to_node(row) for row in connection.execute(query)]


def _period_row(period: Period) -> dict[str, Any]:
    return {"start": period.start, "end": period.end, "label": period.label}


def _row(each: PeriodValue) -> dict[str, Any]:
    limits = each.thresholds
    thresholds = {name: value for name in Thresholds.__slots__ if (value := getattr(limits, name)) is not None}
    return {
        "kpi": each.kpi,
        "labels": labels_text(each.labels),
        "kind": each.period.kind.value if each.period.kind else "",
        **_period_row(each.period),
        "value": each.value,
        "samples": each.samples,
        "numerator": each.numerator,
        "denominator": each.denominator,
        "state": each.state.value,
        "completeness": each.completeness.value,
        "observed_at": each.observed_at,
        "evidence": each.evidence,
        "note": each.note,
        "thresholds": json.dumps(thresholds),
        "score": each.score,
        "status": each.status.value,
        "definition": each.definition,
        "closed_at": each.closed_at,
        "revision": each.revision,
    }


def to_value(row: Row[Any]) -> PeriodValue:
    """A row as a period value."""
    kind = PeriodKind(row.kind) if row.kind else None
    limits: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in json.loads(row.thresholds).items()}
    return PeriodValue(
        kpi=row.kpi, period=Period(row.start, row.end, kind, row.label), labels=labels_of(row.labels), value=row.value,
        samples=row.samples, numerator=row.numerator, denominator=row.denominator, state=ReadingState(row.state),
        completeness=Completeness(row.completeness), observed_at=row.observed_at, evidence=row.evidence, note=row.note,
        thresholds=Thresholds(**limits), score=row.score, status=Status(row.status), definition=row.definition,
        closed_at=row.closed_at, revision=row.revision,
    )  # fmt: skip


def _node_row(each: NodePeriod) -> dict[str, Any]:
    return {
        "kind": each.kind,
        "name": each.name,
        "period_kind": each.period.kind.value if each.period.kind else "",
        **_period_row(each.period),
        "score": each.score,
        "status": each.status.value,
        "coverage": each.coverage,
        "green": each.green,
        "amber": each.amber,
        "red": each.red,
        "missing": each.missing,
        "reason": each.reason,
        "closed_at": each.closed_at,
    }


def to_node(row: Row[Any]) -> NodePeriod:
    """A row as a frozen node."""
    kind = PeriodKind(row.period_kind) if row.period_kind else None
    return NodePeriod(
        row.kind, row.name, Period(row.start, row.end, kind, row.label), row.score, Status(row.status), row.coverage,
        row.green, row.amber, row.red, row.missing, row.reason, row.closed_at,
    )  # fmt: skip


def closed_value(connection: Connection, kpi: str, labels: Labels, period: Period) -> PeriodValue | None:
    """The frozen value of a period, if there is one."""
    table = period_value
    kind = period.kind.value if period.kind else ""
    query = select(table).where(
        table.c.kpi == kpi, table.c.labels == labels_text(labels), table.c.kind == kind, table.c.start == period.start,
        table.c.closed_at.is_not(None),
    )  # fmt: skip
    row = connection.execute(query).first()
    return None if row is None else to_value(row)
