"""The forms of a configuration's tables about the service itself; the rest is in the other ``form_`` modules."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, Tag, field_validator

from bsc_monitor.config.values import (
    Clock,
    Cron,
    Every,
    Form,
    Interval,
    Line,
    Number,
    PeriodWord,
    Reference,
    SecretText,
    Url,
    Zone,
    one_of,
)  # fmt: skip
from bsc_monitor.model.insight import InsightKind

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


class ServiceForm(Form):
    """The service: where it listens and where it keeps things."""

    listen: str = Field("127.0.0.1:9877", description="board, API and /metrics: host:port")
    database: SecretText = Field("sqlite:///bsc-monitor.db", description="or postgresql://…")
    timezone: Zone = Field("UTC", description="of periods and business hours, unless a scorecard names its own")
    retention: Interval = Field("3y", validate_default=True, description="of raw readings")
    plugins: list[str] = Field(
        default_factory=list, description="folders of collector plugins, beside the bundled ones"
    )
    auth: str | None = Field(None, description="file with TLS, users, tokens, roles")
    url: Url | None = Field(None, description="the board's address as people reach it, for links in messages")

    @field_validator("listen")
    @classmethod
    def _address(cls, text: str) -> str:
        host, _, port = text.rpartition(":")
        if not host or "/" in host or not port.isascii() or not port.isdigit() or int(port) > 65535:
            raise ValueError(f'{text[:60]!r} is no address; write host:port, e.g. "127.0.0.1:9877"')
        return text


class SandboxForm(Form):
    """A stand-in for the source systems, started with the service."""

    port: int = Field(9880, ge=0, le=65535, description="on 127.0.0.1")
    seed: int = Field(1, description="which generated company")
    since: date | None = Field(None, description="month in which its story begins; by default 18 months ago")
    servicenow_incidents: str | None = Field(None, description="serve this audit-event log of incidents (CSV, .gz)")
    servicenow_tables: str | None = Field(None, description="serve a folder of exported tables")
    jira_issues: str | None = Field(None, description="serve exported issues (JSON or CSV): a file or folder")
    focus_folder: str | None = Field(None, description="write the company's cloud bills there as a FOCUS export")
    requests_per_hour: int | None = Field(None, ge=1, description="answer 429 beyond so many ServiceNow requests")


class CalendarForm(Form):
    """When the organisation works."""

    fiscal_year_start: int = Field(1, ge=1, le=12, description="month")
    work_days: list[Day] = Field(
        ["mon", "tue", "wed", "thu", "fri"], min_length=1, description="days on which business time runs"
    )
    work_hours: Annotated[list[Clock], Field(min_length=2, max_length=2)] = Field(
        ["09:00", "17:00"], validate_default=True, description="from and to, in the time zone"
    )
    holidays: Annotated[
        Annotated[str, Tag("text")] | Annotated[list[date], Tag("list")],
        one_of('a country or region such as "DE-BE", or a list of dates'),
    ] = Field(default_factory=list, description="a country or region, or a list of dates")

    @field_validator("work_hours")
    @classmethod
    def _in_order(cls, hours: list[Any]) -> list[Any]:
        if hours[0] >= hours[1]:
            raise ValueError("the working day must end after it begins")
        return hours


class SourceForm(Form):
    """The keys of a source that every plugin has; the others are the plugin's own."""

    model_config = ConfigDict(extra="ignore", frozen=True, strict=True, defer_build=True)

    plugin: str = Field(description="name of the collector")
    every: Every | None = Field(None, description="default schedule of its KPIs; 1s at least")
    cron: Cron | None = Field(None, description="or this, in the scorecard's time zone")
    hosts: list[Line] = Field(default_factory=list, description="further hosts that redirects may lead to")
    allow_private: bool = Field(True, description="may connect to private and loopback addresses")
    requests_per_second: Number = Field(10.0, gt=0, description="at most, over all its measures")
    concurrency: int = Field(4, ge=1, le=100, description="requests at a time, at most")
    timeout: Interval = Field("60s", validate_default=True, description="deadline of one run")
    max_bytes: int = Field(64 * 1024 * 1024, ge=1024, description="of one answer, after decompression")
    daily_budget: Number | None = Field(None, ge=0, description="in the currency of priced calls")
    webhook_secrets: list[SecretText] = Field(default_factory=list, description="new and old during rotation")


class ReportForm(Form):
    """A scheduled report."""

    scorecard: Reference = Field(description="what it is about")
    title: Line | None = Field(None, description="the scorecard's by default")
    period: PeriodWord = Field("month", description="the last closed one is reported")
    at: Cron = Field(description="when it is made")
    formats: list[Literal["html", "pdf", "xlsx", "csv", "json"]] = Field(
        ["html"], description="what is made and attached"
    )
    to: list[Reference] = Field(default_factory=list, description="receivers")
    owner: Line = Field("", description="the detail of this owner's KPIs; empty: one page for executives")


class ActionForm(Form):
    """A ticket that can be opened from an insight: by a person, or (``on``) by itself."""

    source: Reference = Field(description="the system in which the ticket is opened")
    params: dict[str, Any] = Field(default_factory=dict, description="of the source's action, e.g. the project")
    on: list[InsightKind] = Field(default_factory=list, description="kinds of insights that open one by themselves")
    worsening: bool = Field(True, description="of those, only what is bad news or nobody acts on")
    scorecard: Reference | None = Field(None, description="only of this scorecard")

    @field_validator("on", mode="before")
    @classmethod
    def _kinds(cls, given: Any) -> Any:
        return [_kind(each) for each in given] if isinstance(given, list) else given


def _kind(given: Any) -> Any:
    try:
        return InsightKind(given)
    except ValueError:
        raise ValueError(f"{given!r} is no kind of insight: there is {', '.join(InsightKind)}") from None
