"""What is shown on a page: the present, or a past period frozen, in one form."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from bsc_monitor.current import CollectorHealth
from bsc_monitor.model.health import CollectionHealth
from bsc_monitor.model.insight import InitiativeState, Insight
from bsc_monitor.model.judgement import Judgement, NodeKind, NodeScore
from bsc_monitor.model.organisation import Initiative, Kpi, Objective, Organisation, Scorecard
from bsc_monitor.model.source import Source
from bsc_monitor.web.board import Board
from bsc_monitor.web.view.controls import Controls
from bsc_monitor.web.view.trails import Trails


@dataclass(frozen=True, slots=True)
class Scene:
    """The state that pages are made of."""

    organisation: Organisation
    judgements: Mapping[str, Judgement]
    nodes: Mapping[tuple[NodeKind, str], NodeScore]
    trails: Trails
    now: datetime
    past: str = ""  #: label of the past period shown; empty: the present
    controls: Controls = Controls()
    initiatives: Mapping[str, Initiative] = field(default_factory=dict)
    collectors: Mapping[tuple[str, str], CollectorHealth] = field(default_factory=dict)
    sources: Mapping[str, Source] = field(default_factory=dict)
    states: Mapping[str, InitiativeState] = field(default_factory=dict)  #: of initiatives, by id
    insights: Mapping[str, Insight] = field(default_factory=dict)  #: open ones, by key
    tickets: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  #: links by insight's id and action
    actions: Mapping[str, str] = field(default_factory=dict)  #: tickets that can be opened, by id
    plugin_problems: tuple[str, ...] = ()  #: plugins that are left out, and why

    def judgement(self, kpi: str) -> Judgement:
        """How a KPI is judged; one without data where it never was."""
        return self.judgements.get(kpi) or Judgement(kpi)

    def node(self, kind: NodeKind, name: str) -> NodeScore:
        """What a node is worth; one without a score where it never had one."""
        return self.nodes.get((kind, name)) or NodeScore(kind, name)

    def failure(self, kpi: Kpi) -> CollectionHealth | None:
        """The collection that fails to feed a KPI; None: it does not fail, or this is the past."""
        health = self.collectors.get((kpi.source or "", kpi.measure or ""))
        return health.failure_of(kpi.name) if health else None

    def zone(self, scorecard: str) -> str:
        """The time zone of a scorecard."""
        card = self.organisation.scorecards.get(scorecard)
        return card.calendar.timezone if card else "UTC"

    def owner(self, kpi: Kpi) -> str:
        """Who answers for a KPI: its owner, else its objective's, else its scorecard's."""
        objective = self.organisation.objectives.get(kpi.objective)
        card = self.organisation.scorecards.get(kpi.scorecard)
        return kpi.owner or (objective.owner if objective else "") or (card.owner if card else "")

    def kpis_of(self, objective: Objective) -> list[Kpi]:
        """The KPIs of an objective, in the order of the configuration."""
        return _kpis_by_objective(self.organisation).get(objective.name, [])

    def objectives_of(self, card: Scorecard) -> list[Objective]:
        """The objectives of a scorecard, in the order of the configuration."""
        return _objectives_by_card(self.organisation).get(card.id, [])


def live(board: Board, trails: Trails, controls: Controls) -> Scene:
    """The present. The mappings are the read model's own: nothing is copied."""
    current = board.current
    return Scene(
        current.organisation, current.judgements, current.nodes, trails, board.clock(), controls=controls,
        initiatives=current.organisation.initiatives, collectors=current.collectors, sources=board.sources(),
        plugin_problems=tuple(board.plugin_problems()), states=current.initiatives, insights=current.insights,
        tickets=current.tickets, actions=board.improvement.actions() if board.improvement else {},
    )  # fmt: skip


_INDEX: dict[int, tuple[Organisation, dict[str, list[Kpi]], dict[str, list[Objective]]]] = {}


def _indexes(organisation: Organisation) -> tuple[Organisation, dict[str, list[Kpi]], dict[str, list[Objective]]]:
    found = _INDEX.get(id(organisation))
    if found is None or found[0] is not organisation:
        kpis: dict[str, list[Kpi]] = {}
        for kpi in organisation.kpis.values():
            kpis.setdefault(kpi.objective, []).append(kpi)
        objectives: dict[str, list[Objective]] = {}
        for objective in organisation.objectives.values():
            objectives.setdefault(objective.scorecard, []).append(objective)
        if len(_INDEX) > 4:
            _INDEX.clear()
        _INDEX[id(organisation)] = found = (organisation, kpis, objectives)
    return found


def _kpis_by_objective(organisation: Organisation) -> dict[str, list[Kpi]]:
    return _indexes(organisation)[1]


def _objectives_by_card(organisation: Organisation) -> dict[str, list[Objective]]:
    return _indexes(organisation)[2]
