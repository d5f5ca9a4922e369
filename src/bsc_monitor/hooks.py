"""The hook specifications (api 1): what a module-level ``@hookimpl`` function of a plugin may be called.

Hooks of a plugin that is not bundled are called in a worker process of its own, with typed copies of what happened: one
that raises, blocks or dies disturbs nobody else. They may be ``async``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bsc_monitor.plugin import (
    AlertChanged,
    Collector,
    InsightFound,
    KpiJudged,
    PageRoute,
    ReadingStored,
    ScoreChanged,
    hookspec,
)  # fmt: skip

#: Hooks that tell what happened, after the commit that made it true.
TELLING = ("bsc_reading_stored", "bsc_score_changed", "bsc_alert_changed", "bsc_insight_found")


class Hooks:
    """All hooks. The first four provide things, the next four tell, the last adds pages and webhooks."""

    @hookspec
    def bsc_collectors(self) -> list[type[Collector]]:  # type: ignore[empty-body]
        """Provide collector classes (a one-file plugin needs none: its Collector subclasses are found)."""

    @hookspec
    def bsc_receivers(self) -> Mapping[str, Any]:  # type: ignore[empty-body]
        """Provide kinds of receivers for alerts: name → async callable(config, message) -> None."""

    @hookspec
    def bsc_actions(self) -> Mapping[str, Any]:  # type: ignore[empty-body]
        """Provide actions that open a ticket from an insight, by the collector whose sources they work on.

        name → async callable(ctx, config of the source, TicketRequest, SomeParams) -> link of the ticket. A plugin opens
        tickets in sources of its own collectors alone, for it is given their secrets.
        """

    @hookspec
    def bsc_reading_stored(self, event: ReadingStored) -> None:
        """A reading was committed."""

    @hookspec
    def bsc_score_changed(self, event: KpiJudged | ScoreChanged) -> None:
        """A KPI (``KpiJudged``) or a node above it (``ScoreChanged``) was judged anew."""

    @hookspec
    def bsc_alert_changed(self, event: AlertChanged) -> None:
        """An alert changed its state."""

    @hookspec
    def bsc_insight_found(self, event: InsightFound) -> None:
        """A continuous-improvement insight was found, or has newer evidence."""

    @hookspec
    def bsc_routes(self) -> list[PageRoute]:  # type: ignore[empty-body]
        """Provide pages or webhooks of a plugin's own, at ``/plugins/NAME/PATH``; each says who may use it."""
