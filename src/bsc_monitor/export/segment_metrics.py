"""Breakdowns of KPIs as metric lines, capped: the rest folds into one segment named ``other``."""

from collections.abc import Mapping
from functools import partial

from bsc_monitor.export.exposition import Exposition
from bsc_monitor.export.families import SEGMENT_FAMILIES
from bsc_monitor.export.labels import kpi_labels
from bsc_monitor.export.text import line, pairs
from bsc_monitor.model.event import SegmentJudged
from bsc_monitor.model.organisation import Kpi, Organisation
from bsc_monitor.model.status import Status
from bsc_monitor.model.unit import base

CAP = 50  #: segments shown of one KPI and dimension

Segments = dict[str, tuple[float | None, Status]]


class SegmentMetrics:
    """The exposition of breakdowns: events are taken as they come, lines are written at the next scrape."""

    def __init__(self, cap: int = CAP) -> None:
        self.exposition = Exposition(SEGMENT_FAMILIES, prepare=self._write)
        self._cap = cap
        self._organisation = Organisation()
        self._segments: dict[tuple[str, str], Segments] = {}
        self._changed: set[tuple[str, str]] = set()

    def load(self, organisation: Organisation) -> None:
        """Take a new configuration: breakdowns that it no longer has are gone at the next scrape."""
        self._organisation = organisation
        for key in [key for key in self._segments if not self._known(*key)]:
            del self._segments[key]
            self.exposition.remove(key)
        self._changed = set(self._segments)

    def judged(self, event: SegmentJudged) -> None:
        """Take a segment's new value; one over several dimensions at once is left out: they would multiply."""
        if len(event.labels) == 1:
            ((dimension, segment),) = event.labels
            if self._known(event.kpi, dimension):
                key = (event.kpi, dimension)
                self._segments.setdefault(key, {})[segment] = (event.value, event.status)
                self._changed.add(key)

    def _known(self, name: str, dimension: str) -> bool:
        kpi = self._organisation.kpis.get(name)
        return kpi is not None and (not kpi.by or dimension in kpi.by)

    def _write(self) -> None:
        for key in self._changed:
            kpi = self._organisation.kpis[key[0]]
            self.exposition.show(key, partial(_lines, kpi, key[1], self._segments[key], self._cap))
        self._changed = set()


def _lines(kpi: Kpi, dimension: str, segments: Segments, cap: int) -> Mapping[str, bytes]:
    """The ``cap`` worst and largest segments, the others counted.

    Values of different segments cannot be added in general (a mean, a ratio), so ``other`` has a status, the worst
    of what it folds, and no value.
    """
    unit, factor = base(kpi.unit)
    own = kpi_labels(kpi)
    ordered = sorted(segments.items(), key=lambda each: (-each[1][1].code, -abs(each[1][0] or 0.0), each[0]))
    shown, folded = ordered[:cap], ordered[cap:]
    values, statuses = [], []
    for segment, (value, status) in shown:
        labels = f"{own},{pairs(('unit', 'dimension', 'segment'), (unit, dimension, segment or 'none'))}"
        if value is not None:
            values.append(line("bsc_kpi_segment_value", labels, value * factor))
        statuses.append(line("bsc_kpi_segment_status_code", labels, status.code))
    if folded:
        labels = f"{own},{pairs(('unit', 'dimension', 'segment'), (unit, dimension, 'other'))}"
        worst = max(status.code for _, (_, status) in folded)
        statuses.append(line("bsc_kpi_segment_status_code", labels, worst))
    count_labels = pairs(("scorecard", "kpi", "dimension"), (kpi.scorecard, kpi.id, dimension))
    return {
        "bsc_kpi_segment_value": b"".join(values),
        "bsc_kpi_segment_status_code": b"".join(statuses),
        "bsc_segments_folded": line("bsc_segments_folded", count_labels, len(folded)),
    }
