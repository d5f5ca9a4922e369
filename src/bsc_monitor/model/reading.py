"""A reading: one observed value of a KPI."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from msgspec import Struct

from bsc_monitor.model.period import Period
from bsc_monitor.model.status import Completeness, ReadingState


@dataclass(frozen=True, slots=True)
class Reading:
    """What a measure delivers: a value as the source reports it, with what is needed to trust and explain it.

    A reading made *for* a reporting period (``mttr`` of October) names it in ``period``; one without is an
    observation at ``at`` and is aggregated into whatever period it falls in.
    """

    value: float | None  #: in the measure's unit; None together with a state that says why
    at: datetime | None = None  #: UTC instant of the observation (as-of time); None: when it was collected
    labels: Mapping[str, str] = field(
        default_factory=dict
    )  #: breakdown, e.g. ``{"assignment_group": "DBA"}``; empty: total
    unit: str | None = None  #: of ``value`` where it is not the measure's declared unit (a currency, say)
    samples: int | None = None  #: observations behind the value
    numerator: float | None = None  #: of a ratio, so that breakdowns combine as ratios of sums
    denominator: float | None = None
    period: Period | None = None  #: the reporting period that the value was made for
    state: ReadingState = ReadingState.OK
    completeness: Completeness = Completeness.FINAL
    evidence: str | None = None  #: link to the very query in the source system
    note: str | None = None  #: one sentence for people, e.g. "3 issues skipped In Progress and were left out"


class KpiReading(Struct, frozen=True, gc=False):
    """A reading that passed the door: finite, cleaned, in the KPI's unit, addressed to a KPI."""

    kpi: str  #: full name, ``scorecard/id``
    at: datetime
    value: float | None
    labels: tuple[tuple[str, str], ...] = ()  #: sorted by label name
    samples: int | None = None
    numerator: float | None = None
    denominator: float | None = None
    period: Period | None = None
    state: ReadingState = ReadingState.OK
    completeness: Completeness = Completeness.FINAL
    evidence: str | None = None
    note: str | None = None
    author: str | None = None  #: of a value entered by hand
    event_time: datetime | None = None  #: of the webhook that triggered the collection, for latency
