"""The past: rolling closed values up, and judging them again on purpose."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from bsc_monitor.model.judgement import Judgement
from bsc_monitor.model.organisation import Kpi, Organisation
from bsc_monitor.model.period import Calendar, Period
from bsc_monitor.model.period_value import NodePeriod, PeriodValue
from bsc_monitor.model.status import Freshness
from bsc_monitor.score.breakdown import path_of
from bsc_monitor.score.definition import definition_hash
from bsc_monitor.score.judge import reading_of, rules_of, settled
from bsc_monitor.score.structure import build_tree
from bsc_monitor.score.tree import Tree


def freeze_nodes(
    organisation: Organisation, period: Period, values: Iterable[PeriodValue], now: datetime
) -> list[NodePeriod]:
    """Every node as of the end of a period, from closed values and with the weights in force on its last day."""
    tree = past_tree(organisation, period, values)
    found: list[NodePeriod] = []
    for node, _ in tree.settle(now):
        counts = node.counts
        found.append(
            NodePeriod(
                node.kind, node.name, period, node.score, node.status, node.coverage, counts.green, counts.amber,
                counts.red, counts.missing, node.reason, now,
            )
        )  # fmt: skip
    return found


def past_tree(organisation: Organisation, period: Period, values: Iterable[PeriodValue]) -> Tree:
    """The tree of a past period, not yet rolled up."""
    tree = build_tree(organisation, period)
    for name, value in values_at(values, period).items():
        leaf = tree.leaves.get(name)
        if leaf is not None:
            tree.set(
                leaf, Judgement(name, value.value, score=value.score, status=value.status, freshness=Freshness.FRESH)
            )
    tree.touch_all()
    return tree


def values_at(values: Iterable[PeriodValue], period: Period) -> dict[str, PeriodValue]:
    """By KPI the value that counts at the end of a period: of its own period that ended last by then, and not longer ago
    than that period's length."""
    found: dict[str, PeriodValue] = {}
    for value in values:
        if value.labels or value.period.end > period.end or value.period.end + length(value.period) <= period.end:
            continue
        other = found.get(value.kpi)
        if other is None or other.period.end < value.period.end:
            found[value.kpi] = value
    return found


def rescore(kpi: Kpi, calendar: Calendar, values: Iterable[PeriodValue], now: datetime) -> list[PeriodValue]:
    """Judge closed values of a KPI, and of its segments, by today's definition. Only those that come out different are
    returned, each with ``revision`` + 1 and closed now."""
    changed: list[PeriodValue] = []
    definition = definition_hash(kpi)
    for value in values:
        if value.closed_at is None or value.kpi != kpi.name:
            continue
        rules = rules_of(kpi, value.period, calendar, path_of(kpi, value.labels))
        raw = reading_of(value, kpi.min_samples)
        fresh = settled(kpi.min_samples, value.period, raw, rules, definition, now, value.revision + 1)
        if (fresh.score, fresh.status, fresh.thresholds, fresh.state) != (
            value.score, value.status, value.thresholds, value.state,
        ):  # fmt: skip
            changed.append(fresh)
    return changed


def length(period: Period) -> timedelta:
    """How long a period is."""
    return period.end - period.start
