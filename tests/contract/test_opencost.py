"""``opencost`` on a few workloads computed by hand, on the project's documented answer, and on bad ones."""

import json
from contextlib import asynccontextmanager
from datetime import date, timedelta

import pytest
from tests.contract.cost_run import EXAMPLES, NOW, Asker, Stub, bill, day, month, parts, served

from bsc_monitor.model.status import CollectorError, Completeness, ReadingState
from bsc_monitor.sandbox.cloud.ledger import Workload
from bsc_monitor.sandbox.cloud.opencost import opencost_app

WORK = {
    date(2026, 5, 1): (
        Workload("prod", "shop", 60.0, {"team": "shop"}), Workload("prod", "kube-system", 10.0), Workload("prod", "__idle__", 30.0),
    ),
    date(2026, 5, 2): (Workload("test", "lab", 15.0, {"team": "lab"}), Workload("test", "__idle__", 5.0)),
}  # fmt: skip

FIRST = day("2026-05-01")


def every_day(year, number):
    """May whole, so that its days are covered."""
    first = date(year, number, 1)
    days = [first + timedelta(days=n) for n in range(31)]
    return {each: WORK.get(each, (Workload("prod", "shop", 0.0),)) for each in days}


@asynccontextmanager
async def asking(workloads=None, now=NOW, **config):
    book = bill(now=now, workloads=every_day(2026, 5) if workloads is None else workloads)
    async with served(opencost_app(lambda: book)) as url, Asker("opencost", {"url": url, **config}) as asker:
        yield asker


async def test_cost_includes_idle_and_breaks_down_by_namespace_cluster_and_label():
    async with asking() as clusters:
        found = await clusters.readings("net_cost", month("2026-05"), by=("namespace", "label:team"))
        two = await clusters.total("net_cost", month("2026-05"), namespaces=["shop", "lab"])

    assert (found[0].value, found[0].unit, found[0].state) == (pytest.approx(120.0), "USD", ReadingState.OK)
    assert parts(found, "namespace") == {"shop": pytest.approx(60), "kube-system": pytest.approx(10), "lab": pytest.approx(15), "idle": pytest.approx(35)}  # fmt: skip
    assert parts(found, "label:team") == {"shop": pytest.approx(60), "lab": pytest.approx(15), "none": pytest.approx(10), "idle": pytest.approx(35)}  # fmt: skip
    assert two.value == pytest.approx(75.0)


async def test_idle_share_in_all_and_by_cluster():
    async with asking() as clusters:
        found = await clusters.readings("idle_share", month("2026-05"), by=("cluster",))
        wrong = await clusters.result("idle_share", month("2026-05"), by=("namespace",))

    assert found[0].value == pytest.approx(35 / 120)
    assert (found[0].numerator, found[0].denominator) == (pytest.approx(35), pytest.approx(120))
    assert parts(found, "cluster") == {"prod": pytest.approx(0.3), "test": pytest.approx(0.25)}
    assert "belongs to a cluster" in wrong.error.message


async def test_untagged_and_run_share_leave_idle_cost_out():
    async with asking() as clusters:
        untagged = await clusters.total("untagged_share", month("2026-05"), label="team")
        by_label = await clusters.total("run_share", month("2026-05"), label="team", run=["shop"], change=["lab"])
        by_namespace = await clusters.total("run_share", month("2026-05"), run=["shop", "kube-system"], change=["lab"])

    assert untagged.value == pytest.approx(10 / 85)
    assert by_label.value == pytest.approx(60 / 75)
    assert by_namespace.value == pytest.approx(70 / 85)


async def test_a_budget_file_is_the_measure_of_the_days_so_far(tmp_path):
    (tmp_path / "budget.csv").write_text("month,amount,currency\n2026-05,100,USD\n2026-06,300,USD\n")
    june = {date(2026, 6, number): (Workload("prod", "shop", 12.0),) for number in range(1, 16)}
    async with asking({**every_day(2026, 5), **june}, budget_file=str(tmp_path / "budget.csv")) as clusters:
        past = await clusters.total("budget_variance", month("2026-05"))
        running = await clusters.total("budget_variance", month("2026-06"))

    assert past.value == pytest.approx(20.0)
    assert running.value == pytest.approx((14 * 12 - 140) / 140 * 100)  # 1-14 June
    assert running.completeness is Completeness.PROVISIONAL


async def test_days_that_prometheus_forgot_make_the_value_partial_and_none_at_all_no_data():
    async with asking(WORK) as clusters:  # two days of May
        thin = await clusters.total("net_cost", month("2026-05"))
        none = await clusters.total("net_cost", month("2026-04"))

    assert (thin.value, thin.state) == (pytest.approx(120.0), ReadingState.PARTIAL)
    assert "29 of 31 days" in thin.note
    assert (none.value, none.state) == (None, ReadingState.NO_DATA)


async def test_a_day_is_asked_for_once_by_all_kpis():
    async with asking() as clusters:
        await clusters.total("net_cost", month("2026-05"))
        first = clusters.requests
        await clusters.total("run_share", month("2026-05"), run=["shop"], change=["lab"])

    assert first == 5  # a week at a time
    assert clusters.requests == first


async def stubbed(*answers, measure="net_cost", period=FIRST, **params):
    stub = Stub(*answers)
    async with served(stub.app()) as url, Asker("opencost", {"url": url, "token": "t0ken"}, timeout=5) as clusters:
        return await clusters.result(measure, period, **params), stub


async def test_the_projects_documented_answer_is_read():
    recorded = json.loads((EXAMPLES / "opencost_allocation_0.json").read_text())["response"]["body"]
    result, stub = await stubbed((200, recorded), by=("namespace",))

    assert parts(result.readings, "namespace") == {"kube-system": 0.425469, "opencost": 0.030644, "prometheus": 0.0}
    assert result.readings[0].value == pytest.approx(0.456113)
    assert stub.seen[0][1].startswith("/api/allocation/compute?window=2026-05-01T00:00:00Z,2026-05-02T00:00:00Z")
    assert stub.seen[0][2]["Authorization"] == "Bearer t0ken"


@pytest.mark.parametrize(
    ("status", "body", "reason", "words"),
    [
        (400, {"code": 400, "message": "Invalid 'aggregate' parameter"}, CollectorError.CONFIG, "aggregate"),
        (401, {"message": "who are you"}, CollectorError.AUTH, "credentials"),
        (403, {"message": "no"}, CollectorError.PERMISSION, "not permitted"),
        (200, "<html><title>Grafana</title>", CollectorError.SCHEMA, "Grafana"),
        (200, '{"code": 200, "data": [{"a": {', CollectorError.SCHEMA, "stops in the middle"),
        (200, {"code": 200, "data": {}}, CollectorError.SCHEMA, "is this OpenCost"),
        (200, {"code": 200, "data": [{}, {}]}, CollectorError.SCHEMA, "2 sets for 1 days"),
        (200, {"code": 200, "data": [{"a": {"minutes": 1}}]}, CollectorError.SCHEMA, "no allocation"),
        (200, '{"code": 200, "data": [{"a": {"totalCost": NaN, "minutes": 1}}]}', CollectorError.SCHEMA, "NaN"),
        (200, {"code": 500, "message": "error computing allocations: bad response from Prometheus"}, CollectorError.CONFIG, "Prometheus"),
    ],
)  # fmt: skip
async def test_bad_answers_are_errors_in_words(status, body, reason, words):
    result, _ = await stubbed((status, body))

    assert result.error.reason is reason
    assert words in result.error.message
    assert "t0ken" not in result.error.message


async def test_an_empty_set_is_no_data_not_zero():
    result, _ = await stubbed((200, {"code": 200, "data": [None]}))

    assert result.readings[0].state is ReadingState.NO_DATA
