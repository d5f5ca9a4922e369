"""The labels of things, written once: live series and the exported past must be the same series."""

from bsc_monitor.export.families import KPI_LABELS
from bsc_monitor.export.text import pairs
from bsc_monitor.model.organisation import Kpi, Organisation


def local_id(name: str) -> str:
    """The id within its scorecard of a full name: ``it/fast`` → ``fast``."""
    return name.rpartition("/")[2]


def kpi_labels(kpi: Kpi) -> str:
    """The labels ``scorecard, perspective, objective, kpi``, as ``text.line`` takes them."""
    return pairs(KPI_LABELS, (kpi.scorecard, kpi.perspective, local_id(kpi.objective), kpi.id))


def node_labels(organisation: Organisation) -> dict[tuple[str, str], str]:
    """The labels of every objective, perspective and scorecard, by (kind, full name)."""
    labels: dict[tuple[str, str], str] = {}
    for scorecard in organisation.scorecards.values():
        labels["scorecard", scorecard.id] = pairs(("scorecard",), (scorecard.id,))
        for view in scorecard.perspectives:
            labels["perspective", view.name] = pairs(("scorecard", "perspective"), (scorecard.id, view.id))
    for objective in organisation.objectives.values():
        values = (objective.scorecard, objective.perspective, objective.id)
        labels["objective", objective.name] = pairs(("scorecard", "perspective", "objective"), values)
    return labels
