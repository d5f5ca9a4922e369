"""Sums of money, shares and variances as readings."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping

from bsc_monitor.kit.cost.days import Line, total, total_by_key
from bsc_monitor.kit.cost.money import Amounts, CostConfig, add, in_one_currency
from bsc_monitor.plugin import CollectorError, Completeness, Context, Reading, ReadingState, SourceError


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


def cost_readings(
    ctx: Context, lines: Iterable[Line], metric: str, dimension: str, config: CostConfig, *, whole: bool,
    evidence: str | None = None, notes: Iterable[str] = (), estimated: bool = False,
) -> list[Reading]:  # fmt: skip
    """The sum of a metric, where the ``whole`` is wanted, and one for each value of the dimension, if there is any.

    The notes are about the whole.
    """
    counted = list(lines)
    readings = []
    if whole:
        sums = total(counted, metric)
        readings.append(cost_reading(ctx, sums, config, evidence=evidence, notes=notes, estimated=estimated))
    for key, sums in (total_by_key(counted, metric) if dimension else {}).items():
        labels = {dimension: key or "none"}
        readings.append(cost_reading(ctx, sums, config, labels=labels, evidence=evidence, estimated=estimated))
    return readings


def no_cost(ctx: Context, note: str) -> Reading:
    """No data for the period, and why."""
    return Reading(None, period=ctx.period, state=ReadingState.NO_DATA, note=note)


def run_reading(
    ctx: Context, lines: Iterable[Line], metric: str, run: Container[str], change: Container[str], config: CostConfig, *,
    evidence: str | None = None, estimated: bool = False,
) -> Reading:  # fmt: skip
    """Run / (run + change), by the lines' keys; the note says how much is neither."""
    part: dict[str, float] = {}
    both: dict[str, float] = {}
    rest: dict[str, float] = {}
    for line in lines:
        amount, currency = line.costs[metric]
        add(both if line.key in run or line.key in change else rest, currency, amount)
        if line.key in run:
            add(part, currency, amount)
    return share_reading(ctx, part, both, config, evidence=evidence, notes=neither(rest), estimated=estimated)


def neither(rest: Amounts) -> list[str]:
    """What is to be said of cost that is neither run nor change."""
    said = ", ".join(f"{amount:,.2f} {currency}" for currency, amount in sorted(rest.items()))
    return [f"neither run nor change: {said}"] if said else []


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
    """(spent − budget) / budget × 100: above 0 is over; numerator and denominator are of the ratio. The note gives both sums; no data without one of them."""
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
        numerator=None if value is None or planned is None else value * planned.amount / 100,
        denominator=None if value is None or planned is None else planned.amount,
        state=ReadingState.NO_DATA if value is None else ReadingState.OK,
        completeness=Completeness.PROVISIONAL if estimated else Completeness.FINAL,
    )  # fmt: skip
