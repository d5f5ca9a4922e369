"""The roll-up KPI → objective → perspective → scorecard, kept up to date along one path for each change."""

from __future__ import annotations

from datetime import datetime
from heapq import heappop
from typing import Final

from bsc_monitor.model.judgement import Counts, Judgement, NodeScore
from bsc_monitor.model.status import Freshness, Status
from bsc_monitor.score.changes import NodeTurn
from bsc_monitor.score.nodes import Edge, Leaf, Node, Queue, contribute, count, refill, roll_up, touch

_FRESH: Final = Freshness.FRESH
_UNKNOWN: Final = Status.UNKNOWN


class Tree:
    """All nodes. Built by ``structure.build_tree``."""

    def __init__(
        self, nodes: list[Node], leaves: dict[str, Leaf], steps: list[tuple[datetime, int, Edge, float]]
    ) -> None:
        self.nodes = nodes  #: children before parents
        self.leaves = leaves
        self._steps = steps  # changes of weights to come: a heap of (instant, number, edge, weight)
        self._dirty: Queue = []

    def next_step(self) -> datetime | None:
        """When the next weight changes."""
        return self._steps[0][0] if self._steps else None

    def step(self, now: datetime) -> None:
        """Put the weights in force that have come into force by now."""
        while self._steps and self._steps[0][0] <= now:
            _, _, edge, weight = heappop(self._steps)
            if weight != edge.weight:
                edge.weight = weight
                parent = edge.parent
                if parent is not None:
                    refill(parent)
                    if not parent.dirty:
                        touch(parent, self._dirty)

    def set(self, leaf: Leaf, judgement: Judgement) -> None:
        """Take a KPI's judgement."""
        score, status = judgement.score, judgement.status
        if score is None or judgement.freshness is not _FRESH:
            score, status = None, _UNKNOWN
        if score != leaf.score:
            contribute(leaf, score, self._dirty)
        if status is not leaf.status:
            old, leaf.status = leaf.status, status
            for node in leaf.path:
                count(node, old, -1)
                count(node, status, 1)
                if not node.dirty:
                    touch(node, self._dirty)

    def settle(self, now: datetime) -> list[NodeTurn]:
        """Roll up whatever changed; the nodes that are another than before, each with its former form."""
        changed: list[NodeTurn] = []
        queue = self._dirty
        while queue:
            node = heappop(queue)[1]
            node.dirty = False
            score = _renew(node, now, changed)
            if score != node.score:
                contribute(node, score, queue)
                for edge in node.more:
                    contribute(edge, score, queue)
        return changed

    def recompute(self, now: datetime) -> list[NodeTurn]:
        """Forget every sum and count and build it anew from the leaves; the nodes that come out different."""
        changed: list[NodeTurn] = []
        for node in self.nodes:
            node.green = node.amber = node.red = node.missing = 0
        for node in self.nodes:
            if node.leaves:
                below = [leaf.status for leaf in node.leaves]
                tally = [(status, below.count(status)) for status in Status]
                for above in node.path:
                    for status, found in tally:
                        count(above, status, found)
        for node in self.nodes:
            refill(node)
            node.score = _renew(node, now, changed)
            node.dirty = False
            for edge in node.more:
                edge.score = node.score
        self._dirty.clear()
        return changed

    def touch_all(self) -> None:
        """Have the next ``settle`` look at every node."""
        for node in self.nodes:
            if not node.dirty:
                touch(node, self._dirty)


def _renew(node: Node, now: datetime, changed: list[NodeTurn]) -> float | None:
    """Roll a node up and note it if it is another than it was."""
    score, status, reason = roll_up(node)
    before, counts = node.shown, node.told
    if counts is None:
        counts = node.told = Counts(node.green, node.amber, node.red, node.missing)
    coverage, since = node.coverage, now
    if before is not None and before.status is status:
        since = before.since or now
        if (
            before.score == score
            and before.coverage == coverage
            and before.reason == reason
            and (before.counts is counts or before.counts == counts)
        ):
            return score
    shown = node.shown = NodeScore(node.kind, node.name, score, status, coverage, counts, reason, since)
    changed.append((shown, before))
    return score
