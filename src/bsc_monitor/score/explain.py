"""The whole derivation of a score, as data: what CLI, API and board print (design/scoring.md, "Explain")."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from datetime import date, datetime, timedelta
from typing import Any

from msgspec import Struct

from bsc_monitor.model.judgement import Counts, Judgement, NodeKind
from bsc_monitor.model.organisation import Missing, Organisation
from bsc_monitor.model.period import Period
from bsc_monitor.model.period_value import PeriodValue
from bsc_monitor.model.reading import KpiReading
from bsc_monitor.model.status import Freshness, Status
from bsc_monitor.score.curve import GREEN_SCORE
from bsc_monitor.score.explain_kpi import KpiExplanation, explain_kpi
from bsc_monitor.score.freeze import past_tree, values_at
from bsc_monitor.score.nodes import Edge, Leaf, Node, what_if
from bsc_monitor.score.structure import build_tree
from bsc_monitor.score.tree import Tree

_MOST_GAINS = 10


@dataclass(frozen=True, slots=True)
class Share:
    """A child's part in its parent's score."""

    kind: NodeKind
    name: str
    title: str
    weight: float
    score: float | None
    status: Status
    missing: Missing  #: what it does to the parent without a score
    key: bool  #: whether the parent's status cannot be better than this one's
    share: float  #: of the weights that count, 0–1
    contribution: float  #: points of the parent's score; those of all children add up to it
    without: float | None  #: the parent's score if this child did not exist
    gain_green: float | None  #: points that a green here (66⅔, if it is below) would add to the parent
    gain_best: float | None  #: points that 100 here would add
    children: tuple[Share, ...] = ()


@dataclass(frozen=True, slots=True)
class Gain:
    """What a KPI could add to the explained score."""

    kpi: str
    title: str
    score: float | None
    gain_green: float  #: points, if it were just green
    gain_best: float  #: points, if it scored 100


@dataclass(frozen=True, slots=True)
class Lift:
    """What a KPI could add to a node above it."""

    kind: NodeKind
    name: str
    title: str
    score: float | None  #: of the node, now
    gain_green: float | None  #: points, if the KPI were just green; None: the node has no score, and would have none
    gain_best: float | None  #: points, if it scored 100


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a node has its score."""

    kind: NodeKind
    name: str
    title: str
    at: str | None  #: label of the past period that is explained; None: now
    score: float | None
    status: Status
    reason: str = ""  #: why the status is not what the score alone would say, or why there is no score
    coverage: float = 0.0
    min_coverage: float = 0.0
    counts: Counts = Counts()
    children: tuple[Share, ...] = ()
    gains: tuple[Gain, ...] = ()  #: what would raise this score most, best first
    above: tuple[Lift, ...] = ()  #: of a KPI: what it could do for the nodes above it, nearest first
    kpi: KpiExplanation | None = None


def explain(
    organisation: Organisation, kind: NodeKind, name: str, judgements: Mapping[str, Judgement], now: datetime,
    readings: Sequence[KpiReading] = (),
) -> Explanation:  # fmt: skip
    """Why a node (by kind and full name) has the score it has now. ``readings``: those behind a KPI's value.

    Raises KeyError for a node that the organisation does not have.
    """
    tree = build_tree(organisation, now)
    for leaf_name, leaf in tree.leaves.items():
        judgement = judgements.get(leaf_name)
        if judgement is not None:
            tree.set(leaf, judgement)
    tree.touch_all()
    tree.settle(now)
    if kind == "kpi":
        judged = judgements.get(name, Judgement(name))
        said = explain_kpi(organisation, judged, readings, judgements)
        return _explain_leaf(organisation, tree, judged, said, None, now)
    return _explain_node(organisation, tree, kind, name, None, now)


def explain_past(
    organisation: Organisation, kind: NodeKind, name: str, period: Period, values: Iterable[PeriodValue], now: datetime,
    readings: Sequence[KpiReading] = (),
) -> Explanation:  # fmt: skip
    """Why a node had its score at the end of a past period, from closed values. Raises KeyError as ``explain`` does."""
    known = values_at(values, period)
    tree = past_tree(organisation, period, known.values())
    tree.settle(now)
    if kind == "kpi":
        judgements = {each: _judgement_of(value) for each, value in known.items()}
        judged = judgements.get(name, Judgement(name))
        said = explain_kpi(organisation, judged, readings, judgements, known.get(name))
        return _explain_leaf(organisation, tree, judged, said, period.label, now)
    return _explain_node(organisation, tree, kind, name, period.label, now)


def to_data(value: Any) -> Any:
    """An explanation (or any part of one) as what JSON can hold: times in ISO 8601, durations in seconds."""
    if is_dataclass(value) and not isinstance(value, type):
        return {item.name: to_data(getattr(value, item.name)) for item in fields(value)}
    if isinstance(value, Struct):
        return {name: to_data(getattr(value, name)) for name in value.__struct_fields__}
    if isinstance(value, Mapping):
        return {str(key): to_data(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [to_data(each) for each in value]
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    return value.total_seconds() if isinstance(value, timedelta) else value


def _judgement_of(value: PeriodValue) -> Judgement:
    return Judgement(
        value.kpi, value.value, value.thresholds, value.score, value.status, Freshness.FRESH, value.period,
        observed_at=value.observed_at, samples=value.samples, state=value.state, evidence=value.evidence, note=value.note,
    )  # fmt: skip


def _explain_node(
    organisation: Organisation, tree: Tree, kind: NodeKind, name: str, at: str | None, now: datetime
) -> Explanation:
    node = next((node for node in tree.nodes if (node.kind, node.name) == (kind, name)), None)
    if node is None or node.shown is None:
        raise KeyError(f"there is no {kind} {name!r}")
    shown = node.shown
    titles = _titles(organisation)
    return Explanation(
        kind, name, titles[kind, name], at, shown.score, shown.status, shown.reason, shown.coverage, node.min_coverage,
        shown.counts, _shares(node, titles), _gains(tree, node, titles, now),
    )  # fmt: skip


def _titles(organisation: Organisation) -> dict[tuple[str, str], str]:
    found = {("kpi", kpi.name): kpi.title for kpi in organisation.kpis.values()}
    found |= {("objective", each.name): each.title for each in organisation.objectives.values()}
    found |= {("scorecard", each.id): each.title for each in organisation.scorecards.values()}
    found |= {
        ("perspective", view.name): view.title
        for card in organisation.scorecards.values()
        for view in card.perspectives
    }
    return found


def _shares(node: Node, titles: Mapping[tuple[str, str], str]) -> tuple[Share, ...]:
    found = [_share(node, edge, titles) for edge in node.children]
    return tuple(sorted(found, key=lambda share: -(share.gain_best or 0.0)))


def _share(node: Node, edge: Edge, titles: Mapping[tuple[str, str], str]) -> Share:
    child = edge.child
    if isinstance(child, Leaf):
        kind: NodeKind = "kpi"
        status, key = child.status, child.key
        below: tuple[Share, ...] = ()
    else:
        kind, key = child.kind, False
        status = child.shown.status if child.shown is not None else Status.UNKNOWN
        below = _shares(child, titles)
    counts = bool(edge.weight) and (edge.score is not None or edge.policy == "zero")
    share = edge.weight / node.counted if counts and node.score is not None else 0.0
    score = edge.score
    return Share(
        kind, child.name, titles[kind, child.name], edge.weight, score, status, edge.policy, key, share,
        share * (score or 0.0), what_if(node, edge, None, gone=True), _gain(node, edge, max(score or 0.0, GREEN_SCORE)),
        _gain(node, edge, 100.0), below,
    )  # fmt: skip


def _gain(node: Node, edge: Edge, score: float) -> float | None:
    """Points that a child's other score would add; None where the node has no score to add to."""
    then = what_if(node, edge, score)
    return None if then is None or node.score is None else then - node.score


def _gains(tree: Tree, node: Node, titles: Mapping[tuple[str, str], str], now: datetime) -> tuple[Gain, ...]:
    """What each KPI below could add, found by trying it out."""
    if node.score is None:
        return ()
    start, found = node.score, list[Gain]()
    for leaf in tree.leaves.values():
        if node in leaf.path:
            green, best = (then[node] for then in _tried(tree, leaf, now))
            if best is not None and best > start:
                found.append(
                    Gain(leaf.name, titles["kpi", leaf.name], leaf.score, (green or start) - start, best - start)
                )
    return tuple(sorted(found, key=lambda gain: (-gain.gain_best, gain.kpi))[:_MOST_GAINS])


def _explain_leaf(
    organisation: Organisation, tree: Tree, judged: Judgement, said: KpiExplanation, at: str | None, now: datetime
) -> Explanation:
    titles = _titles(organisation)
    leaf = tree.leaves.get(judged.kpi)
    lifts: list[Lift] = []
    if leaf is not None:
        green, best = _tried(tree, leaf, now)
        for node in leaf.path:
            gains = [
                None if then[node] is None else (then[node] or 0.0) - (node.score or 0.0) for then in (green, best)
            ]
            lifts.append(Lift(node.kind, node.name, titles[node.kind, node.name], node.score, gains[0], gains[1]))
    title = titles["kpi", judged.kpi]
    return Explanation(
        "kpi", judged.kpi, title, at, judged.score, judged.status, said.reason, above=tuple(lifts), kpi=said
    )


def _tried(tree: Tree, leaf: Leaf, now: datetime) -> tuple[dict[Node, float | None], dict[Node, float | None]]:
    """The scores of the nodes above a KPI if it were green, and if it scored 100; the tree is left as it was."""
    score, status, path = leaf.score, leaf.status, leaf.path
    tried = []
    for better in (max(score or 0.0, GREEN_SCORE), 100.0):
        tree.set(leaf, Judgement(leaf.name, score=better, status=Status.GREEN, freshness=Freshness.FRESH))
        tree.settle(now)
        tried.append({node: node.score for node in path})
    freshness = Freshness.MISSING if score is None else Freshness.FRESH
    tree.set(leaf, Judgement(leaf.name, score=score, status=status, freshness=freshness))
    tree.settle(now)
    return tried[0], tried[1]
