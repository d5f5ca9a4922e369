"""Prometheus and what speaks its HTTP API (Thanos, Mimir, VictoriaMetrics): any number that PromQL gives."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from pydantic import Field

from bsc_monitor.plugin import (
    Collector,
    CollectorError,
    Context,
    Params,
    Reading,
    ReadingState,
    Secret,
    SourceConfig,
    SourceError,
    measure,
)


class Prometheus(Collector):
    """One Prometheus server."""

    name = "prometheus"

    class Config(SourceConfig):
        """Where the server is and how to be let in."""

        url: str = Field(
            pattern=r"^https?://", description="root of the server, without /api/v1", examples=["http://127.0.0.1:9090"]
        )
        token: Secret | None = None
        username: str | None = Field(None, description="with password, in place of token")
        password: Secret | None = None

    class Query(Params):
        """A PromQL expression."""

        query: str = Field(description="PromQL; $period becomes the length of the reporting period so far, e.g. 86400s")

    class Steps(Query):
        """A PromQL expression and its resolution."""

        step: int = Field(3600, ge=1, description="Seconds between values")

    async def check(self, ctx: Context) -> None:
        """Ask for the trivial: shows address and credentials to be right."""
        await self._ask(ctx, "query", {"query": "1"})

    @measure(unit="", title="PromQL value")
    async def query(self, ctx: Context, p: Query) -> list[Reading]:
        """The expression at the end of the period (of a running one: now).

        One series is the KPI's value. Several need ``by``: each series is a reading with those labels. An empty result
        and NaN (0/0: nothing happened) are "no data"; infinity is an error.
        """
        at = min(ctx.now, ctx.window.end - timedelta(milliseconds=1))
        expression = _filled(p.query, ctx)
        data = await self._ask(ctx, "query", {"query": expression, "time": at.timestamp()})
        if data["resultType"] in ("scalar", "string"):
            return [self._reading(data["result"], {}, expression)]
        series = [(_labels(item, ctx), item["value"]) for item in data["result"]]
        _demand_distinct([labels for labels, _ in series], expression)
        return [self._reading(sample, labels, expression) for labels, sample in series] or [_nothing(at)]

    @measure(unit="", title="PromQL history")
    async def history(self, ctx: Context, p: Steps) -> list[Reading]:
        """The expression at every ``step`` of the period: observations to be aggregated, and history for back-fill."""
        start, end = ctx.window.start or ctx.now, ctx.window.end
        step = max(p.step, math.ceil((end - start).total_seconds() / 10_000))  # the server refuses 11,000 points
        expression = _filled(p.query, ctx)
        asked = {"query": expression, "start": start.timestamp(), "end": end.timestamp() - 0.001, "step": step}
        data = await self._ask(ctx, "query_range", asked)
        series = [(_labels(item, ctx), item["values"]) for item in data["result"]]
        _demand_distinct([labels for labels, _ in series], expression)
        found = [self._reading(sample, labels, expression) for labels, samples in series for sample in samples]
        return [reading for reading in found if reading.value is not None] or [_nothing(None)]

    async def _ask(self, ctx: Context, what: str, asked: dict[str, Any]) -> dict[str, Any]:
        config = self.config
        reply = await ctx.http.get(
            f"{config.url.rstrip('/')}/api/v1/{what}",
            params=asked,
            bearer=config.token,
            basic=(config.username, config.password or Secret("")) if config.username else None,
            allow=(400, 422),
        )
        answer = reply.json()
        if not isinstance(answer, dict) or answer.get("status") != "success":
            words = str(answer.get("error", answer) if isinstance(answer, dict) else answer)[:300]
            raise SourceError(f"Prometheus refuses {asked['query']!r}: {words}", CollectorError.CONFIG)
        data = answer.get("data")
        if not isinstance(data, dict) or not isinstance(data.get("result"), list):
            raise SourceError("the answer has no data.result: is this Prometheus?", CollectorError.SCHEMA)
        return data

    def _reading(self, sample: Any, labels: dict[str, str], expression: str) -> Reading:
        try:
            at, value = datetime.fromtimestamp(float(sample[0]), UTC), float(sample[1])
        except (TypeError, ValueError, IndexError, OverflowError, OSError):
            raise SourceError(f"{str(sample)[:60]!r} is no sample", CollectorError.SCHEMA) from None
        if math.isinf(value):
            raise SourceError(f"{expression!r} gives infinity: is a divisor 0?", CollectorError.CONFIG)
        evidence = f"{self.config.url.rstrip('/')}/graph?g0.expr={quote(expression)}&g0.tab=1"
        if math.isnan(value):
            return Reading(None, at=at, labels=labels, state=ReadingState.NO_DATA, evidence=evidence)
        return Reading(value, at=at, labels=labels, evidence=evidence)


def _filled(query: str, ctx: Context) -> str:
    length = ctx.window.end - (ctx.window.start or ctx.now)
    return query.replace("$period", f"{max(1, round(length.total_seconds()))}s")


def _labels(item: dict[str, Any], ctx: Context) -> dict[str, str]:
    metric = item.get("metric") or {}
    return {name: str(metric[name]) for name in ctx.by if name in metric}


def _demand_distinct(found: list[dict[str, str]], expression: str) -> None:
    if len({tuple(sorted(labels.items())) for labels in found}) < len(found):
        raise SourceError(
            f"{expression!r} gives {len(found)} series where the KPI can tell fewer apart",
            CollectorError.CONFIG,
            hint='Aggregate in PromQL, e.g. sum(…) or sum by (team) (…) with by = ["team"] on the KPI.',
        )


def _nothing(at: datetime | None) -> Reading:
    return Reading(None, at=at, state=ReadingState.NO_DATA)
