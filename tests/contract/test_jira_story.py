"""The generated company's Jira tells its story through the collector, and increments bring what a full fetch brings."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import MetaData, create_engine
from sqlalchemy.pool import StaticPool
from tests.contract.collector_run import month, opened, run, total

from bsc_monitor.collect.stored import StoredRecords
from bsc_monitor.collect.streams import TransientRecords
from bsc_monitor.sandbox import start
from bsc_monitor.sandbox.company.delivery import jira_site
from bsc_monitor.store.records import record_tables

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)  # the story runs from 2024-12; smaller batches start in 2025-10


@pytest.fixture
async def sandbox():
    running = await start(now=lambda: NOW)
    yield running
    await running.stop()


def cloud(sandbox):
    return {"url": sandbox.jira_url, "email": "demo@example.com", "token": "demo"}


async def values(sandbox, measure, *labels, **params):
    live, records = opened("jira", cloud(sandbox)), TransientRecords()
    try:
        return [
            total(await run("jira", None, measure, month(label), now=NOW, live=live, records=records, **params)).value
            for label in labels
        ]
    finally:
        await live.client.close()


async def test_smaller_batches_shorten_the_cycle_and_keep_more_promises(sandbox):
    before, after = await values(sandbox, "cycle_time", "2025-08", "2026-05", project="SHOP", statistic="mean")
    kept_before, kept_after = await values(sandbox, "sprint_predictability", "2025-08", "2026-05", project="SHOP")

    assert before > 190 > 140 > after
    assert kept_after > kept_before + 0.1


async def test_careful_estimates_change_nothing_and_other_things_are_quiet(sandbox):
    cycles = await values(sandbox, "cycle_time", "2025-06", "2025-12", "2026-05", project="OPS", statistic="mean")
    ratings = await values(sandbox, "csat", "2025-06", "2025-12", "2026-05", project="HELP")

    assert all(80 < hours < 150 for hours in cycles)
    assert all(4.0 < rating < 4.7 for rating in ratings)


async def test_escaped_defects_and_service_levels_drift_to_breach(sandbox):
    escaped = await values(
        sandbox, "escaped_defects", "2025-01", "2026-05", project="SHOP", jql='"Found in" = Production'
    )
    met = await values(
        sandbox, "sla_met_ratio", "2025-01", "2025-09", "2026-05", project="HELP", sla="Time to resolution"
    )

    assert escaped[1] > 2 * escaped[0]
    assert met == sorted(met, reverse=True)
    assert met[-1] < 0.87


async def test_an_epic_is_on_its_way(sandbox):
    march, may = await values(sandbox, "epic_progress", "2026-03", "2026-05", epic="OPS-12")

    assert 0.3 < march < may < 0.9


async def test_both_sides_of_the_sandbox_measure_the_same(sandbox):
    server = {"url": sandbox.jira_dc_url, "token": "demo"}
    for measure in ("throughput", "wip", "cycle_time", "sprint_predictability"):
        [expected] = await values(sandbox, measure, "2026-05", project="PAY")
        assert total(await run("jira", server, measure, month("2026-05"), now=NOW, project="PAY")).value == expected


def test_the_same_seed_tells_the_same_lives_and_another_seed_others():
    first, second, other = (jira_site(seed, lambda: NOW).issues for seed in (3, 3, 4))

    assert first == second
    assert {i.key: i.updated for i in first.values()} != {i.key: i.updated for i in other.values()}


class Memory:
    """A store in memory, with what the records need."""

    def __init__(self):
        self.engine = create_engine("sqlite://", poolclass=StaticPool)
        metadata = MetaData()
        self.tables = record_tables(metadata)
        metadata.create_all(self.engine)

    async def write(self, work):
        with self.engine.begin() as connection:
            return work(connection)

    read = write


async def test_increments_over_two_weeks_bring_what_a_full_fetch_brings():
    clock = [NOW]
    sandbox = await start(now=lambda: clock[0])
    store = Memory()
    live = opened("jira", cloud(sandbox))
    try:
        kept = StoredRecords(store, store.tables)
        requests = []
        for _ in range(8):
            result = await run(
                "jira", None, "throughput", month("2026-06"), now=clock[0], live=live, records=kept, project="OPS"
            )
            requests.append(total(result).value)
            clock[0] += timedelta(hours=37)
        clock[0] -= timedelta(hours=37)
        incremental = list(next(iter(kept._kept.values())).records.values())
        scope = live.streams["issues"].scope.model_validate({"project": "OPS"})
        fresh = TransientRecords()
        await run("jira", None, "throughput", month("2026-06"), now=clock[0], live=live, records=fresh, project="OPS")
        [full] = fresh._kept.values()
    finally:
        await live.client.close()
        await sandbox.stop()
        store.engine.dispose()

    assert requests == sorted(requests)
    assert requests[-1] > requests[0]
    assert {i.id: i for i in incremental} == {i.id: i for i in full}
    assert scope.project == "OPS"
