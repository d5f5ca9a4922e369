"""The exported past, taken by promtool and asked of a real Prometheus."""

import shutil
import subprocess
from datetime import UTC, datetime, timedelta

import pytest
from tests.servers import prometheus

from bsc_monitor.export.openmetrics_history import PastValue, history_lines
from bsc_monitor.model.organisation import Kpi, Organisation
from bsc_monitor.model.status import Status

pytestmark = pytest.mark.skipif(shutil.which("promtool") is None, reason="Debian's prometheus is not installed")


def test_prometheus_answers_for_the_past_that_was_exported(tmp_path):
    kpi = Kpi("mttr", "it", "customer", "it/fast", "Time to restore", unit="h")
    day = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=10)
    past = [PastValue(kpi.name, day + timedelta(days=n), n + 1.0, 80.0 + n, Status.GREEN) for n in (2, 0, 1)]
    past += [PastValue(kpi.name, day + timedelta(days=3), None, None, Status.UNKNOWN)]
    (tmp_path / "past.om").write_bytes(b"".join(history_lines(Organisation(kpis={kpi.name: kpi}), past)))
    subprocess.run(
        ["promtool", "tsdb", "create-blocks-from", "--max-block-duration=8760h", "openmetrics", "past.om", "data"],
        cwd=tmp_path, check=True, capture_output=True,
    )  # fmt: skip
    with prometheus(tmp_path, "global: {scrape_interval: 1m}\n") as server:
        for n in range(3):
            at = (day + timedelta(days=n)).timestamp()
            assert [value for _, value in server.query("bsc_kpi_value", time=at)] == [(n + 1) * 3600.0]
            assert [value for _, value in server.query("bsc_kpi_score", time=at)] == [80.0 + n]
        at = (day + timedelta(days=3)).timestamp()
        assert [value for _, value in server.query("bsc_kpi_status_code", time=at)] == [0]
        assert server.query("bsc_kpi_value", time=at) == []
