"""What people may ask about insights, initiatives and reports; the service implements it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from bsc_monitor.model.organisation import Initiative


@dataclass(frozen=True, slots=True)
class Document:
    """A report in one format."""

    content: bytes
    content_type: str
    name: str  #: of the file
    final: bool  #: frozen with its period


class Improvement(Protocol):
    """Each is durable when it returns; each may raise ``Unknown`` or ``Rejected``."""

    def actions(self) -> Mapping[str, str]:
        """The tickets that can be opened: where, by the action's id."""

    async def open_ticket(self, insight: str, action: str, author: str) -> str:
        """Open a ticket for an insight, unless there is one; its link."""

    async def start_initiative(self, draft: Initiative, insight: str, author: str) -> str:
        """Take an initiative in, its id aside; the id it got."""

    async def change_initiative(self, name: str, changes: Mapping[str, Any], note: str, author: str) -> None:
        """Say state, progress or (of one that people started) anything else of an initiative anew."""

    def started_by(self, name: str) -> str:
        """Who started an initiative on the board; empty for one of the configuration."""

    async def report(self, scorecard: str, period: str, form: str, owner: str) -> Document:
        """A report on a period (empty: the last closed month)."""
