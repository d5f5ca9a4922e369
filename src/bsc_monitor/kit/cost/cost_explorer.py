"""What AWS's Cost Explorer is asked, and how its answers are read: costs by day, forecasts, commitments, anomalies."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from bsc_monitor.kit.cost.aws import AwsClient
from bsc_monitor.kit.cost.days import DAY, Line, Step, Stretch, current_day, days_of, month_after
from bsc_monitor.plugin import CollectorError, Context, SourceError

_METRICS = ["UnblendedCost", "AmortizedCost"]
_DAILY_MONTHS = 13  # older periods come by the month: daily data are kept for 14 months
_NAMES = {"service": "SERVICE", "account": "LINKED_ACCOUNT", "region": "REGION"}
_COMMITMENTS = {
    "GetSavingsPlansCoverage": "SavingsPlansCoverages", "GetSavingsPlansUtilization": "SavingsPlansUtilizationsByTime",
    "GetReservationCoverage": "CoveragesByTime", "GetReservationUtilization": "UtilizationsByTime",
}  # fmt: skip


# ---- questions


def expression(
    dimensions: Mapping[str, list[str]], tags: Mapping[str, list[str]], more: dict[str, Any]
) -> dict[str, Any]:
    """A filter as Cost Explorer writes it: dimensions → values, tags → values, and any other expression. Empty of none."""
    parts = [
        {"Dimensions": {"Key": _NAMES.get(name, name), "Values": values}}
        for name, values in dimensions.items()
        if values
    ]
    parts += [{"Tags": {"Key": key, "Values": values}} for key, values in tags.items()]
    if more:
        parts.append(more)
    return {"And": parts} if len(parts) > 1 else parts[0] if parts else {}


async def costs(ctx: Context, aws: AwsClient, where: dict[str, Any], dimension: str, first: date, end: date) -> Stretch:
    """Daily sums of ``where`` by record type (a line's kind) and ``dimension`` (its key); of long ago, sums by the month.

    Only what is not known yet, or not settled, is asked for. Raises SourceError(CONFIG) where daily sums are needed that
    AWS no longer keeps.
    """
    old = first < month_after(ctx.now.date(), -_DAILY_MONTHS)
    if old and (first.day, end.day) != (1, 1):
        raise SourceError(
            "AWS keeps daily costs for 14 months; older ones come by the whole month", CollectorError.CONFIG
        )
    key = json.dumps([where, dimension, old], sort_keys=True)

    async def fetch(start: date, last: date) -> Mapping[date, Step]:
        after = month_after(last) if old else last + DAY
        return await _steps(ctx, aws, _usage(where, dimension, start, after, by_month=old))

    return await aws.book.stretch(key, first, end, ctx.now, fetch, by_month=old)


def _usage(where: dict[str, Any], dimension: str, first: date, end: date, *, by_month: bool) -> dict[str, Any]:
    groups = [{"Type": "DIMENSION", "Key": "RECORD_TYPE"}]
    if dimension:
        kind, _, tag = dimension.partition(":")
        groups.append({"Type": "TAG", "Key": tag} if tag else {"Type": "DIMENSION", "Key": _NAMES.get(kind, kind)})
    return {
        "TimePeriod": _interval(first, end), "Metrics": _METRICS, "Granularity": "MONTHLY" if by_month else "DAILY",
        "GroupBy": groups, **({"Filter": where} if where else {}),
    }  # fmt: skip


async def forecast(
    ctx: Context, aws: AwsClient, where: dict[str, Any], metric: str, left_out: Sequence[str], start: date, end: date
) -> tuple[float, str] | None:
    """The mean that AWS forecasts for the days ``[start, end)`` without the record types ``left_out``; None of too little history."""
    asked: dict[str, Any] = {
        "TimePeriod": _interval(start, end), "Granularity": "DAILY",
        "Metric": "AMORTIZED_COST" if metric == "AmortizedCost" else "UNBLENDED_COST",
    }  # fmt: skip
    if left_out:
        kinds = {"Not": {"Dimensions": {"Key": "RECORD_TYPE", "Values": left_out}}}
        where = {"And": [where, kinds]} if where else kinds
    if where:
        asked["Filter"] = where
    found = await aws.known(ctx, "GetCostForecast", asked, allow="DataUnavailable")
    return amount(found.get("Total")) if found else None


async def commitment(ctx: Context, aws: AwsClient, operation: str) -> dict[str, Any]:
    """An answer about commitments of the period; empty where the account has no such data. Raises SourceError(SCHEMA)."""
    first, end = days_of(ctx.window, ctx.calendar)
    end = min(end, current_day(ctx))
    if end <= first:
        return {}
    found = await aws.known(ctx, operation, {"TimePeriod": _interval(first, end)}, allow="DataUnavailable")
    if found.get("NextToken") or found.get("NextPageToken"):
        raise SourceError(f"{operation}: more than one page of {_COMMITMENTS[operation]}", CollectorError.SCHEMA)
    nothing = found.get(_COMMITMENTS[operation]) == [] and "Total" not in found
    return {} if nothing else found


async def plans_coverage(ctx: Context, aws: AwsClient) -> list[dict[str, Any]]:
    """What savings plans covered, and what they could have, by part of the period. Raises SourceError(SCHEMA)."""
    found = await commitment(ctx, aws, "GetSavingsPlansCoverage")
    try:
        return [dict(each["Coverage"]) for each in found["SavingsPlansCoverages"]] if found else []
    except (KeyError, TypeError, ValueError) as error:
        raise SourceError(f"not an answer about coverage: {error!r}", CollectorError.SCHEMA) from None


async def anomalies(ctx: Context, aws: AwsClient, first: date, end: date) -> list[dict[str, Any]]:
    """The anomalies that *began* on the days ``[first, end)``: the vendor's interval is about when one ended, so later ones are asked for too."""
    asked = {"DateInterval": {"StartDate": first.isoformat()}, "MaxResults": 100}
    return [
        each
        async for page in aws.pages(ctx, "GetAnomalies", asked, "Anomalies", max_pages=50)
        for each in page
        if first.isoformat() <= str(each.get("AnomalyStartDate", ""))[:10] < end.isoformat()
    ]


async def has_monitor(ctx: Context, aws: AwsClient) -> bool:
    """Whether anything looks for anomalies. Raises SourceError(SCHEMA)."""
    monitors = (await aws.known(ctx, "GetAnomalyMonitors", {})).get("AnomalyMonitors")
    if not isinstance(monitors, list):
        raise SourceError("GetAnomalyMonitors: the answer has no AnomalyMonitors", CollectorError.SCHEMA)
    return bool(monitors)


def _interval(start: date, end: date) -> dict[str, str]:
    return {"Start": start.isoformat(), "End": end.isoformat()}


# ---- answers


async def _steps(ctx: Context, aws: AwsClient, asked: Mapping[str, Any]) -> dict[date, Step]:
    found: dict[date, Step] = {}
    async for page in aws.pages(ctx, "GetCostAndUsage", asked, "ResultsByTime", max_pages=100):
        for result in page:
            step = found.setdefault(_day(result), Step(ctx.now))
            step.estimated |= bool(result.get("Estimated"))
            step.lines += [_line(group) for group in result.get("Groups") or ()]
    return found


def _day(result: Any) -> date:
    try:
        return date.fromisoformat(result["TimePeriod"]["Start"][:10])
    except (KeyError, TypeError, ValueError):
        raise SourceError("a result without TimePeriod.Start", CollectorError.SCHEMA) from None


def _line(group: Any) -> Line:
    try:
        kind, *rest = group["Keys"]
        key = rest[0] if rest else ""
        key = key.partition("$")[2] if "$" in key else key
        return Line(kind, key, {name: amount(group["Metrics"][name]) for name in _METRICS})
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise SourceError(f"not a group of Cost Explorer: {error!r}", CollectorError.SCHEMA) from None


def amount(spend: Any) -> tuple[float, str]:
    """An amount and its currency. Raises SourceError(SCHEMA)."""
    try:
        return number(spend, "Amount"), str(spend["Unit"])
    except (KeyError, TypeError):
        raise SourceError(f"{str(spend)[:60]!r} is no amount with a unit", CollectorError.SCHEMA) from None


def number(found: Any, *path: str) -> float:
    """The decimal string at the end of a path of keys. Raises SourceError(SCHEMA) where it is not there, or no number."""
    told, value = found, float("nan")
    try:
        for name in path:
            told = told[name]
        value = float(told)
    except (KeyError, TypeError, ValueError):
        pass
    if not abs(value) < float("inf"):
        raise SourceError(f"{'.'.join(path)} of {str(found)[:60]!r} is no number", CollectorError.SCHEMA)
    return value
