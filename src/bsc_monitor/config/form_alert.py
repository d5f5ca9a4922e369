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

    when: Literal["breach", "score", "stale", "collector", "insight", "initiative", "forecast", "watchdog"] = Field(
        description="what it watches for"
    )
    status: Literal["red", "amber"] = Field("red", description="of breach: this status or a worse one")
    below: Number | None = Field(None, ge=0, le=100, description="of score: fires under this score")
    fell_by: Number | None = Field(None, gt=0, le=100, description="of score: fell by so many points within a period")
    insights: list[Line] = Field(default_factory=list, description="of insight: the kinds; all by default")
    within: int = Field(1, ge=1, description="of forecast: periods ahead")
    match: Match = Field(default_factory=dict, description="labels; omitted: everything")
    for_: Duration = Field(
        "0s", alias="for", validate_default=True, description="how long it must hold before it fires"
    )
    for_periods: int | None = Field(None, ge=1, description="or: in so many closed periods")
    keep_firing_for: Duration = Field(
        "0s", validate_default=True, description="how long it must be over before it resolves"
    )
    clear: Number | None = Field(None, ge=0, le=100, description="the score from which it counts as over")
    flap_limit: int = Field(6, ge=1, description="more changes than this within the window are one flapping alert")
    flap_window: Interval = Field("1h", validate_default=True, description="of flap_limit")
    severity: Line = Field("warning", description="label that routes look at; a KPI's own wins")
    labels: dict[Line, Line] = Field(default_factory=dict, description="further labels")
    runbook_url: Url | None = Field(None, description="what to do")
    message: Text = Field("", description="a sentence of your own for the message")


class WebhookForm(Form):
    """An HTTP receiver."""

    url: Url = Field(description="that messages are posted to")
    secret: SecretText | None = Field(
        None, description="signs messages: X-Bsc-Signature is the HMAC-SHA256 of timestamp.body"
    )
    cloudevents: bool = Field(False, description="as CloudEvents 1.0")


class ReceiverForm(Form):
    """Where messages go."""

    alertmanager: list[Url] = Field(default_factory=list, description="every member of the cluster")
    apprise: list[SecretText] = Field(
        default_factory=list, description="addresses of mail, chat, pager … as Apprise writes them"
    )
    webhook: WebhookForm | None = Field(None, description="an address of your own")
    plugin: Line | None = Field(None, description="kind of receiver that a plugin provides")
    options: dict[str, Any] = Field(default_factory=dict, description="what the plugin's receiver is given")
    send_resolved: bool = Field(True, description="tell of the end too")


class RouteForm(Form):
    """Which alerts go to which receivers, and how they are grouped."""

    receivers: Annotated[list[Reference], Field(min_length=1)] = Field(description="who is told")
    match: Match = Field(default_factory=dict, description="labels of the alerts that take this route; omitted: all")
    group_by: list[Line] = Field(default_factory=list, description="labels that make one message")
    group_wait: Duration = Field("30s", validate_default=True, description="how long a new group waits for more")
    group_interval: Interval = Field("5m", validate_default=True, description="how long a changed group waits")
    repeat_interval: Interval = Field(
        "4h", validate_default=True, description="how often an unchanged one is told again"
    )
    parent: Reference | None = Field(None, description="route that this one refines")
    goes_on: bool = Field(False, alias="continue", description="later routes are tried too")
    escalate_after: Interval | None = Field(None, description="unacknowledged for so long: the next route")
    next: Reference | None = Field(None, description="route that unacknowledged alerts escalate to")


class MaintenanceForm(Form):
    """A recurring window in which matching alerts are not told."""

    match: Match = Field(default_factory=dict, description="labels; omitted: everything")
    cron: Cron = Field(description="when it begins")
    lasts: Interval = Field(description="how long")
    timezone: Zone | None = Field(None, description="of cron; the service's by default")


class InhibitionForm(Form):
    """While an alert that meets ``source`` fires, those that meet ``target`` with ``equal`` labels are not told."""

    source: Match = Field(description="labels of the alert that explains")
    target: Match = Field(description="labels of the alerts that need no telling")
    equal: list[Line] = Field(default_factory=list, description="labels that both must share")
