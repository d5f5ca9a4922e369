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

import json
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any, Literal

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

_VERSION = "2025-03-01"
_ID = "00000000-0000-0000-0000-000000000000"  # in examples
_NAMES = {"service": "ServiceName", "account": "SubscriptionName", "resource_group": "ResourceGroupName", "region": "ResourceLocation"}  # fmt: skip
_GRAINS = {"Monthly": 1, "Quarterly": 3, "Annually": 12}
_LONGEST = 364  # days of one question; the vendor takes a year
_COMMITTED = ("Reservation", "SavingsPlan")
CostType = Literal["ActualCost", "AmortizedCost"]


class Scope(Params):
    """Which part of the bill."""

    services: list[str] = Field(default_factory=list, description="ServiceName, as Cost analysis spells them")
    resource_groups: list[str] = Field(default_factory=list)
    tags: dict[str, list[str]] = Field(default_factory=dict, description="tag → values")


class Planned(Scope):
    """Which cost, and which budget."""

    budget: str = Field("", description="name of the budget in Azure, or in budget_file")
    amortised: bool = Field(False, description="compare the amortised cost; Azure's own budgets look at the actual one")


class RunChange(Scope):
    """What is run and what is change, by the values of a tag."""

    tag: str
    run: list[str] = Field(min_length=1)
    change: list[str] = Field(min_length=1)


class Tagged(Scope):
    """Which tag every cost should bear."""

    tag: str


class AzureCost(Collector):
    """One scope: a subscription, resource group, management group or billing account."""

    name = "azure_cost"

    class Config(CostConfig):
        """Whose costs, and how to be let in."""

        tenant_id: str = Field(examples=[_ID])
        client_id: str = Field(examples=[_ID])
        client_secret: Secret = Field(examples=[{"env": "AZURE_CLIENT_SECRET"}])
        scope: str = Field(
            pattern=r"^/?(subscriptions|providers)/",
            description="e.g. /subscriptions/00000000-0000-0000-0000-000000000000",
            examples=[f"/subscriptions/{_ID}"],
        )
        url: str = Field("https://management.azure.com", pattern=r"^https?://")
        login_url: str = Field("https://login.microsoftonline.com", pattern=r"^https?://")
        refresh: float = Field(4, gt=0, description="hours that an answer about unsettled days serves")
        lag: int = Field(1, ge=0, le=7, description="days before today that are left out of comparisons with a budget")

    config: Config

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self._book = Book(timedelta(hours=config.refresh))
        self._token: tuple[datetime, Secret] | None = None
        self._root = f"{config.url.rstrip('/')}/{config.scope.strip('/')}/providers/Microsoft.CostManagement"

    async def check(self, ctx: Context) -> None:
        """Ask for yesterday's cost."""
        yesterday = ctx.now.date() - DAY
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
        today, kind = ctx.now.date(), _kind(p)
        found = (
            await self._lines(ctx, p, kind, (), first, min(end, today)) if first < today else Stretch(first, first, [])
        )
        cost, notes = total(found.lines(), kind), []
        if end > today:
            forecast = await self._forecast(ctx, p, kind, max(first, today), end)
            if not forecast:
                note = "Azure makes no forecast for this scope"
                return no_cost(ctx, note)
            for currency, amount in forecast.items():
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
            if not readings:
                whole = total(found.lines(), kind)
                readings.append(cost_reading(ctx, whole, self.config, notes=found.notes, evidence=self._link()))
            for key, sums in (total_by_key(found.lines(), kind) if dimension else {}).items():
                labels = {dimension: key or "none"}
                readings.append(cost_reading(ctx, sums, self.config, labels=labels, evidence=self._link()))
        return readings

    async def _by_pricing(self, ctx: Context, p: Scope) -> list[Line]:
        groups = ("PricingModel", "ChargeType")
        return list((await self._lines(ctx, p, "AmortizedCost", groups, *days_of(ctx.window, ctx.calendar))).lines())

    def _link(self) -> str:
        if "management.azure.com" in self.config.url:
            scope = self.config.scope.strip("/").replace("/", "%2F")
            return f"https://portal.azure.com/#view/Microsoft_Azure_CostManagement/Menu/~/costanalysis/scope/%2F{scope}"
        return f"{self._root}/query"

    async def _budget(self, ctx: Context, p: Planned, found: Stretch) -> list[Allotment]:
        if self.config.budget_file:
            return budget_of_file(self.config, p.budget)
        if not p.budget:
            raise SourceError("which budget?", CollectorError.CONFIG, hint="Give params.budget, or budget_file.")

        async def ask() -> Any:
            reply = await ctx.http.get(
                f"{self._root}/budgets/{p.budget}", params={"api-version": _VERSION}, bearer=await self._bearer(ctx)
            )
            return reply.json()

        answer = await self._book.answer(f"budget:{p.budget}", ctx.now, ask)
        try:
            budget = answer["properties"]
            months = _GRAINS[budget["timeGrain"]]
            currency = budget.get("currentSpend", {}).get("unit") or next((c for line in found.lines() for _, c in line.costs.values()), "")  # fmt: skip
            if budget["category"] != "Cost" or budget.get("filter"):
                raise SourceError(
                    f"the budget {p.budget!r} is filtered, or no cost budget", CollectorError.CONFIG,
                    hint="Take it over into budget_file, with the same filter as this KPI's params.",
                )  # fmt: skip
            return recurring(_number(budget["amount"]), currency, months, *whole_period(ctx))
        except (KeyError, TypeError, AttributeError) as error:
            raise SourceError(f"not a budget by month, quarter or year: {error!r}", CollectorError.SCHEMA) from None

    # ---- from questions to answers

    async def _lines(
        self, ctx: Context, p: Scope, kind: CostType, groups: tuple[str, ...], first: date, end: date
    ) -> Stretch:
        """Daily sums by up to two dimensions: the first becomes a line's key, the second its kind."""

        async def fetch(start: date, last: date) -> Mapping[date, Step]:
            steps: dict[date, Step] = {}
            while start <= last:
                until = min(last, start + _LONGEST * DAY)
                for row in await self._rows(ctx, "query", _question(p, kind, groups, start, until)):
                    line = Line(_cell(row, groups[1]) if groups[1:] else "", _cell(row, groups[0]) if groups else "", {kind: _amount(row)})  # fmt: skip
                    steps.setdefault(_usage_date(row), Step(ctx.now)).lines.append(line)
                start = until + DAY
            return steps

        key = json.dumps([_filter(p), kind, groups], sort_keys=True)
        days = [first + number * DAY for number in range((end - first).days)]
        return Stretch(first, end, await self._book.days(key, days, ctx.now, fetch))

    async def _forecast(self, ctx: Context, p: Scope, kind: CostType, first: date, end: date) -> dict[str, float]:
        asked = {
            **_question(p, kind, (), first, end - DAY),
            "includeActualCost": False,
            "includeFreshPartialCost": False,
        }

        async def ask() -> dict[str, float]:
            sums: dict[str, float] = {}
            for row in await self._rows(ctx, "forecast", asked):
                amount, currency = _amount(row)
                add(sums, currency, amount)
            return sums

        found: dict[str, float] = await self._book.answer(json.dumps(asked, sort_keys=True), ctx.now, ask)
        return found

    async def _rows(self, ctx: Context, what: str, asked: Mapping[str, Any]) -> list[dict[str, Any]]:
        """All rows of an answer, each by column name."""
        rows: list[dict[str, Any]] = []

        async def fetch(link: str | None) -> tuple[list[Any], str | None]:
            reply = await ctx.http.post(
                link or f"{self._root}/{what}?api-version={_VERSION}", json=asked, bearer=await self._bearer(ctx)
            )
            if reply.status == 204:
                return [], None
            found = reply.json()
            try:
                properties = found["properties"]
                names = [column["name"] for column in properties["columns"]]
                page = [dict(zip(names, row, strict=True)) for row in properties["rows"]]
            except (KeyError, TypeError, ValueError) as error:
                raise SourceError(
                    f"{what}: the answer has no columns and rows: {error!r}", CollectorError.SCHEMA
                ) from None
            return page, self._same_host(properties.get("nextLink"))

        async for page in ctx.pages(fetch, max_pages=1000):
            rows += page
        return rows

    def _same_host(self, link: Any) -> str | None:
        """The next page's address: the token goes nowhere else."""
        if not link:
            return None
        if not str(link).startswith(f"{self.config.url.rstrip('/')}/"):
            raise SourceError(f"nextLink leads to another host: {str(link)[:100]!r}", CollectorError.SCHEMA)
        return str(link)

    async def _bearer(self, ctx: Context) -> Secret:
        """An access token, asked for again five minutes before it ends."""
        if self._token is None or ctx.now >= self._token[0]:
            config = self.config
            reply = await ctx.http.post(
                f"{config.login_url.rstrip('/')}/{config.tenant_id}/oauth2/v2.0/token",
                data={
                    "grant_type": "client_credentials", "client_id": config.client_id,
                    "client_secret": config.client_secret.reveal(), "scope": "https://management.azure.com/.default",
                },
            )  # fmt: skip
            found = reply.json()
            try:
                lasts = timedelta(seconds=max(0, int(found["expires_in"]) - 300))
                self._token = (ctx.now + lasts, Secret(found["access_token"]))
            except (KeyError, TypeError, ValueError):
                raise SourceError("the login gave no access token", CollectorError.SCHEMA) from None
        return self._token[1]


def _kind(p: Planned) -> CostType:
    return "AmortizedCost" if p.amortised else "ActualCost"


def _question(p: Scope, kind: CostType, groups: tuple[str, ...], first: date, last: date) -> dict[str, Any]:
    dataset: dict[str, Any] = {
        "granularity": "Daily",
        "aggregation": {"totalCost": {"name": "Cost", "function": "Sum"}},
    }
    if groups:
        dataset["grouping"] = [{"type": "TagKey" if tag else "Dimension", "name": tag or _NAMES.get(name, name)}
                               for name, _, tag in (group.partition(":") for group in groups)]  # fmt: skip
    if expression := _filter(p):
        dataset["filter"] = expression
    period = {"from": f"{first}T00:00:00Z", "to": f"{last}T23:59:59Z"}
    return {"type": kind, "timeframe": "Custom", "timePeriod": period, "dataset": dataset}


def _filter(p: Scope) -> dict[str, Any]:
    named = (("ServiceName", p.services), ("ResourceGroupName", p.resource_groups))
    parts = [{"dimensions": {"name": name, "operator": "In", "values": values}} for name, values in named if values]
    parts += [{"tags": {"name": name, "operator": "In", "values": values}} for name, values in p.tags.items()]
    return {"and": parts} if len(parts) > 1 else parts[0] if parts else {}


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
