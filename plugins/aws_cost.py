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
from datetime import date, timedelta
from urllib.parse import urlencode

from pydantic import Field

from bsc_monitor.kit.cost import (
    DAY,
    Allotment,
    Book,
    CostConfig,
    Stretch,
    add,
    allotted,
    budget_of_file,
    cost_reading,
    cost_readings,
    current_day,
    days_of,
    no_cost,
    run_reading,
    settled_until,
    share_reading,
    total,
    variance_reading,
    whole_period,
)
from bsc_monitor.kit.cost.aws import AwsClient, AwsKey
from bsc_monitor.kit.cost.aws_budgets import cost_budget
from bsc_monitor.kit.cost.aws_params import (
    Commitment,
    Cost,
    Planned,
    RunChange,
    Scope,
    Tagged,
    counted,
    left_out,
    where_of,
)
from bsc_monitor.kit.cost.cost_explorer import (
    anomalies,
    commitment,
    costs,
    forecast,
    has_monitor,
    number,
    plans_coverage,
)
from bsc_monitor.plugin import (
    Collector,
    CollectorError,
    Context,
    Reading,
    Secret,
    SourceError,
    measure,
)

_CONSOLE = "https://us-east-1.console.aws.amazon.com/costmanagement/home"
_USAGE = ("Usage", "DiscountedUsage", "SavingsPlanCoveredUsage")  # what can bear a tag


class AwsCost(Collector):
    """One payer account (or a member account that may see its own costs)."""

    name = "aws_cost"

    class Config(CostConfig):
        """Whose costs, and how to be let in."""

        access_key_id: str = Field(description="of the user that asks", examples=["AKIAIOSFODNN7EXAMPLE"])
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
        key = AwsKey(config.access_key_id, config.secret_access_key, config.session_token)
        self._aws = AwsClient(key, config.url, Book(timedelta(hours=config.refresh)))

    async def check(self, ctx: Context) -> None:
        """Ask for yesterday's cost (0.01 USD)."""
        yesterday = current_day(ctx) - DAY
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
            return no_cost(ctx, f"no settled day yet: AWS under-reports the last {self.config.lag + 1} days")
        found = await self._lines(ctx, scope, "", first, end)
        return variance_reading(
            ctx, total(counted(found.lines(), scope), metric), allotted(budget, first, end), self.config,
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
        today, notes = current_day(ctx), []
        found = await self._lines(ctx, scope, "", first, min(end, today))
        cost = total(counted(found.lines(), scope), metric)
        if end > today:
            rest = await forecast(ctx, self._aws, where_of(scope), metric, left_out(scope), max(first, today), end)
            if rest is None:
                return no_cost(ctx, "AWS has too little history for a forecast")
            amount, currency = rest
            add(cost, currency, amount)
            notes = [f"of it forecast: {amount:,.2f}"]
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
            ctx, counted(found.lines(), p), "AmortizedCost", p.run, p.change, self.config,
            evidence=self._link(found, p, dimension), estimated=found.estimated,
        )  # fmt: skip

    @measure(unit="ratio", better="lower", title="Untagged cost", settle="5d")
    async def untagged_share(self, ctx: Context, p: Tagged) -> Reading:
        """Amortised cost of usage without a value of ``tag`` (Cost Explorer's ``KEY$``) / that of all usage.

        Usage is what can bear a tag: record types Usage, DiscountedUsage, SavingsPlanCoveredUsage. The tag has to be
        activated as a cost allocation tag, else all is untagged. No breakdowns: Cost Explorer groups by two keys at most.
        """
        found = await self._lines(ctx, p, f"tag:{p.tag}", *days_of(ctx.window, ctx.calendar))
        usage = [line for line in found.lines() if line.kind in _USAGE]
        part = total((line for line in usage if not line.key), "AmortizedCost")
        return share_reading(
            ctx, part, total(usage, "AmortizedCost"), self.config, evidence=self._link(found, p, f"tag:{p.tag}"),
            notes=found.notes, estimated=found.estimated,
        )  # fmt: skip

    @measure(unit="ratio", title="Commitment coverage", settle="5d")
    async def commitment_coverage(self, ctx: Context, p: Commitment) -> Reading:
        """Usage covered by commitments / usage that could be, both at on-demand prices.

        savings_plans: SpendCoveredBySavingsPlans / (that + OnDemandCost). reservations: OnDemandCostOfRIHoursUsed / (that + the
        OnDemandCost of GetReservationCoverage). The two overlap (EC2), so they are never added. No data without any.
        """
        if p.kind == "savings_plans":
            parts = await plans_coverage(ctx, self._aws)
            known = bool(parts)
            covered = sum(number(part, "SpendCoveredBySavingsPlans") for part in parts)
            rest = sum(number(part, "OnDemandCost") for part in parts)
        else:
            found = await commitment(ctx, self._aws, "GetReservationUtilization")
            known = bool(found)
            uncovered = await commitment(ctx, self._aws, "GetReservationCoverage")
            covered = number(found, "Total", "OnDemandCostOfRIHoursUsed") if found else 0.0
            rest = number(uncovered, "Total", "CoverageCost", "OnDemandCost") if uncovered else 0.0
        return self._share(ctx, covered, covered + rest, known=known)

    @measure(unit="ratio", title="Commitment utilisation", settle="5d")
    async def commitment_utilisation(self, ctx: Context, p: Commitment) -> Reading:
        """Commitment used / commitment paid for.

        savings_plans: UsedCommitment / TotalCommitment. reservations: (TotalAmortizedFee − RICostForUnusedHours) / TotalAmortizedFee.
        """
        plans = p.kind == "savings_plans"
        asked = "GetSavingsPlansUtilization" if plans else "GetReservationUtilization"
        found = await commitment(ctx, self._aws, asked)
        used = paid = 0.0
        if found and plans:
            used = number(found, "Total", "Utilization", "UsedCommitment")
            paid = number(found, "Total", "Utilization", "TotalCommitment")
        elif found:
            paid = number(found, "Total", "TotalAmortizedFee")
            used = paid - number(found, "Total", "RICostForUnusedHours")
        return self._share(ctx, used, paid, known=bool(found))

    @measure(unit="", title="Savings by commitments", settle="5d")
    async def savings_realised(self, ctx: Context) -> Reading:
        """What commitments saved against on-demand prices, unused commitment taken off: NetSavings of savings plans + NetRISavings."""
        plans = await commitment(ctx, self._aws, "GetSavingsPlansUtilization")
        reserved = await commitment(ctx, self._aws, "GetReservationUtilization")
        saved = number(plans, "Total", "Savings", "NetSavings") if plans else 0.0
        saved += number(reserved, "Total", "NetRISavings") if reserved else 0.0
        amounts = {"USD": saved} if plans or reserved else {}
        return cost_reading(ctx, amounts, self.config, evidence=f"{_CONSOLE}#/savings-plans/utilization")

    @measure(unit="", better="lower", title="Impact of cost anomalies", settle="5d")
    async def anomaly_impact(self, ctx: Context) -> Reading:
        """Σ TotalImpact of the anomalies that *began* in the period, those marked as no anomaly (feedback NO) left out.

        The vendor's interval is about when an anomaly ended, so later ones are asked for too. None found is 0, unless
        there is no monitor, which is no data. Samples: how many.
        """
        found = await anomalies(ctx, self._aws, *days_of(ctx.window, ctx.calendar))
        found = [each for each in found if each.get("Feedback") != "NO"]
        if not found and not await has_monitor(ctx, self._aws):
            return no_cost(ctx, "no anomaly monitor is set up in this account")
        impact = sum(number(each, "Impact", "TotalImpact") for each in found)
        return cost_reading(
            ctx, {"USD": impact}, self.config, samples=len(found), evidence=f"{_CONSOLE}#/anomaly-detection/overview"
        )

    # ---- from answers to readings

    async def _cost(self, ctx: Context, p: Cost, metric: str) -> list[Reading]:
        first, end = days_of(ctx.window, ctx.calendar)
        readings: list[Reading] = []
        for dimension in ctx.by or ("",):
            found = await self._lines(ctx, p, dimension, first, end)
            readings += cost_readings(
                ctx, counted(found.lines(), p), metric, dimension, self.config, whole=not readings,
                evidence=self._link(found, p, dimension), notes=found.notes, estimated=found.estimated,
            )  # fmt: skip
        return readings

    def _share(self, ctx: Context, part: float, whole: float, *, known: bool) -> Reading:
        return share_reading(
            ctx, {"USD": part}, {"USD": whole}, self.config, evidence=f"{_CONSOLE}#/savings-plans/utilization",
            notes=[] if known else ["AWS has no such commitment data for the period"],
        )  # fmt: skip

    def _link(self, found: Stretch, p: Scope, dimension: str = "") -> str:
        asked = {"startDate": found.first, "endDate": found.end - DAY, "granularity": "Daily", "groupBy": dimension, "filter": json.dumps(where_of(p))}  # fmt: skip
        if self.config.url:
            return f"{self.config.url.rstrip('/')}/?{urlencode(asked)}"
        return f"{_CONSOLE}#/cost-explorer?{urlencode(asked)}"

    # ---- from questions to answers

    async def _lines(self, ctx: Context, p: Scope, dimension: str, first: date, end: date) -> Stretch:
        """Daily sums by record type and ``dimension``."""
        return await costs(ctx, self._aws, where_of(p), dimension, first, end)

    async def _budget(self, ctx: Context, p: Planned) -> tuple[list[Allotment], Cost, str]:
        """The budget, what it counts, and by which metric: those of AWS say so in place of the KPI."""
        if self.config.budget_file:
            return budget_of_file(self.config, p.budget), p, "AmortizedCost" if p.amortised else "UnblendedCost"
        if not self.config.account_id or not p.budget:
            raise SourceError(
                "which budget?",
                CollectorError.CONFIG,
                hint="Give account_id of the source and params.budget, or budget_file.",
            )
        budget = await cost_budget(ctx, self._aws, self.config.account_id, p.budget)
        return budget.allotments, Cost(filter=budget.where, tax=budget.tax, credits=budget.credits), budget.metric
