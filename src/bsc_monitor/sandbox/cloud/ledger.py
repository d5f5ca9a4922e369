"""What the cost APIs of the sandbox answer from: charges, day by day, each with its four costs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta

_REPORTED_AFTER = 48.0  #: hours after which a day's charges are all there; until then they trickle in
_FINAL_AFTER = 5  #: days of the following month after which a month is no estimate any more


@dataclass(frozen=True, slots=True)
class Charge:
    """One line of a bill: what a workload cost on a day."""

    day: date
    provider: str  #: AWS, Microsoft
    account: str
    account_name: str
    service: str
    kind: str  #: the vendor's record type: Usage, SavingsPlanCoveredUsage, Credit, Tax, …
    currency: str
    billed: float
    effective: float  #: amortised
    contracted: float
    listed: float
    tags: Mapping[str, str] = field(default_factory=dict)
    category: str = "Usage"  #: FOCUS ChargeCategory
    commitment: str = ""  #: FOCUS CommitmentDiscountStatus: Used, Unused
    corrects: bool = False  #: FOCUS ChargeClass = Correction, billed in the month after


@dataclass(frozen=True, slots=True)
class Anomaly:
    """Spending that the vendor found unusual."""

    key: str
    start: date
    end: date
    service: str
    impact: float
    expected: float


@dataclass(frozen=True, slots=True)
class Workload:
    """What a namespace of a cluster cost on a day; ``__idle__`` is what nobody used."""

    cluster: str
    namespace: str
    cost: float
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Ledger:
    """Everything that was and will be charged, the vendor's findings about it, and the budget of each month."""

    charges: Mapping[date, Sequence[Charge]]
    now: Callable[[], datetime]
    anomalies: tuple[Anomaly, ...] = ()
    budgets: Mapping[str, Mapping[date, float]] = field(
        default_factory=dict
    )  #: account or subscription → month → amount
    workloads: Mapping[date, Sequence[Workload]] = field(default_factory=dict)

    def between(self, start: date, end: date, provider: str) -> Iterator[tuple[Charge, float]]:
        """The charges of the days ``[start, end)`` with the share of each that is reported by now."""
        for number in range((end - start).days):
            day = start + timedelta(days=number)
            share = self.reported(day)
            for charge in self.charges.get(day, ()) if share > 0 else ():
                if charge.provider == provider:
                    yield charge, share

    def reported(self, day: date) -> float:
        """The share of a day's charges that the vendor knows of by now: the last two days are under-reported."""
        age = (self.now() - datetime.combine(day, time(), UTC)).total_seconds() / 3600
        return min(1.0, max(0.0, age / _REPORTED_AFTER))

    def estimated(self, day: date) -> bool:
        """Whether the vendor may still restate a day."""
        month = date(day.year + day.month // 12, day.month % 12 + 1, 1)
        return self.now().date() < month + timedelta(days=_FINAL_AFTER)
