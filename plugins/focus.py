"""Cloud cost in FOCUS form (FinOps Open Cost and Usage Specification 1.0 to 1.2): CSV or Parquet exports of any provider.

DuckDB reads the files in bounded memory, once for all KPIs that ask alike, and again when a file changes. A charge belongs to
the date of its ChargePeriodStart (UTC), whatever BillingPeriod it is invoiced in: a correction (ChargeClass ``Correction``) so
belongs to the period that it corrects. Costs are summed as decimals; NULL may be written as nothing or as ``NULL``.
A folder must hold each charge once: keep one export of a month, not its daily snapshots beside each other.

Breakdowns (``by``) and ``where``: ``service``, ``account`` (SubAccountName), ``provider``, ``region``, ``tag:KEY``, or any column.
FOCUS holds neither budgets (give ``budget_file``) nor forecasts (a run rate is used), nor anomalies. Unit cost is a formula over
this KPI and its driver: ``formula = "cloud_cost / orders"``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Literal

from pydantic import Field

from bsc_monitor.kit.cost import (
    DAY,
    CostConfig,
    add,
    allotted,
    budget_of_file,
    cost_reading,
    current_day,
    days_of,
    neither,
    no_cost,
    share_reading,
    variance_reading,
    whole_period,
)
from bsc_monitor.kit.cost.focus_query import Export, Row
from bsc_monitor.kit.cost.focus_table import FocusTable
from bsc_monitor.plugin import Collector, Context, Params, Reading, ReadingState, measure


class Scope(Params):
    """Which charges."""

    where: dict[str, str | list[str]] = Field(
        default_factory=dict, description="service, account, provider, region, tag:KEY or a column → value or values"
    )


class Cost(Scope):
    """Which charges, and which of their kinds."""

    tax: bool = Field(False, description="count tax in")
    credits: bool = Field(True, description="take credits off")


class Planned(Cost):
    """Which cost, and which budget."""

    budget: str = Field("", description="name in budget_file")
    amortised: bool = Field(False, description="compare the effective cost, not the billed one")


class RunChange(Scope):
    """What is run and what is change: by the values of a tag, or by accounts."""

    tag: str = Field("", description="without it, run and change are accounts")
    run: list[str] = Field(min_length=1, description="values of the tag, or accounts, that are run")
    change: list[str] = Field(min_length=1, description="those that are change")


class Tagged(Scope):
    """Which tag every cost should bear."""

    tag: str = Field(description="its key")


class Savings(Scope):
    """Savings against what."""

    against: Literal["list", "contracted"] = Field("list", description="the prices that would have been paid")


class Focus(Collector):
    """One export: a file, a folder of files, or a pattern."""

    name = "focus"

    class Config(CostConfig):
        """Where the export is."""

        path: Path = Field(
            description="a .csv, .csv.gz or .parquet file, a folder of them, or a pattern (exports/*.csv)",
            examples=["exports/*.parquet"],
        )
        memory: str = Field(
            "512MB", pattern=r"^\d+(MB|GB)$", description="that reading may take; the rest goes to disk"
        )

    config: Config

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self._table = FocusTable(config.path, config.memory)

    async def check(self, ctx: Context) -> None:  # noqa: ARG002
        """Look for files."""
        self._table.files()

    @measure(unit="", better="lower", title="Net cloud cost", settle="5d")
    def net_cost(self, ctx: Context, p: Cost) -> Iterator[Reading]:
        """Σ BilledCost of charges of every category (Usage, Purchase, Credit, Adjustment) but Tax.

        Commitments count when they are billed. ``tax`` and ``credits`` change what counts; negative rows count as they are.
        """
        return self._cost(ctx, p, "BilledCost", lambda row: _counts(row, p))

    @measure(unit="", better="lower", title="Amortised cloud cost", settle="5d")
    def amortised_cost(self, ctx: Context, p: Cost) -> Iterator[Reading]:
        """Σ EffectiveCost of the same charges: prepaid commitments spread over what they cover."""
        return self._cost(ctx, p, "EffectiveCost", lambda row: _counts(row, p))

    @measure(unit="", better="lower", title="Cloud cost at list prices", settle="5d")
    def list_cost(self, ctx: Context, p: Scope) -> Iterator[Reading]:
        """Σ ListCost of Usage and of Purchases without a commitment: a commitment's own price would count its usage twice.

        Its unused part (CommitmentDiscountStatus Unused) is left out: nothing was used.
        """
        return self._cost(ctx, p, "ListCost", _is_consumption)

    @measure(unit="", better="lower", title="Cloud cost at contract prices", settle="5d")
    def contracted_cost(self, ctx: Context, p: Scope) -> Iterator[Reading]:
        """Σ ContractedCost of the charges that list_cost counts: negotiated prices, before commitments."""
        return self._cost(ctx, p, "ContractedCost", _is_consumption)

    @measure(unit="", title="Savings realised", settle="5d")
    def savings_realised(self, ctx: Context, p: Savings) -> Reading:
        """Σ ListCost (or ContractedCost, which leaves negotiated prices out) − Σ EffectiveCost of Usage, unused commitment taken off."""
        found = self._found(ctx, p).only(lambda row: row.category == "Usage")
        name = "ListCost" if p.against == "list" else "ContractedCost"
        saved = found.sum(name, lambda row: row.status != "Unused")
        for currency, amount in found.sum("EffectiveCost").items():
            add(saved, currency, -amount)
        return self._marked(ctx, cost_reading(ctx, saved, self.config), found, name, "EffectiveCost")

    @measure(unit="%", better="lower", title="Cloud budget variance", settle="5d")
    def budget_variance(self, ctx: Context, p: Planned) -> Reading:
        """(actual − budget) / budget × 100 of the days that the export holds; above 0 is over budget.

        The budget of ``budget_file`` is spread evenly over the days of each month and taken for the same days as the cost: from
        the period's start to the export's last whole day.
        """
        first, end = days_of(ctx.window, ctx.calendar)
        return self._variance(ctx, p, first, end, project=False)

    @measure(unit="%", better="lower", title="Cloud cost run rate against budget", settle="5d")
    def forecast_variance(self, ctx: Context, p: Planned) -> Reading:
        """(cost at the period's end − budget) / budget × 100, the cost carried on at the mean of its days so far (run rate).

        FOCUS holds no forecast; of a past period it is the actual cost. Above 0 is over budget.
        """
        return self._variance(ctx, p, *whole_period(ctx), project=ctx.now < ctx.period.end)

    @measure(unit="ratio", better="lower", title="Share of cost for running", settle="5d")
    def run_share(self, ctx: Context, p: RunChange) -> Reading:
        """Run / (run + change) of EffectiveCost without Tax, by the values of ``tag`` or by accounts; the rest is left out and noted."""
        found = self._found(ctx, p, f"tag:{p.tag}" if p.tag else "account").only(lambda row: row.category != "Tax")
        run = found.sum("EffectiveCost", lambda row: row.key in p.run)
        both = found.sum("EffectiveCost", lambda row: row.key in (*p.run, *p.change))
        rest = found.sum("EffectiveCost", lambda row: row.key not in (*p.run, *p.change))
        reading = share_reading(ctx, run, both, self.config, notes=neither(rest))
        return self._marked(ctx, reading, found, "EffectiveCost")

    @measure(unit="ratio", better="lower", title="Untagged cost", settle="5d")
    def untagged_share(self, ctx: Context, p: Tagged) -> Reading:
        """EffectiveCost of Usage without a value of ``tag`` in Tags / that of all Usage; unused commitments left out of both."""
        found = self._found(ctx, p, f"tag:{p.tag}").only(lambda row: row.category == "Usage" and row.status != "Unused")
        part = found.sum("EffectiveCost", lambda row: not row.key)
        reading = share_reading(ctx, part, found.sum("EffectiveCost"), self.config)
        return self._marked(ctx, reading, found, "EffectiveCost")

    @measure(unit="ratio", title="Commitment coverage", settle="5d")
    def commitment_coverage(self, ctx: Context, p: Scope) -> Reading:
        """ListCost of Usage on a commitment (CommitmentDiscountStatus Used) / ListCost of all Usage priced Standard or Committed.

        At list prices, as the vendors' own coverage reports; Dynamic (spot) and Other prices cannot be covered.
        """
        found = self._found(ctx, p).only(lambda row: row.category == "Usage" and row.status != "Unused")
        covered = found.sum("ListCost", lambda row: row.status == "Used")
        whole = found.sum("ListCost", lambda row: row.status == "Used" or row.pricing in ("Standard", "Committed"))
        return self._marked(ctx, share_reading(ctx, covered, whole, self.config), found, "ListCost")

    @measure(unit="ratio", title="Commitment utilisation", settle="5d")
    def commitment_utilisation(self, ctx: Context, p: Scope) -> Reading:
        """EffectiveCost of charges with CommitmentDiscountStatus Used / Used + Unused."""
        found = self._found(ctx, p).only(lambda row: row.status in ("Used", "Unused"))
        used = found.sum("EffectiveCost", lambda row: row.status == "Used")
        reading = share_reading(ctx, used, found.sum("EffectiveCost"), self.config)
        return self._marked(ctx, reading, found, "EffectiveCost")

    # ---- from rows to readings

    def _cost(self, ctx: Context, p: Scope, name: str, counts: Callable[[Row], bool]) -> Iterator[Reading]:
        for number, dimension in enumerate(ctx.by or ("",)):
            found = self._found(ctx, p, dimension).only(counts)
            if not number:
                yield self._summed(ctx, found, name, {})
            for key, part in found.by_key() if dimension else ():
                yield self._summed(ctx, part, name, {dimension: key})

    def _summed(self, ctx: Context, found: Export, name: str, labels: dict[str, str]) -> Reading:
        charges = sum(row.charges for row in found.rows)
        reading = cost_reading(ctx, found.sum(name), self.config, labels=labels, samples=charges)
        return self._marked(ctx, reading, found, name)

    def _variance(self, ctx: Context, p: Planned, first: date, end: date, *, project: bool) -> Reading:
        """Cost against budget of the same days, or of the whole period at the run rate of the days so far."""
        name = "EffectiveCost" if p.amortised else "BilledCost"
        found = self._table.read(p.where, "")
        known = min(end, current_day(ctx), found.latest + DAY if found.latest else first)
        if known <= first:
            return no_cost(ctx, "the export holds no whole day of the period")
        counted = found.between(first, known).only(lambda row: _counts(row, p))
        scale = (end - first).days / (known - first).days if project else 1.0
        spent = {currency: amount * scale for currency, amount in counted.sum(name).items()}
        budget = allotted(budget_of_file(self.config, p.budget), first, end if project else known)
        notes = [f"run rate of the days up to {known - DAY}" if project else f"up to {known - DAY}"]
        reading = variance_reading(ctx, spent, budget, self.config, notes=notes)
        return self._marked(ctx, reading, counted, name)

    def _marked(self, ctx: Context, reading: Reading, found: Export, *names: str) -> Reading:
        """The reading; partial where charges lack a cost or a date, or the export lacks the last days of a past period."""
        if reading.value is None:
            return reading
        lacking = found.lacking(*names)
        notes = [f"{lacking} charges have no usable {' or '.join(names)}"] if lacking else []
        if found.undated:
            notes.append(f"{found.undated} charges have no usable ChargePeriodStart")
        _, end = days_of(ctx.window, ctx.calendar)
        if ctx.now >= ctx.period.end and found.latest is not None and found.latest + DAY < end:
            notes.append(f"the export ends at {found.latest}")
        if not notes:
            return reading
        return replace(reading, state=ReadingState.PARTIAL, note="; ".join(filter(None, [reading.note, *notes])))

    def _found(self, ctx: Context, p: Scope, dimension: str = "") -> Export:
        """What the files hold of the period's dates."""
        return self._table.read(p.where, dimension).between(*days_of(ctx.window, ctx.calendar))


def _counts(row: Row, p: Cost) -> bool:
    return (p.tax or row.category != "Tax") and (p.credits or row.category != "Credit")


def _is_consumption(row: Row) -> bool:
    if row.category == "Purchase":
        return not row.committed
    return row.category == "Usage" and row.status != "Unused"
