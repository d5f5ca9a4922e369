"""A source that may restate a period is asked about it until it is final, and no longer."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

from bsc_monitor.collect.agenda import Job, periods_due
from bsc_monitor.collect.schedule import Collection
from bsc_monitor.collect.streams import TransientRecords
from bsc_monitor.model.organisation import Kpi, Organisation, Schedule, Scorecard
from bsc_monitor.model.period import Calendar, Period, PeriodKind
from bsc_monitor.model.source import Source
from bsc_monitor.plugin import Collector, Context, Reading, SourceConfig, measure


def month(instant, kind, _):
    start = instant.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return Period(start, (start + timedelta(days=32)).replace(day=1), kind, f"{start:%Y-%m}")


class Bill(Collector):
    """Restates a month for two days after its end."""

    name = "bill"

    @measure(unit="USD", title="Cost", settle="2d")
    async def cost(self, ctx: Context) -> Reading:
        """One."""
        return Reading(1.0, period=ctx.period)


class Meter(Collector):
    """One measure that looks at the period, and one that knows the present alone."""

    name = "meter"

    @measure(unit="d", title="Days so far")
    async def days(self, ctx: Context) -> Reading:
        """Length of the period."""
        return Reading((ctx.window.end - ctx.window.start) / timedelta(days=1))

    @measure(unit="count", title="Level")
    async def level(self, ctx: Context) -> Reading:
        """Of now."""
        return Reading(7.0)


async def test_the_last_period_is_asked_for_until_its_value_is_final():
    clock, delivered = [datetime(2026, 6, 1, 1, tzinfo=UTC)], []
    sources = {"s": Source("s", "bill", SourceConfig(), schedule=Schedule(every=timedelta(hours=1)))}
    kpis = {"it/cost": Kpi("cost", "it", "p", "it/o", "Cost", source="s", measure="cost")}
    organisation = Organisation(scorecards={"it": Scorecard("it", "IT")}, kpis=kpis)

    async def deliver(harvest):
        delivered.append(harvest.items[0][1].period.label)

    collection = Collection(
        SimpleNamespace(organisation=organisation, sources=sources), {"bill": Bill}, deliver=deliver,
        bus=SimpleNamespace(publish=lambda events: None), records=TransientRecords(), period_at=month, clock=lambda: clock[0],
    )  # fmt: skip
    await collection.open_sources()
    [job] = collection.next_runs()
    for day in (1, 2, 3, 4):
        clock[0] = datetime(2026, 6, day, 1, tzinfo=UTC)
        await collection._run(job)
    await collection.stop()

    assert delivered == ["2026-05", "2026-06"] * 3 + [
        "2026-06"
    ]  # on the third it was settled, on the fourth it is done


async def test_a_past_that_is_collected_lies_in_its_periods_and_an_answer_of_now_in_none():
    now, delivered = datetime(2026, 6, 15, tzinfo=UTC), {}
    sources = {"s": Source("s", "meter", SourceConfig())}
    kpis = {f"it/{name}": Kpi(name, "it", "p", "it/o", name, source="s", measure=name) for name in ("days", "level")}
    organisation = Organisation(scorecards={"it": Scorecard("it", "IT")}, kpis=kpis)

    async def deliver(harvest):
        delivered[harvest.measure] = [(reading.at, reading.value) for _, reading in harvest.items]

    collection = Collection(
        SimpleNamespace(organisation=organisation, sources=sources), {"meter": Meter}, deliver=deliver,
        bus=SimpleNamespace(publish=lambda events: None), records=TransientRecords(), period_at=month, clock=lambda: now,
    )  # fmt: skip
    await collection.open_sources()
    february = month(datetime(2026, 2, 9, tzinfo=UTC), PeriodKind.MONTH, None)
    for job in collection.next_runs():
        await collection.collect_past(job, february)
    await collection.stop()

    [(at, value)] = delivered["days"]
    assert (february.start < at < february.end, value) == (True, 28.0)
    assert delivered["level"] == [(now, 7.0)], "what is now is not February's"


def test_a_value_that_never_becomes_final_is_given_up_a_day_after_it_should_have():
    job = Job("k", "s", "m", {}, PeriodKind.MONTH, None, Calendar(), Schedule(), settle=timedelta(days=4))

    asked = [len(periods_due(job, datetime(2026, 6, day, 12, tzinfo=UTC), month)) for day in (1, 5, 6)]

    assert asked == [2, 2, 1]
