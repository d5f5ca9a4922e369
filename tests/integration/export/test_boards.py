"""Every question of every board, asked of a real Prometheus that scrapes the company, healthy and sick."""

import copy
import json
import shutil
import time

import pytest
from tests.contract.grafana_boards import BOARDS, panels
from tests.integration.export.asking import Asker, substitute
from tests.integration.export.company import back_fill, served
from tests.servers import prometheus, wait_until

pytestmark = pytest.mark.skipif(shutil.which("promtool") is None, reason="Debian's prometheus is not installed")

#: Lists of trouble: empty when all is well (and then said so in words), and only then.
EMPTY_WHEN_HEALTHY = {
    ("bsc-overview", "Late initiatives"), ("bsc-breaches", "In breach"), ("bsc-breaches", "Firing alerts"),
    ("bsc-wall", "In breach"),
}  # fmt: skip

CONFIG = """
global: {{scrape_interval: 1s, scrape_timeout: 1s}}
scrape_configs:
- {{job_name: bsc-monitor, static_configs: [{{targets: ["{address}"]}}]}}
- job_name: bsc-monitor-segments
  metrics_path: /metrics/segments
  static_configs: [{{targets: ["{address}"]}}]
  relabel_configs:
  - {{target_label: job, replacement: bsc-monitor}}
  - {{target_label: endpoint, replacement: segments}}
"""


@pytest.fixture(scope="module", params=["healthy", "sick"])
def scraped(request, tmp_path_factory):
    """(run, a Prometheus with a year of history that has seen several rounds of collection)."""
    folder = tmp_path_factory.mktemp(request.param)
    with served(sick=request.param == "sick") as answering:
        back_fill(folder, answering)
        config = CONFIG.format(address=answering.address)
        with prometheus(folder, config, "--storage.tsdb.retention.time=800d") as server:

            def rounds():
                answering.tick()
                return [value for _, value in server.query("min(changes(bsc_collector_runs_total[30s])) > 2")]

            wait_until(rounds, "several scraped rounds of collection")
            wait_until(lambda: server.query("bsc_kpi_segment_value"), "the segments' scrape")
            yield request.param, server


@pytest.mark.parametrize("uid", BOARDS)
def test_every_target_variable_and_annotation_returns_data_and_legends_and_columns_resolve(scraped, uid):
    run, server = scraped
    asker = Asker(server, BOARDS[uid], time.time(), scorecard="it", kpi="availability")
    assert asker.faults() == []
    expected = {title for board, title in EMPTY_WHEN_HEALTHY if board == uid} if run == "healthy" else set()
    assert asker.empty == expected


def test_a_scorecard_without_links_still_has_its_map(scraped):
    _, server = scraped
    asker = Asker(server, BOARDS["bsc-strategy"], time.time(), scorecard="company")
    assert asker.faults() == []
    result, fault = asker._run(next(t["expr"] for t in BOARDS["bsc-strategy"]["panels"][0]["targets"]), instant=True)
    assert fault is None
    assert [labels["id"] for labels, _ in result] == ["grow"]


def test_no_edge_leads_to_a_missing_node(scraped):
    _, server = scraped
    for panel in BOARDS["bsc-strategy"]["panels"]:
        if panel["type"] == "nodeGraph":
            asker = Asker(server, BOARDS["bsc-strategy"], time.time(), scorecard="it")
            asker.faults()
            frames = {
                target["refId"]: server.query(substitute(target["expr"], asker.filled)) for target in panel["targets"]
            }
            wanted = {"id", "title", "secondarystat", "color"}
            wanted |= {"subtitle", "fixedX", "fixedY"} if panel["title"] == "Strategy map" else set()
            assert all(wanted <= labels.keys() for labels, _ in frames["nodes"])
            nodes = [labels["id"] for labels, _ in frames["nodes"]]
            assert len(set(nodes)) == len(nodes) > 1
            ends = {labels[end] for labels, _ in frames["edges"] for end in ("source", "target")}
            assert ends
            assert ends <= set(nodes)


def test_lists_that_may_be_empty_say_so_in_words():
    for uid, title in EMPTY_WHEN_HEALTHY:
        (panel,) = [panel for panel in panels(BOARDS[uid]) if panel["title"] == title]
        assert panel["fieldConfig"]["defaults"]["noValue"].startswith("✔")


@pytest.mark.parametrize(
    ("before", "after", "noticed"),
    [
        ("bsc_scorecard_coverage_ratio", "bsc_scorecard_cover_ratio", "empty"),
        ("bsc_scorecard_status_code{", "bsc_scorecard_status_code){", "parse error"),
        ("$scorecard\\", "$scorecardz\\", "unknown variable $scorecardz"),
        ("{{scorecard}}", "{{score_card}}", "the legend's score_card"),
        ("Value #score", "Value #scores", "no field"),
        ("label_values(bsc_scorecard_info{", "label_values(bsc_scorecards_info{", "no values"),
    ],
)
def test_the_check_notices_a_mutant(scraped, before, after, noticed):
    _, server = scraped
    text = json.dumps(copy.deepcopy(BOARDS["bsc-overview"]))
    assert before in text
    asker = Asker(server, json.loads(text.replace(before, after)), time.time())
    faults = asker.faults()
    if noticed == "empty":
        assert "Coverage" in asker.empty
    else:
        assert any(noticed in fault for fault in faults), faults


def test_the_past_that_was_back_filled_and_the_present_are_one_series(scraped):
    _, server = scraped
    (count,) = [value for _, value in server.query("count(count by (kpi) (last_over_time(bsc_kpi_score[400d])))")]
    assert count == 6
    ((labels, _),) = server.query('changes(bsc_kpi_score{kpi="availability"}[400d]) > 5')
    assert labels["job"] == "bsc-monitor"
