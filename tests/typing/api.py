"""The public interface for plugin authors as a user would write it; mypy reads this, nothing runs it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import Field

from bsc_monitor.plugin import (
    AlertChanged,
    Calendar,
    Collector,
    CollectorError,
    Context,
    InsightFound,
    KpiJudged,
    Page,
    PageRequest,
    PageRoute,
    Params,
    Reading,
    ReadingState,
    ReadingStored,
    Record,
    ScoreChanged,
    Secret,
    SourceConfig,
    SourceError,
    Window,
    business_seconds,
    hookimpl,
    measure,
    stream,
)
from bsc_monitor.testing import Clock, Finding, Outcome, SourceServer, check_plugin, load_collector, run_measure


class Ticket(Record):
    """One ticket."""

    id: str
    updated: datetime
    opened: datetime
    team: str = ""


class Scope(Params):
    """Which tickets."""

    project: str = Field(description="key")


class Age(Scope):
    """Which age."""

    days: float = 30.0


class Desk(Collector):
    """A help desk."""

    name = "desk"

    class Config(SourceConfig):
        """Where."""

        url: str
        token: Secret

    async def check(self, ctx: Context) -> None:
        """Try."""
        await ctx.http.get(self.config.url, bearer=self.config.token)

    @measure(unit="count", better="lower", title="Open")
    async def open_tickets(self, ctx: Context, p: Scope) -> Reading:
        """Open tickets."""
        reply = await ctx.http.get(f"{self.config.url}/{p.project}", params={"open": True}, basic=("me", Secret("x")))
        count = reply.json()["count"]
        if not isinstance(count, int):
            raise SourceError("no count", CollectorError.SCHEMA, hint="Look at the version.", retry_after=60.0)
        ctx.log.info("counted", count=count)
        ctx.checkpoint["last"] = ctx.now.isoformat()
        return Reading(count, labels={"team": "a"}, samples=count, evidence=str(reply.url))

    @measure(unit="count", title="By page")
    async def by_page(self, ctx: Context) -> AsyncIterator[Reading]:
        """Many."""

        async def fetch(token: Any) -> tuple[list[Any], Any]:
            document = (await ctx.http.post(self.config.url, json={"from": token}, retry=False)).json()
            return document["items"], document.get("next")

        async for items in ctx.pages(fetch, max_pages=10):
            for item in items:
                yield Reading(item, at=ctx.now)

    @stream(key="id", cursor="updated", record=Ticket, overlap="10m", ids="existing")
    async def tickets(self, ctx: Context, scope: Scope, window: Window) -> AsyncIterator[Ticket]:
        """Changed tickets."""
        yield Ticket(id=scope.project, updated=window.end, opened=window.start or window.end)

    async def existing(self, ctx: Context, scope: Scope) -> AsyncIterator[str]:
        """Those there are."""
        yield scope.project

    @measure(over="tickets", unit="h", better="lower", title="Age", settle="1d")
    def age(self, tickets: Iterable[Ticket], p: Age, period: Window, calendar: Calendar) -> Reading:
        """Their age."""
        ages = [business_seconds(each.opened, period.end, calendar) / 3600 for each in tickets]
        if not ages:
            return Reading(None, state=ReadingState.NO_DATA)
        return Reading(sum(ages) / len(ages), numerator=sum(ages), denominator=float(len(ages)))


@hookimpl
def bsc_reading_stored(event: ReadingStored) -> None:
    """Told of readings."""
    print(event.reading.kpi, event.reading.value, event.at)


@hookimpl
async def bsc_score_changed(event: KpiJudged | ScoreChanged) -> None:
    """Told of scores."""
    print(event.judgement.score if isinstance(event, KpiJudged) else event.node.score)


@hookimpl
def bsc_alert_changed(event: AlertChanged) -> None:
    """Told of alerts."""
    print(event.alert.state, event.before)


@hookimpl
def bsc_insight_found(event: InsightFound) -> None:
    """Told of insights."""
    print(event.insight.kind)


async def _page(request: PageRequest) -> Page:
    return Page(f"{request.user}: {request.query.get('q')}", run="desk")


@hookimpl
def bsc_routes() -> list[PageRoute]:
    """A page."""
    return [PageRoute("desk", _page, "viewer"), PageRoute("poke", _page, "public", method="POST")]


async def _send(config: Mapping[str, Any], message: Mapping[str, Any]) -> None:
    print(config, message)


@hookimpl
def bsc_receivers() -> Mapping[str, Any]:
    """A receiver."""
    return {"pager": _send}


def _as_a_test_would(file: Path, clock: Clock) -> float | None:
    with SourceServer() as server:
        server.answer("/shop", {"count": 3}, headers={"X-Total": "3"})
        outcome: Outcome = run_measure(
            load_collector(file), "open_tickets", config={"url": server.url, "token": "t"}, params={"project": "shop"},
            period="2026-05", now=clock.advance(hours=2), by=("team",), record=Path("answers"),
        )  # fmt: skip
        server.fault = "429"
        assert outcome.error is None or outcome.error.reason is CollectorError.SCHEMA
    findings: list[Finding] = check_plugin(file, params={"project": "shop"})
    assert all(finding.level != "wrong" for finding in findings)
    return outcome.value
