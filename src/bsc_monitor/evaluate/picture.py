"""The scorecards at one moment, read from the store alone: now, or as a past period was frozen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection

from bsc_monitor.config import Configuration
from bsc_monitor.evaluate.state import State
from bsc_monitor.model.judgement import Counts, Judgement, NodeKind, NodeScore
from bsc_monitor.model.period import Period
from bsc_monitor.model.period_value import NodePeriod, PeriodValue
from bsc_monitor.model.status import Freshness
from bsc_monitor.store.periods import nodes_of, values_ended_by


@dataclass(frozen=True, slots=True)
class Picture:
    """What every KPI and node is worth."""

    judgements: Mapping[str, Judgement] = field(default_factory=dict)
    nodes: Mapping[tuple[NodeKind, str], NodeScore] = field(default_factory=dict)


def present(connection: Connection, configuration: Configuration, now: datetime) -> Picture:
    """What the store holds, judged as of ``now``; nothing is written."""
    state = State(configuration)
    state.restore(connection, now)
    state.scoring.tick(now)
    return Picture(dict(state.scoring.judgements), dict(state.scoring.nodes))


def past(connection: Connection, period: Period) -> Picture:
    """A closed period as it was frozen. KPIs of longer periods show the one that ended last by then."""
    judgements = {value.kpi: judgement_of(value) for value in values_ended_by(connection, period.end)}
    return Picture(judgements, {(node.kind, node.name): node_of(node) for node in nodes_of(connection, period)})  # type: ignore[misc]


def judgement_of(value: PeriodValue) -> Judgement:
    """A frozen period value as the judgement that it was."""
    return Judgement(
        value.kpi, value.value, value.thresholds, value.score, value.status,
        Freshness.MISSING if value.value is None else Freshness.FRESH, value.period, observed_at=value.observed_at,
        samples=value.samples, state=value.state, evidence=value.evidence, note=value.note,
    )  # fmt: skip


def node_of(node: NodePeriod) -> NodeScore:
    """A frozen node as the score that it was."""
    counts = Counts(node.green, node.amber, node.red, node.missing)
    return NodeScore(node.kind, node.name, node.score, node.status, node.coverage, counts, node.reason)  # type: ignore[arg-type]
