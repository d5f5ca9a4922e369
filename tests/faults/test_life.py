"""Stopping, reloading and changing things while alerts fire; timers that outlive the process."""

import threading
import time
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from tests.faults.receiver import Receiver
from tests.faults.rig import EPOCH, GREEN, RED, Feeder, Rig
from tests.servers import wait_until

PLUGIN = """
from bsc_monitor.plugin import Collector, Reading, SourceConfig, measure

class Gauge(Collector):
    name = "gauge"

    class Config(SourceConfig):
        pass

    @measure(unit="count", title="A number")
    async def number(self, ctx):
        return Reading(20.0)
"""
GAUGED = """
[sources.gauges]
plugin = "gauge"
every = "1s"

[kpis.gauged]
objective = "o"
source = "gauges"
measure = "number"
unit = "count"
better = "lower"
red = 10
target = 0
"""


@pytest.fixture
def told(tmp_path):
    with Receiver(tmp_path, "told") as receiver:
        yield receiver


def kinds(receiver):
    """By KPI, what the receiver was told of it."""
    found = {}
    for message in receiver.messages():
        for alert in message["body"]["alerts"]:
            found.setdefault(alert["labels"]["kpi"], []).extend(one["kind"] for one in alert["transitions"])
    return found


def changes(rig, kind):
    """When a transition of this kind happened, in order."""
    return [row[0] / 1e6 for row in rig.query(f"SELECT at FROM alert_change WHERE kind = '{kind}' AND fingerprint IN "
                                              "(SELECT fingerprint FROM alert WHERE subject LIKE 'kpi:%') ORDER BY id")]  # fmt: skip


def test_what_changes_while_alerts_fire_ends_them_with_its_reason_and_leaves_the_others(tmp_path, nursery, told):
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "gauge.py").write_text(PLUGIN)
    names = ["edited", "removed", "kept"]
    rig = Rig(tmp_path, nursery, [told], names=names, text=GAUGED).start()
    for name in names:
        assert rig.enter(name, RED)
    fired = {name: ["fired"] for name in (*names, "gauged")}
    wait_until(lambda: kinds(told) == fired, "four alerts", 60)

    assert rig.ask("/-/reload")[0] == 200
    text = rig.config.read_text()
    rig.write(names=["edited", "kept"])
    head, mark, tail = rig.config.read_text().partition("[kpis.edited]")
    rig.put(head + mark + tail.replace("red = 10", "red = 30", 1))
    assert rig.ask("/-/reload")[0] == 200
    ended = {**fired, "edited": ["fired", "resolved"], "removed": ["fired", "resolved"]}
    wait_until(lambda: kinds(told) == ended, "two ends", 30)
    reasons = {
        alert["labels"]["kpi"]: alert["reason"]
        for message in told.messages()
        for alert in message["body"]["alerts"]
        if alert["status"] == "resolved"
    }
    assert "removed" in reasons["removed"]

    (tmp_path / "plugins" / "gauge.py").unlink()
    status, words = rig.ask("/-/reload")
    assert status != 200, "a configuration that names a plugin which is gone is not taken"
    assert "gauge" in words
    rig.put(text.replace(GAUGED, "").replace("[alerts.red]", "[alerts.scarlet]"))
    assert rig.ask("/-/reload")[0] == 200
    wait_until(lambda: kinds(told)["kept"][:2] == ["fired", "resolved"], "the end of the rule's alerts", 30)
    assert rig.stop() == 0
    told.transitions()
    assert not told.repeats()


def test_a_broken_reload_leaves_the_old_configuration_at_work(tmp_path, nursery, often, figures):
    rounds, broken, missed = often(1000, 10), 0, 0
    rig = Rig(tmp_path, nursery, names=["k0", "k1", "own"]).start()
    rig.names.remove("own")  # of two who enter values of one KPI, each may be late
    breaks = [
        "[kpis.k0\n",
        "[kpis.new]\nobjective = 'nowhere'\n",
        "[sources.x]\nplugin = 'none'\n",
        "\0",
        "[service]\n",
    ]
    good = rig.config.read_text()
    with Feeder(rig, pause=0.02):
        for turn in range(rounds):
            bad = turn % 10 == 5
            rig.put(good + (breaks[broken % len(breaks)] if bad else f"\n# {turn}\n"))
            status, _ = rig.ask("/-/reload")
            assert (status == 200) is not bad
            broken += bad
            missed += rig.status("/metrics") != 200
            assert rig.enter("own", RED), "values are taken whatever the file says"
    rig.put("")
    status, words = rig.ask("/-/reload")
    assert status != 200, "a file that is just being written ends no alert"
    assert "no KPI" in words
    rig.put(good)
    assert rig.ask("/-/reload")[0] == 200
    assert rig.stop() == 0
    assert (missed, rig.refused) == (0, 0)
    figures("reloads", {**rig.check(0), "reloads": rounds, "of them broken": broken})


def test_sigterm_ends_it_cleanly_amid_collections(tmp_path, nursery, often, figures):
    asked, free = threading.Event(), threading.Event()

    class Slow(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.set()
            free.wait(60)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Slow)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    source = f'\n[sources.slow]\nplugin = "http_json"\nurl = "http://127.0.0.1:{server.server_port}/"\nevery = "1s"\n'
    kpi = (
        '[kpis.slow]\nobjective = "o"\nsource = "slow"\nmeasure = "value"\nparams = { select = "a" }\nunit = "count"\n'
    )
    rig, times = Rig(tmp_path, nursery, names=["k0"], text=source + kpi + "red = 1\ntarget = 2\n"), []
    with Feeder(rig, pause=0.02):
        for _ in range(often(100, 3)):
            asked.clear()
            rig.start()
            assert asked.wait(30)
            begun = time.monotonic()
            assert rig.stop() == 0, rig.log.read_text()[-3000:]
            times.append(time.monotonic() - begun)
    free.set()
    server.shutdown()
    server.server_close()
    assert "Traceback" not in rig.log.read_text()
    figures("SIGTERM", {**rig.check(0), "ends": len(times), "seconds at most": round(max(times), 1)})


def test_for_and_keep_firing_for_are_not_begun_anew_by_a_death(tmp_path, nursery):
    rig = Rig(tmp_path, nursery, names=["k0"], alerts='for = "5s"\nkeep_firing_for = "5s"').start()
    for value, kind in ((RED, "fired"), (GREEN, "resolved")):
        at = datetime.now(UTC)
        assert rig.enter("k0", value, at)
        rig.kill()
        time.sleep(3)
        rig.start()
        begun = datetime.now(UTC)
        moment = wait_until(lambda kind=kind: changes(rig, kind), kind, 30)[0]
        waited = moment - (at - EPOCH).total_seconds()
        assert 5 <= waited < (begun - at).total_seconds() + 5, "neither early nor begun anew"
        assert waited < 6 or waited - (begun - at).total_seconds() < 1, "to the second, or as soon as it ran again"
    assert rig.stop() == 0


def test_a_reminder_comes_when_it_is_due_whatever_died_in_between(tmp_path, nursery, told):
    rig = Rig(tmp_path, nursery, [told], names=["k0"])
    rig.put(rig.config.read_text().replace('repeat_interval = "7d"', 'repeat_interval = "8s"'))
    rig.start()
    assert rig.enter("k0", RED)
    wait_until(told.messages, "the first message")
    wait_until(rig.drained, "its being marked")
    rig.kill()
    rig.start()
    wait_until(lambda: len(told.messages()) >= 2, "the reminder", 40)
    first, second = told.messages()[:2]
    assert second["body"]["repeated"]
    assert second["at"] - first["at"] >= 7.9
    assert rig.stop() == 0
