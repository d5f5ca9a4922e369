"""What the API answers about scorecards: how they stand, why, and what in the strategy hangs together badly."""

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from bsc_monitor.model.status import Status
from bsc_monitor.web.api.kpi_models import Kpi
from bsc_monitor.web.api.models import Answer


class Counts(Answer):
    """KPIs below a node by status."""

    green: int
    amber: int
    red: int
    missing: int


class Node(Answer):
    """An objective, perspective or scorecard, rolled up."""

    kind: Literal["objective", "perspective", "scorecard"]
    name: str = Field(description="Full name, `scorecard/id`.")
    title: str
    score: float | None = Field(description="0–100; null when there is none.")
    status: Status
    coverage: float = Field(description="Share of the weight below that has a score, 0–1.")
    counts: Counts
    reason: str = Field(description="Why the status is not what the score alone would say, or why there is no score.")
    since: datetime | None


class Objective(Node):
    """An objective with its place in the strategy."""

    perspective: str
    owner: str
    drives: list[str] = Field(description="Full names of the objectives that it drives.")
    supports: str | None = Field(description="The parent scorecard's objective that it supports.")
    kpis: list[str] = Field(description="Full names of its KPIs.")


class Perspective(Node):
    """A perspective with its objectives."""

    objectives: list[Objective]


class Scorecard(Node):
    """A scorecard with its perspectives' scores."""

    vision: str
    owner: str
    parent: str | None
    children: list[str]
    perspectives: list[Node]


class ScorecardDetail(Node):
    """A scorecard down to its objectives."""

    vision: str
    owner: str
    parent: str | None
    children: list[str]
    perspectives: list[Perspective]


class Scorecards(Answer):
    """All scorecards, parents before children."""

    items: list[Scorecard]


class Nodes(Answer):
    """Perspectives."""

    items: list[Node]


class Objectives(Answer):
    """Objectives."""

    items: list[Objective]


class Standing(Answer):
    """Everything at one moment: scorecards, and every KPI in short."""

    at: str | None = Field(description="The past period shown; null: now.")
    scorecards: list[ScorecardDetail]
    kpis: list[Kpi]


class Explained(Answer):
    """Why a thing is worth what it is."""

    subject: str
    explanation: dict[str, Any]


class Finding(Answer):
    """Something of the strategy that probably is not meant."""

    kind: Literal["supports_nothing", "unsupported", "no_leading_kpi", "odd_driver"]
    scorecard: str
    subject: str = Field(description="Full name of the objective or perspective.")
    message: str


class Findings(Answer):
    """Where the strategy hangs together badly."""

    items: list[Finding]
