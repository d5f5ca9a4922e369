"""Azure Cost Management: what a subscription (or billing account) costs, against its budget, and how well reservations are used.

Costs are asked for by day from the Query API (2025-03-01), once for all KPIs that share a scope, by a service principal
(client credentials; role Cost Management Reader on the scope). Columns are found by name, later pages by POSTing the same
body to ``nextLink``, and 204 means that there is nothing. Azure refreshes the data every four hours and may restate a
month until the fifth day after it. Days are the vendor's UTC days; the period's dates are the scorecard's.

Cost Management knows neither tax nor credits (they are on the invoice alone), nor list prices: ``list_cost`` and savings are
read from a FOCUS export by the focus collector. Anomalies it tells by mail alone. ``savings_realised`` and ``anomaly_impact``
are refused in words. Unit cost is a formula over this KPI and its driver:
``formula = "azure_cost / users"``.
Breakdowns (``by``): ``service``, ``account`` (subscription), ``resource_group``, ``tag:KEY`` or any dimension (MeterCategory).
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from pydantic import Field

from bsc_monitor.kit.cost import (
    DAY,
    Allotment,
    Book,
    CostConfig,
    Line,
    Stretch,
    add,
    allotted,
    budget_of_file,
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
from bsc_monitor.kit.cost.azure import AzureClient, AzurePrincipal
from bsc_monitor.kit.cost.cost_management import CostType, cost_budget, costs, expression, forecast
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

_ID = "00000000-0000-0000-0000-000000000000"  # in examples
_COMMITTED = ("Reservation", "SavingsPlan")


class Scope(Params):
    """Which part of the bill."""

    services: list[str] = Field(default_factory=list, description="ServiceName, as Cost analysis spells them")
    resource_groups: list[str] = Field(default_factory=list, description="as Azure spells them")
    tags: dict[str, list[str]] = Field(default_factory=dict, description="tag → values")


class Planned(Scope):
    """Which cost, and which budget."""

    budget: str = Field("", description="name of the budget in Azure, or in budget_file", examples=["cloud"])
    amortised: bool = Field(False, description="compare the amortised cost; Azure's own budgets look at the actual one")


class RunChange(Scope):
    """What is run and what is change, by the values of a tag."""

    tag: str = Field(description="whose values decide", examples=["work"])
    run: list[str] = Field(min_length=1, description="values of the tag that are run", examples=[["run"]])
    change: list[str] = Field(min_length=1, description="those that are change", examples=[["change"]])


class Tagged(Scope):
    """Which tag every cost should bear."""

    tag: str = Field(description="its name", examples=["team"])


class AzureCost(Collector):
    """One scope: a subscription, resource group, management group or billing account."""

    name = "azure_cost"

    class Config(CostConfig):
        """Whose costs, and how to be let in."""

        tenant_id: str = Field(description="directory of the application", examples=[_ID])
        client_id: str = Field(description="id of the application that asks", examples=[_ID])
        client_secret: Secret = Field(examples=[{"env": "AZURE_CLIENT_SECRET"}])
        scope: str = Field(
            pattern=r"^/?(subscriptions|providers)/",
            description="e.g. /subscriptions/00000000-0000-0000-0000-000000000000",
            examples=[f"/subscriptions/{_ID}"],
        )
        url: str = Field("https://management.azure.com", pattern=r"^https?://", description="of another cloud: its own")
        login_url: str = Field(
            "https://login.microsoftonline.com", pattern=r"^https?://", description="of another cloud: its own"
        )
        refresh: float = Field(4, gt=0, description="hours that an answer about unsettled days serves")
        lag: int = Field(1, ge=0, le=7, description="days before today that are left out of comparisons with a budget")

    config: Config

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        principal = AzurePrincipal(config.tenant_id, config.client_id, config.client_secret, config.login_url)
        self._azure = AzureClient(principal, config.url, config.scope, Book(timedelta(hours=config.refresh)))

    async def check(self, ctx: Context) -> None:
        """Ask for yesterday's cost."""
        yesterday = current_day(ctx) - DAY
        await self._lines(ctx, Scope(), "ActualCost", (), yesterday, yesterday + DAY)

    @measure(unit="", better="lower", title="Net cloud cost", settle="5d")
    async def net_cost(self, ctx: Context, p: Scope) -> list[Reading]:
        """Σ Cost of the query type ActualCost over the period's usage dates: before tax and, on Azure, before credits.

        Reservations count on the day of their purchase. In the currency of the bill; provisional until the fifth day after.
        """
        return await self._cost(ctx, p, "ActualCost")

    @measure(unit="", better="lower", title="Amortised cloud cost", settle="5d")
    async def amortised_cost(self, ctx: Context, p: Scope) -> list[Reading]:
        """Σ Cost of the query type AmortizedCost: as net_cost, with reservations spread over the days they cover, unused parts included."""
        return await self._cost(ctx, p, "AmortizedCost")

    @measure(unit="%", better="lower", title="Cloud budget variance", settle="5d")
    async def budget_variance(self, ctx: Context, p: Planned) -> Reading:
        """(actual − budget) / budget × 100 of the days so far; above 0 is over budget.

        Both sides count the same whole days: from the period's start to before today less ``lag`` days (of a past period:
        all). The budget is that of Azure (by its time grain) or of ``budget_file``, spread evenly over the days of each of its
        months, quarters or years. Azure keeps only a budget's present amount: past periods are compared with that.
        """
        first, end = days_of(ctx.window, ctx.calendar)
        end = min(end, settled_until(ctx, self.config.lag))
        if end <= first:
            return no_cost(ctx, "no settled day yet")
        kind = _kind(p)
        found = await self._lines(ctx, p, kind, (), first, end)
        budget = await self._budget(ctx, p, found)
        return variance_reading(
            ctx, total(found.lines(), kind), allotted(budget, first, end), self.config, evidence=self._link(),
            notes=[f"up to {end - DAY}", *found.notes],
        )  # fmt: skip

    @measure(unit="%", better="lower", title="Cloud cost forecast against budget", settle="5d")
    async def forecast_variance(self, ctx: Context, p: Planned) -> Reading:
        """(cost at the period's end as Azure forecasts it − budget) / budget × 100; above 0 is over budget.

        Actual cost of the days before today + the Forecast API's days from today to the period's end, against the budget
        of the whole period. Of a past period: its actual cost. No data where Azure makes no forecast.
        """
        first, end = whole_period(ctx)
        today, kind = current_day(ctx), _kind(p)
        found = await self._lines(ctx, p, kind, (), first, min(end, today))
        cost, notes = total(found.lines(), kind), []
        if end > today:
            rest = await forecast(ctx, self._azure, kind, _filter(p), max(first, today), end)
            if not rest:
                return no_cost(ctx, "Azure makes no forecast for this scope")
            for currency, amount in rest.items():
                add(cost, currency, amount)
                notes.append(f"of it forecast: {amount:,.2f}")
        budget = await self._budget(ctx, p, found)
        return variance_reading(
            ctx,
            cost,
            allotted(budget, first, end),
            self.config,
            evidence=self._link(),
            notes=notes,
            estimated=end > today,
        )

    @measure(unit="ratio", better="lower", title="Share of cost for running", settle="5d")
    async def run_share(self, ctx: Context, p: RunChange) -> Reading:
        """Run / (run + change), amortised, by the values of ``tag``; cost that is neither is left out and noted."""
        found = await self._lines(ctx, p, "AmortizedCost", (f"tag:{p.tag}",), *days_of(ctx.window, ctx.calendar))
        return run_reading(ctx, found.lines(), "AmortizedCost", p.run, p.change, self.config, evidence=self._link())

    @measure(unit="ratio", better="lower", title="Untagged cost", settle="5d")
    async def untagged_share(self, ctx: Context, p: Tagged) -> Reading:
        """Amortised cost without a value of ``tag`` / all amortised cost, purchases and unused reservations left out.

        A tag counts from the day it was set: Azure does not tag past usage. Tags of resource groups count only where tag
        inheritance is on.
        """
        groups = (f"tag:{p.tag}", "ChargeType")
        found = await self._lines(ctx, p, "AmortizedCost", groups, *days_of(ctx.window, ctx.calendar))
        usage = [line for line in found.lines() if line.kind == "Usage"]
        part = total((line for line in usage if not line.key), "AmortizedCost")
        return share_reading(ctx, part, total(usage, "AmortizedCost"), self.config, evidence=self._link())

    @measure(unit="ratio", title="Commitment coverage", settle="5d")
    async def commitment_coverage(self, ctx: Context, p: Scope) -> Reading:
        """Usage on a reservation or savings plan / that + usage on demand, in amortised cost (PricingModel, ChargeType Usage).

        The covered part is at its reduced price, so this is lower than a coverage at list prices; spot usage is left out.
        """
        usage = [line for line in await self._by_pricing(ctx, p) if line.kind == "Usage"]
        covered = total((line for line in usage if line.key in _COMMITTED), "AmortizedCost")
        whole = total((line for line in usage if line.key in (*_COMMITTED, "OnDemand")), "AmortizedCost")
        return share_reading(ctx, covered, whole, self.config, evidence=self._link())

    @measure(unit="ratio", title="Commitment utilisation", settle="5d")
    async def commitment_utilisation(self, ctx: Context, p: Scope) -> Reading:
        """Amortised cost of reservations and savings plans that was used / used + unused (ChargeType UnusedReservation, UnusedSavingsPlan)."""
        lines = [line for line in await self._by_pricing(ctx, p) if line.key in _COMMITTED]
        used = total((line for line in lines if line.kind == "Usage"), "AmortizedCost")
        paid = total(
            (line for line in lines if line.kind == "Usage" or line.kind.startswith("Unused")), "AmortizedCost"
        )
        return share_reading(ctx, used, paid, self.config, evidence=self._link())

    @measure(unit="", title="Savings by commitments", settle="5d")
    async def savings_realised(self, ctx: Context) -> Reading:  # noqa: ARG002
        """Not to be had from this API, and so always refused, never guessed; take it from a FOCUS export.

        The Query API knows no price but the one paid; benefit utilisation summaries are percentages, and the savings of
        benefit recommendations are of commitments not yet bought. Azure's cost exports in FOCUS format carry ListCost and
        EffectiveCost: the focus collector's ``savings_realised`` is their difference.
        """
        raise SourceError(
            "Azure's Cost Management API does not say what the same usage would have cost without commitments",
            CollectorError.CONFIG,
            hint="Let Azure export the costs in FOCUS format, and ask a source of the focus plugin for savings_realised.",
        )

    @measure(unit="", better="lower", title="Impact of cost anomalies")
    async def anomaly_impact(self, ctx: Context) -> Reading:  # noqa: ARG002
        """Not to be had from this API, and so always refused, never guessed: Azure mails its anomalies and lists them nowhere.

        The Alerts API lists budget, credit and quota alerts, not anomalies, and none of them says what an anomaly cost.
        """
        raise SourceError(
            "Azure tells people of cost anomalies by mail alone: no API lists them or says what they cost",
            CollectorError.CONFIG,
            hint='Give net_cost a KPI with period = "day": the insight "signal" finds jumps, and a rule may alert on it.',
        )

    # ---- from answers to readings

    async def _cost(self, ctx: Context, p: Scope, kind: CostType) -> list[Reading]:
        first, end = days_of(ctx.window, ctx.calendar)
        readings: list[Reading] = []
        for dimension in ctx.by or ("",):
            found = await self._lines(ctx, p, kind, (dimension,) if dimension else (), first, end)
            readings += cost_readings(
                ctx, found.lines(), kind, dimension, self.config, whole=not readings, evidence=self._link(),
                notes=found.notes,
            )  # fmt: skip
        return readings

    async def _by_pricing(self, ctx: Context, p: Scope) -> list[Line]:
        groups = ("PricingModel", "ChargeType")
        return list((await self._lines(ctx, p, "AmortizedCost", groups, *days_of(ctx.window, ctx.calendar))).lines())

    def _link(self) -> str:
        if "management.azure.com" in self.config.url:
            scope = self.config.scope.strip("/").replace("/", "%2F")
            return f"https://portal.azure.com/#view/Microsoft_Azure_CostManagement/Menu/~/costanalysis/scope/%2F{scope}"
        return f"{self._azure.root}/query"

    # ---- from questions to answers

    async def _lines(
        self, ctx: Context, p: Scope, kind: CostType, groups: tuple[str, ...], first: date, end: date
    ) -> Stretch:
        """Daily sums by up to two dimensions: the first becomes a line's key, the second its kind."""
        return await costs(ctx, self._azure, kind, _filter(p), groups, first, end)

    async def _budget(self, ctx: Context, p: Planned, found: Stretch) -> list[Allotment]:
        """The budget; in the currency of the costs ``found`` where it says none."""
        if self.config.budget_file:
            return budget_of_file(self.config, p.budget)
        if not p.budget:
            raise SourceError("which budget?", CollectorError.CONFIG, hint="Give params.budget, or budget_file.")
        currency = next((currency for line in found.lines() for _, currency in line.costs.values()), "")
        return await cost_budget(ctx, self._azure, p.budget, currency)


def _kind(p: Planned) -> CostType:
    return "AmortizedCost" if p.amortised else "ActualCost"


def _filter(p: Scope) -> dict[str, Any]:
    return expression({"service": p.services, "resource_group": p.resource_groups}, p.tags)
