"""Building the tree of an organisation: which node's score goes where, with which weight."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from heapq import heapify
from zoneinfo import ZoneInfo

from bsc_monitor.model.organisation import Missing, Objective, Organisation, Weight
from bsc_monitor.model.period import Period
from bsc_monitor.score.nodes import Edge, Leaf, Node, refill
from bsc_monitor.score.periods import last_day, local_day, midnight
from bsc_monitor.score.tree import Tree

_HEAVIEST = 1e100  #: so that sums of weighted scores stay far from the largest float
_LIGHTEST = 1e-100  #: below it shares lose their digits; such a weight is none


def build_tree(organisation: Organisation, at: datetime | Period) -> Tree:
    """The tree of an organisation with the weights in force at an instant, or at a period's end; nothing scored yet.

    Objectives feed their perspective and the objective they support; unscored KPIs are not part of it. What has no
    scored KPI below it at all is no missing data: it never could have a score, and weighs nothing in what is above.
    """
    days = {name: _day(at, organisation, name) for name in organisation.scorecards}
    nodes = {(node.kind, node.name): node for node in _nodes(organisation)}
    leaves: dict[str, Leaf] = {}
    for kpi in organisation.kpis.values():
        parent = nodes.get(("objective", kpi.objective))
        if kpi.scored and parent is not None:
            weight = _weight(kpi.weight, days[kpi.scorecard])
            leaf = leaves[kpi.name] = Leaf(kpi.name, kpi.key, parent, kpi.weight, kpi.missing, weight)
            parent.children.append(leaf)
            parent.leaves.append(leaf)
            if kpi.key:
                parent.keys = (*parent.keys, leaf)
    for objective in _supporting_first(organisation.objectives):
        above = nodes.get(("perspective", f"{objective.scorecard}/{objective.perspective}"))
        _join(nodes["objective", objective.name], above, objective.weight, objective.missing, days[objective.scorecard])
        supported = nodes.get(("objective", objective.supports or ""))
        _join(
            nodes["objective", objective.name],
            supported,
            objective.weight,
            objective.missing,
            days[objective.scorecard],
        )
    for card in organisation.scorecards.values():
        for view in card.perspectives:
            _join(
                nodes["perspective", view.name], nodes["scorecard", card.id], view.weight, view.missing, days[card.id]
            )
    ordered = list(nodes.values())
    _finish(ordered, leaves)
    return Tree(ordered, leaves, _steps(organisation, ordered, days))


def _day(at: datetime | Period, organisation: Organisation, scorecard: str) -> date:
    calendar = organisation.scorecards[scorecard].calendar
    return last_day(at, calendar) if isinstance(at, Period) else local_day(at, calendar)


def _nodes(organisation: Organisation) -> Iterator[Node]:
    """All nodes, children before parents."""
    for objective in _supporting_first(organisation.objectives):
        yield Node("objective", objective.name, objective.min_coverage)
    for card in organisation.scorecards.values():
        for view in card.perspectives:
            yield Node("perspective", view.name, view.min_coverage)
    for card in organisation.scorecards.values():
        yield Node("scorecard", card.id, card.min_coverage)


def _supporting_first(objectives: Mapping[str, Objective]) -> list[Objective]:
    depth: dict[str, int] = {}  # how many objectives are above by support
    for name in objectives:
        chain = []
        at: str | None = name
        while at is not None and at in objectives and at not in depth and at not in chain:
            chain.append(at)
            at = objectives[at].supports
        for each in reversed(chain):
            depth[each] = depth.get(objectives[each].supports or "", -1) + 1
    return sorted(objectives.values(), key=lambda objective: -depth[objective.name])


def _join(child: Node, parent: Node | None, weights: Weight, missing: Missing, day: date) -> None:
    if parent is None or not child.children:
        return
    weight = _weight(weights, day)
    if child.parent is None:
        child.parent, child.schedule, child.policy, child.weight = parent, weights, missing, weight
        parent.children.append(child)
    else:
        edge = Edge(child, parent, weights, missing, weight)
        parent.children.append(edge)
        child.more = (*child.more, edge)


def _weight(weights: Weight, day: date) -> float:
    return _bounded(weights.on(day))


def _bounded(weight: float) -> float:
    return 0.0 if weight < _LIGHTEST else min(weight, _HEAVIEST)


def _finish(nodes: list[Node], leaves: Mapping[str, Leaf]) -> None:
    for order, node in enumerate(nodes):
        node.order = order
        refill(node)
    for node in reversed(nodes):  # parents come first here
        above = {node: None}
        for edge in (node, *node.more):
            if edge.parent is not None:
                above.update(dict.fromkeys(edge.parent.path))
        node.path = tuple(sorted(above, key=lambda each: each.order))
    for leaf in leaves.values():
        leaf.path = leaf.parent.path if leaf.parent is not None else ()
        for node in leaf.path:
            node.missing += 1


def _steps(
    organisation: Organisation, nodes: list[Node], days: Mapping[str, date]
) -> list[tuple[datetime, int, Edge, float]]:
    found: list[tuple[datetime, int, Edge, float]] = []
    zones = {name: ZoneInfo(card.calendar.timezone) for name, card in organisation.scorecards.items()}
    for node in nodes:
        for edge in node.children:
            if len(edge.schedule.steps) > 1:
                card = edge.child.name.partition("/")[0]
                for start, weight in edge.schedule.steps:
                    if start > days[card]:
                        found.append((midnight(start, zones[card]), len(found), edge, _bounded(weight)))
    heapify(found)
    return found
