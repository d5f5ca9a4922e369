"""The story of the generated company, as curves over the months of its history.

What there is to find on the ServiceNow side (month 0 is 18 months ago, month 18 is the current one):

- **drifting to breach**: the fulfilment time of requested items grows from 20 to about 60 hours (``request_fulfilment_time``);
- **an initiative that works**: swarming starts in month 12, and the mean time to resolve falls from 30 to about 18 hours
  (``mttr``), with more incidents solved at first contact (``first_contact_resolution``);
- **an initiative that does not**: a new change advisory board from month 11 on leaves the success rate of changes at 88 %
  (``change_success_rate``);
- **a target that is too easy**: 98 of 100 service levels are met all the time, against a target of 90 (``sla_met_ratio``);
- **a quiet KPI**: customer satisfaction varies around 82 points and means nothing by it (``csat``).
"""

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from hashlib import md5

from bsc_monitor.sandbox.seed import chance

MONTHS = 18  #: of history before the current month
AHEAD = timedelta(days=21)  #: how long the company lives on while the sandbox runs
SWARMING_STARTS = 12  #: month


def sys_id(name: str) -> str:
    """The vendor's kind of key for a named thing: 32 hexadecimal digits."""
    return md5(name.encode(), usedforsecurity=False).hexdigest()


@dataclass(frozen=True)
class History:
    """The stretch of time that is told. It starts on the first of a month, so that a restart tells the same days again."""

    seed: int
    now: datetime
    since: date | None = (
        None  #: a first day of a month on which the story began; None: ``MONTHS`` before the current month
    )

    @cached_property
    def start(self) -> date:
        """The first day."""
        if self.since is not None:
            return self.since.replace(day=1)
        months = self.now.year * 12 + self.now.month - 1 - MONTHS
        return date(months // 12, months % 12 + 1, 1)

    def days(self) -> Iterator[tuple[date, float, random.Random]]:
        """Each day with its place in the story (in months) and a random stream of its own seed."""
        day, last = self.start, (self.now + AHEAD).date()
        while day <= last:
            yield day, self.month(day), chance(self.seed, day.isoformat())
            day += timedelta(days=1)

    def month(self, day: date) -> float:
        """The place of a day in the story, in months from its start."""
        return (day.year - self.start.year) * 12 + day.month - self.start.month + (day.day - 1) / 31


def course(month: float) -> float:
    """How far a drift has come, 1 after ``MONTHS``; it does not go on for ever."""
    return min(month / MONTHS, 1.5)


def resolution_hours(month: float) -> float:
    """Mean time to resolve: an initiative that works."""
    return 30.0 if month < SWARMING_STARTS else 18 + 12 * math.exp(-(month - SWARMING_STARTS) / 0.8)


def first_contact(month: float) -> float:
    """Share of incidents that never change hands."""
    return 0.52 if month < SWARMING_STARTS else 0.66


def fulfilment_hours(month: float) -> float:
    """Mean time to fulfil a request: drifts to breach."""
    return 20 + 40 * math.pow(course(month), 1.6)


def around(rng: random.Random, mean: float, spread: float = 0.7) -> float:
    """A positive, right-skewed value with the given mean (log-normal)."""
    return rng.lognormvariate(math.log(mean) - spread * spread / 2, spread)


def moment(day: date, rng: random.Random) -> datetime:
    """A time of that day at which people work: mostly between 8 and 18 o'clock."""
    hour = min(23.99, max(0.0, rng.gauss(12.5, 3.2)))
    return datetime.combine(day, time(), tzinfo=UTC) + timedelta(seconds=int(hour * 3600))


def weekday(day: date) -> bool:
    """Whether people work on that day."""
    return day.weekday() < 5
