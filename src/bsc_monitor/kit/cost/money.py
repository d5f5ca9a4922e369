"""Amounts whose currencies never mix."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from pydantic import Field, field_validator, model_validator

from bsc_monitor.plugin import CollectorError, SourceConfig, SourceError

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
