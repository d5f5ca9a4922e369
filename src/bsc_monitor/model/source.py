"""A source: a configured collector plugin (one Jira site, one cost account)."""

from dataclasses import dataclass, field
from typing import Any

from bsc_monitor.model.organisation import Place, Schedule


@dataclass(frozen=True, slots=True)
class Source:
    """What the service needs to run a collector."""

    id: str
    plugin: str  #: name of the collector
    config: Any  #: the collector's own ``Config``, validated
    schedule: Schedule = field(default_factory=Schedule)  #: default of its KPIs
    hosts: tuple[str, ...] = ()  #: further hosts that redirects may lead to
    allow_private: bool = True  #: whether it may connect to private and loopback addresses (where its url names one)
    requests_per_second: float = 10.0
    concurrency: int = 4
    timeout: float = 60.0  #: total deadline of one run, seconds
    max_bytes: int = 64 * 1024 * 1024  #: of one answer, after decompression
    daily_budget: float | None = None  #: in the currency of priced calls
    webhook_secrets: tuple[Any, ...] = ()  #: new and old during rotation
    place: Place = None
