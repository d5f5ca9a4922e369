"""The whole service over the checked-in configuration and the sandbox, as ``make run`` starts it."""

import contextlib
import queue
import signal
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from tests.servers import free_port, wait_until
from tests.service_process import ServiceProcess, demo_config, running

PERSPECTIVES = ("financial", "customer", "internal_process", "learning_growth")


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    with running(tmp_path_factory.mktemp("service"), demo_config()) as process:
        yield process


def scores(service):
    found = service.metrics("bsc_perspective_score")
    return {
        name
        for name in PERSPECTIVES
        if any(f'perspective="{name}"' in each and 'scorecard="it"' in each for each in found)
    }


def test_every_perspective_has_a_score_on_metrics(service):
    wait_until(lambda: scores(service) == set(PERSPECTIVES), "a score for every perspective")


def test_the_companys_scorecard_is_fed_by_it(service):
    wait_until(
        lambda: any('scorecard="company"' in each for each in service.metrics("bsc_scorecard_score")), "its score"
    )


def test_the_board_and_the_api_answer(service):
    assert "Acme Ltd" in service.text("/")
    cards = service.json("/api/v1/scorecards")
    assert {"company", "it"} <= {card["name"] for card in cards["items"]}


def test_a_restart_goes_on_where_it_was(tmp_path):
    with running(tmp_path, demo_config()) as process:
        since = "bsc_kpi_status_since_timestamp_seconds"
        begun = time.time()
        wait_until(lambda: scores(process) == set(PERSPECTIVES), "a score for every perspective")
        wait_until(
            lambda: min(process.metrics(since).values()) < begun - 86_400, "what 18 months tell of since when", 240
        )
        before = process.metrics(since)
        process.kill()
        process.start()
        after = process.metrics(since)
        assert scores(process) == set(PERSPECTIVES), "what was judged is there before any source answered"
        same = [name for name, at in before.items() if after.get(name) == at]
        assert len(same) >= 0.9 * len(before)


LAST_RUNS = """
[service]
listen = "127.0.0.1:{port}"
database = "sqlite:///runs.db"
[sources.web]
plugin = "http_json"
url = "URL"
[scorecards.it]
perspectives = { customer = {} }
[objectives.o]
scorecard = "it"
perspective = "customer"
[kpis.web]
objective = "o"
source = "web"
measure = "value"
params = { select = "a" }
unit = "count"
window = "1d"
target = 1
red = 0
"""


@pytest.fixture
def web():
    """A source that is asked, and answers with what is in ``answers``: nothing there, and it lets wait."""
    answers = queue.Queue()

    class Source(BaseHTTPRequestHandler):
        def do_GET(self):
            status = answers.get()
            with contextlib.suppress(ConnectionError):  # who asked may be gone by then
                self.send_response(status)
                self.end_headers()
                self.wfile.write(b'{"a": 1}')

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Source)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield answers, f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    for _ in range(10):
        answers.put(200)
    server.server_close()


def test_a_restart_still_knows_how_each_source_was_collected_last(tmp_path, web):
    answers, url = web
    with running(tmp_path, LAST_RUNS.replace("URL", url)) as process:

        def last():
            runs = process.json("/api/v1/sources")["items"][0]["collectors"]
            return {key: runs[0][key] for key in ("last_success", "last_failure", "error")} if runs else {}

        def gauges():
            names = ("up", "last_success_timestamp_seconds", "interval_seconds")
            return {name: process.metrics(f"bsc_collector_{name}") for name in names}

        for status, key in ((200, "last_success"), (403, "last_failure")):
            answers.put(status)
            wait_until(lambda key=key: last().get(key), f"the run that ends in {status}", 30)
            before, shown = last(), gauges()
            assert (before["error"] is None) == (status == 200)
            assert all(shown.values())
            assert process.stop() == 0
            process.start()
            assert (last(), gauges()) == (before, shown), "the source does not answer this time"
            assert "Not run yet" not in process.text("/sources")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_it_cleanly_while_it_collects(tmp_path, number):
    with running(tmp_path, demo_config()) as process:
        begun = time.monotonic()
        assert process.stop(number) == 0, process.log.read_text()
        assert "Traceback" not in process.log.read_text()
        assert time.monotonic() - begun < 15


def test_a_second_service_on_the_same_database_is_refused_in_words(tmp_path):
    with running(tmp_path, demo_config()) as first:
        second = ServiceProcess(first.config, free_port())
        second.log = tmp_path / "second.log"
        second.start(ready=False)
        assert second.process.wait(20) == 1
        assert "another" in second.log.read_text()
