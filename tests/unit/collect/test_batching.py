"""KPIs that share a question cost one request; a reload isolates what is new, and leaves alone what did not change."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from bsc_monitor.collect.plugins import find_plugins
from bsc_monitor.collect.schedule import Collection
from bsc_monitor.collect.streams import TransientRecords
from bsc_monitor.model.organisation import Kpi, Organisation, Schedule, Scorecard
from bsc_monitor.model.period import Period
from bsc_monitor.model.source import Source
from bsc_monitor.testing import SourceServer

PLUGIN = '''
"""Its process."""
import os
from bsc_monitor.plugin import Collector, Reading, measure

class Here(Collector):
    """Its process."""
    name = "here"

    @measure(unit="count", title="Process")
    async def process(self, ctx) -> Reading:
        """Number of its process."""
        return Reading(os.getpid())
'''


def kpi(name, source, measure, params=()):
    return Kpi(
        name, "it", "p", "it/o", name, source=source, measure=measure, params=dict(params), window=timedelta(days=1),
        schedule=Schedule(every=timedelta(days=1)),
    )  # fmt: skip


def configuration(kpis, sources):
    organisation = Organisation(scorecards={"it": Scorecard("it", "IT")}, kpis={each.name: each for each in kpis})
    return SimpleNamespace(organisation=organisation, sources={each.id: each for each in sources})


class Bench:
    def __init__(self, configuration, plugins):
        self.harvests = []
        self.collection = Collection(
            configuration, plugins.collectors, deliver=self.deliver, bus=SimpleNamespace(publish=lambda events: None),
            records=TransientRecords(), isolated=plugins.isolated,
            period_at=lambda at, kind, calendar: Period(at - timedelta(days=1), at + timedelta(days=1), kind, "x"),
        )  # fmt: skip

    async def deliver(self, harvest):
        self.harvests.append(harvest)

    async def until(self, condition):
        async with asyncio.timeout(60):
            while not condition():  # noqa: ASYNC110
                await asyncio.sleep(0.02)


@pytest.fixture
def server():
    with SourceServer() as server:
        server.answer("/value", {"value": 3})
        server.answer("/other", {"value": 4})
        yield server


def json_source(server, name="web"):
    config = find_plugins([], with_entry_points=False).collectors["http_json"].Config(url=server.url)
    return Source(name, "http_json", config)


async def test_two_hundred_kpis_that_ask_two_questions_cost_two_requests(server):
    plugins = find_plugins([], with_entry_points=False)
    kpis = [kpi(f"k{n}", "web", "value", {"path": ("/value", "/other")[n % 2], "select": "value"}) for n in range(200)]
    bench = Bench(configuration(kpis, [json_source(server)]), plugins)
    await bench.collection.start()
    await bench.until(lambda: sum(len(harvest.items) for harvest in bench.harvests) == 200)
    await bench.collection.stop()
    assert len(server.asked) == 2
    got = {each.name: reading.value for harvest in bench.harvests for each, reading in harvest.items}
    assert got == {each.name: (3, 4)[number % 2] for number, each in enumerate(kpis)}


async def test_a_plugin_that_comes_with_a_reload_is_isolated_and_the_other_source_undisturbed(server, tmp_path):
    import os

    before = find_plugins([tmp_path], with_entry_points=False)
    one = configuration([kpi("a", "web", "value", {"path": "/value", "select": "value"})], [json_source(server)])
    bench = Bench(one, before)
    await bench.collection.start()
    await bench.until(lambda: bench.harvests)
    live = bench.collection._sources.get("web")
    (tmp_path / "here.py").write_text(PLUGIN)
    after = find_plugins([tmp_path], with_entry_points=False)
    here = Source("here", "here", after.collectors["here"].Config(), timeout=30)
    kpis = [*one.organisation.kpis.values(), kpi("b", "here", "process")]
    await bench.collection.reload(configuration(kpis, [*one.sources.values(), here]), after.collectors, after.isolated)
    await bench.until(lambda: len(bench.harvests) == 2)
    assert bench.collection._sources.get("web") is live
    [(_, reading)] = bench.harvests[1].items
    assert reading.value != os.getpid()
    await bench.collection.stop()


async def test_a_source_that_is_another_now_is_asked_at_once(server):
    plugins = find_plugins([], with_entry_points=False)
    source = json_source(server)
    one = configuration([kpi("a", "web", "value", {"path": "/value", "select": "value"})], [source])
    bench = Bench(one, plugins)
    await bench.collection.start()
    await bench.until(lambda: bench.harvests)
    changed = configuration(one.organisation.kpis.values(), [replace(source, timeout=7.0)])
    await bench.collection.reload(changed, plugins.collectors)
    await bench.until(lambda: len(bench.harvests) == 2)
    await bench.collection.reload(changed, plugins.collectors)
    await bench.collection.stop()
    assert (len(bench.harvests), len(server.asked)) == (2, 2)
    assert all(harvest.at <= datetime.now(UTC) for harvest in bench.harvests)
