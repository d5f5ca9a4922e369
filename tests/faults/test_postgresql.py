"""The store on a real PostgreSQL: its restarts under load, and two services of which one leads."""

import json
import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from datetime import UTC, datetime, timedelta

import pytest
from tests.faults.receiver import Receiver
from tests.faults.rig import RED, Feeder, Rig
from tests.servers import postgresql, wait_until


class Database:
    """A PostgreSQL that can be stopped and started again."""

    def __init__(self, server):
        self.url, self.folder = server.url.replace("postgresql+psycopg", "postgresql"), server.folder
        self._process, self._arguments = server.process, server.process.args

    def end(self, number=signal.SIGQUIT):
        """Immediate shutdown: no goodbye to anybody, recovery at the next start."""
        if self._process.poll() is None:
            self._process.send_signal(number)
            self._process.wait(30)

    def begin(self):
        user = {"user": "postgres"} if os.geteuid() == 0 else {}
        with (self.folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(self._arguments, stdout=log, stderr=log, cwd=self.folder, **user)

    def answers(self):
        import psycopg

        try:
            psycopg.connect(self.url).close()
        except psycopg.OperationalError:
            return False
        return True


@pytest.fixture(scope="module")
def server():
    pytest.importorskip("psycopg")
    with postgresql() as one:
        database = Database(one)
        yield database
        database.end(signal.SIGINT)


@pytest.fixture
def database(server):
    """The server, with nothing in it."""
    import psycopg

    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")
    return server


def serves(rig):
    try:
        return rig.status("/-/ready") == 200
    except (urllib.error.URLError, OSError):
        return False


def test_restarts_of_the_database_lose_nothing_and_the_service_comes_back(tmp_path, nursery, database, often, figures):
    back = []
    with Receiver(tmp_path, "quick") as quick:
        rig = Rig(tmp_path, nursery, [quick], names=["k0", "k1"], database=database.url).start()
        with Feeder(rig, pause=0.02):
            for _ in range(often(50, 2)):
                wait_until(more_than(rig.acknowledged, 10), "readings")
                database.end()
                wait_until(lambda before=rig.refused: rig.refused > before, "a reading that is refused")
                assert rig.status("/metrics") == 200
                database.begin()
                wait_until(database.answers, "the server's own recovery", 60)
                begun = time.monotonic()
                wait_until(more_than(rig.acknowledged), "readings taken again", 60)
                back.append(time.monotonic() - begun)
        wait_until(rig.drained, "an empty outbox", 60)
        assert rig.stop() == 0
        found = rig.check(deaths=len(back))
        figures("restarts of PostgreSQL", {**found, "s until back at most": round(max(back), 1)})


def test_while_the_database_is_away_requests_are_told_so_and_to_come_again(tmp_path, nursery, database):
    rig = Rig(tmp_path, nursery, names=["k0"], database=database.url).start()
    window = {"id": "patch", "cron": "* * * * *", "lasts": "1h", "matchers": [{"name": "kpi", "value": "k0"}]}
    later = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    asked = [
        ("/api/v1/events", None), ("/api/v1/kpis/it/k0/readings", None), ("/api/v1/kpis/it/k0/readings", {"value": 1}),
        ("/api/v1/maintenance", window), ("/api/v1/comments", {"subject": "kpi:it/k0", "text": "so"}),
        ("/api/v1/silences", {"matchers": [{"name": "kpi", "value": "k0"}], "endsAt": later}),
    ]  # fmt: skip
    database.end()
    for path, body in asked:
        status, kind, again, problem = answer(rig, path, body)
        assert (status, kind, again) == (503, "application/problem+json", "5"), (path, problem)
        assert (problem["status"], problem["title"]) == (503, "Not possible just now")
        assert "database cannot be used" in problem["detail"]
    page = urllib.request.Request(rig.url + "/alerts", headers={"Accept": "text/html"})
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(page, timeout=20)
    assert (refused.value.code, b"database cannot be used" in refused.value.read()) == (503, True)
    assert "Traceback" not in rig.log.read_text()
    database.begin()
    wait_until(database.answers, "the server's own recovery", 60)
    for path, body in asked:
        wait_until(lambda path=path, body=body: answer(rig, path, body)[0] in (200, 201), f"{path} answered again", 30)
    assert rig.stop() == 0


def answer(rig, path, body):
    """Status, kind of content, when to come again, content."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(rig.url + path, data, {"Content-Type": "application/json"} if data else {})
    try:
        with urllib.request.urlopen(request, timeout=20) as reply:
            return reply.status, reply.headers.get_content_type(), None, json.loads(reply.read())
    except urllib.error.HTTPError as error:
        return error.code, error.headers.get_content_type(), error.headers["Retry-After"], json.loads(error.read())


def test_a_second_service_takes_over_when_the_first_is_killed(tmp_path, nursery, database, often, figures):
    took = []
    with Receiver(tmp_path, "quick") as quick:
        leader, other = (place(tmp_path, name, nursery, database, [quick]) for name in ("one", "two"))
        leader.start()
        for _ in range(often(20, 1)):
            other.start(ready=False)
            wait_until(lambda other=other: "standing by" in other.log.read_text(), "the standby", 30)
            assert leader.enter("k0", RED)
            assert not serves(other)
            leader.kill()
            begun = time.monotonic()
            wait_until(lambda other=other: serves(other), "the take-over", 60)
            took.append(time.monotonic() - begun)
            other.acknowledged.update(leader.acknowledged)
            leader.log.write_text("")
            leader, other = other, leader
        assert leader.enter("k0", RED)
        wait_until(leader.drained, "an empty outbox")
        assert leader.stop() == 0
        figures("take-overs", {**leader.check(len(took)), "seconds at most": round(max(took), 1)})


def test_a_leader_that_freezes_is_replaced_and_stands_by_when_it_wakes(tmp_path, nursery, database, figures):
    leader, other = (place(tmp_path, name, nursery, database, []) for name in ("one", "two"))
    leader.start()
    other.start(ready=False)
    wait_until(lambda: "standing by" in other.log.read_text(), "the standby", 30)
    assert leader.enter("k0", RED)
    os.kill(leader.pid, signal.SIGSTOP)
    begun = time.monotonic()
    try:
        wait_until(lambda: serves(other), "the take-over", 60)
        seconds = time.monotonic() - begun
    finally:
        os.kill(leader.pid, signal.SIGCONT)
    wait_until(lambda: "standing by" in leader.log.read_text(), "its finding out", 30)
    wait_until(lambda: not serves(leader), "its ceasing to serve", 30)
    assert other.enter("k0", RED)
    assert other.stop() == 0
    wait_until(lambda: serves(leader), "its leading again", 30)
    assert leader.stop() == 0
    other.acknowledged.update(leader.acknowledged)
    figures("a frozen leader", {**other.check(0), "seconds to take over": round(seconds, 1)})


def more_than(collected, more=0):
    """Whether more has been collected than by now."""
    count = len(collected) + more
    return lambda: len(collected) > count


def place(folder, name, nursery, database, receivers):
    (folder / name).mkdir()
    return Rig(folder / name, nursery, receivers, names=["k0"], database=database.url)
