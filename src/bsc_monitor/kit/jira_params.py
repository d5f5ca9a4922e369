"""What may be asked of Jira: which issues, by which statuses and clock, and how their numbers become one."""

from __future__ import annotations

from pydantic import Field, model_validator

from bsc_monitor.kit.flow import Move
from bsc_monitor.kit.jira_query import scoped
from bsc_monitor.kit.statistics import Statistic
from bsc_monitor.plugin import Params


class Scope(Params):
    """Which issues are fetched; KPIs with the same scope share one fetch."""

    project: str = Field("", description="key of a project, or several with commas", examples=["SHOP"])
    jql: str = Field("", description="JQL that narrows the issues, e.g. labels = customer")
    epic: str = Field("", description="key of an epic: its children only")

    @model_validator(mode="after")
    def _bounded(self) -> Scope:
        if not (self.project.strip() or self.jql.strip() or self.epic.strip()):
            raise ValueError("give project, jql or epic: Jira refuses a search without a restriction")
        return self

    def query(self, *, cloud: bool) -> str:
        """The JQL that finds them."""
        return scoped(self.project, self.epic, self.jql, cloud=cloud)


class Flow(Scope):
    """Which issues, and which statuses mean that they are started and done."""

    types: list[str] = Field([], description="issue types, by name or id; empty: all")
    subtasks: bool = Field(False, description="count sub-tasks too")
    done: list[str] = Field([], description="statuses that mean done, by name or id; empty: those of category done")
    started: list[str] = Field([], description="statuses that mean started; empty: those of category indeterminate")

    def is_done(self, move: Move) -> bool:
        """Whether a status means done."""
        return named(move, self.done) if self.done else move.category == "done"

    def is_started(self, move: Move) -> bool:
        """Whether a status means that work goes on."""
        return named(move, self.started) if self.started else move.category == "indeterminate"


class Duration(Flow):
    """Which issues, by which clock, and how their durations become one number."""

    statistic: Statistic = "median"
    business: bool = Field(False, description="only working hours of the configured calendar")


class CycleTime(Duration):
    """Which issues, and what of those that never were in progress."""

    include_skipped: bool = Field(False, description="count issues that never were in progress as 0")


class Efficiency(Flow):
    """Which statuses are waiting and which are work."""

    waiting: list[str] = Field(
        min_length=1, description="statuses in which an issue waits, by name or id", examples=[["Review"]]
    )
    active: list[str] = Field([], description="statuses in which it is worked on; empty: all others that mean started")
    business: bool = Field(False, description="only working hours of the configured calendar")


class Defects(Flow):
    """Which issues are defects."""

    bugs: list[str] = Field(["Bug"], description="issue types that are defects, by name or id")


class Progress(Flow):
    """How progress is counted."""

    points: bool = Field(False, description="count points instead of issues")


class SprintScope(Params):
    """Whose sprints."""

    project: str = Field(description="key of a project with a scrum board", examples=["SHOP"])
    board: int = Field(0, description="id of one board; 0: all boards of the project")


class Commitment(SprintScope):
    """How commitment is counted."""

    points: bool = Field(False, description="count points instead of issues")


class Sla(Scope):
    """Which service level; empty: all."""

    sla: str = Field("", description="name of the SLA, e.g. Time to resolution")


class Response(Scope):
    """Which service level tells the first response, by which clock, and how it becomes one number."""

    sla: str = Field("Time to first response", description="name of the SLA that tells the first response")
    statistic: Statistic = "mean"
    business: bool = Field(False, description="the service level's own clock instead of elapsed time")


class Count(Params):
    """Any JQL."""

    jql: str = Field(description="what to count", examples=["project = SHOP"])
    time_field: str = Field(
        "", description="date field that must lie in the period, e.g. created; empty: as the JQL says"
    )


class Sum(Count):
    """Any JQL and a numeric field."""

    field: str = Field(description="a numeric field, by name or id", examples=["Story Points"])


def named(move: Move, names: list[str]) -> bool:
    """Whether a status is one of those, by its id or by any name it ever had."""
    return move.status in names or move.name in names or any(name in names for name in move.names)
