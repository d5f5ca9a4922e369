"""The scorecards as a cascade: parents with their children below them."""

from dataclasses import dataclass

from bsc_monitor.model.judgement import Counts, NodeScore
from bsc_monitor.model.organisation import Scorecard
from bsc_monitor.model.status import Freshness, Status
from bsc_monitor.web.view.scene import Scene


@dataclass(frozen=True, slots=True)
class Branch:
    """A scorecard and those that cascade from it."""

    card: Scorecard
    depth: int
    children: tuple["Branch", ...]


@dataclass(frozen=True, slots=True)
class View:
    """A perspective as a tile shows it."""

    title: str
    node: NodeScore


@dataclass(frozen=True, slots=True)
class Tile:
    """A scorecard at a glance."""

    card: Scorecard
    node: NodeScore
    views: tuple[View, ...]
    change: float | None  #: of the score since ``before``
    before: str  #: label of the period that the change is counted from


@dataclass(frozen=True, slots=True)
class Glance:
    """How many KPIs there are by status, over all scorecards."""

    counts: Counts
    stale: int
    scorecards: int
    kpis: int


def cascade(scene: Scene) -> list[Branch]:
    """The tree of scorecards, in the order of the configuration."""
    cards = scene.organisation.scorecards
    children: dict[str, list[Scorecard]] = {}
    for card in cards.values():
        children.setdefault(card.parent if card.parent in cards else "", []).append(card)  # type: ignore[arg-type]
    return [_branch(card, 0, children) for card in children.get("", [])]


def _branch(card: Scorecard, depth: int, children: dict[str, list[Scorecard]]) -> Branch:
    below = children.get(card.id, [])
    return Branch(card, depth, tuple(_branch(each, depth + 1, children) for each in below))


def tile(scene: Scene, card: Scorecard) -> Tile:
    """A scorecard with its perspectives and its movement."""
    node = scene.node("scorecard", card.id)
    views = tuple(View(each.title, scene.node("perspective", each.name)) for each in card.perspectives)
    before = scene.trails.before("scorecard", card.id)
    change = None
    if not scene.past and before is not None and before.score is not None and node.score is not None:
        change = node.score - before.score
    return Tile(card, node, views, change, before.period.label if before else "")


def glance(scene: Scene) -> Glance:
    """The counts over all KPIs that are scored; a stale one counts as without data, and apart."""
    tally = dict.fromkeys(Status, 0)
    stale = 0
    for name, kpi in scene.organisation.kpis.items():
        if not kpi.scored:
            continue
        judgement = scene.judgement(name)
        if judgement.freshness is Freshness.STALE:
            stale += 1
        tally[judgement.status] += 1
    counts = Counts(tally[Status.GREEN], tally[Status.AMBER], tally[Status.RED], tally[Status.UNKNOWN])
    return Glance(counts, stale, len(scene.organisation.scorecards), len(scene.organisation.kpis))
