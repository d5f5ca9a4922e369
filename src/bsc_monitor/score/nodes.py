"""The nodes of the roll-up and the arithmetic of one of them.

Sums are exact (``exact``), so what remains after any history is, to the bit, what a fresh computation gives.
"""

from __future__ import annotations

from heapq import heappush
from math import fsum
from typing import Final

from bsc_monitor.model.judgement import Counts, NodeKind, NodeScore
from bsc_monitor.model.organisation import Missing, Weight
from bsc_monitor.model.status import Status
from bsc_monitor.score.curve import node_status
from bsc_monitor.score.exact import exact

#: how bad a status is for what it caps; not knowing is worse than green and better than a known fault
_BADNESS: Final = {Status.GREEN: 0, Status.UNKNOWN: 1, Status.AMBER: 2, Status.RED: 3}

_GREEN: Final = Status.GREEN
_AMBER: Final = Status.AMBER
_RED: Final = Status.RED

Queue = list[tuple[int, "Node"]]  #: a heap of what is to be rolled up: (order, node)


class Edge:
    """A child's share in one parent. That in its first parent is the child itself: one object less on every path."""

    __slots__ = ("child", "parent", "policy", "schedule", "score", "weight")

    def __init__(
        self, child: Leaf | Node, parent: Node | None, schedule: Weight, policy: Missing, weight: float
    ) -> None:
        # here and below: what every reading touches comes first, to share lines of the cache where this is compiled
        self.parent = parent  #: None: the child is at the top
        self.score: float | None = None  #: the child's, as the parent knows it
        self.weight = weight  #: in force
        self.schedule = schedule  #: weights over time
        self.policy = policy  #: what a missing score counts as
        self.child = child


class Leaf(Edge):
    """A KPI in the tree, and its share in its objective. Without ``score`` it counts as missing."""

    __slots__ = ("key", "name", "path", "status")

    def __init__(self, name: str, key: bool, parent: Node, schedule: Weight, policy: Missing, weight: float) -> None:
        super().__init__(self, parent, schedule, policy, weight)
        self.status = Status.UNKNOWN
        self.path: tuple[Node, ...] = ()  #: every node above it, once
        self.name = name
        self.key = key


class Node(Edge):
    """An objective, perspective or scorecard, and its share in its first parent. Parents come after children in
    ``order``."""

    __slots__ = (
        "amber",
        "blanks",
        "children",
        "counted",
        "coverage",
        "covered",
        "dirty",
        "dust",
        "green",
        "keys",
        "kind",
        "leaves",
        "min_coverage",
        "missing",
        "more",
        "moved",
        "name",
        "order",
        "path",
        "red",
        "rest",
        "shown",
        "sum",
        "told",
        "total",
        "weights",
        "zeros",
    )  # fmt: skip

    def __init__(self, kind: NodeKind, name: str, min_coverage: float) -> None:
        super().__init__(self, None, Weight(), "ignore", 1.0)
        self.sum = self.rest = 0.0  #: these two,
        self.dust: tuple[float, ...] = ()  #: and these if any, add up to the exact sum of weight × score
        self.dirty = False
        self.moved = True  #: whether the weights that count are others than these:
        self.counted = 0.0  #: sum of the weights that count; 0: there is no score
        self.coverage = 0.0  #: share of the weights with a score
        self.order = 0
        self.shown: NodeScore | None = None
        self.told: Counts | None = None  #: the counts as they are told, while they are the same
        self.keys: tuple[Leaf, ...] = ()  #: key KPIs directly below
        self.more: tuple[Edge, ...] = ()  #: to its other parents
        self.kind: NodeKind = kind
        self.name = name
        self.green = self.amber = self.red = self.missing = 0  #: KPIs below
        self.path: tuple[Node, ...] = ()  #: itself and every node above it, once
        self.leaves: list[Leaf] = []  #: KPIs directly below
        self.children: list[Edge] = []
        self.covered: list[float] = []  #: what adds up to the exact sum of the weights with a score
        self.zeros: list[float] = []  #: of those without one that count as 0
        self.weights: list[float] = []  #: of all weights,
        self.total = 0.0  #: rounded
        self.blanks = 0  #: children whose missing score leaves this node without
        self.min_coverage = min_coverage


def add(node: Node, product: float) -> None:
    """Add to a node's sum of weight × score without rounding error.

    Each of the two steps finds what rounding took from a sum (Knuth, TAOCP 2, 4.2.2, theorem B). It is rare that even
    the second loses something: of a product whose last bits lie a hundred bits below the sum.
    """
    before = node.sum
    node.sum = total = before + product
    back = total - before
    lost = (before - (total - back)) + (product - back)
    if lost:
        before = node.rest
        node.rest = total = before + lost
        back = total - before
        dust = (before - (total - back)) + (lost - back)
        if dust:
            node.dust = tuple(exact([*node.dust, dust]))


def _hold(node: Node, parts: list[float]) -> None:
    """Have parts of an exact sum as a node's."""
    node.sum = parts[0] if parts else 0.0
    node.rest = parts[1] if len(parts) > 1 else 0.0
    node.dust = tuple(parts[2:])


def roll_up(node: Node) -> tuple[float | None, Status, str]:
    """Score, status and reason of a node from its sums."""
    if node.moved:
        _weigh(node)
    if not node.counted:
        return None, Status.UNKNOWN, _why_blank(node)
    products = fsum([node.sum, node.rest, *node.dust]) if node.dust else node.sum + node.rest
    score = products / node.counted
    status = node_status(score)
    return (score, *_capped(node, status)) if node.keys else (score, status, "")


def _weigh(node: Node) -> None:
    """How much of its weights counts, anew."""
    node.moved = False
    node.covered, node.zeros = exact(node.covered), exact(node.zeros)
    total = node.total
    node.coverage = fsum(node.covered) / total if total else 0.0
    counted = fsum([*node.covered, *node.zeros])
    node.counted = 0.0 if node.blanks or not counted or counted / total < node.min_coverage else counted


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
        elif edge.policy == "zero":
            zeros.append(weight)
        elif edge.policy == "blank":
            node.blanks += 1
    node.covered, node.zeros = covered, zeros
    _hold(node, exact(products))
    node.weights = exact([edge.weight for edge in node.children])
    node.total = node.weights[0] if node.weights else 0.0
    node.moved = True


def touch(node: Node, queue: Queue) -> None:
    """Have a node rolled up anew."""
    node.dirty = True
    heappush(queue, (node.order, node))


def count(node: Node, status: Status, by: int) -> None:
    """Have so many KPIs more (or fewer) of a status below a node."""
    if status is _GREEN:
        node.green += by
    elif status is _AMBER:
        node.amber += by
    elif status is _RED:
        node.red += by
    else:
        node.missing += by
    node.told = None


def contribute(edge: Edge, score: float | None, queue: Queue) -> None:
    """Give a child its new score, another than before, and put that into its parent's sums in place of the old one."""
    old, weight, node = edge.score, edge.weight, edge.parent
    edge.score = score
    if node is None:
        return
    if not node.dirty:
        touch(node, queue)
    if old is not None and score is not None:
        add(node, -(weight * old))
        add(node, weight * score)
    elif weight:
        node.moved = True
        sign = 1 if old is None else -1
        node.covered.append(sign * weight)
        if old is not None:
            add(node, -(weight * old))
        elif score is not None:
            add(node, weight * score)
        if edge.policy == "zero":
            node.zeros.append(-sign * weight)
        elif edge.policy == "blank":
            node.blanks -= sign


def _why_blank(node: Node) -> str:
    if not node.total:
        return "nothing below it is scored"
    blank = [edge.child.name for edge in node.children if edge.policy == "blank" and edge.score is None and edge.weight]
    if blank:
        return f"{', '.join(blank[:3])}{', …' if len(blank) > 3 else ''} without a score leaves it blank"
    return f"coverage {node.coverage:.3g} is below {node.min_coverage:g}"


def _capped(node: Node, status: Status) -> tuple[Status, str]:
    """The status of the worst key KPI if it is worse, and the reason in words."""
    worst = max(node.keys, key=lambda leaf: _BADNESS[leaf.status])
    if _BADNESS[worst.status] <= _BADNESS[status]:
        return status, ""
    said = "has no fresh value" if worst.status is Status.UNKNOWN else f"is {worst.status.value}"
    return worst.status, f"key KPI {worst.name} {said}; by score alone it would be {status.value}"


def what_if(node: Node, edge: Edge, score: float | None, *, gone: bool = False) -> float | None:
    """The score of a node if one of its children had another score, or (``gone``) did not exist."""
    weight, old = edge.weight, edge.score
    products, covered = [node.sum, node.rest, *node.dust], [*node.covered]
    zeros, total, blanks = [*node.zeros], node.total, node.blanks
    if not weight:
        return node.score
    if old is not None:
        products.append(-(weight * old))
        covered.append(-weight)
    elif edge.policy == "zero":
        zeros.append(-weight)
    elif edge.policy == "blank":
        blanks -= 1
    if gone:
        total = fsum([*node.weights, -weight])
    elif score is not None:
        products.append(weight * score)
        covered.append(weight)
    counted = fsum([*covered, *zeros])
    if blanks or counted <= 0 or counted / total < node.min_coverage:
        return None
    return fsum(products) / counted
