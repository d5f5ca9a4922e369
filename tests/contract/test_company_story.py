"""The generated company tells its story through the collector, and tells it again by the same seed."""

from datetime import UTC, datetime, timedelta

import pytest
from tests.contract.servicenow_run import month, run, total

from bsc_monitor.sandbox import start
from bsc_monitor.sandbox.company import servicenow_tables

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)  # the story runs from 2024-12; swarming starts in 2025-12
ALL = {
    "sc_req_item", "change_request", "u_training", "fm_expense_line", "cmdb_ci_outage", "problem", "sys_user",
}  # fmt: skip


@pytest.fixture
async def url():
    sandbox = await start(now=lambda: NOW)
    yield sandbox.servicenow_url
    await sandbox.stop()


async def values(url, measure, *labels, **params):
    return [total(await run(url, measure, month(label), now=NOW, **params)).value for label in labels]


async def test_fulfilment_time_drifts_to_breach(url):
    found = await values(url, "request_fulfilment_time", "2024-12", "2025-06", "2025-12", "2026-05")

    assert found == sorted(found)
    assert found[0] < 25 < 50 < found[-1]


async def test_swarming_lowers_the_time_to_resolve_and_the_advisory_board_changes_nothing(url):
    before, after = await values(url, "mttr", "2025-09", "2026-04")
    boards = await values(url, "change_success_rate", "2025-08", "2025-10", "2026-02", "2026-04")

    assert before > 26
    assert after < 21
    assert all(0.8 < value < 0.96 for value in boards)


async def test_the_target_of_service_levels_is_too_easy_and_satisfaction_is_quiet(url):
    assert all(value > 0.96 for value in await values(url, "sla_met_ratio", "2025-01", "2026-05"))
    assert all(76 < value < 88 for value in await values(url, "csat", "2025-01", "2025-07", "2026-05"))


def test_the_same_seed_tells_the_same_days_whenever_it_is_started_in_a_month():
    early, late = servicenow_tables(7, NOW), servicenow_tables(7, NOW + timedelta(days=9))

    for name in ALL:
        first, second = early[name]().rows, late[name]().rows
        settled = {key for key, row in second.items() if row.get("sys_updated_on", "") <= "2026-06-15 12:00:00"}
        assert settled
        assert all(first[key] == second[key] for key in settled)


def test_another_seed_tells_another_story():
    rows = [list(servicenow_tables(seed, NOW)["sc_req_item"]().rows.values())[:5] for seed in (1, 2)]

    assert rows[0] != rows[1]


async def test_incidents_keep_arriving_while_the_sandbox_runs():
    clock = [NOW]
    sandbox = await start(now=lambda: clock[0])
    try:
        [before] = await values(sandbox.servicenow_url, "opened", "2026-06")

        clock[0] = NOW + timedelta(days=4)
        later = total(await run(sandbox.servicenow_url, "opened", month("2026-06"), now=clock[0])).value
        backlog = total(await run(sandbox.servicenow_url, "backlog", month("2026-06"), now=clock[0])).value
    finally:
        await sandbox.stop()

    assert later > before + 20
    assert 0 < backlog < later
