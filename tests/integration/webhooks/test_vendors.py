"""Webhooks of every vendor to the real service: who may, who repeats, what runs, and how many ask at once."""

import urllib.error
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from tests.servers import wait_until
from tests.service_process import running

from bsc_monitor.sandbox.webhooks import VENDORS, webhook

SOURCE = """
[sources.VENDOR]
plugin = "http_json"
url = "http://127.0.0.1:SERVER"
every = "1d"
requests_per_second = 1000
webhook_secrets = ["new-SECRET-of-VENDOR", "old-SECRET-of-VENDOR"]
[kpis.VENDOR]
objective = "o"
source = "VENDOR"
measure = "value"
params = { path = "/VENDOR", select = "value" }
unit = "count"
period = "day"
target = 100000
red = 0
"""
CONFIG = """
[service]
listen = "127.0.0.1:{port}"
database = "sqlite:///bsc.db"
[scorecards.it]
title = "IT"
[objectives.o]
scorecard = "it"
perspective = "internal_process"
title = "O"
"""


class Counting:
    """A source whose value is how often it was asked."""

    def __init__(self):
        self.counts = dict.fromkeys(VENDORS, 0)

        class Handler(BaseHTTPRequestHandler):
            def do_GET(handler):
                vendor = handler.path.strip("/")
                self.counts[vendor] += 1
                body = b'{"value": %d}' % self.counts[vendor]
                handler.send_response(200)
                handler.send_header("Content-Length", str(len(body)))
                handler.end_headers()
                handler.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture(scope="module")
def counting():
    counting = Counting()
    yield counting
    counting.server.shutdown()
    counting.server.server_close()


@pytest.fixture(scope="module")
def service(tmp_path_factory, counting):
    port = str(counting.server.server_port)
    sources = "".join(SOURCE.replace("VENDOR", vendor).replace("SERVER", port) for vendor in VENDORS)
    with running(tmp_path_factory.mktemp("webhooks"), CONFIG + sources) as process:
        first = counting.counts
        wait_until(lambda: all(first[each] and shown(process, each) == first[each] for each in VENDORS), "values", 60)
        yield process


def shown(service, vendor):
    return next((v for s, v in service.metrics("bsc_kpi_value{").items() if f'kpi="{vendor}"' in s), None)


def send(service, vendor, secret=None, **more):
    sent = webhook(vendor, secret or f"new-SECRET-of-{vendor}", more.pop("now", datetime.now(UTC)), **more)
    return service.post(f"/webhooks/{vendor}", sent.body, dict(sent.headers))


def refused(service, vendor, **more):
    with pytest.raises(urllib.error.HTTPError) as error:
        send(service, vendor, **more)
    error.value.close()
    return error.value.code


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_vendors_webhook_brings_the_new_score(service, counting, vendor):
    before = counting.counts[vendor]
    status, body = send(service, vendor)
    assert (status, '"jobs": 1' in body) == (202, True)
    wait_until(lambda: shown(service, vendor) == before + 1, "the new value on /metrics")


@pytest.mark.parametrize("vendor", VENDORS)
def test_the_old_secret_serves_during_rotation_and_a_guess_never(service, counting, vendor):
    before = counting.counts[vendor]
    assert refused(service, vendor, secret="guess") == 401
    assert send(service, vendor, secret=f"old-SECRET-of-{vendor}")[0] == 202
    wait_until(lambda: shown(service, vendor) == before + 1, "the new value on /metrics")
    assert counting.counts[vendor] == before + 1, "the guess asked for nothing"


@pytest.mark.parametrize("vendor", VENDORS)
def test_the_same_event_again_asks_for_nothing(service, counting, vendor):
    before = counting.counts[vendor]
    assert '"repeated": false' in send(service, vendor, id_="event-1")[1]
    wait_until(lambda: shown(service, vendor) == before + 1, "the first one")
    assert '"repeated": true' in send(service, vendor, id_="event-1")[1]
    assert send(service, vendor, id_="event-2")[0] == 202
    wait_until(lambda: shown(service, vendor) == before + 2, "the one after it, and nothing between")


def test_a_recording_sent_later_is_a_replay(service):
    assert refused(service, "generic", now=datetime.now(UTC) - timedelta(minutes=6)) == 401


def test_a_burst_is_answered_by_few_runs_and_none_is_forgotten(service, counting):
    before = counting.counts["jira"]
    for number in range(60):
        assert send(service, "jira", subject=f"SHOP-{number}")[0] == 202
    wait_until(lambda: shown(service, "jira") == counting.counts["jira"] > before, "a run after the last of them")
    assert counting.counts["jira"] - before <= 30, "sixty events are not sixty runs"


def test_events_are_counted(service):
    assert service.metrics('bsc_events_total{kind="WebhookReceived"}').popitem()[1] >= 60


def test_a_repeat_is_known_after_the_service_was_killed_and_started_again(tmp_path, counting):
    source = SOURCE.replace("VENDOR", "github").replace("SERVER", str(counting.server.server_port))
    with running(tmp_path, CONFIG + source) as process:
        assert '"repeated": false' in send(process, "github", id_="delivery-1")[1]
        process.kill()
        process.start()
        assert '"repeated": true' in send(process, "github", id_="delivery-1")[1]
        assert '"repeated": false' in send(process, "github", id_="delivery-2")[1]
