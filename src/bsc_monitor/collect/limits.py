"""How often and how long a source may be asked: rates, waits after a refusal, circuit breaker, daily budget."""

from __future__ import annotations

import asyncio
import email.utils
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from aiolimiter import AsyncLimiter

from bsc_monitor.plugin import CollectorError, SourceError

LONGEST_WAIT = 3600.0  #: seconds; a source that says "come back next year" is asked again after this
_RESETS = ("x-ratelimit-reset", "ratelimit-reset", "x-rate-limit-reset")


class Gate:
    """Per host: at most ``concurrency`` requests at once and ``rate`` requests a second."""

    def __init__(self, rate: float, concurrency: int) -> None:
        self._slots = asyncio.Semaphore(max(1, concurrency))
        self._bucket = AsyncLimiter(rate, 1.0) if rate >= 1 else AsyncLimiter(1.0, 1.0 / max(rate, 1e-6))

    async def __aenter__(self) -> None:
        await self._slots.acquire()
        try:
            await self._bucket.acquire()
        except BaseException:
            self._slots.release()
            raise

    async def __aexit__(self, *_: object) -> None:
        self._slots.release()


class Breaker:
    """Stops asking a source that keeps failing: after five failures in a row, for 30 s, then twice as long each time."""

    threshold = 5
    first, longest = 30.0, 600.0

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self.failures = 0
        self._open_for = 0.0
        self._until = -math.inf

    def check(self) -> None:
        """Raise SourceError(TRANSIENT) while open. When the time is over, one request may try."""
        left = self._until - self._clock()
        if left > 0:
            raise SourceError(
                f"not asked: the last {self.failures} requests failed; next attempt in {left:.0f} s",
                CollectorError.TRANSIENT,
                retry_after=left,
            )
        if self._open_for:
            self._until = self._clock() + self._open_for  # others wait while this one tries

    def record(self, *, ok: bool) -> None:
        """Tell the outcome of a request."""
        if ok:
            self.failures, self._open_for, self._until = 0, 0.0, -math.inf
            return
        self.failures += 1
        if self.failures >= self.threshold:
            self._open_for = min(max(self.first, self._open_for * 2), self.longest)
            self._until = self._clock() + self._open_for


@dataclass(slots=True)
class Budget:
    """What priced calls may cost a day (UTC)."""

    daily: float | None
    spent: float = 0.0
    day: object = None

    def spend(self, price: float, now: datetime) -> None:
        """Account for a call before it is made. Raises SourceError(RATE_LIMIT) when the day's budget would be passed."""
        if not price:
            return
        if now.date() != self.day:
            self.day, self.spent = now.date(), 0.0
        if self.daily is not None and self.spent + price > self.daily + 1e-9:
            tomorrow = 86_400 - (now.hour * 3600 + now.minute * 60 + now.second)
            raise SourceError(
                f"not asked: the call costs {price:g} and {self.spent:g} of the daily budget of {self.daily:g} is spent",
                CollectorError.RATE_LIMIT,
                hint="Raise daily_budget of the source, or ask less often.",
                retry_after=float(tomorrow),
            )
        self.spent += price


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds that a refusal asks us to wait; None when it does not say. Never negative, never above LONGEST_WAIT.

    Reads ``Retry-After`` (seconds or HTTP date) and the vendors' reset headers (epoch seconds, seconds from now, or
    ISO time, Jira's without seconds included); of several, the longest counts.
    """
    waits = [_wait(value, now) for name, value in headers.items() if name.lower().endswith("retry-after")]
    if not waits:
        waits = [_wait(value, now) for name, value in headers.items() if name.lower() in _RESETS]
    known = [wait for wait in waits if wait is not None]
    return min(max(known), LONGEST_WAIT) if known else None


def _wait(value: str, now: datetime) -> float | None:
    value = value.strip()
    try:
        number = float(value)
    except ValueError:
        moment = _moment(value)
        return None if moment is None else max(0.0, (moment - now).total_seconds())
    if not math.isfinite(number):
        return None
    if number > 1e9:  # an epoch: milliseconds beyond 1e12
        number = (number / 1000 if number > 1e12 else number) - now.timestamp()
    return max(0.0, number)


def _moment(value: str) -> datetime | None:
    try:
        moment = email.utils.parsedate_to_datetime(value)
    except (TypeError, ValueError, IndexError):
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
