"""Alerts and what people do about them, in the shapes of Alertmanager's API v2 where it has one."""

import re
from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints
from pydantic_core import PydanticCustomError

from bsc_monitor.ingest import clean_text
from bsc_monitor.web.api.models import Answer
from bsc_monitor.web.operations import Rejected

LONGEST_TEXT = 4000
_EARLIEST, _LATEST = 1990, 2200
_SUBJECT = r"^(kpi|objective|perspective|scorecard|initiative|alert):[a-z0-9_-]+(/[a-z0-9_-]+)?$"


def sane(at: datetime | None) -> datetime | None:
    """The instant, if people can mean it. Raises ``Rejected``; a schema cannot say so."""
    if at is not None and not _EARLIEST <= at.year <= _LATEST:
        raise Rejected(f"the year {at.year} is not between {_EARLIEST} and {_LATEST}")
    return at


def _subject(text: str) -> str:
    """A schema's own words would show the expression."""
    if re.search(_SUBJECT, text) is None:
        hint = (
            "write its kind and name, as kpi:it/mttr, objective:it/restore-fast, scorecard:it or alert:e3056679cc67df43"
        )
        raise PydanticCustomError("subject", "{said} is no subject: {hint}", {"said": repr(text[:60]), "hint": hint})
    return text


def _text(text: str) -> str:
    return clean_text(text, LONGEST_TEXT)


Instant = Annotated[AwareDatetime, Field(description="UTC or with an offset; 1990–2200.")]
Text = Annotated[str, StringConstraints(max_length=LONGEST_TEXT), AfterValidator(_text)]
Said = Annotated[str, StringConstraints(max_length=LONGEST_TEXT, min_length=1), AfterValidator(_text)]


class Request(BaseModel):
    """The base of all bodies: nothing unknown, nothing converted, no NaN."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, defer_build=True)


class AlertStatus(Answer):
    """Whether an alert is told, and what holds it back if not."""

    state: Literal["unprocessed", "active", "suppressed"]
    silencedBy: list[str]  # noqa: N815 - Alertmanager's word
    inhibitedBy: list[str]  # noqa: N815
    mutedBy: list[str] = Field(description="Maintenance windows.")  # noqa: N815


class Acknowledgement(Answer):
    """Who took an alert on."""

    author: str
    at: AwareDatetime
    note: str
    until: AwareDatetime | None


class Alert(Answer):
    """A pending or firing alert."""

    fingerprint: str
    labels: dict[str, str]
    annotations: dict[str, str]
    startsAt: AwareDatetime | None  # noqa: N815
    endsAt: AwareDatetime | None  # noqa: N815
    updatedAt: AwareDatetime | None  # noqa: N815
    generatorURL: str  # noqa: N815
    status: AlertStatus
    phase: Literal["inactive", "pending", "firing", "resolved"]
    subject: str = Field(description="`kind:name` of what is watched.")
    value: float | None
    episode: int
    flapping: bool
    acknowledgement: Acknowledgement | None


class Alerts(Answer):
    """Open alerts, firing first."""

    items: list[Alert]


class Matcher(Request):
    """A condition on one label."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    value: Annotated[str, StringConstraints(max_length=500)]
    isRegex: bool = False  # noqa: N815
    isEqual: bool = True  # noqa: N815


class SilenceState(Answer):
    """Whether a silence is in force."""

    state: Literal["pending", "active", "expired"]


class Silence(Answer):
    """A silence."""

    id: str
    status: SilenceState
    matchers: list[Matcher]
    startsAt: AwareDatetime  # noqa: N815
    endsAt: AwareDatetime  # noqa: N815
    createdBy: str  # noqa: N815
    comment: str


class Silences(Answer):
    """Silences that have not ended."""

    items: list[Silence]


class NewSilence(Request):
    """A wish not to be told of matching alerts for a while. The author is who asks."""

    matchers: Annotated[list[Matcher], Field(min_length=1, max_length=20)]
    startsAt: Instant | None = None  # noqa: N815
    endsAt: Instant  # noqa: N815
    comment: Text = ""


class PostedSilence(BaseModel):
    """A silence as Alertmanager's tools post it: what is not known here is not minded, and the author is who asks."""

    id: str = ""
    matchers: Annotated[list[Matcher], Field(min_length=1, max_length=20)]
    startsAt: Instant | None = None  # noqa: N815
    endsAt: Instant  # noqa: N815
    comment: Text = ""


class SilenceId(Answer):
    """Names a silence, as Alertmanager does."""

    silenceID: str  # noqa: N815
    warnings: list[str] = Field(default_factory=list, description="What nothing meets now: probably a typo.")


Span = Annotated[str, StringConstraints(max_length=40), Field(description='As in config.toml: "3h", "90m".')]


class Maintenance(Answer):
    """A maintenance window: when it comes, and whom it concerns."""

    id: str
    origin: Literal["configuration", "person"] = Field(description="Only a person's can be ended here.")
    cron: str
    timezone: str
    lasts: Span
    matchers: list[Matcher] = Field(description="None: everything.")
    opensAt: AwareDatetime | None = Field(description="The window that is open, or the next one.")  # noqa: N815
    openUntil: AwareDatetime | None = Field(description="Null: it is not open.")  # noqa: N815
    startsAt: AwareDatetime | None = Field(description="Since when it counts.")  # noqa: N815
    endsAt: AwareDatetime | None = Field(description="From when on it does not come again.")  # noqa: N815
    createdBy: str  # noqa: N815
    comment: str


class MaintenanceWindows(Answer):
    """Maintenance windows that have not ended, the configuration's first."""

    items: list[Maintenance]


class NewMaintenance(Request):
    """A wish not to be told of matching alerts in a window that comes again. The author is who asks."""

    id: Annotated[str, StringConstraints(min_length=1, max_length=100), Field(description="A name: patch-day.")]
    cron: Annotated[str, StringConstraints(min_length=1, max_length=200), Field(description="When it opens.")]
    lasts: Span
    timezone: Annotated[str, StringConstraints(max_length=100), Field(description="The service's by default.")] = ""
    matchers: Annotated[list[Matcher], Field(min_length=1, max_length=20)]
    endsAt: Instant | None = None  # noqa: N815
    comment: Text = ""


class NewAcknowledgement(Request):
    """Take an alert on."""

    fingerprint: Annotated[
        str,
        StringConstraints(min_length=1, max_length=100),
        Field(description="It, or its beginning if no other has it."),
    ]
    note: Text = ""
    until: Instant | None = None


class NewComment(Request):
    """A comment. The author is who asks."""

    subject: Annotated[
        str,
        StringConstraints(max_length=300),
        AfterValidator(_subject),
        Field(json_schema_extra={"pattern": _SUBJECT}, description="kpi:it/mttr, scorecard:it, alert:e3056679cc67df43"),
    ]
    text: Said


class NewReading(Request):
    """A value entered by hand, in the KPI's unit. The author is who asks."""

    value: Annotated[float, Field(ge=-1e15, le=1e15)]
    at: Instant | None = None
    note: Text = ""


class Done(Answer):
    """It is done."""

    done: Literal[True] = True


class MaintenanceDone(Done):
    """The window is open to come."""

    warnings: list[str] = Field(default_factory=list, description="What nothing meets now: probably a typo.")
