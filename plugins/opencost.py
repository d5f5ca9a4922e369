"""OpenCost: what workloads in Kubernetes cost, and what nobody uses.

Allocations are asked for by day (``/allocation/compute``, step 1d, UTC), once for all KPIs that share a question; days younger
than two are asked for again after ``refresh``. OpenCost knows only as much as its Prometheus keeps (15 days, as a rule): a day
whose allocations cover fewer minutes than it has makes the value partial, a day without any is no data, not zero. It names no
currency: say the one of its prices (``prices_in``).

Breakdowns (``by``): ``namespace``, ``cluster``, ``controller``, ``label:NAME`` or anything else that it aggregates by.
Unit cost is a formula over this KPI and its driver: ``formula = "cluster_cost / orders"``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, date, timedelta
from typing import Any
from urllib.parse import urlencode

from pydantic import Field

from bsc_monitor.kit.cost import (
    DAY,
    Book,
    CostConfig,
    Line,
    Step,
    Stretch,
    allotted,
    budget_of_file,
    cost_reading,
    days_of,
    no_cost,
    run_reading,
    settled_until,
    share_reading,
    total,
    total_by_key,
    variance_reading,
)
from bsc_monitor.plugin import (
    Collector,
    CollectorError,
    Context,
    Params,
    Reading,
    ReadingState,
    Secret,
    SourceError,
    measure,
)

_IDLE, _UNALLOCATED, _UNMOUNTED = "__idle__", "__unallocated__", "__unmounted__"
_COST, _MINUTES = "totalCost", "minutes"
_AT_ONCE = 7  # days of one question: each is a heavy one for the Prometheus behind it
_COVERED = 0.95  # of a day's minutes; fewer make it partial


class Scope(Params):
    """Which part of the clusters."""

    namespaces: list[str] = Field(default_factory=list, description="empty: all, idle cost included")


class Planned(Scope):
    """Which cost, and which budget."""

    budget: str = Field("", description="name in budget_file")


class Shares(Params):
    """Which label every workload should bear."""

    label: str = Field(description="its name")


class RunChange(Params):
    """What is run and what is change: by the values of a label, or by namespaces."""

    label: str = Field("", description="without it, run and change are namespaces")
    run: list[str] = Field(min_length=1, description="values of the label, or namespaces, that are run")
    change: list[str] = Field(min_length=1, description="those that are change")


class OpenCost(Collector):
    """One OpenCost service."""

    name = "opencost"

    class Config(CostConfig):
        """Where it is."""

        url: str = Field(
            pattern=r"^https?://", description="root of the service", examples=["http://opencost.opencost:9003"]
        )
        token: Secret | None = Field(None, description="bearer token, where a proxy asks for one")
        prices_in: str = Field("USD", pattern=r"^[A-Z]{3}$", description="the currency of its prices")
        refresh: float = Field(1, gt=0, description="hours that an answer about unsettled days serves")

    config: Config

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self._book = Book(timedelta(hours=config.refresh), settle=timedelta(days=2))

    async def check(self, ctx: Context) -> None:
        """Ask for yesterday."""
        yesterday = ctx.now.astimezone(UTC).date() - DAY
        await self._lines(ctx, "namespace", yesterday, yesterday + DAY)

    @measure(unit="", better="lower", title="Cluster cost", settle="2d")
    async def net_cost(self, ctx: Context, p: Scope) -> list[Reading]:
        """Σ totalCost of the period's days: CPU, memory, GPU, storage, network, adjustments and shared cost; idle cost included.

        With ``namespaces``: of those alone, without idle. In ``prices_in``.
        """
        first, end = days_of(ctx.window, ctx.calendar)
        readings: list[Reading] = []
        for dimension in ctx.by or ("namespace",):
            if p.namespaces and dimension != "namespace":
                raise SourceError("a choice of namespaces is broken down by namespace alone", CollectorError.CONFIG)
            found = await self._lines(ctx, dimension, first, end)
            lines = [line for line in found.lines() if not p.namespaces or line.key in p.namespaces]
            if not readings:
                readings.append(self._marked(ctx, cost_reading(ctx, total(lines, _COST), self.config, evidence=self._link(found)), found))  # fmt: skip
            for key, sums in (total_by_key(lines, _COST) if ctx.by else {}).items():
                labels = {dimension: _shown(key)}
                readings.append(cost_reading(ctx, sums, self.config, labels=labels, evidence=self._link(found)))
        return readings

    @measure(unit="ratio", better="lower", title="Idle share of clusters", settle="2d")
    async def idle_share(self, ctx: Context) -> list[Reading]:
        """Σ totalCost of ``__idle__`` / Σ totalCost: capacity that is paid for and allocated to nobody. By cluster when asked."""
        unknown = [name for name in ctx.by if name != "cluster"]
        if unknown:
            raise SourceError(f"idle cost belongs to a cluster, not to a {unknown[0]}", CollectorError.CONFIG)
        found = await self._lines(ctx, "cluster,namespace", *days_of(ctx.window, ctx.calendar))
        readings = [self._marked(ctx, self._idle(ctx, found, {}, list(found.lines())), found)]
        clusters: dict[str, list[Line]] = {}
        for line in found.lines() if ctx.by else ():
            clusters.setdefault(line.key.partition("/")[0], []).append(line)
        return readings + [self._idle(ctx, found, {"cluster": name}, lines) for name, lines in clusters.items()]

    @measure(unit="ratio", better="lower", title="Unlabelled cost", settle="2d")
    async def untagged_share(self, ctx: Context, p: Shares) -> Reading:
        """Cost of workloads without ``label`` (``__unallocated__``) / that of all workloads, idle cost left out of both."""
        found = await self._lines(ctx, f"label:{p.label}", *days_of(ctx.window, ctx.calendar))
        lines = [line for line in found.lines() if line.key != _IDLE]
        part = total((line for line in lines if line.key in (_UNALLOCATED, _UNMOUNTED)), _COST)
        reading = share_reading(ctx, part, total(lines, _COST), self.config, evidence=self._link(found))
        return self._marked(ctx, reading, found)

    @measure(unit="ratio", better="lower", title="Share of cost for running", settle="2d")
    async def run_share(self, ctx: Context, p: RunChange) -> Reading:
        """Run / (run + change), by the values of ``label`` or by namespaces; cost that is neither (idle, too) is left out."""
        found = await self._lines(
            ctx, f"label:{p.label}" if p.label else "namespace", *days_of(ctx.window, ctx.calendar)
        )
        reading = run_reading(ctx, found.lines(), _COST, p.run, p.change, self.config, evidence=self._link(found))
        return self._marked(ctx, reading, found)

    @measure(unit="%", better="lower", title="Cluster budget variance", settle="2d")
    async def budget_variance(self, ctx: Context, p: Planned) -> Reading:
        """(actual − budget) / budget × 100 of the whole days so far; above 0 is over. The budget is that of ``budget_file``, by day."""
        first, end = days_of(ctx.window, ctx.calendar)
        end = min(end, settled_until(ctx, 0))
        if end <= first:
            return no_cost(ctx, "no whole day yet")
        found = await self._lines(ctx, "namespace", first, end)
        spent = total((line for line in found.lines() if not p.namespaces or line.key in p.namespaces), _COST)
        budget = allotted(budget_of_file(self.config, p.budget), first, end)
        notes = [f"up to {end - DAY}"]
        reading = variance_reading(ctx, spent, budget, self.config, evidence=self._link(found), notes=notes)
        return self._marked(ctx, reading, found)

    # ---- from answers to readings

    def _idle(self, ctx: Context, found: Stretch, labels: Mapping[str, str], lines: list[Line]) -> Reading:
        idle = total((line for line in lines if line.key.rpartition("/")[2] == _IDLE), _COST)
        return share_reading(
            ctx, idle, total(lines, _COST), self.config, labels=labels, evidence=self._link(found), notes=found.notes
        )

    def _marked(self, ctx: Context, reading: Reading, found: Stretch) -> Reading:
        """The reading; partial where days are not covered: Prometheus forgot them, or OpenCost was away."""
        today = ctx.now.astimezone(UTC).date()
        past = [step for number, step in enumerate(found.steps) if found.first + number * DAY < today]
        thin = sum(_covered(step.lines) < _COVERED * 1440 for step in past)
        if not thin or reading.value is None:
            return reading
        note = f"{thin} of {len(past)} days are not covered wholly: does Prometheus keep them?"
        return replace(reading, state=ReadingState.PARTIAL, note="; ".join(filter(None, [reading.note, note])))

    def _link(self, found: Stretch) -> str:
        asked = {
            "window": _window(found.first, found.end),
            "aggregate": "namespace",
            "step": "1d",
            "includeIdle": "true",
        }
        return f"{self.config.url.rstrip('/')}/allocation/compute?{urlencode(asked)}"

    # ---- from questions to answers

    async def _lines(self, ctx: Context, aggregate: str, first: date, end: date) -> Stretch:
        """Daily allocations of all workloads, idle cost apart."""

        async def fetch(start: date, last: date) -> Mapping[date, Step]:
            steps: dict[date, Step] = {}
            while start <= last:
                until = min(last + DAY, start + _AT_ONCE * DAY)
                for number, found in enumerate(await self._sets(ctx, aggregate, start, until)):
                    steps[start + number * DAY] = Step(ctx.now, lines=[self._line(name, each) for name, each in found.items()])  # fmt: skip
                start = until
                ctx.progress(len(steps))
            return steps

        days = [first + number * DAY for number in range((end - first).days)]
        return Stretch(first, end, await self._book.days(aggregate, days, ctx.now, fetch))

    async def _sets(self, ctx: Context, aggregate: str, first: date, end: date) -> list[dict[str, Any]]:
        """One map of allocations for each day."""
        asked = {"window": _window(first, end), "aggregate": aggregate, "step": "1d", "includeIdle": "true"}
        reply = await ctx.http.get(
            f"{self.config.url.rstrip('/')}/allocation/compute", params=asked, bearer=self.config.token, allow=(400,)
        )
        answer = reply.json()
        if reply.status == 400 or not isinstance(answer, dict) or answer.get("code") != 200:
            words = str(answer.get("message", answer) if isinstance(answer, dict) else answer)[:300]
            raise SourceError(f"OpenCost refuses {aggregate!r}: {words}", CollectorError.CONFIG)
        sets = answer.get("data")
        if not isinstance(sets, list) or not all(isinstance(each, dict) for each in sets if each is not None):
            raise SourceError("the answer has no sets of allocations: is this OpenCost?", CollectorError.SCHEMA)
        if len(sets) != (end - first).days:
            raise SourceError(f"{len(sets)} sets for {(end - first).days} days", CollectorError.SCHEMA)
        return [each or {} for each in sets]

    def _line(self, name: str, allocation: Any) -> Line:
        try:
            cost, minutes = float(allocation[_COST]), float(allocation[_MINUTES])
        except (KeyError, TypeError, ValueError) as error:
            raise SourceError(f"{name!r} is no allocation: {error!r}", CollectorError.SCHEMA) from None
        currency = self.config.prices_in
        return Line("", name, {_COST: (cost, currency), _MINUTES: (minutes, "min")})


def _window(first: date, end: date) -> str:
    return f"{first}T00:00:00Z,{end}T00:00:00Z"


def _covered(lines: Iterable[Line]) -> float:
    """The minutes of a day that any workload covers."""
    return max((line.costs[_MINUTES][0] for line in lines), default=0.0)


def _shown(key: str) -> str:
    return {_IDLE: "idle", _UNALLOCATED: "none", _UNMOUNTED: "unmounted"}.get(key, key)
