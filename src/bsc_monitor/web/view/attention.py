"""What is red: what, since when, who owns it, and what is being done, in that order."""

from dataclasses import dataclass
from datetime import UTC, datetime

from bsc_monitor.model.insight import InitiativePhase
from bsc_monitor.model.judgement import Judgement
from bsc_monitor.model.organisation import Initiative, Kpi
from bsc_monitor.model.status import Status
from bsc_monitor.web.view.scene import Scene
from bsc_monitor.web.words import day

_ENDED = frozenset({"standardised", "abandoned"})
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Action:
    """Something that is being done about a KPI."""

    text: str
    detail: str = ""
    late: bool = False
    progress: float | None = None


@dataclass(frozen=True, slots=True)
class Concern:
    """A red KPI."""

    kpi: Kpi
    judgement: Judgement
    card: str
    objective: str
    owner: str
    zone: str
    actions: tuple[Action, ...]


def concerns(scene: Scene, scorecard: str = "") -> list[Concern]:
    """The red KPIs, of one scorecard or of all: key KPIs first, then the newest."""
    return first_concerns(scene, scorecard, None)[0]


def first_concerns(scene: Scene, scorecard: str, most: int | None) -> tuple[list[Concern], int]:
    """The first of the red KPIs, and how many there are."""
    kpis = scene.organisation.kpis
    red = [
        judgement
        for judgement in scene.judgements.values()
        if judgement.status is Status.RED and (kpi := kpis.get(judgement.kpi)) and scorecard in ("", kpi.scorecard)
    ]
    red.sort(key=lambda each: (not kpis[each.kpi].key, -(each.since or _EPOCH).timestamp(), each.kpi))
    by_target = _initiatives(scene)
    return [_concern(scene, each, by_target) for each in red[:most]], len(red)


def without_data(scene: Scene, scorecard: str) -> int:
    """How many KPIs ought to be scored and cannot, of one scorecard or of all."""
    return sum(
        kpi.scored and scorecard in ("", kpi.scorecard) and scene.judgement(name).status is Status.UNKNOWN
        for name, kpi in scene.organisation.kpis.items()
    )


def actions(scene: Scene, kpi: Kpi) -> tuple[Action, ...]:
    """What is being done about a KPI."""
    return _actions(scene, kpi, _initiatives(scene))


def _concern(scene: Scene, judgement: Judgement, by_target: dict[str, list[Initiative]]) -> Concern:
    organisation = scene.organisation
    kpi = organisation.kpis[judgement.kpi]
    card, objective = organisation.scorecards.get(kpi.scorecard), organisation.objectives.get(kpi.objective)
    return Concern(
        kpi, judgement, card.title if card else kpi.scorecard, objective.title if objective else kpi.objective,
        scene.owner(kpi), scene.zone(kpi.scorecard), _actions(scene, kpi, by_target),
    )  # fmt: skip


def _initiatives(scene: Scene) -> dict[str, list[Initiative]]:
    found: dict[str, list[Initiative]] = {}
    for initiative in scene.initiatives.values():
        state = scene.states.get(initiative.id)
        if scene.past or (state.active if state is not None else initiative.state not in _ENDED):
            for name in dict.fromkeys((*initiative.targets, *((initiative.expect.kpi,) if initiative.expect else ()))):
                found.setdefault(name, []).append(initiative)
    return found


def _actions(scene: Scene, kpi: Kpi, by_target: dict[str, list[Initiative]]) -> tuple[Action, ...]:
    found = {each.id: each for name in (kpi.name, kpi.objective) for each in by_target.get(name, ())}
    return (*(_action(scene, each) for each in found.values()), *acknowledgements(scene, kpi))


def _action(scene: Scene, initiative: Initiative) -> Action:
    due, state = initiative.due, scene.states.get(initiative.id)
    if scene.past:  # how far it was then is not kept
        return Action(initiative.title, f"from {day(initiative.start)}")
    detail = f"due {due.day} {due:%b}" if due else ""
    if state is None:
        progress = initiative.progress if isinstance(initiative.progress, float) else None
        return Action(initiative.title, detail, bool(due and due < scene.now.date()), progress)
    if state.phase is InitiativePhase.CHECKING:
        return Action(initiative.title, "done; its effect is being checked")
    return Action(initiative.title, detail, state.late, state.progress)


def acknowledgements(scene: Scene, kpi: Kpi) -> list[Action]:
    """Who has taken a KPI's alerts on."""
    taken = [scene.controls.acknowledgement(each, scene.now) for each in scene.controls.about("kpi", kpi.name)]
    return [Action(f"Acknowledged by {each.author}", each.note) for each in taken if each is not None]
