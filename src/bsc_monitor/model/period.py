"""Reporting periods and the organisation's calendar."""

from dataclasses import dataclass, field
from datetime import date, datetime, time
from enum import StrEnum


class PeriodKind(StrEnum):
    """The reporting period a KPI is judged in."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """A half-open stretch of time ``[start, end)``, both UTC instants; ``label`` as people write it (``2026-06``)."""

    start: datetime
    end: datetime
    kind: PeriodKind | None = None  #: None for a trailing window
    label: str = ""

    def __contains__(self, instant: datetime) -> bool:
        return self.start <= instant < self.end


@dataclass(frozen=True, slots=True)
class Calendar:
    """When the organisation works: the basis of fiscal periods, business time and pro-rating."""

    timezone: str = "UTC"  #: IANA name
    fiscal_year_start: int = 1  #: month, 1–12
    work_days: frozenset[int] = frozenset({0, 1, 2, 3, 4})  #: Monday is 0
    work_start: time = time(9)
    work_end: time = time(17)
    holidays: frozenset[date] = field(default_factory=frozenset)
