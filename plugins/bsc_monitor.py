"""Another instance of bsc-monitor: its scores and values, by its JSON API, so that one scorecard can rest on others' work.

What is stale or unknown there is no data here: an old score must not pass for a fresh one.
"""

from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from pydantic import Field, model_validator

from bsc_monitor.plugin import (
    Collector,
    CollectorError,
    Completeness,
    Context,
    Params,
    Reading,
    ReadingState,
    Secret,
    SourceConfig,
    SourceError,
    measure,
)

_ID = r"^[a-z0-9][a-z0-9_-]*$"
_NAME = r"^[a-z0-9][a-z0-9_-]*/[a-z0-9][a-z0-9_-]*$"


class Node(Params):
    """Whose score: name exactly one."""

    scorecard: str | None = Field(None, pattern=_ID, description="its id", examples=["it"])
    perspective: str | None = Field(None, pattern=_NAME, description="scorecard/perspective")
    objective: str | None = Field(None, pattern=_NAME, description="scorecard/objective")
    kpi: str | None = Field(None, pattern=_NAME, description="scorecard/kpi")

    @model_validator(mode="after")
    def _one(self) -> "Node":
        if sum(name is not None for name in (self.scorecard, self.perspective, self.objective, self.kpi)) != 1:
            raise ValueError("name one scorecard, perspective, objective or kpi")
        return self


class Kpi(Params):
    """Which KPI."""

    kpi: str = Field(pattern=_NAME, description="scorecard/kpi", examples=["it/mttr"])


class Statuses(Params):
    """Which KPIs, and in which statuses."""

    scorecard: str = Field("", description="only of this one")
    statuses: tuple[str, ...] = Field(("green",), min_length=1, description="green, amber, red, unknown")


class BscMonitor(Collector):
    """One instance."""

    name = "bsc_monitor"

    class Config(SourceConfig):
        """Where it is and how to be let in."""

        url: str = Field(
            pattern=r"^https?://", description="its board's address", examples=["https://scorecard.example.com"]
        )
        token: Secret | None = Field(None, description="API token of a viewer, where it wants one")

    config: Config

    async def check(self, ctx: Context) -> None:
        """List the scorecards."""
        await self._get(ctx, "/scorecards")

    @measure(unit="points", title="Score")
    async def score(self, ctx: Context, p: Node) -> Reading:
        """The score, 0–100, of a scorecard, perspective, objective or KPI: of a past period as it was frozen, else of now."""
        if p.kpi is not None:
            return await self._of_kpi(ctx, p.kpi, "score")
        name = p.scorecard or p.perspective or p.objective or ""
        past = ctx.now >= ctx.period.end and ctx.period.label
        body = await self._get(ctx, "/status", at=ctx.period.label if past else "", scorecard=name.partition("/")[0])
        kind = "scorecard" if p.scorecard else "perspective" if p.perspective else "objective"
        for node in _nodes(body):
            if (node["kind"], node["name"]) == (kind, name):
                note = f"{node['coverage']:.0%} of the weight below has a score" if node["coverage"] < 1 else None
                page = f"{self._root()}/scorecards/{quote(name.partition('/')[0])}"
                return self._reading(ctx, node["score"], note=note or node["reason"] or None, evidence=page)
        raise SourceError(f"there is no {kind} {name!r} at {self._root()}", CollectorError.CONFIG)

    @measure(unit="", title="Value of a KPI")
    async def value(self, ctx: Context, p: Kpi) -> Reading:
        """The KPI's value in the period, in the unit it has there."""
        return await self._of_kpi(ctx, p.kpi, "value")

    @measure(unit="ratio", title="Share of KPIs by status")
    async def status_share(self, ctx: Context, p: Statuses) -> Reading:
        """KPIs in one of ``statuses`` now / all KPIs (unknown ones count among all)."""
        body = await self._get(ctx, "/status", having="kpis", scorecard=p.scorecard)
        with_status = [kpi["status"] for kpi in body["kpis"]]
        part, whole = sum(status in p.statuses for status in with_status), len(with_status)
        if not whole:
            return Reading(None, samples=0, state=ReadingState.NO_DATA)
        evidence = f"{self._root()}/kpis"
        return Reading(part / whole, samples=whole, numerator=float(part), denominator=float(whole), evidence=evidence)

    async def _of_kpi(self, ctx: Context, kpi: str, field: str) -> Reading:
        """What a KPI had in the period asked for; of the open period, what it has now, if that is fresh."""
        path = f"/kpis/{kpi}"
        now = await self._get(ctx, path, having="freshness")
        page = f"{self._root()}{path}"
        points = (await self._get(ctx, f"{path}/periods", having="items", limit="1000"))["items"]
        found = next((point for point in points if _instant(point["start"]) == ctx.period.start), None)
        past = ctx.now >= ctx.period.end
        if found is not None and _instant(found["end"]) == ctx.period.end and (past or now["freshness"] == "fresh"):
            return self._reading(ctx, found[field], unit=now["unit"] if field == "value" else None,
                                 samples=found["samples"], note=found["note"], evidence=page,
                                 completeness=Completeness(found["completeness"]))  # fmt: skip
        if past or now["freshness"] != "fresh":
            why = (
                f"{now['freshness']} there"
                if not past
                else f"not judged by this period there ({now['period'] or 'window'})"
            )
            return self._reading(ctx, None, note=why, evidence=page)
        return self._reading(ctx, now[field], unit=now["unit"] if field == "value" else None,
                             samples=now["samples"], evidence=page)  # fmt: skip

    def _reading(self, ctx: Context, value: float | None, *, unit: str | None = None, samples: int | None = None,
                 note: str | None = None, evidence: str = "",
                 completeness: Completeness = Completeness.FINAL) -> Reading:  # fmt: skip
        state = ReadingState.NO_DATA if value is None else ReadingState.OK
        return Reading(
            value, unit=unit, samples=samples, period=ctx.period, state=state, completeness=completeness, note=note,
            evidence=evidence,
        )  # fmt: skip

    def _root(self) -> str:
        return str(self.config.url).rstrip("/")

    async def _get(self, ctx: Context, path: str, having: str = "", **query: str) -> Any:
        given = {name: text for name, text in query.items() if text}
        address = f"{self._root()}/api/v1{path}"
        body = (await ctx.http.get(address, params=given or None, bearer=self.config.token)).json()
        if not isinstance(body, dict) or (having and having not in body):
            raise SourceError(f"{address}: not an answer of bsc-monitor", CollectorError.SCHEMA)
        return body


def _nodes(body: Any) -> list[dict[str, Any]]:
    """Scorecards, perspectives and objectives of a standing."""
    try:
        found = []
        for card in body["scorecards"]:
            found.append(card)
            for perspective in card["perspectives"]:
                found += [perspective, *perspective["objectives"]]
    except (KeyError, TypeError) as error:
        raise SourceError(f"not an answer of bsc-monitor: {error!r}", CollectorError.SCHEMA) from error
    return found


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
