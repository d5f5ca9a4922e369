"""The real service under a stream of readings and a rain of faults, and the account that is drawn up in the end."""

import http.client
import itertools
import json
import os
import random
import signal
import threading
import time
import urllib.error
import urllib.request
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import create_engine, text
from tests.faults.receiver import SECRET
from tests.servers import free_port, wait_until

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
RED, GREEN = 20.0, 1.0
CONFIG = """
[service]
listen = "127.0.0.1:{port}"
database = "{database}"
plugins = ["plugins"]
{service}
[scorecards.it]
perspectives = { customer = {} }

[objectives.o]
scorecard = "it"
perspective = "customer"

[templates.none]

[alerts.red]
when = "breach"
flap_limit = 1000000
{alerts}
[routes.all]
receivers = [{names}]
group_by = ["kpi"]
group_wait = "0s"
group_interval = "1s"
repeat_interval = "7d"
"""
KPI = """
[kpis.{name}]
objective = "o"
source = "manual"
unit = "count"
better = "lower"
red = 10
target = 0
period = "year"
{more}
"""
RECEIVER = '\n[receivers.{name}]\nwebhook = {{ url = "http://127.0.0.1:{port}/", secret = "{secret}" }}\n'


class Rig:
    """One configuration, one database, many lives. ``more`` is further TOML; ``names`` the KPIs that take values."""

    def __init__(self, folder, nursery, receivers=(), *, names=("k0",), database=None, **more):
        self.folder, self.nursery, self.receivers, self.names = folder, nursery, receivers, list(names)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.database = database or f"sqlite:///{folder}/service.db"
        self.config, self.log, self.more = folder / "config.toml", folder / "service.log", more
        (folder / "plugins").mkdir(exist_ok=True)
        self.log.touch()
        self.pid = None
        self.acknowledged = {}  #: (kpi, instant) → value
        self.refused = 0
        self.write()

    def write(self, names=None, **more):
        """Write the configuration, with other KPIs or settings than before where given."""
        more = {**self.more, **more}
        parts = {
            "port": str(self.port), "database": self.database, "service": more.get("service", ""),
            "alerts": more.get("alerts", ""), "names": ", ".join(f'"{each.name}"' for each in self.receivers),
        }  # fmt: skip
        out = CONFIG.replace("[templates.none]\n", "")
        for name, value in parts.items():
            out = out.replace("{" + name + "}", value)
        if not self.receivers:
            out = out[: out.index("[routes.all]")]
        out += "".join(RECEIVER.format(name=each.name, port=each.port, secret=SECRET) for each in self.receivers)
        for name in self.names if names is None else names:
            out += KPI.format(name=name, more=more.get("kpi", ""))
        self.put(out + more.get("text", ""))

    def put(self, text):
        """Replace the file at once, as good editors do: the service may look at any moment."""
        beside = self.config.with_suffix(".new")
        beside.write_text(text)
        beside.replace(self.config)

    # ── its lives ──

    def start(self, ready=True, **environment):
        self.pid = self.nursery.run(["run", "--config", self.config], self.log, environment)
        if ready:
            wait_until(self.is_ready, "the service", 60)
        return self

    def is_ready(self):
        assert not self.gone(), self.log.read_text()[-3000:]
        return self.status("/-/ready") == 200

    def gone(self):
        """Whether the process has ended (and only waits to be asked for)."""
        return Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"

    def kill(self):
        os.kill(self.pid, signal.SIGKILL)
        return self.wait()

    def stop(self):
        os.kill(self.pid, signal.SIGTERM)
        return self.wait()

    def wait(self):
        code, self.pid = self.nursery.wait(self.pid), None
        return code

    # ── talking to it ──

    def status(self, path, seconds=5):
        try:
            with urllib.request.urlopen(self.url + path, timeout=seconds) as reply:
                return reply.status
        except urllib.error.HTTPError as error:
            return error.code

    def json(self, path):
        with urllib.request.urlopen(self.url + path, timeout=10) as reply:
            return json.loads(reply.read())

    def ask(self, path, body=b""):
        """POST; status and answer."""
        kind = {"Content-Type": "application/json"} if body else {}
        data = json.dumps(body).encode() if body else b""
        try:
            with urllib.request.urlopen(urllib.request.Request(self.url + path, data, kind), timeout=20) as reply:
                return reply.status, reply.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def metrics(self, name):
        with urllib.request.urlopen(self.url + "/metrics", timeout=10) as reply:
            lines = [line for line in reply.read().decode().splitlines() if line.startswith(name) and line[0] != "#"]
        return {series: float(value) for series, _, value in (line.rpartition(" ") for line in lines)}

    def enter(self, name, value, at=None):
        """Enter a value; True when it was acknowledged."""
        at = at or datetime.now(UTC)
        status, _ = self.ask(f"/api/v1/kpis/it/{name}/readings", {"value": value, "at": at.isoformat()})
        if status < 300:
            self.acknowledged[f"it/{name}", at] = value
        return status < 300

    # ── the account ──

    def query(self, statement):
        engine = create_engine(self.database.replace("postgresql://", "postgresql+psycopg://"))
        try:
            with engine.connect() as connection:
                return connection.execute(text(statement)).all()
        finally:
            engine.dispose()

    def stored(self):
        """Readings as they are in the database: {(kpi, instant): value}."""
        rows = self.query("SELECT kpi, at, value FROM reading WHERE labels = '[]' ORDER BY at")
        return {(kpi, EPOCH + timedelta(microseconds=at)): value for kpi, at, value in rows}

    def lost(self):
        """Acknowledged readings that are not in the database."""
        stored = self.stored()
        return {key: value for key, value in self.acknowledged.items() if stored.get(key) != value}

    def replayed(self):
        """By KPI, the transitions that the stored readings mean: computed here, by three lines."""
        found, red = defaultdict(list), defaultdict(bool)
        for (kpi, _), value in self.stored().items():
            if (value >= 10) is not red[kpi]:
                red[kpi] = value >= 10
                found[kpi].append("fired" if red[kpi] else "resolved")
        return dict(found)

    def drained(self):
        return not self.query("SELECT 1 FROM outbox WHERE state = 'pending' LIMIT 1")

    def account(self):
        """What is counted until now, while it is dead. Raises AssertionError for a reading that was lost."""
        lost = self.lost()
        assert not lost, f"{len(lost)} acknowledged readings are lost, such as {next(iter(lost))}"
        told = {each.name: each.transitions() for each in self.receivers}
        changes = self.query("SELECT count(*) FROM alert_change WHERE told")[0][0]
        return {
            "acknowledged": len(self.acknowledged), "lost": 0, "transitions": changes,
            **{f"told {name}": sum(map(len, found.values())) for name, found in told.items()},
            "duplicates": sum(sum(each.repeats().values()) for each in self.receivers),
        }  # fmt: skip

    def check(self, deaths):
        """Compare readings, a replay, the store and what every receiver wrote down; the figures."""
        lost, replayed = self.lost(), self.replayed()
        assert not lost, f"{len(lost)} acknowledged readings are lost, such as {next(iter(lost))}"
        # not the dead man's switch: it fires from the first moment on, and tells only those who ask for it
        subjects = dict(self.query("SELECT fingerprint, subject FROM alert WHERE subject LIKE 'kpi:%'"))
        history, keys = defaultdict(list), defaultdict(list)
        for print_, kind, sequence, episode in self.query(
            "SELECT fingerprint, kind, sequence, episode FROM alert_change WHERE told ORDER BY id"
        ):
            if print_ not in subjects:
                continue
            history[subjects[print_].removeprefix("kpi:")].append(kind)
            keys[print_].append(f"{print_}.{episode}.{sequence}")
            assert sequence == len(keys[print_]), f"the sequence of {print_} has a gap at {sequence}"
        assert dict(history) == replayed, "the transitions are not those that the readings mean"
        duplicates = 0
        for receiver in self.receivers:
            told = receiver.transitions()
            for print_, expected in keys.items():
                got = [key.partition("." + receiver.name)[0] for key, _, _ in told[print_]]
                assert got == expected, f"{receiver.name} was told {got[-5:]}, not {expected[-5:]}"
            repeats = sum(receiver.repeats().values())
            assert repeats <= deaths, f"{receiver.name} got {repeats} messages twice after {deaths} deaths"
            duplicates += repeats
        count = sum(map(len, replayed.values()))
        return {
            "deaths": deaths, "readings acknowledged": len(self.acknowledged), "readings lost": 0,
            "transitions": count, "transitions lost": 0, "transitions out of order": 0,
            "receivers": len(self.receivers), "duplicates": duplicates,
        }  # fmt: skip


class Feeder:
    """Enters red and green values at random from a thread, dead service or not, until the end of its ``with``."""

    def __init__(self, rig, pause=0.01, seed=1):
        self._rig, self._pause, self._chance = rig, pause, random.Random(seed)
        self._ended = threading.Event()
        self._last = {}
        self.tried = 0

    def __enter__(self):
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._ended.set()
        self._thread.join()

    def _run(self):
        connection = None
        for name in itertools.cycle(self._rig.names):
            if self._ended.is_set():
                break
            connection = connection or http.client.HTTPConnection("127.0.0.1", self._rig.port, timeout=10)
            try:
                self._enter(connection, name)
            except (OSError, http.client.HTTPException):
                connection.close()
                connection = None
            time.sleep(self._pause)
        if connection:
            connection.close()

    def _enter(self, connection, name):
        at = max(datetime.now(UTC), self._last.get(name, EPOCH) + timedelta(microseconds=1))
        self._last[name], value = at, self._chance.choice((RED, GREEN))
        self.tried += 1
        body = json.dumps({"value": value, "at": at.isoformat()})
        path = f"/api/v1/kpis/it/{name}/readings"
        connection.request("POST", path, body, {"Content-Type": "application/json"})
        reply = connection.getresponse()
        reply.read()
        if reply.status < 300:
            self._rig.acknowledged[f"it/{name}", at] = value
        else:
            self._rig.refused += 1
