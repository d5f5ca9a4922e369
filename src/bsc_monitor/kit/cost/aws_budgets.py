"""A cost budget as AWS Budgets keeps it: what it allots to which days, and what it counts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from bsc_monitor.kit.cost.aws import AwsClient
from bsc_monitor.kit.cost.budget import Allotment, recurring
from bsc_monitor.kit.cost.cost_explorer import amount, number
from bsc_monitor.kit.cost.days import month_after, whole_period
from bsc_monitor.plugin import CollectorError, Context, SourceError

_MONTHS = {"MONTHLY": 1, "QUARTERLY": 3, "ANNUALLY": 12}


@dataclass(frozen=True, slots=True)
class AwsBudget:
    """A budget, and which costs it is about."""

    allotments: list[Allotment]
    where: dict[str, Any]  #: filter, as Cost Explorer writes it
    tax: bool
    credits: bool
    metric: str  #: of Cost Explorer


async def cost_budget(ctx: Context, aws: AwsClient, account_id: str, name: str) -> AwsBudget:
    """The budget of that name for the whole period. Raises SourceError(CONFIG) where it is none that can be compared."""
    asked = {"AccountId": account_id, "BudgetName": name, "ShowFilterExpression": True}
    found = (await aws.known(ctx, "DescribeBudget", asked)).get("Budget")
    if not isinstance(found, dict):
        raise SourceError("DescribeBudget: the answer has no Budget", CollectorError.SCHEMA)
    if found.get("BudgetType") != "COST":
        raise SourceError(f"{name!r} is no cost budget", CollectorError.CONFIG)
    allotments = _allotments(found, *whole_period(ctx))
    expression = found.get("FilterExpression")
    if not expression and found.get("CostFilters"):
        raise SourceError(
            f"the budget {name!r} has filters of the old form", CollectorError.CONFIG,
            hint="Save it anew in AWS, or take it over into budget_file with this KPI's scope.",
        )  # fmt: skip
    kinds = found.get("CostTypes") or {}
    metrics = found.get("Metrics") or ["AmortizedCost" if kinds.get("UseAmortized") else "UnblendedCost"]
    return AwsBudget(
        allotments, expression or {}, tax=kinds.get("IncludeTax", True),
        credits=kinds.get("IncludeCredit", True) or kinds.get("IncludeRefund", True),
        metric="AmortizedCost" if "Amortized" in str(metrics[0]) else "UnblendedCost",
    )  # fmt: skip


def _allotments(budget: Mapping[str, Any], first: date, end: date) -> list[Allotment]:
    """By calendar months, quarters or years."""
    months = _MONTHS.get(str(budget.get("TimeUnit")), 0)
    if not months:
        raise SourceError(f"budgets by {budget.get('TimeUnit')} are not supported", CollectorError.CONFIG)
    planned = budget.get("PlannedBudgetLimits")
    if not planned:
        return recurring(*amount(budget.get("BudgetLimit")), months, first, end)
    found = []
    for stamp, spend in planned.items():
        start = datetime.fromtimestamp(number({"start": stamp}, "start"), UTC).date()
        found.append(Allotment(start, month_after(start, months), *amount(spend)))
    return found
