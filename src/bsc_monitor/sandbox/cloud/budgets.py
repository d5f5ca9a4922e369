"""AWS Budgets: one time-phased cost budget per account."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time
from typing import Any

from bsc_monitor.sandbox.cloud.ledger import Ledger
from bsc_monitor.sandbox.cloud.refusal import RefusedError

NAME = "cloud"


def _describe_budget(ledger: Ledger, asked: dict[str, Any], _: int) -> dict[str, Any]:
    found = _budget(ledger, asked)
    if asked.get("BudgetName") != NAME:
        name = asked.get("BudgetName")
        raise RefusedError("NotFoundException", f"Unable to get budget: {name} - the budget doesn't exist.")
    return {"Budget": found}


def _describe_budgets(ledger: Ledger, asked: dict[str, Any], _: int) -> dict[str, Any]:
    return {"Budgets": [_budget(ledger, asked)]}


def _budget(ledger: Ledger, asked: dict[str, Any]) -> dict[str, Any]:
    months = ledger.budgets.get(str(asked.get("AccountId")))
    if months is None:
        raise RefusedError("AccessDeniedException", f"Account {asked.get('AccountId')} is not yours")
    today = ledger.now().date()
    first, last = date(today.year, today.month, 1), max(months)
    spent = sum(charge.billed * share for charge, share in ledger.between(first, today, "AWS") if charge.kind != "Tax")
    found: dict[str, Any] = {
        "BudgetName": NAME, "BudgetType": "COST", "TimeUnit": "MONTHLY",
        "BudgetLimit": _spend(months.get(first, 0.0)),
        "PlannedBudgetLimits": {str(int(_stamp(month))): _spend(amount) for month, amount in months.items()},
        "CostTypes": {
            "IncludeTax": False, "IncludeCredit": True, "IncludeRefund": True, "IncludeSubscription": True,
            "IncludeUpfront": True, "IncludeRecurring": True, "IncludeOtherSubscription": True, "IncludeSupport": True,
            "IncludeDiscount": True, "UseBlended": False, "UseAmortized": False,
        },
        "TimePeriod": {"Start": _stamp(min(months)), "End": _stamp(last)},
        "CalculatedSpend": {"ActualSpend": _spend(spent)},
    }  # fmt: skip
    if asked.get("ShowFilterExpression"):
        found["FilterExpression"] = {"Not": {"Dimensions": {"Key": "RECORD_TYPE", "Values": ["Tax"]}}}
    return found


def _spend(amount: float) -> dict[str, str]:
    return {"Amount": f"{amount:.2f}", "Unit": "USD"}


def _stamp(day: date) -> float:
    return datetime.combine(day, time(), UTC).timestamp()


OPERATIONS: dict[str, Callable[[Ledger, dict[str, Any], int], dict[str, Any]]] = {
    "DescribeBudget": _describe_budget,
    "DescribeBudgets": _describe_budgets,
}
