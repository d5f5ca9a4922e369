"""Breakdowns of KPIs as metric lines, capped: the rest folds into one segment named ``other``."""

from collections.abc import Mapping

from bsc_monitor.export.exposition import Exposition
from bsc_monitor.export.families import KPI_LABELS
from bsc_monitor.export.text import line, pairs
from bsc_monitor.model.organisation import Kpi
from bsc_monitor.model.status import Status
from bsc_monitor.model.unit import base


def set_segments(
    exposition: Exposition, kpi: Kpi, dimension: str, segments: Mapping[str, tuple[float, Status]], cap: int = 50
) -> None:
    """Show a KPI's values by one dimension: the ``cap`` worst and largest, the others counted.

    Values of different segments cannot be added in general (a mean, a ratio), so ``other`` has a status, the worst
    of what it folds, and no value.
    """
    unit, factor = base(kpi.unit)
    kpi_labels = pairs(KPI_LABELS, (kpi.scorecard, kpi.perspective, kpi.objective.rpartition("/")[2], kpi.id))
    ordered = sorted(segments.items(), key=lambda each: (-each[1][1].code, -abs(each[1][0]), each[0]))
    shown, folded = ordered[:cap], ordered[cap:]
    values, statuses = [], []
    for segment, (value, status) in shown:
        labels = f"{kpi_labels},{pairs(('unit', 'dimension', 'segment'), (unit, dimension, segment))}"
        values.append(line("bsc_kpi_segment_value", labels, value * factor))
        statuses.append(line("bsc_kpi_segment_status_code", labels, status.code))
    if folded:
        labels = f"{kpi_labels},{pairs(('unit', 'dimension', 'segment'), (unit, dimension, 'other'))}"
        worst = max(status.code for _, (_, status) in folded)
        statuses.append(line("bsc_kpi_segment_status_code", labels, worst))
    key = (kpi.name, dimension)
    exposition.set("bsc_kpi_segment_value", key, b"".join(values))
    exposition.set("bsc_kpi_segment_status_code", key, b"".join(statuses))
    count_labels = pairs(("scorecard", "kpi", "dimension"), (kpi.scorecard, kpi.id, dimension))
    exposition.set("bsc_segments_folded", key, line("bsc_segments_folded", count_labels, len(folded)))


def remove_segments(exposition: Exposition, kpi: str) -> None:
    """Remove all breakdowns of a KPI (its full name)."""
    for key in exposition.keys("bsc_segments_folded"):
        if isinstance(key, tuple) and key[0] == kpi:
            exposition.remove(key)
