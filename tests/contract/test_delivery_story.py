"""The generated company's delivery and people tell their story through the collectors."""

from datetime import UTC, datetime, timedelta

import pytest
from tests.contract.collector_run import month, opened, run, total

from bsc_monitor.collect.streams import TransientRecords
from bsc_monitor.model.period import Period
from bsc_monitor.sandbox import start
from bsc_monitor.sandbox.company import forge_projects, people_tables
from bsc_monitor.sandbox.company.staff import CRITICAL_SKILLS

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)  # the story runs from 2024-12
REPOSITORIES = ["acme/shop", "acme/payments"]


@pytest.fixture
async def sandbox():
    running = await start(now=lambda: NOW)
    yield running
    await running.stop()


async def values(plugin, config, measure, *labels, **params):
    live, records = opened(plugin, config), TransientRecords()
    try:
        return [
            total(await run(plugin, config, measure, month(label), now=NOW, live=live, records=records, **params)).value
            for label in labels
        ]
    finally:
        await live.client.close()


async def test_more_frequent_deployments_shorten_lead_time_and_do_no_harm(sandbox):
    config = {"url": sandbox.github_url, "token": "demo"}
    live, records = opened("github", config), TransientRecords()

    async def over(measure, *labels):
        return [
            total(
                await run("github", config, measure, month(label), now=NOW, live=live, records=records, repositories=REPOSITORIES)
            ).value
            for label in labels
        ]  # fmt: skip

    early, late = await over("deployment_frequency", "2024-12", "2026-05")
    slow, fast = await over("change_lead_time", "2024-12", "2026-05")
    failed = await over("change_fail_rate", "2025-06", "2025-09", "2025-12", "2026-03", "2026-05")
    await live.client.close()

    assert early < 0.5 < 0.9 < late
    assert slow > 60 > 40 > fast
    assert all(0 <= rate < 0.3 for rate in failed)


async def test_builds_creep_to_breach(sandbox):
    config = {"url": sandbox.github_url, "token": "demo"}
    found = await values(
        "github", config, "build_time", "2024-12", "2025-06", "2025-12", "2026-05", repositories=REPOSITORIES
    )

    assert found == sorted(found)
    assert found[0] < 10 < 20 < found[-1]


async def test_staff_grow_unhappy_and_then_leave(sandbox):
    surveys, hr = (
        {"url": f"{sandbox.people_url}/answers", "token": "demo"},
        {"url": sandbox.people_url, "token": "demo"},
    )
    before, after = await values("survey", surveys, "enps", "2025-06", "2026-04", survey="enps")
    quarters = [await run("training", hr, "turnover", period, now=NOW, annualised=True) for period in _halves()]

    assert before > 5 > -5 > after
    assert total(quarters[1]).value > 1.5 * total(quarters[0]).value


def _halves():
    return [
        Period(datetime(2024, 12, 1, tzinfo=UTC), datetime(2025, 9, 1, tzinfo=UTC)),
        Period(datetime(2025, 12, 1, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC)),
    ]


async def test_certificates_rise_training_falls_and_one_skill_thins_out(sandbox):
    hr = {"url": sandbox.people_url, "token": "demo"}
    certified = await values("training", hr, "certification_coverage", "2025-06", "2026-05")
    trained = await values("training", hr, "training_hours", "2025-06", "2026-05")
    skilled = await values("training", hr, "skill_coverage", "2025-11", "2026-05", critical=CRITICAL_SKILLS)

    assert certified[0] < 0.6 < 0.85 < certified[1]
    assert trained[0] > 2 > 1.5 > trained[1]
    assert skilled == [1, pytest.approx(5 / 6)]


def test_the_same_seed_tells_the_same_days_whenever_it_is_started_in_a_month():
    later = NOW + timedelta(days=9)
    first, second = (forge_projects(7, now, "github")("acme/shop") for now in (NOW, later))
    assert [d for d in first.deployments if d.ended < NOW] == [d for d in second.deployments if d.ended < NOW]
    assert [c for c in first.changes if c.closed < NOW] == [c for c in second.changes if c.closed < NOW]

    early, late = people_tables(7, lambda: NOW), people_tables(7, lambda: later)
    for table in ("trainings", "certificates"):
        assert early(table) == late(table)[: len(early(table))] or set(map(str, early(table))) <= set(
            map(str, late(table))
        )


def test_nothing_of_the_future_is_told():
    table = people_tables(1, lambda: NOW)

    assert all(row["left"] is None or row["left"] <= NOW.date() for row in table("people"))
    assert all(row["answered"] is None or row["answered"] <= NOW.date() for row in table("answers"))
    assert table("salaries") is None
