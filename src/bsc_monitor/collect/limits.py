"""How often and how long a source may be asked: rates, waits after a refusal, circuit breaker, daily budget."""

from __future__ import annotations

import asyncio
import email.utils
import math
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from aiolimiter import AsyncLimiter

from bsc_monitor.plugin import CollectorError, SourceError

_RENEWAL = re.compile(r"(?:^|;)\s*t=(\d+(?:\.\d+)?)\s*(?:;|$)")  #: of RateLimit headers: "name";r=0;t=2788
LONGEST_WAIT = 3600.0  #: seconds; a source that says "come back next year" is asked again after this
_RESETS = ("ratelimit-reset", "rate-limit-reset")
_REASONS = ("ratelimit-reason",)
_UNNAMED_QUOTA = 600.0  #: seconds; a quota is renewed by the hour, and nobody said when


class NotInThisRun(SourceError):  # noqa: N818 - names what happened
    """Asking again in this run would be in vain."""


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
    """Stops asking a source that keeps failing: after five failures in a row, for 30 s, then twice as long each time.

    A source that says so itself (``pause``) is not asked until then, by any run.
    """

    threshold = 5
    first, longest = 30.0, 600.0

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self.failures, self._said = 0, ""
        self._open_for = 0.0
        self._until = -math.inf
        self._paused_until, self._why = -math.inf, ""

    def pause(self, seconds: float, why: str) -> None:
        """Ask nothing for so long; ``why``, for people."""
        self._paused_until, self._why = self._clock() + seconds, why

    def check(self) -> None:
        """Raise NotInThisRun while open or paused. When the time is over, one request may try."""
        left = self._paused_until - self._clock()
        if left > 0:
            raise NotInThisRun(
                f"not asked: {self._why}; next attempt in {left:.0f} s", CollectorError.RATE_LIMIT, retry_after=left
            )
        left = self._until - self._clock()
        if left > 0:
            raise NotInThisRun(
                f"not asked: the last {self.failures} requests failed; next attempt in {left:.0f} s. The last: {self._said}",
                CollectorError.TRANSIENT,
                retry_after=left,
            )
        if self._open_for:
            self._until = self._clock() + self._open_for  # others wait while this one tries

    def record(self, failure: str | None) -> None:
        """Tell the outcome of a request: how it failed, in words; None: it did not."""
        if failure is None:
            self.failures, self._open_for, self._until = 0, 0.0, -math.inf
            return
        self.failures, self._said = self.failures + 1, failure
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
        """Account for a call before it is made. Raises NotInThisRun(RATE_LIMIT) when the day's budget would be passed."""
        if not price:
            return
        if now.date() != self.day:
            self.day, self.spent = now.date(), 0.0
        if self.daily is not None and self.spent + price > self.daily + 1e-9:
            tomorrow = 86_400 - (now.hour * 3600 + now.minute * 60 + now.second)
            raise NotInThisRun(
                f"not asked: the call costs {price:g} and {self.spent:g} of the daily budget of {self.daily:g} is spent",
                CollectorError.RATE_LIMIT,
                hint="Raise daily_budget of the source, or ask less often.",
                retry_after=float(tomorrow),
            )
        self.spent += price


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds that a refusal asks us to wait; None when it does not say. Never negative, never above LONGEST_WAIT.

    Reads ``Retry-After`` (seconds or HTTP date), the vendors' reset headers (epoch seconds, seconds from now, or
    ISO time, Jira's without seconds included) and ``RateLimit`` (``t=`` seconds); of several of a kind, the longest counts.
    """
    waits = [_wait(value, now) for name, value in headers.items() if name.lower().endswith("retry-after")]
    if not waits:
        named = [(_plain(name), value) for name, value in headers.items()]
        waits = [_wait(value, now) for name, value in named if name in _RESETS]
        waits += [_wait(t, now) for name, value in named if name == "ratelimit" for t in _RENEWAL.findall(value)]
    known = [wait for wait in waits if wait is not None]
    return min(max(known), LONGEST_WAIT) if known else None


def spent_quota(headers: Mapping[str, str]) -> tuple[str, bool]:
    """Why a 429 was answered, as the source names it (empty: it does not), and whether a quota is used up.

    Jira's ``RateLimit-Reason``: ``jira-burst-based`` passes within seconds, ``jira-quota-tenant-based`` with the hour.
    """
    found = next((value for name, value in headers.items() if _plain(name) in _REASONS), "")
    words = "".join(sign for sign in found[:60] if sign.isprintable()).strip()
    return words, "quota" in words.lower()


def pause_of(wait: float | None) -> float:
    """How long a source whose quota is used up is left alone, seconds."""
    return _UNNAMED_QUOTA if wait is None else wait


def _plain(name: str) -> str:
    """A header's name without the marks of an experiment: names of such headers are still moving."""
    return name.lower().removeprefix("x-").removeprefix("beta-")


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
