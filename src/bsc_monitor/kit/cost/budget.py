"""Budgets spread over their days."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from bsc_monitor.kit.cost.days import month_after
from bsc_monitor.kit.cost.money import CostConfig, add
from bsc_monitor.plugin import CollectorError, SourceError


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
