"""A scorecard's body: perspectives, objectives, and one row per KPI."""

from dataclasses import dataclass

from bsc_monitor.model.judgement import Judgement, NodeScore
from bsc_monitor.model.organisation import Kpi, Objective, Perspective, Scorecard
from bsc_monitor.web import words
from bsc_monitor.web.view.scene import Scene
from bsc_monitor.web.view.trails import Point


@dataclass(frozen=True, slots=True)
class Row:
    """A KPI as a scorecard lists it."""

    kpi: Kpi
    judgement: Judgement
    points: tuple[Point, ...]
    owner: str
    zone: str

    @property
    def course(self) -> str:
        """The sparkline in words."""
        known = [point for point in self.points if point.value is not None]
        if len(known) < 2:
            return ""
        first, last = known[0], known[-1]
        return (
            f"From {words.amount(first.value, self.kpi.unit)} in {first.label} "
            f"to {words.amount(last.value, self.kpi.unit)} in {last.label}"
        )


@dataclass(frozen=True, slots=True)
class Goal:
    """An objective with its KPIs."""

    objective: Objective
    node: NodeScore
    kpis: tuple[Kpi, ...]


@dataclass(frozen=True, slots=True)
class Lane:
    """A perspective with its objectives."""

    perspective: Perspective
    node: NodeScore
    goals: tuple[Goal, ...]


def row(scene: Scene, kpi: Kpi) -> Row:
    """A KPI's row."""
    judgement = scene.judgement(kpi.name)
    return Row(kpi, judgement, scene.trails.of(kpi.name), scene.owner(kpi), scene.zone(kpi.scorecard))


def lanes(scene: Scene, card: Scorecard) -> list[Lane]:
    """The perspectives of a scorecard in its order."""
    objectives = scene.objectives_of(card)
    found = []
    for perspective in card.perspectives:
        goals = tuple(
            Goal(each, scene.node("objective", each.name), tuple(scene.kpis_of(each)))
            for each in objectives
            if each.perspective == perspective.id
        )
        found.append(Lane(perspective, scene.node("perspective", perspective.name), goals))
    return found
