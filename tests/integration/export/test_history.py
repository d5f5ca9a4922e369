"""The exported past, taken by promtool and asked of a real Prometheus."""

import shutil
import subprocess
from datetime import UTC, datetime, timedelta

import pytest
from tests.servers import prometheus

from bsc_monitor.export.openmetrics_history import history_lines
from bsc_monitor.model.organisation import Kpi, Organisation, Perspective, Scorecard, Thresholds
from bsc_monitor.model.period import Period
from bsc_monitor.model.period_value import NodePeriod, PeriodValue
from bsc_monitor.model.status import Status

pytestmark = pytest.mark.skipif(shutil.which("promtool") is None, reason="Debian's prometheus is not installed")

MIDNIGHT = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=10)
KPI = Kpi("mttr", "it", "customer", "it/fast", "Time to restore", unit="h")
CARD = Scorecard("it", "IT", perspectives=(Perspective("customer", "it", "Customer"),))
ORGANISATION = Organisation({"it": CARD}, kpis={KPI.name: KPI})


def day(n):
    return Period(MIDNIGHT + timedelta(days=n), MIDNIGHT + timedelta(days=n + 1))


def closed(n, value, **more):
    limits = Thresholds(target=2.0, red=4.0)
    status = Status.UNKNOWN if value is None else Status.GREEN
    score = None if value is None else 80.0 + n
    return PeriodValue(
        KPI.name, day(n), value=value, thresholds=limits, score=score, status=status, closed_at=day(n).end, **more
    )


def test_prometheus_answers_for_the_past_that_was_exported(tmp_path):
    past = [*(closed(n, n + 1.0) for n in (2, 0, 1)), closed(3, None), closed(0, 9.0, labels=(("team", "a"),))]
    past.append(PeriodValue(KPI.name, day(4), value=77.0))
    nodes = [NodePeriod("scorecard", "it", day(0), 70.0, Status.GREEN, 1.0, closed_at=day(0).end)]
    target = {"job": "bsc-monitor", "instance": "here:9877"}
    (tmp_path / "past.om").write_bytes(b"".join(history_lines(ORGANISATION, past, nodes, target)))
    subprocess.run(
        ["promtool", "tsdb", "create-blocks-from", "--max-block-duration=8760h", "openmetrics", "past.om", "data"],
        cwd=tmp_path, check=True, capture_output=True,
    )  # fmt: skip
    with prometheus(tmp_path, "global: {scrape_interval: 1m}\n") as server:

        def ask(name, n):
            return server.query(name, time=day(n).end.timestamp() - 1)

        for n in range(3):
            assert [value for _, value in ask("bsc_kpi_value", n)] == [(n + 1) * 3600.0]
            assert [value for _, value in ask("bsc_kpi_score", n)] == [80.0 + n]
            assert [value for _, value in ask("bsc_kpi_target_value", n)] == [7200.0]
        assert [value for _, value in ask("bsc_kpi_status_code", 3)] == [0]
        assert ask("bsc_kpi_value", 3) == ask("bsc_kpi_value", 4) == []
        ((labels, value),) = ask("bsc_scorecard_score", 0)
        assert value == 70.0
        assert labels == {"__name__": "bsc_scorecard_score", "scorecard": "it"} | target
