"""The ``prometheus`` collector against a real Prometheus that scrapes itself and evaluates known rules."""

import asyncio
import shutil
import socket
import subprocess
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest

from bsc_monitor.collect.live import open_source
from bsc_monitor.collect.plugins import find_plugins
from bsc_monitor.collect.run import run_measure
from bsc_monitor.collect.streams import TransientRecords
from bsc_monitor.model.period import Calendar, Period
from bsc_monitor.model.source import Source
from bsc_monitor.plugin import CollectorError, ReadingState

RULES = """
groups:
- name: known
  interval: 1s
  rules:
  - {record: answer, expr: "vector(42)"}
  - {record: team_hours, expr: "vector(3)", labels: {team: a}}
  - {record: team_hours, expr: "vector(4)", labels: {team: b}}
"""

pytestmark = pytest.mark.skipif(shutil.which("prometheus") is None, reason="Debian's prometheus is not installed")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("prometheus")
    (folder / "rules.yml").write_text(RULES)
    (folder / "prometheus.yml").write_text("rule_files: [rules.yml]\nglobal: {scrape_interval: 1s}\n")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        ["prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data",
         f"--web.listen-address=127.0.0.1:{port}"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    url = f"http://127.0.0.1:{port}"
    asyncio.run(answering(url))
    yield url
    process.terminate()
    process.wait(10)


async def answering(url):
    async with asyncio.timeout(60), aiohttp.ClientSession() as session:
        while True:
            try:
                async with session.get(
                    f"{url}/api/v1/query", params={"query": "count_over_time(answer[1m]) > 3"}
                ) as reply:
                    if (await reply.json())["data"]["result"]:
                        return
            except (aiohttp.ClientError, KeyError):
                pass
            await asyncio.sleep(0.1)


async def ask(url, measure, by=(), **params):
    cls = find_plugins([], with_entry_points=False).collectors["prometheus"]
    live = open_source(Source("s", "prometheus", cls.Config(url=url)), cls)
    now = datetime.now(UTC)
    period = Period(now - timedelta(hours=1), now + timedelta(hours=1))
    try:
        return await run_measure(
            live, measure, params, period=period, now=now, calendar=Calendar(), records=TransientRecords(), by=by
        )
    finally:
        await live.client.close()


@pytest.mark.parametrize(
    ("query", "value"),
    [("answer", 42), ("scalar(answer) / 2", 21), ("sum(team_hours)", 7), ("vector($period / 1s)", None), ("7", 7)],
)
async def test_an_expression_that_gives_one_number_is_the_value(server, query, value):
    result = await ask(server, "query", query=query)
    if value is None:  # durations are no numbers in PromQL: refused, quoting the server
        assert result.error.reason is CollectorError.CONFIG
        assert "parse error" in result.error.message
        return
    assert result.error is None, result.error
    assert [reading.value for reading in result.readings] == [value]
    assert abs(result.readings[0].at - datetime.now(UTC)) < timedelta(seconds=30)
    assert result.readings[0].evidence.startswith(f"{server}/graph?g0.expr=")


async def test_several_series_need_a_breakdown(server):
    split = await ask(server, "query", query="team_hours", by=("team",))
    assert {reading.labels["team"]: reading.value for reading in split.readings} == {"a": 3, "b": 4}
    error = (await ask(server, "query", query="team_hours")).error
    assert error.reason is CollectorError.CONFIG
    assert "2 series" in error.message


@pytest.mark.parametrize("query", ["nothing_of_that_name", "vector(0) / 0"])
async def test_no_series_and_nan_are_no_data(server, query):
    result = await ask(server, "query", query=query)
    assert [(r.value, r.state) for r in result.readings] == [(None, ReadingState.NO_DATA)]


async def test_infinity_and_a_syntax_error_are_told_in_words(server):
    assert "gives infinity" in (await ask(server, "query", query="vector(1) / 0")).error.message
    assert "parse error" in (await ask(server, "query", query="sum(")).error.message


async def test_the_period_is_filled_into_the_expression(server):
    result = await ask(server, "query", query="max_over_time(answer[$period])")
    assert result.readings[0].value == 42


async def test_history_gives_one_reading_a_step(server):
    result = await ask(server, "history", query="answer", step=1)
    assert result.error is None, result.error
    assert {reading.value for reading in result.readings} == {42}
    instants = [reading.at for reading in result.readings]
    assert instants == sorted(set(instants))
