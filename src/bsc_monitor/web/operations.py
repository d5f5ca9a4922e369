"""What people and webhooks may ask of the service; the service implements it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bsc_monitor.model.alert import Maintenance, Matcher


class Unknown(LookupError):  # noqa: N818 - names what happened
    """What was named does not exist (any more). ``str()`` says so in words."""


class Rejected(ValueError):  # noqa: N818 - names what happened
    """What was asked cannot be done. ``str()`` says why, in words for the person who asked."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a back-fill is."""

    running: bool = False
    total: int = 0
    done: int = 0
    failed: int = 0
    first_failure: str = ""


class Operations(Protocol):
    """Everything that changes something. Each is durable when it returns; each may raise ``Unknown`` or ``Rejected``."""

    async def reload(self) -> tuple[bool, Sequence[str]]:
        """Load the configuration anew: whether it is in force, and messages for people."""

    async def run_now(self, source: str) -> int:
        """Ask for a run of every job of a source; returns how many jobs."""

    async def webhook(self, source: str, event_time: datetime, event: str = "") -> int | None:
        """Trigger the collections of a source, coalesced; how many jobs, or None for an event (by id) that came before."""

    async def set_value(self, kpi: str, value: float, at: datetime, note: str, author: str) -> None:
        """Store a value entered by hand, in the KPI's unit."""

    async def acknowledge(self, fingerprint: str, note: str, until: datetime | None, author: str) -> None:
        """Take an alert's episode on, until it resolves or until an instant."""

    async def silence(
        self, matchers: Sequence[Matcher], starts_at: datetime, ends_at: datetime, author: str, comment: str
    ) -> str:
        """Tell nobody of matching alerts for a while; returns the silence's id."""

    async def expire_silence(self, id: str, author: str) -> None:  # noqa: A002 - Alertmanager's word
        """End a silence now."""

    async def maintain(self, window: Maintenance) -> None:
        """Open a person's recurring maintenance window; it counts from now on."""

    async def end_maintenance(self, id: str, author: str) -> None:  # noqa: A002 - as windows are called
        """End a person's maintenance window for good, now."""

    async def comment(self, subject: str, text: str, author: str) -> None:
        """Write a comment on a KPI, an objective, a scorecard or an alert (``kpi:it/mttr``)."""

    async def retry_dead(self, keys: Sequence[str], author: str) -> int:
        """Try messages again that a receiver refused for good; returns how many."""

    async def backfill(self, subject: str, start: datetime) -> int:
        """Collect the past of a source or KPI from an instant on; returns how many runs that takes."""

    def backfill_progress(self) -> Progress:
        """How far collecting the past is."""

    async def rescore(self, kpis: Sequence[str], since: datetime, author: str) -> int:
        """Judge closed periods of KPIs by today's definitions; returns how many changed."""
