"""What may be asked of ServiceNow: which records, by which clock, and how their numbers become one."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from bsc_monitor.kit.statistics import Statistic
from bsc_monitor.plugin import Params


class Scope(Params):
    """Which records."""

    query: str = Field("", description="encoded query that narrows the records, e.g. priority=1^ORpriority=2")


class Duration(Scope):
    """Which records, and how their durations become one number."""

    statistic: Statistic = "mean"
    business: bool = Field(False, description="only working hours of the configured calendar")


class Resolution(Duration):
    """Which incidents, and by which clock."""

    business: bool = Field(False, description="business time as the instance computed it (business_stc)")
    by_calendar: bool = Field(False, description="working hours of the configured calendar, in place of business_stc")


class Age(Scope):
    """Which records, and when one counts as old."""

    days: float = Field(30, gt=0, description="older than this many days")
    statistic: Statistic = "median"


class Sla(Scope):
    """Which records' SLAs."""

    sla: str = Field("", description="name of one SLA definition; empty: all")


class Major(Scope):
    """Which incidents, and which of them are major."""

    definition: str = Field("major_incident_state=accepted", description="encoded query of a major incident")


class Change(Scope):
    """Which changes."""

    with_issues: bool = Field(False, description="count changes closed as 'successful with issues' as successful")


class Survey(Scope):
    """Which answers; ``query`` is on asmt_metric_result."""

    low: float = Field(1, description="the worst answer on the scale")
    high: float = Field(5, description="the best answer on the scale")

    @model_validator(mode="after")
    def _apart(self) -> Survey:
        if self.high <= self.low:
            raise ValueError("high must be more than low")
        return self


class Aggregate(Scope):
    """Any table, any field."""

    table: str = Field(description="name of the table", examples=["incident"])
    function: Literal["count", "avg", "sum", "min", "max"] = Field("count", description="what becomes of the records")
    field: str = Field("", description="what to aggregate; not needed for count")
    time_field: str = Field("", description="date column that must lie in the period; empty: whenever")
