"""Alerting's vocabulary: what config declares (rules, receivers, routes) and what an alert's life is made of."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Literal

from msgspec import Struct
from pydantic import SecretStr

from bsc_monitor.model.organisation import Level, Place
from bsc_monitor.model.status import Freshness, Status

AlertKind = Literal["breach", "score", "stale", "collector", "insight", "initiative", "forecast", "watchdog"]
MatchOperator = Literal["=", "!=", "=~", "!~"]

_TOLD_ONLY = frozenset({"id", "place", "message", "runbook_url"})


class AlertState(StrEnum):
    """Where an alert is in its life. Data quality (``Freshness``) is a second axis."""

    INACTIVE = "inactive"
    PENDING = "pending"
    FIRING = "firing"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True)
class Matcher:
    """A condition on one label, read as Alertmanager reads it: anchored expressions, an absent label is empty.

    Raises ValueError for an unknown operator or an expression that does not compile.
    """

    label: str
    operator: MatchOperator
    value: str

    def __post_init__(self) -> None:
        if self.operator not in ("=", "!=", "=~", "!~"):
            raise ValueError(f"{self.operator!r} is not a matcher: use =, !=, =~ or !~")
        if self.operator.endswith("~"):
            try:
                re.compile(self.value)
            except re.error as error:
                raise ValueError(
                    f"the expression {self.value!r} for {self.label!r} does not compile: {error}"
                ) from None

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether a set of labels meets the condition."""
        value = labels.get(self.label, "")
        if self.operator in ("=", "!="):
            return (value == self.value) is (self.operator == "=")
        return (re.fullmatch(self.value, value, re.DOTALL) is not None) is (self.operator == "=~")


def matches_all(matchers: tuple[Matcher, ...], labels: Mapping[str, str]) -> bool:
    """Whether labels meet every matcher; no matcher matches everything."""
    return all(matcher.matches(labels) for matcher in matchers)


@dataclass(frozen=True, slots=True)
class AlertRule:
    """When to alert, and how loudly. Durations are wall time."""

    id: str
    when: AlertKind
    status: Status = Status.RED  #: of ``breach``: this status or a worse one
    below: float | None = None  #: of ``score``: fires under this score
    fell_by: float | None = None  #: of ``score``: fires when it fell by this many points within a period
    insights: tuple[str, ...] = ()  #: of ``insight``: the kinds; empty: any
    within: int = 1  #: of ``forecast``: how many periods ahead
    match: tuple[Matcher, ...] = ()
    for_: timedelta = timedelta(0)
    for_periods: int | None = None  #: closed periods in breach, instead of ``for_``
    keep_firing_for: timedelta = timedelta(0)
    clear: float | None = None  #: hysteresis: the score from which a firing alert counts as over
    flap_limit: int = 6  #: more transitions than this within ``flap_window`` are flapping
    flap_window: timedelta = timedelta(hours=1)
    severity: str = "warning"
    labels: Mapping[str, str] = field(default_factory=dict)
    runbook_url: str = ""
    message: str = ""  #: jinja2 template; empty: the built-in message
    place: Place = None
    #: changes when anything that decides the alert's life changes; its texts and its place do not
    hash: str = field(init=False, repr=False, compare=False, default="")

    def __post_init__(self) -> None:
        object.__setattr__(self, "hash", self._digest())  # asked for with every reading

    def _digest(self) -> str:
        parts: list[str] = []
        for item in fields(self):
            if item.name not in _TOLD_ONLY and item.name != "hash":
                value = getattr(self, item.name)
                parts.append(f"{item.name}={sorted(value.items()) if isinstance(value, Mapping) else value!r}")
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Webhook:
    """An HTTP receiver of signed messages."""

    url: str = field(repr=False)  #: may hold a token
    secret: SecretStr | None = None  #: signs the body (HMAC-SHA256)
    cloudevents: bool = False  #: CloudEvents 1.0 rather than plain JSON


@dataclass(frozen=True, slots=True)
class Receiver:
    """Where messages go: any of an Alertmanager cluster, apprise addresses, a webhook."""

    id: str
    alertmanager: tuple[str, ...] = field(default=(), repr=False)  #: base addresses of every member of one cluster
    apprise: tuple[SecretStr, ...] = ()
    webhook: Webhook | None = None
    plugin: str = ""  #: name of a plugin's kind of receiver
    config: Mapping[str, Any] = field(default_factory=dict, repr=False)  #: what the plugin's receiver is given
    send_resolved: bool = True
    place: Place = None


@dataclass(frozen=True, slots=True)
class Route:
    """A node of the routing tree. ``parent`` None: a top-level route; siblings are tried in their order."""

    id: str
    receivers: tuple[str, ...]
    match: tuple[Matcher, ...] = ()
    group_by: tuple[str, ...] = ()
    group_wait: timedelta = timedelta(seconds=30)
    group_interval: timedelta = timedelta(minutes=5)
    repeat_interval: timedelta = timedelta(hours=4)
    parent: str | None = None
    order: int = 0
    goes_on: bool = False  #: later siblings are tried too, although this one matched
    escalate_after: timedelta | None = None  #: unacknowledged for so long → ``next``
    next: str | None = None  #: id of the route that it escalates to
    place: Place = None


@dataclass(frozen=True, slots=True)
class Maintenance:
    """A recurring window in which matching alerts are not told: the configuration's, or a person's."""

    id: str
    cron: str
    lasts: timedelta
    match: tuple[Matcher, ...] = ()
    timezone: str = "UTC"  #: IANA name
    place: Place = None
    author: str = ""  #: whose it is; empty: the configuration's
    comment: str = ""
    since: datetime | None = None  #: it holds nothing back before
    until: datetime | None = None  #: … nor from here on; None: until somebody ends it


@dataclass(frozen=True, slots=True)
class Inhibition:
    """While an alert that meets ``source`` fires, those that meet ``target`` with ``equal`` labels are not told."""

    id: str
    source: tuple[Matcher, ...]
    target: tuple[Matcher, ...]
    equal: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Silence:
    """A person's wish not to be told of matching alerts in ``[starts_at, ends_at)``."""

    id: str
    matchers: tuple[Matcher, ...]
    starts_at: datetime
    ends_at: datetime
    author: str
    comment: str = ""
    updated_at: datetime | None = field(default=None, compare=False)  #: as it is in the store


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """A person took an alert's episode on, until it resolves or until a date."""

    fingerprint: str
    episode: int
    author: str
    at: datetime
    note: str = ""
    until: datetime | None = None


def fingerprint(labels: Mapping[str, str]) -> str:
    """The identity of an alert: equal for equal labels in any order."""
    text = "".join(f"{len(name)}:{name}{len(value)}:{value}" for name, value in sorted(labels.items()))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


class Facts(Struct, frozen=True, gc=False):
    """What a message says of an alert's subject beside the alert's own state. All of it is text from other systems."""

    title: str = ""
    unit: str = ""
    target: Level | None = None
    red: Level | None = None
    score: float | None = None
    status: str = ""
    period: str = ""  #: label of the period judged
    owner: str = ""
    evidence: str = ""  #: link to the query in the source system
    runbook_url: str = ""
    note: str = ""  #: one sentence: why
    observed_at: datetime | None = None  #: of the newest reading


class Alert(Struct, frozen=True, gc=False):
    """The tracked life of one rule on one subject: all that must survive a restart."""

    rule: str
    rule_hash: str
    labels: Mapping[str, str]
    fingerprint: str
    state: AlertState = AlertState.INACTIVE
    quality: Freshness = Freshness.MISSING
    value: float | None = None
    observed_at: datetime | None = None  #: of the newest observation taken; older ones change nothing
    no_data_since: datetime | None = None
    active_since: datetime | None = None  #: the first breach without a contrary reading since
    periods: tuple[str, ...] = ()  #: closed periods in breach since then
    starts_at: datetime | None = None  #: when this episode began to fire
    keep_since: datetime | None = None  #: first clear reading while ``keep_firing_for`` runs
    resolved_at: datetime | None = None
    episode: int = 0
    sequence: int = 0  #: counts what was told; with the episode it orders and names messages
    changes: tuple[datetime, ...] = ()  #: recent transitions, to see flapping
    flapping: bool = False
    reason: str = ""  #: why it is in this state, where its readings alone do not say
    subject: str = ""  #: ``kind:name`` of what is watched, as ``kpi:it/mttr``
    marks: tuple[tuple[datetime, float], ...] = ()  #: falling peaks of the score, of a rule with ``fell_by``
    facts: Facts = Facts()

    def key(self, receiver: str) -> str:
        """The idempotency key of telling this state to a receiver."""
        return f"{self.fingerprint}.{self.episode}.{self.sequence}.{receiver}"


def new_alert(rule: AlertRule, subject: Mapping[str, str], name: str = "") -> Alert:
    """The inactive alert of a rule on a subject (``name``: ``kind:name``).

    The rule's own labels extend those of the subject and replace none that say which one it is, so that two subjects
    never share an alert.
    """
    labels = {**rule.labels, **subject, "alertname": rule.id}
    for free in ("owner", "severity"):
        if free in rule.labels:
            labels[free] = rule.labels[free]
    labels.setdefault("severity", rule.severity)
    return Alert(rule=rule.id, rule_hash=rule.hash, labels=labels, fingerprint=fingerprint(labels), subject=name)
