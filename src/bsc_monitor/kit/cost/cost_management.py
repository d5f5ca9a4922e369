"""What Azure Cost Management is asked, and how its answers are read: costs by day, forecasts, budgets."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, datetime
from functools import partial
from typing import Any, Literal

from bsc_monitor.kit.cost.azure import AzureClient
from bsc_monitor.kit.cost.budget import Allotment, recurring
from bsc_monitor.kit.cost.days import DAY, Line, Step, Stretch, whole_period
from bsc_monitor.kit.cost.money import add
from bsc_monitor.plugin import CollectorError, Context, SourceError

CostType = Literal["ActualCost", "AmortizedCost"]
_NAMES = {"service": "ServiceName", "account": "SubscriptionName", "resource_group": "ResourceGroupName", "region": "ResourceLocation"}  # fmt: skip
_GRAINS = {"Monthly": 1, "Quarterly": 3, "Annually": 12}
_LONGEST = 364  # days of one question; the vendor takes a year


# ---- questions


def expression(dimensions: Mapping[str, list[str]], tags: Mapping[str, list[str]]) -> dict[str, Any]:
    """A filter as the Query API writes it: dimensions → values, tags → values. Empty of none."""
    parts = [
        {"dimensions": {"name": _NAMES.get(name, name), "operator": "In", "values": values}}
        for name, values in dimensions.items()
        if values
    ]
    parts += [{"tags": {"name": name, "operator": "In", "values": values}} for name, values in tags.items()]
    return {"and": parts} if len(parts) > 1 else parts[0] if parts else {}


async def costs(
    ctx: Context, azure: AzureClient, kind: CostType, where: dict[str, Any], groups: tuple[str, ...], first: date, end: date
) -> Stretch:  # fmt: skip
    """Daily sums of ``where`` by up to two dimensions: the first becomes a line's key, the second its kind.

    Only what is not known yet, or not settled, is asked for.
    """

    async def fetch(start: date, last: date) -> Mapping[date, Step]:
        steps: dict[date, Step] = {}
        while start <= last:
            until = min(last, start + _LONGEST * DAY)
            for row in await azure.rows(ctx, "query", _question(kind, where, groups, start, until)):
                line = Line(_cell(row, groups[1]) if groups[1:] else "", _cell(row, groups[0]) if groups else "", {kind: _amount(row)})  # fmt: skip
                steps.setdefault(_usage_date(row), Step(ctx.now)).lines.append(line)
            start = until + DAY
        return steps

    key = json.dumps([where, kind, groups], sort_keys=True)
    return await azure.book.stretch(key, first, end, ctx.now, fetch)


async def forecast(
    ctx: Context, azure: AzureClient, kind: CostType, where: dict[str, Any], first: date, end: date
) -> dict[str, float]:
    """What Azure forecasts for the days ``[first, end)``, by currency; empty where it makes no forecast."""
    asked = {
        **_question(kind, where, (), first, end - DAY),
        "includeActualCost": False,
        "includeFreshPartialCost": False,
    }

    async def ask() -> dict[str, float]:
        sums: dict[str, float] = {}
        for row in await azure.rows(ctx, "forecast", asked):
            amount, currency = _amount(row)
            add(sums, currency, amount)
        return sums

    found: dict[str, float] = await azure.book.answer(json.dumps(asked, sort_keys=True), ctx.now, ask)
    return found


async def cost_budget(ctx: Context, azure: AzureClient, name: str, currency: str) -> list[Allotment]:
    """The budget of that name for the whole period, in ``currency`` where it says none itself.

    Raises SourceError(CONFIG) on one that is filtered: it would be compared with what it does not count.
    """
    answer = await azure.book.answer(f"budget:{name}", ctx.now, partial(azure.get, ctx, f"budgets/{name}"))
    try:
        budget = answer["properties"]
        months = _GRAINS[budget["timeGrain"]]
        currency = budget.get("currentSpend", {}).get("unit") or currency
        if budget["category"] != "Cost" or budget.get("filter"):
            raise SourceError(
                f"the budget {name!r} is filtered, or no cost budget", CollectorError.CONFIG,
                hint="Take it over into budget_file, with the same filter as this KPI's params.",
            )  # fmt: skip
        return recurring(_number(budget["amount"]), currency, months, *whole_period(ctx))
    except (KeyError, TypeError, AttributeError) as error:
        raise SourceError(f"not a budget by month, quarter or year: {error!r}", CollectorError.SCHEMA) from None


def _question(
    kind: CostType, where: dict[str, Any], groups: tuple[str, ...], first: date, last: date
) -> dict[str, Any]:
    dataset: dict[str, Any] = {
        "granularity": "Daily",
        "aggregation": {"totalCost": {"name": "Cost", "function": "Sum"}},
    }
    if groups:
        dataset["grouping"] = [{"type": "TagKey" if tag else "Dimension", "name": tag or _NAMES.get(name, name)}
                               for name, _, tag in (group.partition(":") for group in groups)]  # fmt: skip
    if where:
        dataset["filter"] = where
    period = {"from": f"{first}T00:00:00Z", "to": f"{last}T23:59:59Z"}
    return {"type": kind, "timeframe": "Custom", "timePeriod": period, "dataset": dataset}


# ---- answers


def _cell(row: Mapping[str, Any], dimension: str) -> str:
    """A row's value of a dimension; column names are compared without case, as the vendor changes it."""
    name, _, tag = dimension.partition(":")
    wanted = "tagvalue" if tag else _NAMES.get(name, name).lower()
    for column, value in row.items():
        if column.lower() == wanted.lower():
            return str(value or "")
    raise SourceError(f"the answer has no column {wanted!r}: {', '.join(row)[:200]}", CollectorError.SCHEMA)


def _amount(row: Mapping[str, Any]) -> tuple[float, str]:
    cost = next((row[name] for name in ("Cost", "PreTaxCost", "CostUSD") if name in row), None)
    return _number(cost), "USD" if "CostUSD" in row else _cell(row, "Currency")


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) < float("inf"):
        raise SourceError(f"{str(value)[:40]!r} is no amount", CollectorError.SCHEMA)
    return float(value)


def _usage_date(row: Mapping[str, Any]) -> date:
    """UsageDate is an integer, 20180331."""
    try:
        return datetime.strptime(str(row["UsageDate"])[:8], "%Y%m%d").date()  # noqa: DTZ007 - a date
    except (KeyError, ValueError):
        raise SourceError(f"{str(row.get('UsageDate'))[:40]!r} is no UsageDate", CollectorError.SCHEMA) from None
