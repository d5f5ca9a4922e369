"""The ``bsc_monitor`` collector on a real board of the web room, against what its board shows."""

import pytest
from aiohttp.test_utils import TestServer
from tests.contract.collector_run import check, month, run, total
from tests.unit.web import site

from bsc_monitor.plugin import CollectorError, ReadingState, SourceError
from bsc_monitor.web import create_app

JUNE, MAY = month("2026-06"), month("2026-05")


@pytest.fixture
async def other(tmp_path):
    store = site.open_store(tmp_path / "board.db")
    server = TestServer(create_app(site.make_board(store)), host="127.0.0.1")
    await server.start_server()
    yield {"url": str(server.make_url(""))}
    await server.close()
    store.close()


async def ask(config, measure, period=JUNE, now=site.NOW, **params):
    return total(await run("bsc_monitor", config, measure, period, now=now, **params))


async def test_scores_of_a_kpi_and_of_the_nodes_above_it(other):
    await check("bsc_monitor", other)
    kpi = await ask(other, "score", kpi="it/mttr")
    card = await ask(other, "score", scorecard="it")
    objective = await ask(other, "score", objective="it/restore-fast")
    perspective = await ask(other, "score", perspective="it/customer")

    assert kpi.value == 12
    assert all(0 <= reading.value <= 100 for reading in (card, objective, perspective))
    assert len({card.value, objective.value, perspective.value}) == 3
    assert kpi.evidence.endswith("/kpis/it/mttr")


async def test_a_value_comes_in_its_own_unit(other):
    reading = await ask(other, "value", kpi="it/mttr")

    assert (reading.value, reading.unit) == (31.5, "h")


async def test_what_is_stale_or_unknown_there_is_no_data_here(other):
    for kpi in ("it/backlog", "it/training"):
        for measure in ("value", "score"):
            reading = await ask(other, measure, kpi=kpi)
            assert (reading.value, reading.state) == (None, ReadingState.NO_DATA)
    assert "stale there" in (await ask(other, "value", kpi="it/backlog")).note


async def test_the_past_is_what_was_frozen_then(other):
    before = await ask(other, "value", MAY, kpi="it/sla")
    then, now = [await ask(other, "score", period, scorecard="it") for period in (MAY, JUNE)]
    never = await ask(other, "value", month("2019-05"), kpi="it/mttr")

    assert before.value == pytest.approx(81.216)  # 86.4 now
    assert then.value == pytest.approx(now.value - 1)
    assert before.period == MAY
    assert never.state is ReadingState.NO_DATA


async def test_the_share_of_kpis_by_status(other):
    reading = await ask(other, "status_share", scorecard="it", statuses=["red"])

    assert (reading.numerator, reading.denominator) == (2, 11)


async def test_names_that_do_not_exist_or_are_none_are_told(other):
    with pytest.raises(SourceError, match="no objective 'it/none'"):
        await ask(other, "score", objective="it/none")
    with pytest.raises(SourceError) as caught:
        await ask(other, "value", kpi="it/none")
    assert caught.value.reason is CollectorError.CONFIG
    for params in ({}, {"kpi": "it/mttr", "scorecard": "it"}, {"kpi": "../../x"}):
        with pytest.raises(SourceError, match="parameters"):
            await ask(other, "score", **params)
