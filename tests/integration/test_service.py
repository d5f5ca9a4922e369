"""The whole service over the checked-in configuration and the sandbox, as ``make run`` starts it."""

import contextlib
import json
import queue
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime
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


TWO_OF_ONE = (
    LAST_RUNS.replace("[kpis.web]", "[kpis.good]").replace("select =", 'path = "/good", select =')
    + """
[kpis.bad]
objective = "o"
source = "web"
measure = "value"
params = { path = "/bad", select = "a" }
unit = "count"
target = 1
red = 0
[alerts.down]
when = "collector"
for = "0s"
"""
)


@pytest.fixture
def page():
    """A source with the pages that are ``there``; it answers while ``opened`` is set."""
    there, opened = {"/good"}, threading.Event()
    opened.set()

    class Source(BaseHTTPRequestHandler):
        def do_GET(self):
            opened.wait(60)
            with contextlib.suppress(ConnectionError):
                self.send_response(200 if self.path in there else 404)
                self.end_headers()
                self.wfile.write(b'{"a": 1}')

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Source)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield there, opened, f"http://127.0.0.1:{server.server_port}/"
    opened.set()
    server.shutdown()
    server.server_close()


class Watched:
    """How the one measure of a service's one source goes, wherever it is told."""

    def __init__(self, service):
        self.service = service

    def measure(self):
        return (self.service.json("/api/v1/sources")["items"][0]["collectors"] or [{"runs": 0}])[0]

    def run(self, collections):
        """Have every collection run once more."""
        runs = self.measure()["runs"] + collections
        self.service.post("/api/v1/sources/web/run", None)
        wait_until(lambda: self.measure()["runs"] >= runs, "every collection's run", 30)

    def up(self):
        return list(self.service.metrics("bsc_collector_up").values())

    def firing(self):
        alerts = self.service.json("/api/v1/alerts")["items"]
        return [each["annotations"]["description"] for each in alerts if each["labels"]["alertname"] == "down"]

    def logged(self, *words):
        lines = [json.loads(line) for line in self.service.log.read_text().splitlines() if line[:1] == "{"]
        return [line for line in lines if line["event"] in words]


def test_a_collection_that_works_does_not_hide_that_another_of_its_measure_fails(tmp_path, page):
    there, opened, url = page
    with running(tmp_path, TWO_OF_ONE.replace("URL", url)) as process:
        watched = Watched(process)
        wait_until(lambda: watched.measure()["runs"] == 2, "both runs", 60)
        watched.run(2)

        def fails():
            state = watched.measure()
            (failing,) = state["failing"]
            assert (failing["kpis"], failing["error"], state["last_success"]) == (["it/bad"], state["error"], None)
            assert "/bad" in state["error"]
            assert "404" in state["error"]
            assert watched.up() == [0.0]
            assert "it/bad" in process.text("/sources")
            assert "Failing" in process.text("/sources")
            return state["error"]

        error = fails()
        assert wait_until(watched.firing, "the alert") == [f"{error} (it/bad)"]
        (line,) = watched.logged("a collection fails")
        about = {key: line[key] for key in ("level", "source", "measure", "kpis", "error")}
        assert about == {"level": "warning", "source": "web", "measure": "value", "kpis": ["it/bad"], "error": error}

        month = f"{datetime.now(UTC):%Y-%m}"
        said = process.json("/api/v1/explain/it/bad")["explanation"]
        assert (said["failing"]["error"], said["kpi"]["period"]) == (error, month)
        assert process.json("/api/v1/explain/it/good")["explanation"]["failing"] is None
        assert f"none yet for {month}" in process.text("/kpis/it/bad")
        assert "Its collection fails" in process.text("/kpis/it/bad")
        assert "Its collection fails" not in process.text("/kpis/it/good")
        told = subprocess.run(
            [sys.executable, "-m", "bsc_monitor", "explain", "it/bad", "--config", str(process.config)],
            capture_output=True, text=True, check=True,
        ).stdout  # fmt: skip
        assert f"no value in {month}" in told
        assert error in told

        opened.clear()
        assert process.stop() == 0
        process.start()
        assert fails() == error, "no source answered since the start"
        opened.set()
        wait_until(lambda: watched.measure()["runs"] == 2, "both runs", 60)
        assert fails() == error
        there.add("/bad")
        watched.run(2)
        assert (watched.measure()["failing"], watched.measure()["error"], watched.up()) == ([], None, [1.0])
        assert watched.measure()["last_success"] is not None
        wait_until(lambda: not watched.firing(), "the alert's end")
        assert [line["kpis"] for line in watched.logged("a collection works again")] == [["it/bad"]]
        assert len(watched.logged("a collection fails")) == 2, "once in each life of the service"


def test_a_reload_forgets_collections_that_are_no_more_and_says_what_waits_for_a_restart(tmp_path, page):
    _, _, url = page
    with running(tmp_path, TWO_OF_ONE.replace("URL", url)) as process:
        watched = Watched(process)
        wait_until(lambda: watched.measure()["runs"] == 2, "both runs", 60)
        wait_until(watched.firing, "the alert")
        text = process.config.read_text()
        without = text[: text.index("[kpis.bad]")] + text[text.index("[alerts.down]") :]
        process.config.write_text(without.replace("runs.db", "others.db"))
        wait_until(lambda: watched.up() == [1.0], "the end of what failed")
        assert (watched.measure()["failing"], watched.measure()["runs"]) == ([], 2)
        wait_until(lambda: not watched.firing(), "the alert's end, before any collection ran again")
        (line,) = watched.logged("the configuration has changes that wait for a restart")
        assert (line["level"], line["keys"]) == ("warning", ["service.database"])
        assert "Changes to <strong>service.database</strong>" in process.text("/sources")
        process.config.write_text(without)
        wait_until(lambda: "wait for a restart" not in process.text("/sources"), "the end of it")
        assert process.stop() == 0
        process.start()
        assert watched.measure()["failing"] == []
        with contextlib.closing(sqlite3.connect(tmp_path / "runs.db")) as database:
            assert database.execute("SELECT count(*) FROM collection_state").fetchone() == (1,)


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
