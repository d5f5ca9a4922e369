"""Plugin files of a running service: changed, broken, mended; their hooks, pages and receivers."""

import json
import threading
import urllib.error
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from tests.servers import wait_until
from tests.service_process import running

GAUGE = '''
"""A number."""
from bsc_monitor.plugin import Collector, Reading, measure

class Gauge(Collector):
    """A number."""
    name = "NAME"

    @measure(unit="count", title="Number")
    async def number(self, ctx) -> Reading:
        """The number."""
        return Reading(VALUE)
'''
HOOKED = '''
"""Tells a server of the test what it is told."""
import json
import time
import urllib.request
from bsc_monitor.plugin import Page, PageRequest, PageRoute, hookimpl

TOLD = "http://127.0.0.1:PORT/"

def post(kind, value):
    urllib.request.urlopen(urllib.request.Request(TOLD, json.dumps([kind, value]).encode()), timeout=5).read()

@hookimpl
def bsc_reading_stored(event):
    post("reading", [event.reading.kpi, event.reading.value])

@hookimpl
async def bsc_score_changed(event):
    post(type(event).__name__, getattr(event, "judgement", None) and event.judgement.kpi)

@hookimpl
def bsc_alert_changed(event):
    post("alert", [event.alert.subject, event.alert.state])

@hookimpl
def bsc_receivers():
    async def pager(config, message):
        post("paged", config["team"])
    return {"pager": pager}

def hello(request: PageRequest) -> Page:
    return Page(f"<p>{request.user} asks {request.query.get('q', '')}, {sorted(request.headers)[:0]}</p>")

async def poke(request: PageRequest) -> Page:
    if request.headers.get("x-key") != "k3y":
        return Page("no", status=401, content_type="text/plain")
    return Page(json.dumps({"got": len(request.body)}), content_type="application/json", run="good")

@hookimpl
def bsc_routes():
    return [PageRoute("hello", hello, "viewer"), PageRoute("poke", poke, "public", method="POST")]
'''
ROTTEN = '''
"""Hooks that raise, hang and die."""
import os
import time
from bsc_monitor.plugin import hookimpl

@hookimpl
def bsc_reading_stored(event):
    raise RuntimeError("boom")

@hookimpl
def bsc_score_changed(event):
    time.sleep(60)

@hookimpl
def bsc_routes():
    os._exit(1)
'''
CONFIG = """
[service]
listen = "127.0.0.1:{port}"
database = "sqlite:///bsc.db"
plugins = ["plugins"]
[sources.good]
plugin = "good"
every = "1m"
[sources.other]
plugin = "other"
every = "1m"
[scorecards.it]
title = "IT"
[objectives.o]
scorecard = "it"
perspective = "internal_process"
title = "O"
[kpis.good]
objective = "o"
source = "good"
measure = "number"
period = "day"
target = 5
red = 1
[kpis.other]
objective = "o"
source = "other"
measure = "number"
period = "day"
[kpis.entered]
objective = "o"
source = "manual"
period = "day"
unit = "h"
[receivers.ops]
plugin = "pager"
options = { team = "night" }
[routes.default]
receivers = ["ops"]
group_wait = "0s"
"""


class Ear:
    """Hears what the hooked plugin tells."""

    def __init__(self):
        self.heard = []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(handler):
                self.heard.append(json.loads(handler.rfile.read(int(handler.headers["Content-Length"]))))
                handler.send_response(200)
                handler.end_headers()

            def log_message(self, *_):
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def has(self, kind, value=None):
        return any(each[0] == kind and value in (None, each[1]) for each in self.heard)


@pytest.fixture(scope="module")
def ear():
    ear = Ear()
    yield ear
    ear.server.shutdown()
    ear.server.server_close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory, ear):
    folder = tmp_path_factory.mktemp("live")
    (folder / "plugins").mkdir()
    put(folder, "good", GAUGE.replace("NAME", "good").replace("VALUE", "3"))
    put(folder, "other", GAUGE.replace("NAME", "other").replace("VALUE", "7"))
    put(folder, "hooked", HOOKED.replace("PORT", str(ear.server.server_port)))
    put(folder, "rotten", ROTTEN)
    return folder


@pytest.fixture(scope="module")
def service(folder):
    with running(folder, CONFIG) as process:
        yield process


def put(folder, name, text):
    (folder / "plugins" / f"{name}.py").write_text(text)


def value(service, kpi):
    return next((v for series, v in service.metrics("bsc_kpi_value{").items() if f'kpi="{kpi}"' in series), None)


def up(service, source):
    return next((v for s, v in service.metrics("bsc_collector_up").items() if f'source="{source}"' in s), None)


def test_hooks_hear_of_readings_and_scores_after_the_commit(service, ear):
    wait_until(lambda: value(service, "good") == 3 and value(service, "other") == 7, "both values", 60)
    wait_until(lambda: ear.has("reading", ["it/good", 3.0]) and ear.has("reading", ["it/other", 7.0]), "readings", 60)
    wait_until(lambda: ear.has("KpiJudged", "it/good") and ear.has("ScoreChanged"), "scores", 60)


def test_a_hook_that_raises_hangs_or_dies_is_counted_and_delays_nobody(service, ear):
    lost = wait_until(lambda: service.metrics('bsc_events_dropped_total{kind="plugin"}'), "the count", 60)
    assert wait_until(lambda: sum(service.metrics('bsc_events_dropped_total{kind="plugin"}').values()), "lost ones", 60)
    assert lost
    assert "a hook failed" in service.log.read_text()
    assert up(service, "good") == 1


def test_a_page_of_a_plugin_is_served_under_the_services_own_guard(service):
    assert " asks x, []</p>" in service.text("/plugins/hooked/hello?q=x")
    assert service.status("/plugins/hooked/nothing") == 404
    with pytest.raises(urllib.error.HTTPError) as refused:
        service.post("/plugins/hooked/poke", b"12345")
    refused.value.close()
    assert refused.value.code == 401
    assert service.post("/plugins/hooked/poke", b"12345", {"X-Key": "k3y"}) == (200, '{"got": 5}')


def test_a_value_set_from_the_command_line_is_judged_and_its_author_kept(service, folder):
    import subprocess
    import sys

    command = [
        sys.executable,
        "-m",
        "bsc_monitor",
        "set",
        "entered",
        "4.5",
        "--note",
        "from the list",
        "-c",
        str(folder / "config.toml"),
    ]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (ran.returncode, ran.stdout) == (0, "it/entered = 4.5 h\n"), ran.stderr
    wait_until(lambda: value(service, "entered") == 4.5 * 3600, "the value on /metrics")
    [reading] = service.json("/api/v1/kpis/it/entered/readings")["items"]
    assert (reading["value"], reading["note"]) == (4.5, "from the list")
    assert reading["author"]


def test_a_changed_plugin_is_read_again_and_the_others_go_on(service, folder):
    put(folder, "good", GAUGE.replace("NAME", "good").replace("VALUE", "4"))
    wait_until(lambda: reloaded(service, folder), "the reload", 60)
    service.post("/api/v1/sources/good/run", {})
    wait_until(lambda: value(service, "good") == 4, "the new value", 60)


def reloaded(service, folder):
    return "Plugins left out" not in service.text("/sources") and up(service, "other") == 1


def test_a_broken_plugin_harms_itself_alone_and_says_so_everywhere(service, folder):
    put(folder, "good", "this is no Python\n")
    wait_until(lambda: "Plugins left out" in service.text("/sources"), "the board says so", 60)
    page = service.text("/sources")
    assert "good.py: it cannot be loaded: line 1" in page
    assert "what was read before goes on" in page
    service.post("/api/v1/sources/good/run", {})
    service.post("/api/v1/sources/other/run", {})
    assert (up(service, "good"), up(service, "other"), value(service, "good")) == (1, 1, 4)
    assert "a plugin is left out" in service.log.read_text()
    put(folder, "good", GAUGE.replace("NAME", "good").replace("VALUE", "5"))
    wait_until(lambda: "Plugins left out" not in service.text("/sources"), "mended", 60)
    service.post("/api/v1/sources/good/run", {})
    wait_until(lambda: value(service, "good") == 5 and up(service, "good") == 1, "it works again", 60)


def test_a_service_starts_with_a_broken_plugin_and_check_names_it(tmp_path):
    import subprocess
    import sys

    (tmp_path / "plugins").mkdir()
    put(tmp_path, "good", "import nothing_of_that_name\n")
    put(tmp_path, "other", GAUGE.replace("NAME", "other").replace("VALUE", "7"))
    text = CONFIG.partition("[receivers.ops]")[0]
    with running(tmp_path, text) as service:
        wait_until(lambda: value(service, "other") == 7, "the other's value", 60)
        wait_until(lambda: up(service, "good") == 0, "its source fails", 60)
        assert "nothing_of_that_name" in service.text("/sources")
    command = [sys.executable, "-m", "bsc_monitor", "check", "-c", str(tmp_path / "config.toml")]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, ran.stderr
    assert "nothing_of_that_name" in ran.stdout
