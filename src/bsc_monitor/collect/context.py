"""What a run gives its plugin: ``plugin.Context``."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import structlog

from bsc_monitor.collect.http import RunHttp
from bsc_monitor.collect.redact import Redactor
from bsc_monitor.model.period import Calendar, Period
from bsc_monitor.plugin import CollectorError, SourceError, Window

_UNITS = {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86_400, "w": 604_800}


class RunLog:
    """``plugin.Log`` over structlog; every value is masked and shortened."""

    def __init__(self, source: str, measure: str, redactor: Redactor) -> None:
        self._log = structlog.get_logger("bsc_monitor.plugin").bind(source=source, measure=measure)
        self._redactor = redactor

    def _clean(self, values: dict[str, Any]) -> dict[str, Any]:
        return {k: v if isinstance(v, (int, float)) else self._redactor.text(v)[:1000] for k, v in values.items()}

    def debug(self, event: str, **values: Any) -> None:
        """See ``plugin.Log``."""
        self._log.debug(self._redactor.text(event), **self._clean(values))

    def info(self, event: str, **values: Any) -> None:
        """See ``plugin.Log``."""
        self._log.info(self._redactor.text(event), **self._clean(values))

    def warning(self, event: str, **values: Any) -> None:
        """See ``plugin.Log``."""
        self._log.warning(self._redactor.text(event), **self._clean(values))


@dataclass(slots=True)
class RunContext:
    """``plugin.Context`` of one run. It notes whether the measure looked at what it was asked about."""

    http: RunHttp
    now: datetime
    _window: Window
    _period: Period
    by: tuple[str, ...]
    calendar: Calendar
    log: RunLog
    checkpoint: dict[str, Any] = field(default_factory=dict)
    on_progress: Callable[[int, int | None], None] | None = None
    fresh_since: datetime | None = None  #: records fetched since then need no new fetch
    looked: bool = False  #: at window or period: an answer found without them is of now, whatever was asked

    @property
    def window(self) -> Window:
        """See ``plugin.Context``."""
        self.looked = True
        return self._window

    @property
    def period(self) -> Period:
        """See ``plugin.Context``."""
        self.looked = True
        return self._period

    def progress(self, done: int, total: int | None = None) -> None:
        """See ``plugin.Context``."""
        if self.on_progress is not None:
            self.on_progress(done, total)

    async def pages(
        self,
        fetch: Callable[[Any], Awaitable[tuple[list[Any], Any]]],
        *,
        first: Any = None,
        max_pages: int = 10_000,
        until_empty: bool = False,
    ) -> AsyncIterator[list[Any]]:
        """See ``plugin.Context``."""
        token, seen = first, set[str]()
        for number in range(max_pages):
            items, following = await fetch(token)
            if not items and until_empty:
                return
            yield items
            self.progress(number + 1)
            if following is None:
                return
            seen.add(repr(token))
            if repr(following) in seen:
                raise SourceError(
                    f"paging goes in a circle: page {number + 1} points back to an earlier page", CollectorError.SCHEMA
                )
            token = following
        raise SourceError(
            f"more than {max_pages:,} pages",
            CollectorError.CONFIG,
            hint="Ask for less: narrow the query or the period.",
        )


def seconds_of(text: str) -> timedelta:
    """A duration as plugins write it (``10m``, ``2d``). Raises ValueError."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(s|min|m|h|d|w)", text.strip())
    if found is None:
        raise ValueError(f"{text!r} is no duration such as 10m or 2d")
    return timedelta(seconds=float(found.group(1)) * _UNITS[found.group(2)])
