"""What the board and the API may ask about insights, initiatives and reports: ``web.improvement.Improvement``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bsc_monitor.model.organisation import Initiative
from bsc_monitor.web.improvement import Document
from bsc_monitor.web.operations import Rejected

if TYPE_CHECKING:
    from bsc_monitor.service.service import Service


class ImprovementDesk:
    """Leads to whoever does it."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def actions(self) -> Mapping[str, str]:
        """See ``Improvement``."""
        configuration = self._service.configuration
        return {
            action.id: f"{action.id} ({configuration.sources[action.source].plugin})"
            for action in configuration.actions.values()
            if action.source in configuration.sources
        }

    async def open_ticket(self, insight: str, action: str, author: str) -> str:
        """See ``Improvement``."""
        return await self._ready().actions.open(insight, action, author)

    async def start_initiative(self, draft: Initiative, insight: str, author: str) -> str:
        """See ``Improvement``."""
        return await self._ready().initiatives.start(draft, insight, author)

    async def change_initiative(self, name: str, changes: Mapping[str, Any], note: str, author: str) -> None:
        """See ``Improvement``."""
        await self._ready().initiatives.change(name, changes, note, author)

    def started_by(self, name: str) -> str:
        """See ``Improvement``."""
        return self._service.initiatives.author_of(name)

    async def report(self, scorecard: str, period: str, form: str, owner: str) -> Document:
        """See ``Improvement``."""
        return await self._ready().reports.make(scorecard, period, form, owner)

    def _ready(self) -> Service:
        """The service, once all of it runs. Raises Rejected before."""
        if not self._service.ready:
            raise Rejected("the service is still starting: try again in a moment")
        return self._service
