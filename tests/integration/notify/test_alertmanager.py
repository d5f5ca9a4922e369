"""A real Alertmanager (Debian's) behind the notifier."""

import json
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path

import pytest
from tests.integration.notify.rig import eventually, rig, utcnow
from tests.servers import alertmanager, free_port

from bsc_monitor.model.alert import AlertRule, Receiver
from bsc_monitor.store import outbox, told

CONFIG = "route: {receiver: none}\nreceivers: [{name: none}]\n"


@contextmanager
def members(folder, count=1):
    with ExitStack() as stack:
        found = []
        for number in range(count):
            own = Path(folder) / f"am{number}"
            own.mkdir()
            found.append(stack.enter_context(alertmanager(own, CONFIG)))
        yield found


def alerts(server):
    return {each["labels"]["kpi"]: each for each in json.loads(server.get("/api/v2/alerts")) if "kpi" in each["labels"]}


def instant(text):
    return datetime.fromisoformat(text)


async def test_what_fires_is_at_every_member_with_its_labels_and_start_and_gone_when_over(tmp_path):
    with members(tmp_path, 2) as servers:
        receiver = Receiver("am", alertmanager=tuple(server.url + "/" for server in servers))
        async with rig(tmp_path, receiver) as r:
            await r.see(a="red", b="red")
            for server in servers:
                found = await eventually(
                    lambda server=server: len(alerts(server)) == 2 and alerts(server), "the alerts"
                )
                assert found["a"]["labels"] == {
                    "alertname": "kpi-red", "severity": "warning", "scorecard": "it", "perspective": "customer",
                    "objective": "restore-fast", "kpi": "a", "source": "itsm", "owner": "ops@example.com",
                }  # fmt: skip
                assert found["a"]["annotations"]["summary"] == "Red: Time of a"
                assert found["a"]["annotations"]["value"] == "9.5 h"
                assert found["a"]["generatorURL"] == "https://bsc.example.com/kpis/it/a"
                starts = next(a for a in r.engine.firing() if a.labels["kpi"] == "a").starts_at
                assert abs(instant(found["a"]["startsAt"]) - starts).total_seconds() < 0.001  # it shows milliseconds
            await r.see(a="green")
            for server in servers:
                await eventually(lambda server=server: set(alerts(server)) == {"b"}, "the end of one")


async def test_it_is_told_again_every_interval_with_its_end_four_ahead_and_its_start_through_a_restart(tmp_path):
    with members(tmp_path) as (server,):
        async with rig(tmp_path, Receiver("am", alertmanager=(server.url,))) as r:
            await r.see(a="red")
            first = (await eventually(lambda: alerts(server), "the alert"))["a"]
            assert 0 < (instant(first["endsAt"]) - utcnow()).total_seconds() <= 4
            later = await eventually(lambda: (a := alerts(server)["a"])["endsAt"] > first["endsAt"] and a, "a refresh")
            await r.stop()
            await r.start()
            again = await eventually(
                lambda: (a := alerts(server)["a"])["endsAt"] > later["endsAt"] and a, "a refresh by the next start"
            )
            assert again["startsAt"] == first["startsAt"]


async def test_a_member_that_is_down_holds_nobody_up_and_the_end_is_repeated_a_few_times(tmp_path):
    with members(tmp_path) as (server,):
        receiver = Receiver("am", alertmanager=(f"http://127.0.0.1:{free_port()}", server.url))
        async with rig(tmp_path, receiver) as r:
            await r.see(a="red")
            await eventually(lambda: alerts(server), "the alert")
            await r.see(a="green")
            await eventually(lambda: not alerts(server), "its end")
            believed = lambda: r.store.read_now(lambda c: [t for t in told.told_of(c, "am") if not t.open])  # noqa: E731
            await eventually(lambda: believed() and believed()[0].again < 3, "a repetition")
            await eventually(lambda: not believed(), "the last repetition")


async def test_an_alert_that_it_refuses_becomes_a_dead_letter_and_the_others_get_through(tmp_path):
    rules = (AlertRule("kpi-red", "breach"), AlertRule("größe", "breach", labels={"größe": "x"}))
    with members(tmp_path) as (server,):
        async with rig(tmp_path, Receiver("am", alertmanager=(server.url,)), rules=rules) as r:
            await r.see(a="red", b="red")
            await eventually(lambda: len(alerts(server)) == 2, "those that it understands")
            dead = await eventually(lambda: r.store.read_now(outbox.dead_letters), "the dead letters")
            assert len(dead) == 2
            assert all("400" in row.error for row in dead)
            told = await eventually(lambda: r.failed, "the failures, which are told after the commit")
            assert told[-1].dead


async def test_an_alertmanager_that_comes_late_is_told_all(tmp_path):
    port = free_port()
    async with rig(tmp_path, Receiver("am", alertmanager=(f"http://127.0.0.1:{port}",))) as r:
        await r.see(a="red", b="red")
        await eventually(lambda: len(r.failed) >= 2, "failures")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("tests.servers.free_port", lambda: port)
            with members(tmp_path) as (server,):
                await eventually(lambda: len(alerts(server)) == 2, "the alerts")
