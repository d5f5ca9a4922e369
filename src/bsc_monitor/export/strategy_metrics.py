"""Nodes above KPIs, the strategy map and the cascade as metric lines."""

from collections.abc import Mapping
from functools import partial

from bsc_monitor.export.exposition import Exposition
from bsc_monitor.export.labels import local_id, node_labels
from bsc_monitor.export.text import line, pairs
from bsc_monitor.model.event import ScoreChanged
from bsc_monitor.model.judgement import NodeScore
from bsc_monitor.model.organisation import Objective, Organisation, Scorecard

COLUMN, ROW = 260, 180  #: of the strategy map's grid, in the node graph's pixels


class StrategyMetrics:
    """Keeps an exposition's node and strategy families in step with what is rolled up."""

    def __init__(self, exposition: Exposition) -> None:
        self._exposition = exposition
        self._labels: dict[tuple[str, str], str] = {}
        self._links: set[tuple[str, str, str]] = set()

    def load(self, organisation: Organisation) -> None:
        """Take a new configuration: series of what is no longer in it are gone at the next scrape."""
        labels = node_labels(organisation)
        for gone in self._labels.items() - labels.items():
            self._exposition.remove(gone[0])
        self._labels = labels
        links = {
            (each.scorecard, each.id, local_id(target)) for each in organisation.objectives.values()
            for target in each.drives
        }  # fmt: skip
        for link in self._links - links:
            self._exposition.remove(("link", *link))
        self._links = links
        places: dict[tuple[str, str], int] = {}
        for objective in organisation.objectives.values():
            row = (objective.scorecard, objective.perspective)
            place = places[row] = places.get(row, -1) + 1
            self._exposition.show(
                ("objective", objective.name), partial(self._objective_lines, organisation, objective, place)
            )
        for scorecard in organisation.scorecards.values():
            self._exposition.show(("scorecard", scorecard.id), partial(_scorecard_lines, scorecard))

    def scored(self, event: ScoreChanged) -> None:
        """Take the new score of an objective, perspective or scorecard."""
        key = (event.node.kind, event.node.name)
        labels = self._labels.get(key)
        if labels is not None:
            self._exposition.show(key, partial(_node_lines, labels, event.node))

    def correlated(self, scorecard: str, source: str, target: str, correlation: float | None) -> None:
        """Say how an objective and one that it drives (ids) move together, -1 to 1; None: no evidence."""
        link = (scorecard, source, target)
        if link in self._links:
            name = "bsc_link_correlation_ratio"
            labels = pairs(("scorecard", "source", "target"), link)
            text = b"" if correlation is None else line(name, labels, correlation)
            self._exposition.set(name, ("link", *link), text)

    def _objective_lines(self, organisation: Organisation, objective: Objective, place: int) -> Mapping[str, bytes]:
        rows = [perspective.id for perspective in organisation.scorecards[objective.scorecard].perspectives]
        row = rows.index(objective.perspective) if objective.perspective in rows else len(rows)
        own = self._labels["objective", objective.name]
        more = pairs(("title", "x", "y"), (objective.title, str(place * COLUMN), str(row * ROW)))
        links = [
            pairs(("scorecard", "source", "target"), (objective.scorecard, objective.id, local_id(target)))
            for target in objective.drives
            if target in organisation.objectives
        ]
        above = organisation.objectives.get(objective.supports or "")
        names = ("scorecard", "objective", "parent_scorecard", "parent_objective")
        supports = pairs(names, (objective.scorecard, objective.id, above.scorecard, above.id)) if above else ""
        return {
            "bsc_objective_info": line("bsc_objective_info", f"{own},{more}", 1),
            "bsc_link_info": b"".join(line("bsc_link_info", each, 1) for each in links),
            "bsc_support_info": line("bsc_support_info", supports, 1) if supports else b"",
        }


def _scorecard_lines(scorecard: Scorecard) -> Mapping[str, bytes]:
    labels = pairs(("scorecard", "title", "parent"), (scorecard.id, scorecard.title, scorecard.parent or ""))
    return {"bsc_scorecard_info": line("bsc_scorecard_info", labels, 1)}


def _node_lines(labels: str, node: NodeScore) -> Mapping[str, bytes]:
    name = f"bsc_{node.kind}"
    return {
        f"{name}_score": b"" if node.score is None else line(f"{name}_score", labels, node.score),
        f"{name}_status_code": line(f"{name}_status_code", labels, node.status.code),
        f"{name}_coverage_ratio": line(f"{name}_coverage_ratio", labels, node.coverage),
    }
