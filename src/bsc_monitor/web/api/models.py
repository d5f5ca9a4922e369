"""What all answers share, and those about events, comments and sources.

Values are in the KPI's own unit, times are UTC, ``null`` is unknown and never zero.
"""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

Level = float | tuple[float, float]


class Answer(BaseModel):
    """The base of all answers."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class Event(Answer):
    """Something that happened."""

    id: int
    at: datetime
    kind: str
    subject: str
    data: dict[str, Any]


class Events(Answer):
    """Events, newest first; the last one's id as `before` gives those before."""

    items: list[Event]


class Comment(Answer):
    """What a person wrote."""

    id: int
    at: datetime
    subject: str
    author: str
    text: str


class Comments(Answer):
    """Comments on one subject, newest first."""

    items: list[Comment]


class FailingCollection(Answer):
    """A collection whose last run failed: one question to the source, that its KPIs share."""

    kpis: list[str] = Field(description="That get no values from it.")
    initiatives: list[str] = Field(description="Whose progress it asks for.")
    error: str = Field(description="Of the last run, in words.")
    reason: str | None = Field(description="Its kind; null: an older version did not keep it.")
    last_success: datetime | None
    last_failure: datetime | None
    next_run: datetime | None


class CollectorState(Answer):
    """How the runs of one measure went: of all its collections, which differ in parameters, period or schedule."""

    measure: str
    last_success: datetime | None = Field(
        description="Of the collection that succeeded longest ago; null: one never did."
    )
    last_failure: datetime | None = Field(description="Of any collection.")
    error: str | None = Field(description="Of the collection that failed last and fails still; null: none fails.")
    failing: list[FailingCollection]
    next_run: datetime | None = Field(description="Of the collection that runs first.")
    runs: int = Field(description="Since the service started.")
    failures: int = Field(description="Since the service started.")
    duration: float | None = Field(description="Of the last run, seconds; null: it was before the service started.")


class Source(Answer):
    """A configured source."""

    id: str
    plugin: str
    webhook: bool = Field(description="Whether it takes webhooks.")
    kpis: int
    collectors: list[CollectorState]


class Sources(Answer):
    """All sources."""

    items: list[Source]


class Asked(Answer):
    """How many collections were asked for."""

    jobs: int
