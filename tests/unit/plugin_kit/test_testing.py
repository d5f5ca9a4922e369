"""The helpers for plugin authors."""

from datetime import UTC, datetime

import pytest

from bsc_monitor.plugin import Collector, CollectorError, Params, Reading, Secret, SourceConfig, measure
from bsc_monitor.testing import Clock, SourceServer, run_measure
from bsc_monitor.testing.fixtures import clock, source_server  # noqa: F401


class Numbers(Collector):
    name = "numbers"

    class Config(SourceConfig):
        url: str
        token: Secret

    class Which(Params):
        key: str = "n"

    @measure(unit="count", title="Number")
    async def number(self, ctx, p: Which) -> Reading:
        reply = await ctx.http.get(f"{self.config.url}/{p.key}", bearer=self.config.token)
        ctx.checkpoint["seen"] = ctx.checkpoint.get("seen", 0) + 1
        return Reading(reply.json()["number"], at=ctx.now)

    @measure(unit="count", title="Teams")
    async def teams(self, ctx) -> list[Reading]:
        return [Reading(1.0, labels={"team": "a"}), Reading(2.0, labels={"team": "b"})]


def ask(server, **more):
    return run_measure(Numbers, "number", config={"url": server.url, "token": "t0ken"}, **more)


def test_a_measure_runs_at_the_end_of_its_period_unless_told_otherwise(source_server):  # noqa: F811
    source_server.answer("/n", {"number": 3})
    outcome = ask(source_server, checkpoint={"seen": 4})
    assert (outcome.value, outcome.reading.at) == (3, datetime(2026, 6, 1, tzinfo=UTC))
    assert (outcome.requests, outcome.checkpoint) == (1, {"seen": 5})
    assert ask(source_server, now=datetime(2026, 5, 9, tzinfo=UTC)).reading.at == datetime(2026, 5, 9, tzinfo=UTC)


def test_a_failed_run_tells_its_error_when_the_value_is_wanted(source_server):  # noqa: F811
    outcome = ask(source_server)
    assert outcome.error.reason is CollectorError.CONFIG
    with pytest.raises(type(outcome.error)):
        _ = outcome.value
    with pytest.raises(LookupError, match="0 readings without labels, of 2"):
        _ = run_measure(Numbers, "teams", config={"url": "http://127.0.0.1", "token": "t"}).reading


def test_answers_are_recorded_and_replayed_without_the_source_and_its_secret(tmp_path):
    with SourceServer() as server:
        server.answer("/n", {"number": 3, "echo": "t0ken"})
        assert ask(server, record=tmp_path).value == 3
    assert ask(server, replay=tmp_path).value == 3
    assert "t0ken" not in "".join(file.read_text() for file in tmp_path.iterdir())


def test_answers_follow_one_another_and_the_last_one_stays(source_server):  # noqa: F811
    for number in (1, 2):
        source_server.answer("/n", {"number": number})
    assert [ask(source_server).value for _ in range(3)] == [1, 2, 2]
    assert source_server.asked[0].headers["authorization"] == "Bearer t0ken"


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("401", CollectorError.AUTH), ("403", CollectorError.PERMISSION), ("429", CollectorError.RATE_LIMIT),
        ("500", CollectorError.TRANSIENT), ("time-out", CollectorError.TIMEOUT), ("garbage", CollectorError.SCHEMA),
        ("html", CollectorError.SCHEMA), ("cut off", CollectorError.SCHEMA),
    ],
)  # fmt: skip
def test_each_fault_of_a_source_has_its_class(source_server, fault, reason):  # noqa: F811
    source_server.fault = fault
    assert ask(source_server, timeout=0.5).error.reason is reason


def test_the_clock_stands_until_it_is_told_to_go_on(clock):  # noqa: F811
    before = clock()
    assert clock() == before
    assert (clock.advance(hours=2) - before).total_seconds() == 7200
    assert Clock(datetime(2026, 1, 1, tzinfo=UTC))().year == 2026
