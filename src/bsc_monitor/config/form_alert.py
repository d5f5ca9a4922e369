"""The forms of alert rules, receivers, routes, maintenance windows and inhibitions."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from bsc_monitor.config.values import (
    Cron,
    Duration,
    Form,
    Interval,
    Line,
    Match,
    Number,
    Reference,
    SecretText,
    Text,
    Url,
    Zone,
)  # fmt: skip


class AlertForm(Form):
    """When to alert, and how loudly."""

    when: Literal["breach", "score", "stale", "collector", "insight", "initiative", "forecast", "watchdog"]
    status: Literal["red", "amber"] = Field("red", description="of breach: this status or a worse one")
    below: Number | None = Field(None, ge=0, le=100, description="of score: fires under this score")
    fell_by: Number | None = Field(None, gt=0, le=100, description="of score: fell by so many points within a period")
    insights: list[Line] = Field(default_factory=list, description="of insight: the kinds; all by default")
    within: int = Field(1, ge=1, description="of forecast: periods ahead")
    match: Match = Field(default_factory=dict)
    for_: Duration = Field("0s", alias="for", validate_default=True)
    for_periods: int | None = Field(None, ge=1)
    keep_firing_for: Duration = Field("0s", validate_default=True)
    clear: Number | None = Field(None, description="the score from which it counts as over")
    flap_limit: int = Field(6, ge=1)
    flap_window: Interval = Field("1h", validate_default=True)
    severity: Line = "warning"
    labels: dict[Line, Line] = Field(default_factory=dict)
    runbook_url: Url | None = None
    message: Text = ""


class WebhookForm(Form):
    """An HTTP receiver."""

    url: Url
    secret: SecretText | None = None
    cloudevents: bool = False


class ReceiverForm(Form):
    """Where messages go."""

    alertmanager: list[Url] = Field(default_factory=list)
    apprise: list[SecretText] = Field(default_factory=list)
    webhook: WebhookForm | None = None
    plugin: Line | None = Field(None, description="kind of receiver that a plugin provides")
    options: dict[str, Any] = Field(default_factory=dict, description="what the plugin's receiver is given")
    send_resolved: bool = True


class RouteForm(Form):
    """Which alerts go to which receivers, and how they are grouped."""

    receivers: Annotated[list[Reference], Field(min_length=1)]
    match: Match = Field(default_factory=dict)
    group_by: list[Line] = Field(default_factory=list)
    group_wait: Duration = Field("30s", validate_default=True)
    group_interval: Interval = Field("5m", validate_default=True)
    repeat_interval: Interval = Field("4h", validate_default=True)
    parent: Reference | None = None
    goes_on: bool = Field(False, alias="continue", description="later routes are tried too")
    escalate_after: Interval | None = None
    next: Reference | None = Field(None, description="route that unacknowledged alerts escalate to")


class MaintenanceForm(Form):
    """A recurring window in which matching alerts are not told."""

    match: Match = Field(default_factory=dict)
    cron: Cron
    lasts: Interval
    timezone: Zone | None = None


class InhibitionForm(Form):
    """While an alert that meets ``source`` fires, those that meet ``target`` with ``equal`` labels are not told."""

    source: Match
    target: Match
    equal: list[Line] = Field(default_factory=list)
