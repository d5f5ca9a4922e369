"""The operations of AWS Cost Explorer over a ledger."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from html import escape
from typing import Any

from bsc_monitor.sandbox.cloud.ledger import Charge, Ledger
from bsc_monitor.sandbox.cloud.refusal import RefusedError

DAY = timedelta(days=1)
_DAILY_HISTORY, _MONTHLY_HISTORY = 14, 38  #: months that can be asked for
_METRICS = {"UnblendedCost": 0, "NetUnblendedCost": 0, "BlendedCost": 0, "AmortizedCost": 1, "NetAmortizedCost": 1}
_FORECASTS = {"UNBLENDED_COST": 0, "NET_UNBLENDED_COST": 0, "BLENDED_COST": 0, "AMORTIZED_COST": 1, "NET_AMORTIZED_COST": 1}  # fmt: skip
_MONITOR = "arn:aws:ce::111122223333:anomalymonitor/demo"

Line = tuple[Charge, str, float, float]  # charge, record type, unblended, amortised


def lines(ledger: Ledger, start: date, end: date) -> Iterator[Line]:
    """The charges as Cost Explorer shows them: what a savings plan covers at its on-demand price, and taken off again."""
    for charge, share in ledger.between(start, end, "AWS"):
        if charge.kind == "SavingsPlanCoveredUsage":
            yield charge, charge.kind, charge.contracted * share, charge.effective * share
            yield charge, "SavingsPlanNegation", -charge.contracted * share, 0.0
        elif charge.kind == "SavingsPlanUnused":
            yield charge, "SavingsPlanRecurringFee", 0.0, charge.effective * share
        else:
            yield charge, charge.kind, charge.billed * share, charge.effective * share


def _days(asked: dict[str, Any], name: str = "TimePeriod") -> tuple[date, date]:
    try:
        start, end = (date.fromisoformat(asked[name][key][:10]) for key in ("Start", "End"))
    except (KeyError, TypeError, ValueError):
        raise RefusedError("ValidationException", f"{name} needs Start and End as yyyy-MM-dd") from None
    if end <= start:
        raise RefusedError("ValidationException", "Start date (and hour) should be before end date (and hour)")
    return start, end


def _too_old(ledger: Ledger, start: date, months: int) -> bool:
    today = ledger.now().date()
    count = today.year * 12 + today.month - 1 - months
    return start < date(count // 12, count % 12 + 1, 1)


def _steps(start: date, end: date, granularity: str) -> Iterator[tuple[date, date]]:
    while start < end:
        if granularity == "DAILY":
            following = start + DAY
        else:
            following = min(end, (start.replace(day=28) + timedelta(days=4)).replace(day=1))
        yield start, following
        start = following


def _key(line: Line, group: dict[str, str]) -> str:
    charge, kind = line[0], line[1]
    if group.get("Type") == "TAG":
        return f"{group['Key']}${charge.tags.get(group['Key'], '')}"
    values = {
        "SERVICE": charge.service,
        "LINKED_ACCOUNT": charge.account,
        "RECORD_TYPE": kind,
        "REGION": "eu-central-1",
    }
    if group.get("Key") not in values:
        raise RefusedError("ValidationException", f"Group Definition key {group.get('Key')} is not supported")
    return values[group["Key"]]


def matches(line: Line, expression: dict[str, Any] | None) -> bool:
    """Whether a line meets a filter expression. Raises RefusedError on one that is none."""
    if not expression:
        return True
    if len(expression) != 1:
        raise RefusedError("ValidationException", "Expression has more than one root: use And, Or, Not to combine them")
    [(kind, value)] = expression.items()
    if kind in ("And", "Or"):
        if not isinstance(value, list) or len(value) < 2:
            raise RefusedError("ValidationException", f"{kind} expression must have at least 2 operands")
        return (all if kind == "And" else any)(matches(line, part) for part in value)
    if kind == "Not":
        return not matches(line, value)
    if kind not in ("Dimensions", "Tags"):
        raise RefusedError("ValidationException", f"{kind} is not supported")
    found = _key(line, {"Type": "TAG" if kind == "Tags" else "DIMENSION", "Key": value["Key"]})
    found = found.partition("$")[2] if kind == "Tags" else found
    if "ABSENT" in value.get("MatchOptions", ()):
        return not found
    return found in value.get("Values", ())


def _cost_and_usage(ledger: Ledger, asked: dict[str, Any], page_size: int) -> dict[str, Any]:
    start, end = _days(asked)
    granularity, metrics = asked.get("Granularity"), asked.get("Metrics") or []
    if granularity not in ("DAILY", "MONTHLY"):
        raise RefusedError("ValidationException", f"Granularity {granularity} is not enabled for this account")
    if _too_old(ledger, start, _DAILY_HISTORY if granularity == "DAILY" else _MONTHLY_HISTORY):
        raise RefusedError("ValidationException", "Historical data for start date is not available: start date is too old")  # fmt: skip
    unknown = [name for name in metrics if name not in _METRICS]
    if unknown or not metrics:
        raise RefusedError("ValidationException", f"Metrics {unknown} are not supported")
    groups = asked.get("GroupBy") or []
    if len(groups) > 2:
        raise RefusedError("ValidationException", "GroupBy supports at most 2 groups")
    rows = [
        (begin, finish, keys, sums)
        for begin, finish in _steps(start, end, granularity)
        for keys, sums in _grouped(ledger, begin, finish, asked.get("Filter"), groups) or [([], [0.0, 0.0])]
    ]
    offset = _offset(asked)
    found = _written(ledger, rows[offset : offset + page_size], metrics, grouped=bool(groups))
    answer: dict[str, Any] = {"GroupDefinitions": groups, "ResultsByTime": found, "DimensionValueAttributes": []}
    if offset + page_size < len(rows):
        answer["NextPageToken"] = base64.b64encode(json.dumps(offset + page_size).encode()).decode()
    return answer


def _offset(asked: dict[str, Any]) -> int:
    token = asked.get("NextPageToken")
    try:
        return int(json.loads(base64.b64decode(token, validate=True))) if token else 0
    except (ValueError, TypeError):
        raise RefusedError("InvalidNextTokenException", "Invalid NextPageToken") from None


def _grouped(
    ledger: Ledger, start: date, end: date, expression: dict[str, Any] | None, groups: list[dict[str, str]]
) -> list[tuple[list[str], list[float]]]:
    sums: dict[tuple[str, ...], list[float]] = {}
    for line in lines(ledger, start, end):
        if matches(line, expression):
            found = sums.setdefault(tuple(_key(line, group) for group in groups), [0.0, 0.0])
            found[0] += line[2]
            found[1] += line[3]
    return [(list(keys), values) for keys, values in sorted(sums.items())]


def _written(ledger: Ledger, rows: list[Any], metrics: list[str], *, grouped: bool) -> list[dict[str, Any]]:
    found: dict[date, dict[str, Any]] = {}
    for begin, finish, keys, sums in rows:
        result = found.setdefault(begin, {
            "TimePeriod": {"Start": begin.isoformat(), "End": finish.isoformat()}, "Total": {}, "Groups": [],
            "Estimated": ledger.estimated(finish - DAY),
        })  # fmt: skip
        written = {name: {"Amount": f"{sums[_METRICS[name]]:.10f}", "Unit": "USD"} for name in metrics}
        if grouped and keys:
            result["Groups"].append({"Keys": keys, "Metrics": written})
        elif not grouped:
            result["Total"] = written
    return list(found.values())


def _cost_forecast(ledger: Ledger, asked: dict[str, Any], _: int) -> dict[str, Any]:
    start, end = _days(asked)
    today, metric = ledger.now().date(), asked.get("Metric")
    if start < today:
        raise RefusedError("ValidationException", "Start date should be the current date or later")
    if metric not in _FORECASTS or asked.get("Granularity") not in ("DAILY", "MONTHLY"):
        raise RefusedError("ValidationException", f"metric {metric} cannot be forecast")
    known = [line for line in lines(ledger, today - 32 * DAY, today - 2 * DAY) if matches(line, asked.get("Filter"))]
    if not known:
        raise RefusedError("DataUnavailableException", "Insufficient amount of historical data to generate forecast.")
    daily = sum((line[2], line[3])[_FORECASTS[metric]] for line in known) / 30
    results = [
        {
            "TimePeriod": {"Start": begin.isoformat(), "End": finish.isoformat()},
            "MeanValue": f"{daily * (finish - begin).days:.10f}",
        }
        for begin, finish in _steps(start, end, asked["Granularity"])
    ]
    return {
        "Total": {"Amount": f"{daily * (end - start).days:.10f}", "Unit": "USD"}, "ForecastResultsByTime": results,
    }  # fmt: skip


def _plans(ledger: Ledger, asked: dict[str, Any]) -> dict[str, float]:
    start, end = _days(asked)
    found = {"covered": 0.0, "used": 0.0, "unused": 0.0, "on demand": 0.0}
    for charge, kind, unblended, amortised in lines(ledger, start, end):
        if kind == "SavingsPlanCoveredUsage":
            found["covered"] += unblended
            found["used"] += amortised
        elif kind == "SavingsPlanRecurringFee":
            found["unused"] += amortised
        elif kind == "Usage" and "Compute" in charge.service:
            found["on demand"] += unblended
    if not found["covered"]:
        raise RefusedError("DataUnavailableException", "No Savings Plans data for the period")
    return found


def _plan_coverage(ledger: Ledger, asked: dict[str, Any], _: int) -> dict[str, Any]:
    found, (start, end) = _plans(ledger, asked), _days(asked)
    whole = found["covered"] + found["on demand"]
    coverage = {
        "SpendCoveredBySavingsPlans": f"{found['covered']:.10f}", "OnDemandCost": f"{found['on demand']:.10f}",
        "TotalCost": f"{whole:.10f}", "CoveragePercentage": f"{found['covered'] / whole * 100:.10f}",
    }  # fmt: skip
    period = {"Start": start.isoformat(), "End": end.isoformat()}
    return {"SavingsPlansCoverages": [{"Attributes": {}, "Coverage": coverage, "TimePeriod": period}]}


def _plan_utilisation(ledger: Ledger, asked: dict[str, Any], _: int) -> dict[str, Any]:
    found = _plans(ledger, asked)
    whole = found["used"] + found["unused"]
    utilisation = {
        "TotalCommitment": f"{whole:.10f}", "UsedCommitment": f"{found['used']:.10f}",
        "UnusedCommitment": f"{found['unused']:.10f}", "UtilizationPercentage": f"{found['used'] / whole * 100:.10f}",
    }  # fmt: skip
    savings = {
        "NetSavings": f"{found['covered'] - whole:.10f}",
        "OnDemandCostEquivalent": f"{found['covered']:.10f}",
    }
    return {"Total": {"Utilization": utilisation, "Savings": savings}}


def _no_reservations(_: Ledger, asked: dict[str, Any], __: int) -> dict[str, Any]:
    _days(asked)
    raise RefusedError("DataUnavailableException", "No reservations in this account")


def _anomalies(ledger: Ledger, asked: dict[str, Any], _: int) -> dict[str, Any]:
    """The anomalies that *ended* in the interval, which is what the vendor's interval means."""
    interval = asked.get("DateInterval") or {}
    start, end = interval.get("StartDate", ""), interval.get("EndDate") or "9999"
    today = ledger.now().date()
    found = [
        {
            "AnomalyId": each.key, "AnomalyStartDate": each.start.isoformat(), "AnomalyEndDate": each.end.isoformat(),
            "DimensionValue": each.service, "RootCauses": [{"Service": each.service}], "MonitorArn": _MONITOR,
            "AnomalyScore": {"MaxScore": 0.9, "CurrentScore": 0.8},
            "Impact": {"MaxImpact": each.impact, "TotalImpact": each.impact, "TotalExpectedSpend": each.expected},
        }
        for each in ledger.anomalies
        if start <= each.end.isoformat() <= end and each.start < today
    ]  # fmt: skip
    return {"Anomalies": found}


def _monitors(_: Ledger, __: dict[str, Any], ___: int) -> dict[str, Any]:
    return {"AnomalyMonitors": [{"MonitorArn": _MONITOR, "MonitorName": "services", "MonitorType": "DIMENSIONAL"}]}


def page(ledger: Ledger, query: dict[str, str]) -> str:
    """The page for people: the net cost of each day and service of a stretch of days."""
    try:
        start, end = date.fromisoformat(query["startDate"]), date.fromisoformat(query["endDate"]) + DAY
    except (KeyError, ValueError):
        today = ledger.now().date()
        start, end = today - 30 * DAY, today
    sums: dict[str, float] = {}
    for charge, kind, unblended, _ in lines(ledger, start, end):
        sums[f"{charge.service} · {kind}"] = sums.get(f"{charge.service} · {kind}", 0.0) + unblended
    rows = "".join(f"<tr><td>{escape(k)}</td><td align=right>{v:,.2f}</td></tr>" for k, v in sorted(sums.items()))
    whole = sum(sums.values())
    return (
        f"<!DOCTYPE html><title>Cost Explorer (sandbox)</title><h1>{start} – {end - DAY}: {whole:,.2f} USD</h1>"
        f"<table>{rows}</table>"
    )


OPERATIONS: dict[str, Callable[[Ledger, dict[str, Any], int], dict[str, Any]]] = {
    "GetCostAndUsage": _cost_and_usage,
    "GetCostForecast": _cost_forecast,
    "GetSavingsPlansCoverage": _plan_coverage,
    "GetSavingsPlansUtilization": _plan_utilisation,
    "GetReservationCoverage": _no_reservations,
    "GetReservationUtilization": _no_reservations,
    "GetAnomalies": _anomalies,
    "GetAnomalyMonitors": _monitors,
}
