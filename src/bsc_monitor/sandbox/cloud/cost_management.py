"""What Azure's Query, Forecast and Budgets answer from a ledger: columns, and rows in their order."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from bsc_monitor.sandbox.cloud.ledger import Charge, Ledger
from bsc_monitor.sandbox.cloud.refusal import RefusedError

BUDGET = "cloud"
_TYPES = ("Usage", "ActualCost", "AmortizedCost")
_COSTS = ("Cost", "PreTaxCost")
_LONGEST = timedelta(days=366)
Answer = tuple[list[dict[str, str]], list[list[Any]]]


def query(ledger: Ledger, subscription: str, asked: dict[str, Any]) -> Answer:
    """The sums of a query. Raises RefusedError on one that the vendor would refuse."""
    start, end = _period(asked)
    dataset = asked.get("dataset") or {}
    name, daily = _cost(asked, dataset), dataset.get("granularity") == "Daily"
    groups = dataset.get("grouping") or []
    if len(groups) > 2:
        raise RefusedError("BadRequest", "Query with more than 2 groupings is not supported.")
    sums: dict[tuple[Any, ...], float] = {}
    for charge, share in ledger.between(start, end, "Microsoft"):
        if charge.account != subscription or not _matches(charge, dataset.get("filter")):
            continue
        amount = charge.effective if asked["type"] == "AmortizedCost" else charge.billed
        if asked["type"] != "AmortizedCost" and charge.commitment == "Unused":
            continue
        key = (int(charge.day.strftime("%Y%m%d")) if daily else 0, *(v for g in groups for v in _values(charge, g)), charge.currency)  # fmt: skip
        sums[key] = sums.get(key, 0.0) + amount * share
    columns = [{"name": name, "type": "Number"}, *([{"name": "UsageDate", "type": "Number"}] if daily else [])]
    for group in groups:
        names = ("TagKey", "TagValue") if group.get("type") == "TagKey" else (group["name"],)
        columns += [{"name": each, "type": "String"} for each in names]
    columns.append({"name": "Currency", "type": "String"})
    rows = [
        [amount, *(key if daily else key[1:])] for key, amount in sorted(sums.items(), key=lambda item: str(item[0]))
    ]
    return columns, rows


def forecast(ledger: Ledger, subscription: str, asked: dict[str, Any]) -> Answer:
    """A flat forecast of each day: the mean of the last 30 days that are all there."""
    start, end = _period(asked)
    name, today = _cost(asked, asked.get("dataset") or {}), ledger.now().date()
    first, last = today - timedelta(days=32), today - timedelta(days=2)
    known = [c for c, _ in ledger.between(first, last, "Microsoft") if c.account == subscription]
    column = "effective" if asked["type"] == "AmortizedCost" else "billed"
    daily = sum(getattr(charge, column) for charge in known) / 30
    currency = known[0].currency if known else "EUR"
    columns = [{"name": name, "type": "Number"}, {"name": "UsageDate", "type": "Number"}, {"name": "CostStatus", "type": "String"}, {"name": "Currency", "type": "String"}]  # fmt: skip
    days = [start + timedelta(days=number) for number in range((end - start).days)]
    return columns, [
        [daily, int(day.strftime("%Y%m%d")), "Forecast", currency] for day in days if day >= today and known
    ]


def budget(ledger: Ledger, subscription: str) -> dict[str, Any]:
    """The budget of a subscription."""
    today, months = ledger.now().date(), ledger.budgets[subscription]
    first = date(today.year, today.month, 1)
    spent = sum(c.billed * share for c, share in ledger.between(first, today, "Microsoft") if c.account == subscription)
    scope = f"subscriptions/{subscription}/providers/Microsoft.CostManagement/budgets/{BUDGET}"
    return {
        "id": scope, "name": BUDGET, "type": "Microsoft.CostManagement/budgets", "eTag": '"1d34d016a593709"',
        "properties": {
            "amount": months.get(first, 0.0), "category": "Cost", "timeGrain": "Monthly", "filter": {},
            "timePeriod": {"startDate": f"{min(months)}T00:00:00Z", "endDate": f"{max(months)}T00:00:00Z"},
            "currentSpend": {"amount": spent, "unit": "EUR"}, "notifications": {},
        },
    }  # fmt: skip


def _period(asked: dict[str, Any]) -> tuple[date, date]:
    """``from`` and ``to`` are both inside."""
    if asked.get("type") not in _TYPES or asked.get("timeframe") != "Custom":
        raise RefusedError("BadRequest", "Invalid query definition: type or timeframe is not supported here.")
    try:
        start, last = (datetime.fromisoformat(asked["timePeriod"][name]).date() for name in ("from", "to"))
    except (KeyError, TypeError, ValueError, AttributeError):
        raise RefusedError("BadRequest", "Invalid query definition: timePeriod needs from and to.") from None
    if last < start or last - start > _LONGEST:
        raise RefusedError("BadRequest", "Invalid query definition: The time period for pulling the data cannot exceed 1 year(s).")  # fmt: skip
    return start, last + timedelta(days=1)


def _cost(asked: dict[str, Any], dataset: dict[str, Any]) -> str:
    aggregations = list((dataset.get("aggregation") or {}).values())
    if len(aggregations) != 1 or aggregations[0].get("function") != "Sum" or aggregations[0].get("name") not in _COSTS:
        raise RefusedError("BadRequest", f"Invalid dataset aggregation for {asked.get('type')}.")
    return str(aggregations[0]["name"])


def _values(charge: Charge, group: dict[str, str]) -> list[str]:
    if group.get("type") == "TagKey":
        name = group["name"].lower()
        return [name, charge.tags.get(name, "")]
    kinds = {"Used": "Usage", "Unused": "UnusedReservation"}
    values = {
        "ServiceName": charge.service, "SubscriptionId": charge.account, "SubscriptionName": charge.account_name,
        "ResourceGroupName": f"rg-{charge.tags.get('team', 'shared')}", "ResourceLocation": "EU West",
        "ChargeType": kinds.get(charge.commitment, charge.category),
        "PricingModel": "Reservation" if charge.commitment or charge.category == "Purchase" else "OnDemand",
    }  # fmt: skip
    if group.get("name") not in values:
        raise RefusedError("BadRequest", f"Invalid dataset grouping: '{group.get('name')}'.")
    return [values[group["name"]]]


def _matches(charge: Charge, expression: dict[str, Any] | None) -> bool:
    if not expression:
        return True
    [(kind, value)] = expression.items()
    if kind in ("and", "or"):
        if not isinstance(value, list) or len(value) < 2:
            raise RefusedError("BadRequest", f"Invalid query definition: '{kind}' must have at least 2 expressions.")
        return (all if kind == "and" else any)(_matches(charge, part) for part in value)
    if kind not in ("dimensions", "tags") or value.get("operator") != "In":
        raise RefusedError("BadRequest", "Invalid query definition: filter.")
    found = _values(charge, {"type": "TagKey" if kind == "tags" else "Dimension", "name": value["name"]})
    return found[-1] in value["values"]
