"""What ``load`` gives: the organisation, its sources and everything around them, ready to run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from bsc_monitor.config.problems import Problem
from bsc_monitor.model.alert import AlertRule, Inhibition, Maintenance, Receiver, Route
from bsc_monitor.model.insight import InsightKind
from bsc_monitor.model.organisation import Organisation, Place
from bsc_monitor.model.period import PeriodKind
from bsc_monitor.model.source import Source


@dataclass(frozen=True, slots=True)
class ServiceSettings:
    """The ``[service]`` table. Paths are absolute."""

    host: str = "127.0.0.1"
    port: int = 9877
    database: str = field(default="sqlite:///bsc-monitor.db", repr=False)  #: may hold a password
    timezone: str = "UTC"
    retention: timedelta = timedelta(days=3 * 365)
    plugins: tuple[Path, ...] = ()
    auth: Path | None = None
    url: str | None = None  #: the board's address as people reach it
    places: Mapping[str, Place] = field(default_factory=dict)  #: where ``listen`` and ``auth`` are written


@dataclass(frozen=True, slots=True)
class SandboxSettings:
    """The ``[sandbox]`` table. Paths are absolute."""

    port: int = 9880
    seed: int = 1
    since: date | None = None
    servicenow_incidents: Path | None = None
    servicenow_tables: Path | None = None
    jira_issues: Path | None = None
    focus_folder: Path | None = None
    requests_per_hour: int | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """A scheduled report."""

    id: str
    scorecard: str
    title: str
    period: PeriodKind
    at: str  #: cron expression in the scorecard's time zone
    formats: tuple[str, ...] = ("html",)
    receivers: tuple[str, ...] = ()
    owner: str = ""  #: the detail of this owner's KPIs; empty: one page for executives
    place: Place = None


@dataclass(frozen=True, slots=True)
class Action:
    """A ticket that can be opened from an insight, in a source."""

    id: str
    source: str
    params: Mapping[str, Any] = field(default_factory=dict)
    on: frozenset[InsightKind] = frozenset()  #: kinds of insights that open one by themselves
    worsening: bool = True  #: of those, only what is bad news or nobody acts on
    scorecard: str | None = None
    place: Place = None


@dataclass(frozen=True, slots=True)
class Configuration:
    """A whole configuration without a mistake."""

    service: ServiceSettings = ServiceSettings()
    sandbox: SandboxSettings | None = None
    organisation: Organisation = field(default_factory=Organisation)
    sources: Mapping[str, Source] = field(default_factory=dict)  #: by id
    alert_rules: Mapping[str, AlertRule] = field(default_factory=dict)  #: by id; empty: the built-in defaults apply
    receivers: Mapping[str, Receiver] = field(default_factory=dict)
    routes: Mapping[str, Route] = field(default_factory=dict)
    maintenance: Mapping[str, Maintenance] = field(default_factory=dict)
    inhibitions: Mapping[str, Inhibition] = field(default_factory=dict)
    reports: Mapping[str, Report] = field(default_factory=dict)
    actions: Mapping[str, Action] = field(default_factory=dict)
    warnings: tuple[Problem, ...] = ()
    files: tuple[Path, ...] = ()  #: every file that was read, to watch for changes
