"""What a run brought, addressed to the KPIs that asked for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bsc_monitor.model.organisation import Kpi
from bsc_monitor.plugin import Reading


@dataclass(frozen=True, slots=True)
class Harvest:
    """What one run brought, addressed: raw readings, each with the KPI it is for."""

    source: str
    measure: str
    unit: str  #: that the measure declares
    at: datetime
    items: tuple[tuple[Kpi, Reading], ...]
    event_time: datetime | None = None  #: of the webhook that asked for it
    key: str = ""  #: of the job, under which ``checkpoint`` is to be committed with the readings
    checkpoint: Mapping[str, Any] = field(default_factory=dict)
    progress: Mapping[str, float] = field(default_factory=dict)  #: by initiative, 0–1


def readings_for(kpi: Kpi, readings: Iterable[Reading]) -> list[Reading]:
    """Those readings of a shared run that a KPI asked for: totals, and breakdowns by its own dimensions.

    A KPI without breakdowns takes labelled readings only where the measure gives no total at all.
    """
    wanted = [reading for reading in readings if set(reading.labels) <= set(kpi.by)]
    return wanted or ([] if kpi.by else list(readings))


def share_of(unit: str) -> float:
    """What makes a share of a measure's unit; a unit that is no share is left as it is."""
    return 0.01 if unit == "%" else 1.0
