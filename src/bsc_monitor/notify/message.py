"""A message: what changed, what goes on, and everything that a person needs to act on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from bsc_monitor.model.alert import Acknowledgement, Alert, AlertState

ItemState = Literal["firing", "resolved", "flapping"]


@dataclass(frozen=True, slots=True)
class Moment:
    """One transition that is told."""

    kind: str
    at: datetime
    key: str  #: its idempotency key


@dataclass(frozen=True, slots=True)
class Item:
    """One alert of a message."""

    alert: Alert  #: as it was at the newest transition told; as it is now where it merely goes on
    when: str = "breach"  #: what kind of rule saw it
    moments: tuple[Moment, ...] = ()  #: what is told of it now, oldest first; empty: it goes on
    trend: tuple[float, ...] = ()  #: values of past periods, oldest first
    text: str = ""  #: what its rule has to say instead of the built-in words
    runbook_url: str = ""
    acknowledged: Acknowledgement | None = None

    @property
    def state(self) -> ItemState:
        """What a person is to think of it."""
        if self.alert.flapping:
            return "flapping"
        return "firing" if self.alert.state is AlertState.FIRING else "resolved"


@dataclass(frozen=True, slots=True)
class Message:
    """What one channel is told at once."""

    key: str  #: idempotency key: that of its newest transition; the same at every attempt
    receiver: str
    route: str
    at: datetime
    group: Mapping[str, str] = field(default_factory=dict)  #: the labels that its alerts share
    items: tuple[Item, ...] = ()  #: changed ones first
    repeated: bool = False  #: nothing changed: a reminder
    escalated: bool = False  #: nobody acknowledged in time
    late: bool = False  #: the receiver could not be reached when it happened
    test: bool = False

    @property
    def firing(self) -> int:
        """How many of its alerts are not over."""
        return sum(item.state != "resolved" for item in self.items)

    @property
    def resolved(self) -> int:
        """How many of its alerts are over."""
        return len(self.items) - self.firing
