"""Clocks that jump, and both changes of summer time in three zones, under libfaketime."""

import threading
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from tests.faults.nursery import Nursery
from tests.faults.rig import GREEN, RED, Rig
from tests.servers import wait_until

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NIGHTS = [("Europe/Berlin", "2027-10-31", "30 2 * * *"), ("Europe/Berlin", "2027-03-28", "30 2 * * *"),
          ("America/New_York", "2027-03-14", "30 2 * * *"), ("America/New_York", "2027-11-07", "30 1 * * *"),
          ("Australia/Lord_Howe", "2027-04-04", "45 1 * * *"), ("Australia/Lord_Howe", "2027-10-03", "15 2 * * *")]  # fmt: skip


class Clock:
    """The wall clock of the service; its monotonic clock is the real one."""

    def __init__(self, file):
        self._file, self.ahead = file, timedelta()
        self.set(timedelta())

    def set(self, ahead):
        self.ahead = ahead
        beside = self._file.with_suffix(".new")
        beside.write_text(f"{ahead.total_seconds():+.0f}\n")
        beside.replace(self._file)

    def now(self):
        return datetime.now(UTC) + self.ahead


@pytest.fixture(scope="module")
def clock(tmp_path_factory):
    return Clock(tmp_path_factory.mktemp("clock") / "offset")


@pytest.fixture(scope="module")
def one_late_nursery(clock):
    found = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
    if not found:
        pytest.skip("libfaketime is not installed")
    with Nursery(
        LD_PRELOAD=str(found[0]), FAKETIME_TIMESTAMP_FILE=str(clock._file), FAKETIME_NO_CACHE="1",
        FAKETIME_DONT_FAKE_MONOTONIC="1",
    ) as one:  # fmt: skip
        yield one


@pytest.fixture
def late_nursery(one_late_nursery, clock):
    clock.set(timedelta())
    yield one_late_nursery
    one_late_nursery.clear()


@pytest.fixture
def asked(clock):
    """A source that notes when, by the service's clock, it was asked."""
    times = []

    class Source(BaseHTTPRequestHandler):
        def do_GET(self):
            times.append(clock.now())
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b'{"a": 1}')

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Source)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    times_and_place = times, f"http://127.0.0.1:{server.server_port}/"
    yield times_and_place
    server.shutdown()
    server.server_close()


def source(url, schedule):
    return f"""
[sources.web]
plugin = "http_json"
url = "{url}"
{schedule}

[kpis.web]
objective = "o"
source = "web"
measure = "value"
params = {{ select = "a" }}
unit = "count"
red = 1
target = 2
period = "year"
"""


def fired(rig):
    return rig.query("SELECT count(*) FROM alert_change WHERE kind = 'fired' AND told AND fingerprint IN "
                     "(SELECT fingerprint FROM alert WHERE subject = 'kpi:it/k0')")[0][0]  # fmt: skip


def enter(rig, value):
    assert rig.ask("/api/v1/kpis/it/k0/readings", {"value": value})[0] == 201


def test_timers_and_collections_go_on_when_the_clock_jumps(tmp_path, late_nursery, clock, asked, soak, figures):
    times, url = asked
    wait = 'for = "5s"\n[alerts.red.match]\nkpi = "k0"\n'
    rig = Rig(tmp_path, late_nursery, names=["k0"], alerts=wait, text=source(url, 'every = "1s"')).start()
    jumps, gaps = [HOUR, -HOUR, DAY, -DAY] * 5 if soak else [DAY, -HOUR], []
    for count, by in enumerate(jumps):
        begun = time.monotonic()
        enter(rig, RED)
        time.sleep(1.5)
        clock.set(clock.ahead + by)
        jumped, before = time.monotonic(), len(times)
        wait_until(lambda before=before: len(times) > before + 1, "the next collection", 20)
        gaps.append(time.monotonic() - jumped)
        wait_until(lambda count=count: fired(rig) > count, f"the alert after a jump of {by}", 30)
        assert time.monotonic() - begun >= 5, f"a jump of {by} is no time that passed"
        assert fired(rig) == count + 1
        enter(rig, GREEN)
    assert rig.stop() == 0
    figures("clock jumps", {"jumps": len(jumps), "seconds until the second collection at most": round(max(gaps), 1)})


@pytest.mark.parametrize(("zone", "date", "cron"), NIGHTS)
def test_a_daily_job_runs_once_on_the_day_of_each_change(tmp_path, late_nursery, clock, asked, soak, zone, date, cron):
    if not soak and (zone, date) != ("Europe/Berlin", "2027-10-31"):
        pytest.skip("in the soak")
    times, url = asked
    local = ZoneInfo(zone)
    night = datetime.fromisoformat(date).replace(tzinfo=local)
    clock.set(night.astimezone(UTC) + timedelta(minutes=10) - datetime.now(UTC))
    text = source(url, f'cron = "{cron}"')
    rig = Rig(tmp_path, late_nursery, names=["k0"], service=f'timezone = "{zone}"', text=text).start()
    wait_until(lambda: rig.json("/api/v1/sources")["items"][0]["collectors"], "the run at the start")
    nights, step = (3, HOUR / 3) if soak else (2, HOUR)
    first, end = len(times), night.astimezone(UTC) + (nights - 1) * DAY + 4 * HOUR
    while clock.now() < end:
        clock.set(clock.ahead + step)
        time.sleep(0.3)  # long enough for the service to see that its clock was set
    assert rig.stop() == 0
    days = Counter(at.astimezone(local).date() for at in times[first:])
    assert days == {(night + number * DAY).date(): 1 for number in range(nights)}, times
