"""``kill -9`` at random and at every named point, under a stream of readings, with two receivers."""

import contextlib
import http.client
import json
import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from tests.faults.receiver import Receiver
from tests.faults.rig import GREEN, RED, Feeder, Rig
from tests.servers import wait_until

NAMES = [f"k{number}" for number in range(6)]
POINTS = ["admitted", "evaluating", "evaluated", "committing", "committed", "publishing", "published", "sending", "sent",
          "marked"]  # fmt: skip


@pytest.fixture
def rig(tmp_path, nursery):
    with Receiver(tmp_path, "quick") as quick, Receiver(tmp_path, "slow", 0.3) as slow:
        one = Rig(tmp_path, nursery, [quick, slow], names=NAMES)
        yield one
        if one.pid:
            one.kill()


def settle(rig):
    """Let everything be told, and stop in order."""
    rig.start()
    wait_until(rig.drained, "an empty outbox", 120)
    assert rig.stop() == 0


def test_random_kills_lose_no_reading_and_no_transition(rig, often, figures, tell):
    deaths, chance = often(1000, 10), random.Random(5)
    begun = time.monotonic()
    with Feeder(rig):
        for death in range(1, deaths + 1):
            rig.start(ready=chance.random() < 0.8)
            time.sleep(chance.uniform(0, 1.0))
            assert rig.kill() == -9, rig.log.read_text()[-3000:]
            if death % 25 == 0:
                tell("random kills", death, deaths, begun, rig.account())
    settle(rig)
    figures("random kills", {**rig.check(deaths), "seconds": round(time.monotonic() - begun)})


def test_a_kill_at_each_named_point_loses_nothing(rig, often, figures, tell):
    times, chance, deaths = often(20, 1), random.Random(6), 0
    begun = time.monotonic()
    with Feeder(rig):
        for point in POINTS:
            for _ in range(times):
                rig.start(ready=False, BSC_MONITOR_CRASH=f"{point}:{chance.randint(1, 20)}")
                wait_until(rig.gone, f"the end at {point}", 60)
                assert rig.wait() == -9, rig.log.read_text()[-3000:]
                deaths += 1
            tell(f"kills at {point}", deaths, times * len(POINTS), begun, rig.account())
    settle(rig)
    figures("kills at named points", {**rig.check(deaths), "seconds": round(time.monotonic() - begun)})


def die_at(rig, point, *, do=None, number=1):
    """Start it to die at a point; ``do`` is what makes it pass there."""
    rig.start(ready=do is not None, BSC_MONITOR_CRASH=f"{point}:{number}")
    if do is not None:
        with contextlib.suppress(OSError, http.client.HTTPException):
            do()
    wait_until(rig.gone, f"the end at {point}", 60)
    assert rig.wait() == -9, rig.log.read_text()[-3000:]


def test_a_kill_amid_the_message_that_the_groups_of_a_storm_share_repeats_it_whole(tmp_path, nursery, often, figures):
    begun, deaths = time.monotonic(), 0
    with Receiver(tmp_path, "quick") as quick:
        rig = Rig(tmp_path, nursery, [quick], names=[f"k{number}" for number in range(24)])

        def storm(value):
            def enter(name):
                with contextlib.suppress(OSError, http.client.HTTPException):  # it dies amid this
                    rig.enter(name, value)

            with ThreadPoolExecutor(12) as pool:
                list(pool.map(enter, rig.names))

        for _ in range(often(20, 1)):
            for point in ("sending", "sent", "marked"):
                quick.go_down()
                rig.start()
                storm((RED, GREEN)[deaths // 2 % 2])
                assert rig.kill() == -9
                quick.come_back()
                die_at(rig, point)
                deaths += 2
        settle(rig)
        found = rig.check(deaths)
        assert any(len(message["body"]["alerts"]) > 10 for message in quick.messages()), "there was a storm"
    figures("kills amid a storm", {**found, "seconds": round(time.monotonic() - begun)})


def test_a_kill_amid_the_migration_leaves_a_database_that_migrates(tmp_path, nursery, often):
    rig = Rig(tmp_path, nursery, names=["k0"])
    for _ in range(often(20, 1)):
        die_at(rig, "migrating")
    rig.start()
    assert rig.enter("k0", RED)
    assert rig.stop() == 0
    rig.check(1)


def test_a_kill_amid_a_reload_leaves_what_the_file_says(rig, often):
    deaths = 0
    for _ in range(often(20, 1)):
        for point in ("reloading", "reloaded"):
            names = [*NAMES, f"more{deaths}"]
            die_at(rig, point, do=lambda names=names: (rig.write(names), rig.ask("/-/reload")))
            deaths += 1
            rig.start()
            assert rig.enter(names[-1], RED), "the KPI that the reload was to bring"
            wait_until(rig.drained, "its alert", 60)
            assert rig.kill() == -9
            deaths += 1
    rig.write(NAMES)
    settle(rig)
    assert not rig.lost()
    for receiver in rig.receivers:
        receiver.transitions()
        assert sum(receiver.repeats().values()) <= deaths


def test_a_kill_amid_a_back_fill_has_it_go_on_where_it_was(tmp_path, nursery, often):
    asked = []

    class Source(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps({"a": [{"value": 5, "at": self.path[1:]}]}).encode())

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Source)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    text = f"""
[sources.web]
plugin = "http_json"
url = "http://127.0.0.1:{server.server_port}/"
requests_per_second = 1000

[kpis.web]
objective = "o"
source = "web"
measure = "value"
params = {{ select = "a", path = "/{{start}}" }}
unit = "count"
red = 1
target = 2
period = "day"
"""
    rig = Rig(tmp_path, nursery, names=["k0"], text=text)
    start = datetime.now(UTC) - timedelta(days=90)
    command = ["backfill", "web", "--from", f"{start:%Y-%m-%d}", "--config", rig.config]
    deaths = often(20, 2)
    for _ in range(deaths):
        assert nursery.wait(nursery.run(command, rig.log, {"BSC_MONITOR_CRASH": "filled:3"})) == -9
    assert nursery.wait(nursery.run(command, rig.log)) == 0, rig.log.read_text()[-3000:]
    filled = rig.query("SELECT count(*) FROM period_value WHERE kpi = 'it/web'")[0][0]
    assert filled >= 90
    assert filled <= len(asked) <= filled + 8 * deaths + 2, "what was marked is not asked again"
    count = len(asked)
    assert nursery.wait(nursery.run(command, rig.log)) == 0
    assert len(asked) == count, "it is done"
    server.shutdown()
    server.server_close()
