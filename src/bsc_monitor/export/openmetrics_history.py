"""The past as OpenMetrics with timestamps: what ``promtool tsdb create-blocks-from openmetrics`` takes."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from bsc_monitor.export.families import BY_NAME, KPI_LABELS
from bsc_monitor.export.text import header, number, pairs
from bsc_monitor.model.organisation import Kpi, Organisation
from bsc_monitor.model.status import Status
from bsc_monitor.model.unit import base


@dataclass(frozen=True, slots=True)
class PastValue:
    """What a KPI (full name) was worth at an instant, in the KPI's unit."""

    kpi: str
    at: datetime
    value: float | None
    score: float | None
    status: Status


def history_lines(organisation: Organisation, past: Sequence[PastValue]) -> Iterator[bytes]:
    """The lines of the past of the organisation's KPIs, oldest first in each series, ended by ``# EOF``.

    Values stand in base units under the names and labels of the live exposition, so that one query reads both.
    KPIs that the organisation does not have are left out.
    """
    ordered = sorted((each for each in past if each.kpi in organisation.kpis), key=lambda each: (each.kpi, each.at))
    numbers: dict[str, Callable[[Kpi, PastValue], float | None]] = {
        "bsc_kpi_value": lambda kpi, each: None if each.value is None else each.value * base(kpi.unit)[1],
        "bsc_kpi_score": lambda _, each: each.score,
        "bsc_kpi_status_code": lambda _, each: each.status.code,
    }
    for family, read in numbers.items():
        yield header(BY_NAME[family], openmetrics=True)
        for each in ordered:
            kpi = organisation.kpis[each.kpi]
            value = read(kpi, each)
            if value is not None:
                labels = pairs(KPI_LABELS, (kpi.scorecard, kpi.perspective, kpi.objective.rpartition("/")[2], kpi.id))
                if family == "bsc_kpi_value":
                    labels += "," + pairs(("unit",), (base(kpi.unit)[0],))
                yield f"{family}{{{labels}}} {number(value)} {each.at.timestamp():.3f}\n".encode()
    yield b"# EOF\n"
