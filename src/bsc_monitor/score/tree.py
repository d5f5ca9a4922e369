"""The roll-up KPI → objective → perspective → scorecard, kept up to date along one path for each change.

Sums are exact (``exact``), so what remains after any history is, to the bit, what a fresh computation gives.
"""

from __future__ import annotations

from datetime import datetime
from heapq import heappop, heappush
from math import fsum

from bsc_monitor.model.judgement import Counts, Judgement, NodeKind, NodeScore
from bsc_monitor.model.organisation import Missing, Weight
from bsc_monitor.model.status import Status
from bsc_monitor.score.curve import node_status
from bsc_monitor.score.exact import exact

#: how bad a status is for what it caps; not knowing is worse than green and better than a known fault
_BADNESS = {Status.GREEN: 0, Status.UNKNOWN: 1, Status.AMBER: 2, Status.RED: 3}


class Edge:
    """A child's share in one parent."""

    __slots__ = ("child", "missing", "parent", "score", "weight", "weights")

    def __init__(self, child: Leaf | Node, parent: Node, weights: Weight, missing: Missing, weight: float) -> None:
        self.child = child
        self.parent = parent
        self.weights = weights
        self.missing = missing
        self.weight = weight  #: in force
        self.score: float | None = None  #: the child's, as the parent knows it


class Leaf:
    """A KPI in the tree."""

    __slots__ = ("code", "edge", "key", "name", "score", "status")

    def __init__(self, name: str, key: bool) -> None:
        self.name = name
        self.key = key
        self.edge: Edge
        self.score: float | None = None  #: None: it counts as missing
        self.status = Status.UNKNOWN
        self.code = 0  #: its place in the counts: 0 missing, 1 green, 2 amber, 3 red


class Node:
    """An objective, perspective or scorecard. Parents come after children in ``order``."""

    __slots__ = (
        "after",
        "blanks",
        "children",
        "counts",
        "covered",
        "dirty",
        "edges",
        "keys",
        "kind",
        "leaves",
        "min_coverage",
        "moved",
        "name",
        "order",
        "path",
        "products",
        "score",
        "shown",
        "total",
        "zeros",
    )  # fmt: skip

    def __init__(self, kind: NodeKind, name: str, min_coverage: float) -> None:
        self.kind: NodeKind = kind
        self.name = name
        self.min_coverage = min_coverage
        self.order = 0
        self.dirty = False
        self.path: tuple[Node, ...] = ()  #: itself and every node above it, once
        self.leaves: list[Leaf] = []  #: KPIs directly below
        self.children: list[Edge] = []
        self.edges: list[Edge] = []  #: to its parents
        self.keys: list[Leaf] = []  #: key KPIs directly below
        self.counts = [0, 0, 0, 0]
        self.products: list[float] = []  #: exact sum of weight × score, and what is to be added to it
        self.covered: list[float] = []  #: of weights with a score
        self.zeros: list[float] = []  #: of weights without one that count as 0
        self.total = 0.0
        self.blanks = 0  #: children whose missing score leaves this node without
        self.after = False  #: whether ``products`` has something to add,
        self.moved = False  #: and whether the weights have
        self.score: float | None = None
        self.shown: NodeScore | None = None


class Tree:
    """All nodes. Built by ``structure.build_tree``."""

    def __init__(
        self, nodes: list[Node], leaves: dict[str, Leaf], steps: list[tuple[datetime, int, Edge, float]]
    ) -> None:
        self.nodes = nodes  #: children before parents
        self.leaves = leaves
        self._steps = steps  # changes of weights to come: a heap of (instant, number, edge, weight)
        self._dirty: list[tuple[int, Node]] = []

    def next_step(self) -> datetime | None:
        """When the next weight changes."""
        return self._steps[0][0] if self._steps else None

    def step(self, now: datetime) -> None:
        """Put the weights in force that have come into force by now."""
        while self._steps and self._steps[0][0] <= now:
            _, _, edge, weight = heappop(self._steps)
            if weight != edge.weight:
                edge.weight = weight
                refill(edge.parent)
                self._touch(edge.parent)

    def set(self, leaf: Leaf, judgement: Judgement) -> None:
        """Take a KPI's judgement."""
        counts = judgement.counts
        score = judgement.score if counts else None
        status = judgement.status if counts else Status.UNKNOWN
        if score != leaf.score:
            leaf.score = score
            edge = leaf.edge
            _contribute(edge, score)
            self._touch(edge.parent)
        if status is not leaf.status:
            leaf.status = status
            old, leaf.code = leaf.code, status.code
            for node in leaf.edge.parent.path:
                node.counts[old] -= 1
                node.counts[leaf.code] += 1
                self._touch(node)

    def settle(self, now: datetime) -> list[tuple[NodeScore, NodeScore | None]]:
        """Roll up whatever changed; the nodes that are another than before, each with its former form."""
        changed: list[tuple[NodeScore, NodeScore | None]] = []
        queue = self._dirty
        while queue:
            node = heappop(queue)[1]
            node.dirty = False
            score = _renew(node, now, changed)
            if score != node.score:
                node.score = score
                for edge in node.edges:
                    _contribute(edge, score)
                    self._touch(edge.parent)
        return changed

    def recompute(self, now: datetime) -> list[tuple[NodeScore, NodeScore | None]]:
        """Forget every sum and count and build it anew from the leaves; the nodes that come out different."""
        changed: list[tuple[NodeScore, NodeScore | None]] = []
        for node in self.nodes:
            node.counts = [0, 0, 0, 0]
        for node in self.nodes:
            if node.leaves:
                codes = [leaf.code for leaf in node.leaves]
                tally = [codes.count(code) for code in range(4)]
                for above in node.path:
                    above.counts = [a + b for a, b in zip(above.counts, tally, strict=True)]
        for node in self.nodes:
            refill(node)
            node.score = _renew(node, now, changed)
            node.dirty = False
            for edge in node.edges:
                edge.score = node.score
        self._dirty.clear()
        return changed

    def touch_all(self) -> None:
        """Have the next ``settle`` look at every node."""
        for node in self.nodes:
            self._touch(node)

    def _touch(self, node: Node) -> None:
        if not node.dirty:
            node.dirty = True
            heappush(self._dirty, (node.order, node))


def _renew(node: Node, now: datetime, changed: list[tuple[NodeScore, NodeScore | None]]) -> float | None:
    """Roll a node up and note it if it is another than it was."""
    score, status, coverage, reason = roll_up(node)
    before = node.shown
    missing, green, amber, red = node.counts
    if before is not None and before.score == score and before.status is status and before.reason == reason:
        counts = before.counts
        if (
            before.coverage == coverage
            and counts.red == red
            and counts.amber == amber
            and counts.green == green
            and counts.missing == missing
        ):
            return score
    since = before.since if before is not None and before.status is status else now
    shown = NodeScore(node.kind, node.name, score, status, coverage, Counts(green, amber, red, missing), reason, since)
    node.shown = shown
    changed.append((shown, before))
    return score


def roll_up(node: Node) -> tuple[float | None, Status, float, str]:
    """Score, status, coverage and reason of a node from its sums."""
    if node.after:
        node.products = exact(node.products)
        node.after = False
    if node.moved:
        node.covered, node.zeros = exact(node.covered), exact(node.zeros)
        node.moved = False
    covered = node.covered[0] if node.covered else 0.0
    coverage = covered / node.total if node.total else 0.0
    counted = exact([*node.covered, *node.zeros])[0] if node.zeros else covered
    if node.blanks or not counted or counted / node.total < node.min_coverage:
        return None, Status.UNKNOWN, coverage, _why_blank(node, coverage)
    score = (node.products[0] if node.products else 0.0) / counted
    status = node_status(score)
    for leaf in node.keys:
        if _BADNESS[leaf.status] > _BADNESS[status]:
            worst, reason = _capped(node, status)
            return score, worst, coverage, reason
    return score, status, coverage, ""


def refill(node: Node) -> None:
    """Build a node's sums anew from its children."""
    products, covered, zeros = [], [], []
    node.blanks = 0
    for edge in node.children:
        weight, score = edge.weight, edge.score
        if not weight:
            continue
        if score is not None:
            products.append(weight * score)
            covered.append(weight)
        elif edge.missing == "zero":
            zeros.append(weight)
        elif edge.missing == "blank":
            node.blanks += 1
    node.products, node.covered, node.zeros = exact(products), exact(covered), exact(zeros)
    node.total = fsum([edge.weight for edge in node.children])
    node.after = node.moved = False


def _contribute(edge: Edge, score: float | None) -> None:
    """Put a child's new score into its parent's sums in place of the old one."""
    old, weight, node = edge.score, edge.weight, edge.parent
    edge.score = score
    if not weight or old == score:
        return
    node.after = True
    if old is not None:
        node.products.append(-(weight * old))
    if score is not None:
        node.products.append(weight * score)
    if old is None or score is None:
        node.moved = True
        sign = 1 if old is None else -1
        node.covered.append(sign * weight)
        if edge.missing == "zero":
            node.zeros.append(-sign * weight)
        elif edge.missing == "blank":
            node.blanks -= sign


def _why_blank(node: Node, coverage: float) -> str:
    if not node.total:
        return "nothing below it is scored"
    blank = [
        edge.child.name for edge in node.children if edge.missing == "blank" and edge.score is None and edge.weight
    ]
    if blank:
        return f"{', '.join(blank[:3])}{', …' if len(blank) > 3 else ''} without a score leaves it blank"
    return f"coverage {coverage:.3g} is below {node.min_coverage:g}"


def _capped(node: Node, status: Status) -> tuple[Status, str]:
    """The status of the worst key KPI, and the reason in words."""
    worst = max(node.keys, key=lambda leaf: _BADNESS[leaf.status])
    said = "has no fresh value" if worst.status is Status.UNKNOWN else f"is {worst.status.value}"
    return worst.status, f"key KPI {worst.name} {said}; by score alone it would be {status.value}"


def what_if(node: Node, edge: Edge, score: float | None, *, gone: bool = False) -> float | None:
    """The score of a node if one of its children had another score, or (``gone``) did not exist."""
    weight, old = edge.weight, edge.score
    products, covered = list(node.products), [*node.covered]
    zeros, total, blanks = [*node.zeros], node.total, node.blanks
    if not weight:
        return node.score
    if old is not None:
        products.append(-(weight * old))
        covered.append(-weight)
    elif edge.missing == "zero":
        zeros.append(-weight)
    elif edge.missing == "blank":
        blanks -= 1
    if gone:
        total = fsum([total, -weight])
    elif score is not None:
        products.append(weight * score)
        covered.append(weight)
    counted = fsum([*covered, *zeros])
    if blanks or counted <= 0 or counted / total < node.min_coverage:
        return None
    return fsum(products) / counted
