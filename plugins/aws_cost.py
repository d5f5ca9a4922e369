"""AWS Cost Explorer and Budgets: what the cloud costs, against its budget, and how well commitments are used.

Costs are asked for by day and record type, once for all KPIs that share a scope: a day that the vendor still calls an
estimate (or that is younger than four days) is asked for again after ``refresh``, others never. Every page of an answer
costs 0.01 USD, which counts against the source's ``daily_budget``. Days are the vendor's UTC days; the period's dates are
the scorecard's. AWS under-reports the last 24–48 hours, so comparisons with a budget leave out the last ``lag`` days.

Breakdowns (``by``): ``service``, ``account``, ``region``, ``tag:KEY`` or any dimension of Cost Explorer (INSTANCE_TYPE).
There is no list price in Cost Explorer (``list_cost``: use the focus collector on the data export), and unit cost is a
formula over this KPI and its driver: ``formula = "cloud_cost / orders"``.
The user needs ce:Get* and budgets:ViewBudget.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any, Literal
from urllib.parse import urlencode

from pydantic import Field

from bsc_monitor.kit.cost import (
    DAY,
    Allotment,
    Book,
    CostConfig,
    Line,
    Step,
    Stretch,
    add,
    allotted,
    budget_of_file,
    cost_reading,
    days_of,
    month_after,
    no_cost,
    recurring,
    run_reading,
    settled_until,
    share_reading,
    total,
    total_by_key,
    variance_reading,
    whole_period,
)
from bsc_monitor.plugin import (
    Collector,
    CollectorError,
    Context,
    Params,
    Reading,
    Secret,
    SourceError,
    measure,
)

_PRICE = 0.01  # USD a page of Cost Explorer
_DAILY_MONTHS = 13  # older periods come by the month: daily data are kept for 14 months
_CONSOLE = "https://us-east-1.console.aws.amazon.com/costmanagement/home"
_NAMES = {"service": "SERVICE", "account": "LINKED_ACCOUNT", "region": "REGION"}
_USAGE = ("Usage", "DiscountedUsage", "SavingsPlanCoveredUsage")  # what can bear a tag
_METRICS = ["UnblendedCost", "AmortizedCost"]
_REASONS = {
    "AccessDenied": CollectorError.PERMISSION, "UnrecognizedClient": CollectorError.AUTH, "InvalidSignature": CollectorError.AUTH,
    "InvalidClientTokenId": CollectorError.AUTH, "ExpiredToken": CollectorError.AUTH, "MissingAuthentication": CollectorError.AUTH,
    "IncompleteSignature": CollectorError.AUTH, "LimitExceeded": CollectorError.RATE_LIMIT, "Throttling": CollectorError.RATE_LIMIT,
    "RequestChanged": CollectorError.TRANSIENT, "InternalFailure": CollectorError.TRANSIENT,
    "ServiceUnavailable": CollectorError.TRANSIENT,
}  # fmt: skip
_HINTS = {
    CollectorError.PERMISSION: "Allow ce:Get* and budgets:ViewBudget; a member account also needs the payer's consent.",
    CollectorError.AUTH: "Check access_key_id and secret_access_key, and this machine's clock.",
    CollectorError.RATE_LIMIT: "Ask less often (every), or let answers serve longer (refresh).",
}


class Scope(Params):
    """Which part of the bill."""

    services: list[str] = Field(default_factory=list, description="as Cost Explorer spells them")
    accounts: list[str] = Field(default_factory=list, description="linked accounts, 12 digits")
    tags: dict[str, list[str]] = Field(default_factory=dict, description="cost allocation tag → values")
    filter: dict[str, Any] = Field(default_factory=dict, description="any other expression of Cost Explorer")


class Cost(Scope):
    """Which part of the bill, and which of its lines."""

    tax: bool = Field(False, description="count tax in")
    credits: bool = Field(True, description="take credits and refunds off")


class Planned(Cost):
    """Which cost, and which budget."""

    budget: str = Field("", description="name in AWS Budgets (its own filter decides what counts), or in budget_file")
    amortised: bool = Field(False, description="compare the amortised cost; a budget of AWS says so itself")


class RunChange(Cost):
    """What is run and what is change: by the values of a tag, or by accounts."""

    tag: str = Field("", description="cost allocation tag; without it run and change are accounts")
    run: list[str] = Field(min_length=1)
    change: list[str] = Field(min_length=1)


class Tagged(Scope):
    """Which tag every cost should bear."""

    tag: str


class Commitment(Params):
    """Which kind of commitment."""

    kind: Literal["savings_plans", "reservations"] = "savings_plans"


class AwsCost(Collector):
    """One payer account (or a member account that may see its own costs)."""

    name = "aws_cost"

    class Config(CostConfig):
        """Whose costs, and how to be let in."""

        access_key_id: str = Field(examples=["AKIAIOSFODNN7EXAMPLE"])
        secret_access_key: Secret = Field(examples=[{"env": "AWS_SECRET_ACCESS_KEY"}])
        session_token: Secret | None = None
        account_id: str = Field(
            "", pattern=r"^(\d{12})?$", description="owner of the budgets; needed for them alone",
            examples=["111122223333"],
        )  # fmt: skip
        url: str = Field(
            "", pattern=r"^(https?://.*)?$", description="one address for both services, e.g. of the sandbox"
        )
        refresh: float = Field(
            8, gt=0, description="hours that an answer about unsettled days serves; AWS updates them 3 times a day"
        )
        lag: int = Field(1, ge=0, le=7, description="days before today that are left out of comparisons with a budget")

    config: Config

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self._book = Book(timedelta(hours=config.refresh))

    async def check(self, ctx: Context) -> None:
        """Ask for yesterday's cost (0.01 USD)."""
        yesterday = ctx.now.astimezone(UTC).date() - DAY
        await self._lines(ctx, Scope(), "", yesterday, yesterday + DAY)

    @measure(unit="", better="lower", title="Net cloud cost", settle="5d")
    async def net_cost(self, ctx: Context, p: Cost) -> list[Reading]:
        """Σ UnblendedCost of the period's usage dates: after credits, refunds and discounts, without tax.

        Commitments count when they are billed (a purchase in one sum). ``tax``, ``credits`` change what counts. In the
        currency of the bill. Provisional while the vendor calls any day an estimate.
        """
        return await self._cost(ctx, p, "UnblendedCost")

    @measure(unit="", better="lower", title="Amortised cloud cost", settle="5d")
    async def amortised_cost(self, ctx: Context, p: Cost) -> list[Reading]:
        """Σ AmortizedCost: as net_cost, with what savings plans and reservations cost spread over the days they cover."""
        return await self._cost(ctx, p, "AmortizedCost")

    @measure(unit="%", better="lower", title="Cloud budget variance", settle="5d")
    async def budget_variance(self, ctx: Context, p: Planned) -> Reading:
        """(actual − budget) / budget × 100 of the days so far; above 0 is over budget.

        Both sides count the same whole days: from the period's start to before today less ``lag`` days (of a past period:
        all). The budget of those days is that of AWS Budgets (BudgetLimit, or PlannedBudgetLimits where it is phased) or
        of ``budget_file``, spread evenly over each of its months (quarters, years). A budget of AWS decides by its filter
        and cost types what counts; one of a file uses this KPI's scope.
        """
        budget, scope, metric = await self._budget(ctx, p)
        first, end = days_of(ctx.window, ctx.calendar)
        end = min(end, settled_until(ctx, self.config.lag))
        if end <= first:
            note = f"no settled day yet: AWS under-reports the last {self.config.lag + 1} days"
            return no_cost(ctx, note)
        found = await self._lines(ctx, scope, "", first, end)
        return variance_reading(
            ctx, total(_counted(found.lines(), scope), metric), allotted(budget, first, end), self.config,
            evidence=self._link(found, scope), notes=[f"up to {end - DAY}", *found.notes], estimated=found.estimated,
        )  # fmt: skip

    @measure(unit="%", better="lower", title="Cloud cost forecast against budget", settle="5d")
    async def forecast_variance(self, ctx: Context, p: Planned) -> Reading:
        """(cost at the period's end as AWS forecasts it − budget) / budget × 100; above 0 is over budget.

        Actual cost of the days before today + GetCostForecast (mean) from today to the period's end, against the budget of
        the whole period. Of a past period: its actual cost. No data where AWS has too little history for a forecast.
        """
        budget, scope, metric = await self._budget(ctx, p)
        first, end = whole_period(ctx)
        today = ctx.now.astimezone(UTC).date()
        found = (
            await self._lines(ctx, scope, "", first, min(end, today)) if first < today else Stretch(first, first, [])
        )
        cost = total(_counted(found.lines(), scope), metric)
        notes = []
        if end > today:
            forecast = await self._forecast(ctx, scope, metric, max(first, today), end)
            if forecast is None:
                note = "AWS has too little history for a forecast"
                return no_cost(ctx, note)
            add(cost, forecast[1], forecast[0])
            notes = [f"of it forecast: {forecast[0]:,.2f}"]
        return variance_reading(
            ctx, cost, allotted(budget, first, end), self.config, evidence=self._link(found, scope), notes=notes,
            estimated=found.estimated or end > today,
        )  # fmt: skip

    @measure(unit="ratio", better="lower", title="Share of cost for running", settle="5d")
    async def run_share(self, ctx: Context, p: RunChange) -> Reading:
        """Run / (run + change), amortised, by the values of ``tag`` or by accounts; cost that is neither is left out and noted."""
        dimension = f"tag:{p.tag}" if p.tag else "account"
        found = await self._lines(ctx, p, dimension, *days_of(ctx.window, ctx.calendar))
        return run_reading(
            ctx, _counted(found.lines(), p), "AmortizedCost", p.run, p.change, self.config,
            evidence=self._link(found, p, dimension), estimated=found.estimated,
        )  # fmt: skip

    @measure(unit="ratio", better="lower", title="Untagged cost", settle="5d")
    async def untagged_share(self, ctx: Context, p: Tagged) -> list[Reading]:
        """Amortised cost of usage without a value of ``tag`` (Cost Explorer's ``KEY$``) / that of all usage.

        Usage is what can bear a tag: record types Usage, DiscountedUsage, SavingsPlanCoveredUsage. The tag has to be
        activated as a cost allocation tag, else all is untagged. No breakdowns: Cost Explorer groups by two keys at most.
        """
        found = await self._lines(ctx, p, f"tag:{p.tag}", *days_of(ctx.window, ctx.calendar))
        usage = [line for line in found.lines() if line.kind in _USAGE]
        part = total((line for line in usage if not line.key), "AmortizedCost")
        return [share_reading(
            ctx, part, total(usage, "AmortizedCost"), self.config,
            evidence=self._link(found, p, f"tag:{p.tag}"), notes=found.notes,
            estimated=found.estimated,
        )]  # fmt: skip

    @measure(unit="ratio", title="Commitment coverage", settle="5d")
    async def commitment_coverage(self, ctx: Context, p: Commitment) -> Reading:
        """Usage covered by commitments / usage that could be, both at on-demand prices.

        savings_plans: SpendCoveredBySavingsPlans / (that + OnDemandCost). reservations: OnDemandCostOfRIHoursUsed / (that + the
        OnDemandCost of GetReservationCoverage). The two overlap (EC2), so they are never added. No data without any.
        """
        if p.kind == "savings_plans":
            found = await self._commitment(ctx, "GetSavingsPlansCoverage", "SavingsPlansCoverages")
            parts = [each["Coverage"] for each in found["SavingsPlansCoverages"]] if found else []
            covered = sum(_number(part, "SpendCoveredBySavingsPlans") for part in parts)
            rest = sum(_number(part, "OnDemandCost") for part in parts)
        else:
            found = await self._commitment(ctx, "GetReservationUtilization", "UtilizationsByTime")
            uncovered = await self._commitment(ctx, "GetReservationCoverage", "CoveragesByTime")
            covered = _number((found or {}).get("Total", {}), "OnDemandCostOfRIHoursUsed")
            rest = _number((uncovered or {}).get("Total", {}).get("CoverageCost", {}), "OnDemandCost")
        return self._share(ctx, covered, covered + rest, known=found is not None)

    @measure(unit="ratio", title="Commitment utilisation", settle="5d")
    async def commitment_utilisation(self, ctx: Context, p: Commitment) -> Reading:
        """Commitment used / commitment paid for.

        savings_plans: UsedCommitment / TotalCommitment. reservations: (TotalAmortizedFee − RICostForUnusedHours) / TotalAmortizedFee.
        """
        if p.kind == "savings_plans":
            found = await self._commitment(ctx, "GetSavingsPlansUtilization", "SavingsPlansUtilizationsByTime")
            part = (found or {}).get("Total", {}).get("Utilization", {})
            used, paid = _number(part, "UsedCommitment"), _number(part, "TotalCommitment")
        else:
            found = await self._commitment(ctx, "GetReservationUtilization", "UtilizationsByTime")
            part = (found or {}).get("Total", {})
            paid = _number(part, "TotalAmortizedFee")
            used = paid - _number(part, "RICostForUnusedHours")
        return self._share(ctx, used, paid, known=found is not None)

    @measure(unit="", title="Savings by commitments", settle="5d")
    async def savings_realised(self, ctx: Context) -> Reading:
        """What commitments saved against on-demand prices, unused commitment taken off: NetSavings of savings plans + NetRISavings."""
        plans = await self._commitment(ctx, "GetSavingsPlansUtilization", "SavingsPlansUtilizationsByTime")
        reserved = await self._commitment(ctx, "GetReservationUtilization", "UtilizationsByTime")
        saved = _number((plans or {}).get("Total", {}).get("Savings", {}), "NetSavings")
        saved += _number((reserved or {}).get("Total", {}), "NetRISavings")
        amounts = {"USD": saved} if plans is not None or reserved is not None else {}
        return cost_reading(ctx, amounts, self.config, evidence=f"{_CONSOLE}#/savings-plans/utilization")

    @measure(unit="", better="lower", title="Impact of cost anomalies", settle="5d")
    async def anomaly_impact(self, ctx: Context) -> Reading:
        """Σ TotalImpact of the anomalies that *began* in the period, those marked as no anomaly (feedback NO) left out.

        The vendor's interval is about when an anomaly ended, so later ones are asked for too. None found is 0, unless
        there is no monitor, which is no data. Samples: how many.
        """
        first, end = days_of(ctx.window, ctx.calendar)
        found: list[dict[str, Any]] = []
        asked = {"DateInterval": {"StartDate": first.isoformat()}, "MaxResults": 100}
        async for page in ctx.pages(
            self._pager(ctx, "GetAnomalies", asked, "Anomalies", "NextPageToken"), max_pages=50
        ):
            found += [
                each
                for each in page
                if first.isoformat() <= str(each.get("AnomalyStartDate", ""))[:10] < end.isoformat()
            ]
        found = [each for each in found if each.get("Feedback") != "NO"]
        if not found and not (await self._known(ctx, "GetAnomalyMonitors", {})).get("AnomalyMonitors"):
            note = "no anomaly monitor is set up in this account"
            return no_cost(ctx, note)
        impact = sum(_number(each.get("Impact") or {}, "TotalImpact") for each in found)
        return cost_reading(
            ctx, {"USD": impact}, self.config, samples=len(found), evidence=f"{_CONSOLE}#/anomaly-detection/overview"
        )

    # ---- from answers to readings

    async def _cost(self, ctx: Context, p: Cost, metric: str) -> list[Reading]:
        first, end = days_of(ctx.window, ctx.calendar)
        readings: list[Reading] = []
        for dimension in ctx.by or ("",):
            found = await self._lines(ctx, p, dimension, first, end)
            lines = list(_counted(found.lines(), p))
            said: dict[str, Any] = {"evidence": self._link(found, p, dimension), "estimated": found.estimated}
            if not readings:
                readings.append(cost_reading(ctx, total(lines, metric), self.config, notes=found.notes, **said))
            for key, sums in (total_by_key(lines, metric) if dimension else {}).items():
                readings.append(cost_reading(ctx, sums, self.config, labels={dimension: key or "none"}, **said))
        return readings

    def _share(self, ctx: Context, part: float, whole: float, *, known: bool) -> Reading:
        return share_reading(
            ctx, {"USD": part}, {"USD": whole}, self.config, evidence=f"{_CONSOLE}#/savings-plans/utilization",
            notes=[] if known else ["AWS has no such commitment data for the period"],
        )  # fmt: skip

    def _link(self, found: Stretch, p: Scope, dimension: str = "") -> str:
        asked = {"startDate": found.first, "endDate": found.end - DAY, "granularity": "Daily", "groupBy": dimension, "filter": json.dumps(_expression(p))}  # fmt: skip
        if self.config.url:
            return f"{self.config.url.rstrip('/')}/?{urlencode(asked)}"
        return f"{_CONSOLE}#/cost-explorer?{urlencode(asked)}"

    # ---- budgets and forecasts

    async def _budget(self, ctx: Context, p: Planned) -> tuple[list[Allotment], Cost, str]:
        """The budget, what it counts, and by which metric."""
        if self.config.budget_file:
            return budget_of_file(self.config, p.budget), p, _METRICS[p.amortised]
        if not self.config.account_id or not p.budget:
            raise SourceError(
                "which budget?",
                CollectorError.CONFIG,
                hint="Give account_id of the source and params.budget, or budget_file.",
            )
        asked = {"AccountId": self.config.account_id, "BudgetName": p.budget, "ShowFilterExpression": True}
        found = (await self._known(ctx, "DescribeBudget", asked)).get("Budget")
        if not isinstance(found, dict) or found.get("BudgetType") != "COST":
            raise SourceError(f"{p.budget!r} is no cost budget", CollectorError.CONFIG)
        first, end = whole_period(ctx)
        return _allotments(found, first, end), *_counted_by(found, p)

    async def _forecast(self, ctx: Context, p: Cost, metric: str, start: date, end: date) -> tuple[float, str] | None:
        asked: dict[str, Any] = {
            "TimePeriod": {"Start": start.isoformat(), "End": end.isoformat()}, "Granularity": "DAILY",
            "Metric": "AMORTIZED_COST" if metric == "AmortizedCost" else "UNBLENDED_COST",
        }  # fmt: skip
        left_out = [*([] if p.tax else ["Tax"]), *([] if p.credits else ["Credit", "Refund"])]
        expression = _expression(p)
        if left_out:
            kinds = {"Not": {"Dimensions": {"Key": "RECORD_TYPE", "Values": left_out}}}
            expression = {"And": [expression, kinds]} if expression else kinds
        if expression:
            asked["Filter"] = expression
        found = await self._known(ctx, "GetCostForecast", asked, allow="DataUnavailable")
        return _amount(found["Total"]) if found else None

    async def _commitment(self, ctx: Context, operation: str, what: str) -> dict[str, Any] | None:
        """An answer about commitments of the period; None where the account has no such data."""
        first, end = days_of(ctx.window, ctx.calendar)
        end = min(end, ctx.now.astimezone(UTC).date())
        if end <= first:
            return None
        period = {"Start": first.isoformat(), "End": end.isoformat()}
        found = await self._known(ctx, operation, {"TimePeriod": period}, allow="DataUnavailable")
        if found and (found.get("NextToken") or found.get("NextPageToken")):
            raise SourceError(f"{operation}: more than one page of {what}", CollectorError.SCHEMA)
        return found or None

    # ---- from questions to answers

    async def _lines(self, ctx: Context, p: Scope, dimension: str, first: date, end: date) -> Stretch:
        """Daily sums by record type and ``dimension``; only what is not known yet, or not settled, is asked for."""
        old = first < month_after(ctx.now.date(), -_DAILY_MONTHS)
        if old and (first.day, end.day) != (1, 1):
            raise SourceError(
                "AWS keeps daily costs for 14 months; older ones come by the whole month", CollectorError.CONFIG
            )
        key = json.dumps([_expression(p), dimension, old], sort_keys=True)

        async def fetch(start: date, last: date) -> Mapping[date, Step]:
            return await self._fetch(ctx, p, dimension, start, month_after(last) if old else last + DAY, old)

        days = list(_dates(first, end, by_month=old))
        return Stretch(first, end, await self._book.days(key, days, ctx.now, fetch))

    async def _fetch(
        self, ctx: Context, p: Scope, dimension: str, first: date, end: date, old: bool
    ) -> dict[date, Step]:
        groups = [{"Type": "DIMENSION", "Key": "RECORD_TYPE"}]
        if dimension:
            kind, _, tag = dimension.partition(":")
            groups.append({"Type": "TAG", "Key": tag} if tag else {"Type": "DIMENSION", "Key": _NAMES.get(kind, kind)})
        asked: dict[str, Any] = {
            "TimePeriod": {"Start": first.isoformat(), "End": end.isoformat()}, "Metrics": _METRICS,
            "Granularity": "MONTHLY" if old else "DAILY", "GroupBy": groups,
        }  # fmt: skip
        if expression := _expression(p):
            asked["Filter"] = expression
        found: dict[date, Step] = {}
        fetch = self._pager(ctx, "GetCostAndUsage", asked, "ResultsByTime", "NextPageToken")
        async for page in ctx.pages(fetch, max_pages=100):
            for result in page:
                step = found.setdefault(_day(result), Step(ctx.now))
                step.estimated |= bool(result.get("Estimated"))
                step.lines += [_line(group) for group in result.get("Groups") or ()]
        return found

    def _pager(self, ctx: Context, operation: str, asked: Mapping[str, Any], items: str, token: str) -> Any:
        async def fetch(following: str | None) -> tuple[list[Any], str | None]:
            answer = await self._call(ctx, operation, {**asked, token: following} if following else asked)
            if not isinstance(answer.get(items), list):
                raise SourceError(f"{operation}: the answer has no {items}", CollectorError.SCHEMA)
            return answer[items], answer.get(token) or None

        return fetch

    async def _known(
        self, ctx: Context, operation: str, asked: Mapping[str, Any], *, allow: str = ""
    ) -> dict[str, Any]:
        """An answer that serves all KPIs for ``refresh`` hours."""
        key = json.dumps([operation, asked], sort_keys=True)
        found: dict[str, Any] = await self._book.answer(
            key, ctx.now, partial(self._call, ctx, operation, asked, allow=allow)
        )
        return found

    async def _call(self, ctx: Context, operation: str, asked: Mapping[str, Any], *, allow: str = "") -> dict[str, Any]:
        """One signed call. Empty where the vendor refuses with the kind of error that is allowed."""
        budgets = operation.startswith("Describe")
        service, target = ("budgets", "AWSBudgetServiceGateway") if budgets else ("ce", "AWSInsightsIndexService")
        url = self.config.url.rstrip("/") or f"https://{'budgets' if budgets else 'ce.us-east-1'}.amazonaws.com"
        body = json.dumps(asked).encode()
        headers = self._signed(f"{url}/", service, f"{target}.{operation}", body)
        reply = await ctx.http.post(
            f"{url}/", data=body, headers=headers, allow=(400, 403), price=0.0 if budgets else _PRICE
        )
        answer = reply.json()
        if not isinstance(answer, dict):
            raise SourceError(f"{operation}: the answer is no object", CollectorError.SCHEMA)
        if reply.status < 400:
            return answer
        kind = str(answer.get("__type", "")).rpartition("#")[2]
        if allow and kind.startswith(allow):
            return {}
        words = str(answer.get("Message") or answer.get("message") or "")[:300]
        reason = next((r for k, r in _REASONS.items() if kind.startswith(k)), CollectorError.CONFIG)
        raise SourceError(f"{operation}: {kind or reply.status}: {words}", reason, hint=_HINTS.get(reason, ""))

    def _signed(self, url: str, service: str, target: str, body: bytes) -> dict[str, str]:
        try:
            from botocore.auth import SigV4Auth
            from botocore.awsrequest import AWSRequest
            from botocore.credentials import Credentials
        except ImportError:
            raise SourceError(
                "signing needs botocore", CollectorError.CONFIG, hint="Install bsc-monitor[aws]."
            ) from None
        token = self.config.session_token
        credentials = Credentials(
            self.config.access_key_id, self.config.secret_access_key.reveal(), token.reveal() if token else None
        )
        headers = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": target}
        request = AWSRequest("POST", url, headers=headers, data=body)
        SigV4Auth(credentials, service, "us-east-1").add_auth(request)
        return dict(request.headers.items())


def _expression(p: Scope) -> dict[str, Any]:
    """The filter of a scope, as Cost Explorer writes it."""
    parts = [
        {"Dimensions": {"Key": key, "Values": values}}
        for key, values in (("SERVICE", p.services), ("LINKED_ACCOUNT", p.accounts))
        if values
    ]
    parts += [{"Tags": {"Key": key, "Values": values}} for key, values in p.tags.items()]
    if p.filter:
        parts.append(p.filter)
    return {"And": parts} if len(parts) > 1 else parts[0] if parts else {}


def _counted(lines: Iterable[Line], p: Cost) -> Iterator[Line]:
    left_out = {*(() if p.tax else ("Tax",)), *(() if p.credits else ("Credit", "Refund"))}
    return (line for line in lines if line.kind not in left_out)


def _dates(first: date, end: date, *, by_month: bool) -> Iterator[date]:
    while first < end:
        yield first
        first = month_after(first) if by_month else first + DAY


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
        return Line(kind, key, {name: _amount(group["Metrics"][name]) for name in _METRICS})
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise SourceError(f"not a group of Cost Explorer: {error!r}", CollectorError.SCHEMA) from None


def _amount(spend: Any) -> tuple[float, str]:
    try:
        return _number(spend, "Amount"), str(spend["Unit"])
    except (KeyError, TypeError):
        raise SourceError(f"{str(spend)[:60]!r} is no amount with a unit", CollectorError.SCHEMA) from None


def _number(found: Any, name: str) -> float:
    """A decimal string; 0 where it is not there."""
    try:
        value = float(found.get(name) or 0.0)
    except (AttributeError, TypeError, ValueError):
        value = float("nan")
    if not abs(value) < float("inf"):
        raise SourceError(f"{name} is {str(found)[:60]!r}, which is no number", CollectorError.SCHEMA)
    return value


def _allotments(budget: Mapping[str, Any], first: date, end: date) -> list[Allotment]:
    """A vendor's budget by calendar months, quarters or years."""
    months = {"MONTHLY": 1, "QUARTERLY": 3, "ANNUALLY": 12}.get(str(budget.get("TimeUnit")), 0)
    if not months:
        raise SourceError(f"budgets by {budget.get('TimeUnit')} are not supported", CollectorError.CONFIG)
    planned = budget.get("PlannedBudgetLimits")
    if not planned:
        return recurring(*_amount(budget.get("BudgetLimit")), months, first, end)
    found = []
    for stamp, spend in planned.items():
        start = datetime.fromtimestamp(_number({"start": stamp}, "start"), UTC).date()
        found.append(Allotment(start, month_after(start, months), *_amount(spend)))
    return found


def _counted_by(budget: Mapping[str, Any], p: Planned) -> tuple[Cost, str]:
    """What a budget of AWS counts: its filter, record types and metric, in place of the KPI's."""
    expression = budget.get("FilterExpression")
    if not expression and budget.get("CostFilters"):
        raise SourceError(
            f"the budget {p.budget!r} has filters of the old form", CollectorError.CONFIG,
            hint="Save it anew in AWS, or take it over into budget_file with this KPI's scope.",
        )  # fmt: skip
    kinds = budget.get("CostTypes") or {}
    metrics = budget.get("Metrics") or ["AmortizedCost" if kinds.get("UseAmortized") else "UnblendedCost"]
    metric = "AmortizedCost" if "Amortized" in str(metrics[0]) else "UnblendedCost"
    cost = Cost(
        filter=expression or {}, tax=kinds.get("IncludeTax", True),
        credits=kinds.get("IncludeCredit", True) or kinds.get("IncludeRefund", True),
    )  # fmt: skip
    return cost, metric
