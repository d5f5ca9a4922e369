"""Spans of time: how long one is by a clock, how much of a period several leave. Pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bsc_monitor.plugin import Calendar, business_seconds

Span = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class Clock:
    """Elapsed time, or that inside the working hours of a calendar."""

    calendar: Calendar | None = None

    def seconds(self, start: datetime, end: datetime) -> float:
        """From one instant to the other."""
        return business_seconds(start, end, self.calendar) if self.calendar else (end - start).total_seconds()

    @property
    def notes(self) -> list[str]:
        """What people should know of it."""
        return ["in working hours of the configured calendar"] if self.calendar else []


def uptime(outages: Sequence[Span], planned: Sequence[Span], within: Span) -> tuple[float, float]:
    """Seconds of a span that nothing was down, and those agreed to be up: planned outages are taken off both.

    Outages are cut to the span, and overlapping ones united.
    """
    down, agreed_down = ([_cut(span, within) for span in spans] for spans in (outages, planned))
    off = covered(agreed_down)
    agreed = (within[1] - within[0]).total_seconds() - off
    return agreed - (covered([*agreed_down, *down]) - off), agreed


def covered(spans: Sequence[Span]) -> float:
    """Seconds covered by spans that may overlap."""
    seconds, reached = 0.0, None
    for start, end in sorted(spans):
        begin = start if reached is None else max(start, reached)
        if end > begin:
            seconds += (end - begin).total_seconds()
            reached = end
    return seconds


def _cut(span: Span, within: Span) -> Span:
    return max(span[0], within[0]), min(span[1], within[1])
