"""The whole line on real servers: a source's answer to PromQL, to an alert in Alertmanager, to a page, and back again."""

import hashlib
import hmac
import json
import threading
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from tests.servers import alertmanager, prometheus, wait_until
from tests.service_process import running

CONFIG = """
[service]
listen = "127.0.0.1:{port}"
database = "sqlite:///line.db"

[sources.desk]
plugin = "http_json"
url = "SOURCE"
every = "1h"
webhook_secrets = ["hook-secret"]

[sources.gone]
plugin = "http_json"
url = "http://127.0.0.1:1/nothing"
every = "1h"

[scorecards.company]
[objectives.trust]
scorecard = "company"
perspective = "customer"

[scorecards.it]
parent = "company"
[objectives.restore]
scorecard = "it"
perspective = "internal_process"
supports = "company/trust"
[objectives.other]
scorecard = "it"
perspective = "financial"

[kpis.mttr]
objective = "restore"
title = 'Mean "time" to <script>resolve'
source = "desk"
measure = "value"
params = { select = "hours" }
unit = "h"
better = "lower"
red = 24
target = 8

[kpis.lost]
objective = "other"
source = "gone"
measure = "value"
params = { select = "x" }
red = 1
target = 2

[alerts.kpi-red]
when = "breach"
for = "1s"
severity = "critical"

[receivers.ops]
alertmanager = ["ALERTMANAGER"]
[routes.default]
receivers = ["ops"]
group_wait = "0s"
group_interval = "1s"
"""
ALERTMANAGER = "route: {receiver: none}\nreceivers: [{name: none}]\n"
PROMETHEUS = """
global: {scrape_interval: 1s}
scrape_configs:
  - job_name: bsc-monitor
    static_configs: [{targets: ["TARGET"]}]
"""


class Source:
    """A web service whose answer can be set; it counts how often it was asked."""

    def __init__(self):
        self.answer, self.asked = {"hours": 4.0}, 0
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                outer.asked += 1
                body = json.dumps(outer.answer).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *words):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/kpi"


def ring(service, number, secret="hook-secret"):
    """A signed webhook, as a source sends it."""
    body = json.dumps({"event": number, "at": datetime.now(UTC).isoformat()}).encode()
    signature = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return service.post("/webhooks/desk", body, {"X-Hub-Signature-256": signature})


@pytest.fixture(scope="module")
def line(tmp_path_factory):
    """Source, Alertmanager, the service and a Prometheus that scrapes it."""
    source = Source()
    folders = [tmp_path_factory.mktemp(name) for name in ("alertmanager", "service", "prometheus")]
    with alertmanager(folders[0], ALERTMANAGER) as manager:
        text = CONFIG.replace("SOURCE", source.url).replace("ALERTMANAGER", manager.url)
        with running(folders[1], text) as service:
            target = f"127.0.0.1:{service.port}"
            with prometheus(folders[2], PROMETHEUS.replace("TARGET", target)) as prom:
                yield source, manager, service, prom
    source.server.shutdown()
    source.server.server_close()


def kpi(service):
    return service.json("/api/v1/kpis/it/mttr")


def test_prometheus_answers_the_same_numbers_as_the_api(line):
    _, _, service, prom = line
    wait_until(lambda: kpi(service)["value"] == 4.0, "the value")
    said = kpi(service)
    (value,) = wait_until(lambda: prom.query('bsc_kpi_value{kpi="mttr"}'), "a scrape")
    assert value[1] == said["value"] * 3600
    assert value[0]["unit"] == "seconds"
    assert prom.query('bsc_kpi_score{kpi="mttr"}')[0][1] == pytest.approx(said["score"])
    cards = {card["name"]: card["score"] for card in service.json("/api/v1/scorecards")["items"]}
    for labels, score in prom.query("bsc_scorecard_score"):
        assert score == pytest.approx(cards[labels["scorecard"]])
    assert {labels["scorecard"] for labels, _ in prom.query("bsc_scorecard_score")} == {"it", "company"}


def test_a_failing_source_is_told_in_words_and_the_others_do_not_notice(line):
    _, _, service, _ = line
    wait_until(lambda: any(value == 0 for value in service.metrics("bsc_collector_up").values()), "its failure")
    page = service.text("/sources")
    assert "127.0.0.1:1" in page
    assert kpi(service)["status"] == "green"


def test_a_hostile_title_is_shown_as_text(line):
    _, _, service, _ = line
    for page in ("/", "/scorecards/it", "/kpis/it/mttr"):
        assert "<script>resolve" not in service.text(page)
    assert "&lt;script&gt;resolve" in service.text("/kpis/it/mttr")


def test_a_webhook_with_a_wrong_signature_is_refused_and_triggers_nothing(line):
    source, _, service, _ = line
    before = source.asked
    with pytest.raises(Exception, match="401"):
        ring(service, 0, secret="guessed")
    assert source.asked == before


def test_a_webhook_brings_a_breach_to_alertmanager_and_its_end_too(line):
    source, manager, service, _ = line

    def firing():
        alerts = json.loads(manager.get("/api/v2/alerts", active="true"))
        return [each for each in alerts if each["labels"].get("kpi") == "mttr"]

    source.answer = {"hours": 30.0}
    assert ring(service, 1)[0] == 202
    (alert,) = wait_until(firing, "the alert in Alertmanager")
    assert alert["labels"]["alertname"] == "kpi-red"
    assert alert["labels"]["severity"] == "critical"
    assert "30 h" in json.dumps(alert["annotations"])
    assert any(each["labels"].get("kpi") == "mttr" for each in service.json("/api/v1/alerts")["items"])
    source.answer = {"hours": 5.0}
    ring(service, 2)
    wait_until(lambda: not firing(), "its end")


def test_a_threshold_edited_in_the_file_is_in_force_without_a_restart(line):
    _, _, service, _ = line
    wait_until(lambda: kpi(service)["status"] == "green", "green again")
    service.config.write_text(service.config.read_text().replace("red = 24\ntarget = 8", "red = 4\ntarget = 2"))
    wait_until(lambda: kpi(service)["status"] == "red", "the new threshold")
    service.config.write_text(service.config.read_text().replace("red = 4\ntarget = 2", "red = 4\ntarget = oops"))
    wait_until(lambda: service.metrics("bsc_config_last_reload_successful")["bsc_config_last_reload_successful"] == 0)
    assert kpi(service)["status"] == "red"
