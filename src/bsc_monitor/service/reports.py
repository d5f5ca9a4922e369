"""Reports."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bsc_monitor.web.improvement import Document
from bsc_monitor.web.operations import Rejected

if TYPE_CHECKING:
    from bsc_monitor.service.service import Service


class Reports:
    """Makes reports."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def make(self, scorecard: str, period: str, form: str, owner: str) -> Document:
        """A report."""
        raise Rejected("not yet")
