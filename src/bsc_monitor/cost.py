"""What cost collectors share: amounts whose currencies never mix, and budgets spread over their days.

Plugins may import it beside ``bsc_monitor.plugin``; nothing here asks a source.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator, model_validator

from bsc_monitor.plugin import (
    Calendar,
    CollectorError,
    Completeness,
    Context,
    Reading,
    ReadingState,
    SourceConfig,
    SourceError,
    Window,
)

DAY = timedelta(days=1)
Amounts = Mapping[str, float]  #: currency → sum


class CostConfig(SourceConfig):
    """What every cost source may be told about money."""

    currency: str | None = Field(
        None, pattern=r"^[A-Z]{3}$", description="of the readings; by default the one that the source bills in"
    )
    rates: dict[str, float] = Field(
        default_factory=dict, description="currency → what one of it is worth in `currency`; others are refused"
    )
    rates_date: date | None = Field(None, description="the day of the rates: every converted reading says it")
    budget_file: Path | None = Field(
        None, description="CSV with columns month (2026-01), amount, and if need be name and currency"
    )

    @field_validator("rates")
    @classmethod
    def _usable(cls, rates: dict[str, float]) -> dict[str, float]:
        if any(not math.isfinite(rate) or rate <= 0 for rate in rates.values()):
            raise ValueError("a rate is a number above 0")
        return rates

    @model_validator(mode="after")
    def _dated(self) -> CostConfig:
        if self.rates and (self.currency is None or self.rates_date is None):
            raise ValueError("rates need currency (what they convert into) and rates_date")
        return self


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in one currency; ``note`` says what was converted."""

    amount: float
    currency: str
    note: str = ""


def in_one_currency(amounts: Amounts, config: CostConfig) -> Money | None:
    """The sum of amounts, in the configured currency or the only one there is. None of none.

    Raises SourceError(CONFIG) where two currencies would have to be added and no rate says how.
    """
    if not amounts:
        return None
    target = config.currency or (next(iter(amounts)) if len(amounts) == 1 else "")
    foreign = sorted(currency for currency in amounts if currency != target)
    unknown = [currency for currency in foreign if currency not in config.rates]
    if unknown or not target:
        raise SourceError(
            f"the amounts are in {', '.join(sorted(amounts))}: currencies are never added up without rates",
            CollectorError.CONFIG,
            hint="Narrow the KPI to one currency, or give the source currency, rates and rates_date.",
        )
    total = math.fsum(amount * (config.rates[cur] if cur != target else 1.0) for cur, amount in amounts.items())
    note = f"{', '.join(foreign)} converted by the rates of {config.rates_date}" if foreign else ""
    return Money(total, target, note)


def add(amounts: dict[str, float], currency: str, amount: float) -> None:
    """Add to the sum of a currency."""
    amounts[currency] = amounts.get(currency, 0.0) + amount


# ---- days


def days_of(window: Window, calendar: Calendar) -> tuple[date, date]:
    """The usage dates ``[first, end)`` of a window: the scorecard's dates, a day begun counting as a day."""
    zone = ZoneInfo(calendar.timezone)
    if window.start is None:
        raise SourceError("costs are asked for a period; this one has no start", CollectorError.CONFIG)
    last = (window.end - timedelta(microseconds=1)).astimezone(zone).date()
    first = window.start.astimezone(zone).date()
    return first, max(last, first) + DAY


def whole_period(ctx: Context) -> tuple[date, date]:
    """The dates ``[first, end)`` of the whole reporting period."""
    return days_of(Window(ctx.period.start, ctx.period.end), ctx.calendar)


def settled_until(ctx: Context, lag: int) -> date:
    """The end of the days that a comparison with a budget may use: before today (UTC, the vendors' day) and ``lag`` days more."""
    return ctx.now.astimezone(UTC).date() - lag * DAY


def midnight(day: date) -> datetime:
    """A date's start in UTC, the vendors' day."""
    return datetime.combine(day, time(), UTC)


# ---- budgets


@dataclass(frozen=True, slots=True)
class Allotment:
    """So much for the days ``[start, end)``, spread evenly over them."""

    start: date
    end: date
    amount: float
    currency: str


def recurring(amount: float, currency: str, months: int, first: date, end: date) -> list[Allotment]:
    """A budget of ``amount`` for every ``months`` calendar months (1, 3, 12), as far as the days ``[first, end)`` need it."""
    start = date(first.year, (first.month - 1) // months * months + 1, 1)
    found = []
    while start < end:
        following = month_after(start, months)
        found.append(Allotment(start, following, amount, currency))
        start = following
    return found


def month_after(day: date, months: int = 1) -> date:
    """The first day of the month that many months later."""
    number = day.year * 12 + day.month - 1 + months
    return date(number // 12, number % 12 + 1, 1)


def allotted(budget: Iterable[Allotment], first: date, end: date) -> dict[str, float] | None:
    """The budget of the days ``[first, end)`` by currency; None unless every one of them has some."""
    amounts: dict[str, float] = {}
    covered = 0
    for part in budget:
        days = (min(part.end, end) - max(part.start, first)).days
        if days > 0:
            covered += days
            add(amounts, part.currency, part.amount * days / (part.end - part.start).days)
    return amounts if covered >= (end - first).days > 0 else None


def budget_of_file(config: CostConfig, name: str) -> list[Allotment]:
    """The rows of ``budget_file`` (with that ``name``, if one is given). Raises SourceError(CONFIG) naming file and line."""
    path = config.budget_file
    if path is None:
        raise SourceError("there is no budget_file", CollectorError.CONFIG)
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            rows = list(csv.DictReader(lines))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise SourceError(f"{path} cannot be read: {error}", CollectorError.CONFIG) from None
    found = []
    for number, row in enumerate(rows, 2):
        if name and (row.get("name") or "") != name:
            continue
        try:
            month = datetime.strptime((row.get("month") or "").strip()[:7], "%Y-%m").date()  # noqa: DTZ007 - a month
            amount = float(row.get("amount") or "")
            if not math.isfinite(amount):
                raise ValueError("the amount is no number")  # noqa: TRY301
        except ValueError as error:
            raise SourceError(f"{path}:{number}: a budget needs month (2026-01) and amount: {error}", CollectorError.CONFIG) from None  # fmt: skip
        currency = (row.get("currency") or config.currency or "").strip()
        if not currency:
            raise SourceError(
                f"{path}:{number}: in which currency?", CollectorError.CONFIG, hint="Add a column currency."
            )
        found.append(Allotment(month, month_after(month), amount, currency))
    if not found:
        raise SourceError(f"{path} holds no budget" + (f" named {name!r}" if name else ""), CollectorError.CONFIG)
    return found


# ---- readings


def cost_reading(
    ctx: Context, amounts: Amounts, config: CostConfig, *, labels: Mapping[str, str] | None = None,
    samples: int | None = None, evidence: str | None = None, notes: Iterable[str] = (), estimated: bool = False,
) -> Reading:  # fmt: skip
    """A sum of money for the period, in its own currency; without amounts there is no data, which is not 0."""
    money = in_one_currency(amounts, config)
    said = [*notes, *([money.note] if money and money.note else [])]
    return Reading(
        money.amount if money else None, unit=money.currency if money else None, labels=labels or {}, samples=samples,
        period=ctx.period, state=ReadingState.OK if money else ReadingState.NO_DATA, evidence=evidence,
        completeness=Completeness.PROVISIONAL if estimated else Completeness.FINAL, note="; ".join(said) or None,
    )  # fmt: skip


def share_reading(
    ctx: Context, part: Amounts, whole: Amounts, config: CostConfig, *, labels: Mapping[str, str] | None = None,
    samples: int | None = None, evidence: str | None = None, notes: Iterable[str] = (), estimated: bool = False,
) -> Reading:  # fmt: skip
    """``part`` / ``whole`` with both sums as numerator and denominator; no data where the whole is not above 0."""
    above, below = in_one_currency(part, config), in_one_currency(whole, config)
    total = below.amount if below else 0.0
    share = (above.amount if above else 0.0) / total if total > 0 else None
    return Reading(
        share, labels=labels or {}, samples=samples, period=ctx.period, evidence=evidence,
        numerator=None if share is None else above.amount if above else 0.0, denominator=None if share is None else total,
        state=ReadingState.NO_DATA if share is None else ReadingState.OK, note="; ".join(notes) or None,
        completeness=Completeness.PROVISIONAL if estimated else Completeness.FINAL,
    )  # fmt: skip


def variance_reading(
    ctx: Context, spent: Amounts, budget: Amounts | None, config: CostConfig, *, samples: int | None = None,
    evidence: str | None = None, notes: Iterable[str] = (), estimated: bool = False,
) -> Reading:  # fmt: skip
    """(spent − budget) / budget × 100: above 0 is over. The note gives both sums; no data without one of them."""
    actual, planned = in_one_currency(spent, config), in_one_currency(budget or {}, config)
    said = list(notes)
    value = None
    if actual is None or planned is None or planned.amount <= 0:
        said.append("no cost yet" if actual is None else "no budget for all days of the period")
    elif actual.currency != planned.currency:
        raise SourceError(
            f"the cost is in {actual.currency} and the budget in {planned.currency}", CollectorError.CONFIG,
            hint="Give the source currency, rates and rates_date.",
        )  # fmt: skip
    else:
        value = (actual.amount - planned.amount) / planned.amount * 100
        said.insert(0, f"{actual.amount:,.2f} against {planned.amount:,.2f} {actual.currency}")
        said += [money.note for money in (actual, planned) if money.note]
    return Reading(
        value, period=ctx.period, samples=samples, evidence=evidence, note="; ".join(said) or None,
        numerator=None if value is None or planned is None else value * planned.amount,
        denominator=None if value is None or planned is None else planned.amount,
        state=ReadingState.NO_DATA if value is None else ReadingState.OK,
        completeness=Completeness.PROVISIONAL if estimated else Completeness.FINAL,
    )  # fmt: skip
