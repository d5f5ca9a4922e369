"""Every question of every board, asked of a real Prometheus that scrapes the real service, healthy and then sick."""

import json
import shutil
import time

import pytest
from tests.contract.grafana_boards import BOARDS
from tests.integration.export.asking import Asker
from tests.integration.export.live import alive
from tests.integration.export.test_boards import CONFIG, EMPTY_WHEN_HEALTHY
from tests.servers import prometheus, wait_until

pytestmark = pytest.mark.skipif(shutil.which("promtool") is None, reason="Debian's prometheus is not installed")
CHOSEN = {"scorecard": "it", "kpi": "request-time"}


@pytest.fixture(scope="module")
def asked(tmp_path_factory):
    """(a Prometheus with the service's 18 months, a moment at which all was well, one at which all was ill)."""
    folder = tmp_path_factory.mktemp("live")
    with alive(folder) as live:
        live.back_fill(folder)
        config = CONFIG.format(address=live.address)
        with prometheus(folder, config, "--storage.tsdb.retention.time=800d") as server:
            runs = 'min(changes(bsc_collector_runs_total{source="itsm"}[30s])) > 1'
            wait_until(
                lambda: server.query(runs) and server.query("bsc_kpi_segment_value"), "scraped rounds of collection"
            )
            well = time.time()
            live.sicken()
            ill = "bsc_alert_firing and on () bsc_notification_failures_total > 0"
            wait_until(
                lambda: server.query(f'{ill} and on () bsc_kpi_status_code{{kpi="request-time"}} == 3'), "a scrape"
            )
            yield server, {"healthy": well, "sick": time.time()}


@pytest.mark.parametrize("run", ["healthy", "sick"])
@pytest.mark.parametrize("uid", BOARDS)
def test_every_target_variable_and_annotation_returns_data_of_the_real_service(asked, uid, run):
    server, moments = asked
    asker = Asker(server, BOARDS[uid], moments[run], bare=True, **CHOSEN)
    assert asker.faults() == []
    expected = {title for board, title in EMPTY_WHEN_HEALTHY if board == uid} if run == "healthy" else set()
    assert asker.empty == expected


def test_what_is_counted_as_trouble_is_none_in_the_healthy_run_and_some_in_the_sick(asked):
    server, moments = asked
    counts = [
        (panel["title"], target["expr"])
        for panel in BOARDS["bsc-breaches"]["panels"]
        for target in panel["targets"]
        if panel["type"] == "stat"
    ]
    quiet = {"▲ Amber KPIs", "○ Missing KPIs"}  # nothing of the kind was done
    for title, expression in counts:
        found = {}
        for run, moment in moments.items():
            asker = Asker(server, BOARDS["bsc-breaches"], moment, **CHOSEN)
            asker.faults()
            (((_, (found[run],)),), fault) = asker._run(expression, instant=True)
            assert fault is None
        assert found["healthy"] == 0, title
        assert (found["sick"] > 0) != (title in quiet), title


@pytest.mark.parametrize(
    ("before", "after", "noticed"),
    [
        ("bsc_scorecard_coverage_ratio", "bsc_scorecard_cover_ratio", "Coverage"),
        ("bsc_scorecard_status_code{", "bsc_scorecard_status_code){", "parse error"),
        ("$scorecard\\", "$scorecardz\\", "unknown variable $scorecardz"),
    ],
)
def test_the_check_of_the_real_service_notices_a_mutant(asked, before, after, noticed):
    server, moments = asked
    text = json.dumps(BOARDS["bsc-overview"])
    assert before in text
    asker = Asker(server, json.loads(text.replace(before, after)), moments["healthy"], bare=True, **CHOSEN)
    faults = asker.faults()
    assert noticed in asker.empty or any(noticed in fault for fault in faults), faults
