"""Records of software delivery, and the parameters of the measures over them: the same for every forge."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from bsc_monitor.kit.statistics import Statistic
from bsc_monitor.plugin import Params, Record


class Commit(Record):
    """A change, merges left out."""

    sha: str
    authored: datetime
    started: datetime | None = None  #: when the first commit of its pull request was authored, where asked for


class Delivery(Record):
    """A deployment, or an incident that may be one's failure."""

    key: str
    kind: Literal["deployment", "incident"]
    changed: datetime
    repository: str
    at: datetime | None  #: when the deployment was live, or the incident began; None: it never was
    ended: datetime | None = None  #: when the incident was resolved
    sha: str = ""
    text: str = ""  #: ref, description and last subject of a deployment, to tell hotfixes by
    names: tuple[str, ...] = ()  #: commits that an incident names
    commits: tuple[Commit, ...] | None = None  #: new with this deployment; None: unknown, as there is none before it


class Pull(Record):
    """A pull or merge request."""

    key: str
    changed: datetime
    repository: str
    author: str
    target: str  #: branch
    opened: datetime
    reviewed: datetime | None = None  #: first review by somebody else
    merged: datetime | None = None


class Build(Record):
    """A run of a workflow or pipeline that has ended."""

    key: str
    changed: datetime
    repository: str
    workflow: str
    branch: str
    began: datetime
    ended: datetime
    outcome: Literal["success", "failure", "other"]  #: other: cancelled, skipped


def _pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"is no regular expression: {error}") from None
    return text


Repository = Annotated[str, Field(pattern=r"^[\w.-]+(/[\w.-]+)+$")]


class Repositories(Params):
    """Which repositories."""

    repositories: tuple[Repository, ...] = Field(
        min_length=1, description="owner/name; measured together", examples=[["acme/shop"]]
    )


class Deliveries(Repositories):
    """Which deployments and incidents."""

    environment: str = Field("production", description="Deployments to this environment count")
    incident_label: str = Field("incident", description="Issues with this label are incidents")
    first_commit_of_pull: bool = Field(
        False, description="Time a change from the first commit of its pull request: for squash merges; asks more often"
    )


class LeadTime(Deliveries):
    """Which deployments, and how the changes' times become one number."""

    statistic: Statistic = "median"


HOTFIX = r"(?i)\bhot-?fix|\broll-?back|\brevert"


class Repairs(Params):
    """Which deployments repair another one."""

    hours: float = Field(24, gt=0, description="A hotfix, rollback or incident within so many hours is its failure")
    hotfix: Annotated[str, AfterValidator(_pattern)] = Field(
        HOTFIX, description="Regular expression found in ref, description or subject of a deployment that repairs"
    )


class FailureRule(Repairs):
    """When a deployment counts as failed."""

    link: Literal["latest", "named"] = Field(
        "latest", description="An incident that names no commit belongs to the latest deployment before it, or to none"
    )


class Failures(Deliveries, FailureRule):
    """Which deployments, and when one counts as failed."""


class Recovery(Failures):
    """Which failures, and how their durations become one number."""

    statistic: Statistic = "median"


class Review(Repositories):
    """Which pull requests, and until when."""

    until: Literal["first_review", "merge"] = Field("first_review", description="What ends the clock")
    target: str = Field("", description="Only those into this branch")
    statistic: Statistic = "median"


class Builds(Repositories):
    """Which builds."""

    workflow: str = Field("", description="Only this workflow")
    branch: str = Field("", description="Only on this branch")


class BuildTime(Builds):
    """Which builds, and how their durations become one number."""

    statistic: Statistic = "median"
