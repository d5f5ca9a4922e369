"""Delivery beyond the reference system: nothing is swallowed, nothing is told twice, the order is kept."""

import contextlib
from dataclasses import replace
from datetime import timedelta

import pytest
from tests.unit.notify.world import HOUR, MINUTE, RED, SECOND, is_, kpi, receiver, route, world

from bsc_monitor.alert.defaults import DEFAULT_RULES
from bsc_monitor.model.alert import AlertRule, Maintenance
from bsc_monitor.notify.outcome import Outcome
from bsc_monitor.notify.windows import end_window, open_window
from bsc_monitor.store import outbox, told
from bsc_monitor.store.alerts import alert_history, commit_effects

DOWN = Outcome("no connection")
FLAPPY = AlertRule("red", "breach", flap_limit=4)


def states(sink, name="a"):
    return [found[name] for _, found in sink.told if name in found]


async def test_a_fire_and_its_end_during_an_outage_are_told_late_in_one_digest(tmp_path):
    async with world(tmp_path) as w:
        sink = w.sinks["ops"]
        sink.down = DOWN
        await w.see(a="red")
        await w.until(120)
        await w.see(a="green")
        await w.until(600)
        sink.down = None
        await w.until(700)
        ((_, message, words),) = sink.got
        assert [moment.kind for moment in message.items[0].moments] == ["fired", "resolved"]
        assert "fired 10:00 UTC, resolved 10:02 UTC, delivered late" in words.text
        assert w.delivered[-1].late
        assert max(b - a for a, b in zip(sink.tried, sink.tried[1:], strict=False)) <= 30  # capped back-off, for ever


async def test_a_permanent_refusal_becomes_a_dead_letter_and_holds_nobody_up(tmp_path):
    async with world(tmp_path) as w:
        w.sinks["ops"].down = Outcome("answered 400: bad", dead=True)
        await w.see(a="red")
        await w.until(10)
        w.sinks["ops"].down = None
        await w.see(b="red")
        await w.until(20)
        (dead,) = w.rows(outbox.dead_letters)
        assert (dead.error, dead.kind) == ("answered 400: bad", "fired")
        assert w.failures[-1].dead
        assert w.sinks["ops"].told == [(11, {"b": "firing"})]
        assert await w.store.write(lambda c: outbox.retry_dead(c, [dead.key])) == 1
        w.wake()
        await w.until(30)
        assert "firing" in states(w.sinks["ops"])


async def test_a_crash_between_sending_and_noting_it_repeats_the_message_under_its_key(tmp_path):
    async with world(tmp_path) as w:
        sink = w.sinks["ops"]
        taken = []

        async def taken_then_killed(message, words):
            taken.append(message.key)
            raise KeyboardInterrupt

        w.lanes["one", "ops"]._send = taken_then_killed
        await w.see(a="red", b="red")
        with contextlib.suppress(KeyboardInterrupt):
            await w.until(10)
        w.lanes.clear()
        w._next.clear()
        w.open()
        await w.see(c="red")
        await w.until(20)
        assert sink.got[0][1].key == taken[0]
        assert sink.told[0][1] == {"a": "firing", "b": "firing"}  # the very same transitions, no more
        assert sink.told[1][1].keys() == {"a", "b", "c"}
        assert len(sink.transitions) == len(set(sink.transitions)) == 3


async def test_what_may_have_been_taken_before_a_crash_keeps_its_key_through_a_refusal_for_now(tmp_path):
    async with world(tmp_path) as w:
        taken = []

        async def taken_then_killed(message, words):
            taken.append(message)
            raise KeyboardInterrupt

        w.lanes["one", "ops"]._send = taken_then_killed
        await w.see(a="red")
        with contextlib.suppress(KeyboardInterrupt):
            await w.until(10)
        w.lanes.clear()
        w._next.clear()
        w.open()
        w.sinks["ops"].down = Outcome("answered 503")
        await w.until(20)
        await w.see(a="green", b="red")
        await w.until(100)
        w.sinks["ops"].down = None
        await w.until(200)
        told = [
            (message.key, [m.key for item in message.items for m in item.moments])
            for _, message, _ in w.sinks["ops"].got
        ]
        assert told[0] == (taken[0].key, [m.key for item in taken[0].items for m in item.moments])
        keys = [key for _, some in told for key in some]
        assert len(keys) == len(set(keys)) == 3


async def test_committing_the_same_effects_twice_tells_once(tmp_path):
    async with world(tmp_path) as w:
        await w.see(a="red")
        history = w.rows(alert_history)
        effects = []
        w.bus.subscribe(type(w).__mro__[1], lambda _: None)
        from bsc_monitor.alert.step import Effect

        alert = w.engine.firing()[-1]
        effects = [Effect("fired", alert, alert.state, w.now, told=True)]
        routing = w.settings.routing
        for _ in range(2):
            await w.store.write(lambda c: commit_effects(c, effects, routing, w.now))
        assert len(w.rows(lambda c: outbox.pending(c, "ops"))) == 1
        assert len(w.rows(alert_history)) == len(history)


async def test_flapping_is_one_message_and_its_end_another(tmp_path):
    async with world(tmp_path, rules=[FLAPPY]) as w:
        for minute in range(20):
            await w.see(a="red" if minute % 2 == 0 else "green")
            await w.until(60 * (minute + 1))
        assert states(w.sinks["ops"]) == ["firing", "resolved", "firing", "resolved", "flapping"]
        await w.until(3 * 3600)
        assert states(w.sinks["ops"])[-1] == "resolved"
        assert w.rows(lambda c: told.told_of(c, "ops")) == []


async def test_what_began_and_ended_in_a_silence_is_not_told_and_what_was_told_is_ended_after_it(tmp_path):
    async with world(tmp_path) as w:
        await w.see(a="red")
        await w.until(10)
        await w.silence(is_("scorecard", "it"), ends=100)
        await w.see(a="green", b="red")
        await w.until(50)
        await w.see(b="green")
        await w.until(200)
        assert states(w.sinks["ops"], "b") == []
        assert w.sinks["ops"].told[1] == (101, {"a": "resolved"})
        assert w.rows(lambda c: outbox.pending(c, "ops")) == []


async def test_a_failing_source_inhibits_the_stale_alerts_of_its_kpis_by_default(tmp_path):
    rules = [replace(rule, for_=timedelta(minutes=1)) for rule in DEFAULT_RULES]
    async with world(tmp_path, rules=rules, routes=[route(repeat_interval=10 * HOUR)]) as w:
        await w.run("itsm", "a", ok=False)
        await w.until(65)
        await w.see(a="stale", b="stale")
        await w.until(1000)
        assert [list(found) for _, found in w.sinks["ops"].told] == [["?"]]
        await w.run("itsm", "a", ok=True)
        await w.see(a="green", b="green")
        await w.until(2000)
        assert [found for _, found in w.sinks["ops"].told] == [{"?": "firing"}, {"?": "resolved"}]


async def test_the_dead_mans_switch_reaches_machines_and_those_who_ask_for_it(tmp_path):
    routes = [route("watch", ["dead-man"], match=(is_("alertname", "Watchdog"),)), route(order=1)]
    async with world(tmp_path, receivers=[receiver(), receiver("dead-man")], routes=routes) as w:
        await w.commit(w.engine.tick(w.now))
        await w.until(10)
        assert len(w.sinks["dead-man"].told) == 1
        assert w.sinks["ops"].told == []


async def test_a_maintenance_window_holds_back_and_lets_go(tmp_path):
    patch = Maintenance("patch", "0 10 * * *", 10 * MINUTE, (is_("source", "itsm"),))
    async with world(tmp_path, kpis=[kpi("a"), kpi("b", source="git")], maintenance=[patch]) as w:
        await w.see(a="red", b="red")
        await w.until(500)
        assert w.sinks["ops"].told == [(1, {"b": "firing"})]
        await w.until(700)
        assert w.sinks["ops"].told[1] == (601, {"a": "firing", "b": "firing"})


async def test_a_window_that_a_person_opens_holds_back_at_once_and_lets_go_when_it_is_ended(tmp_path):
    window = Maintenance("now", "* * * * *", 60 * MINUTE, (is_("kpi", "a"),), author="ann")
    async with world(tmp_path, kpis=[kpi("a"), kpi("b")]) as w:
        await w.store.write(lambda connection: open_window(connection, window, (), w.now))
        await w.see(a="red", b="red")
        await w.until(500)
        assert w.sinks["ops"].told == [(1, {"b": "firing"})]
        await w.store.write(lambda connection: end_window(connection, "now", "bob", (), w.now))
        await w.until(600)
        assert w.sinks["ops"].told[1][1] == {"a": "firing", "b": "firing"}


ESCALATING = [
    route("first", ["ops"], escalate_after=10 * MINUTE, next="second"),
    route("second", ["boss"], match=(is_("scorecard", "nobody"),), order=1),
]


async def test_what_nobody_acknowledges_escalates_to_the_next_route_and_so_does_its_end(tmp_path):
    async with world(tmp_path, receivers=[receiver(), receiver("boss")], routes=ESCALATING) as w:
        await w.see(a="red")
        await w.until(599)
        assert w.sinks["boss"].told == []
        await w.until(650)
        assert w.sinks["boss"].told == [(600, {"a": "firing"})]
        assert w.sinks["boss"].got[0][1].escalated
        await w.see(a="green")
        await w.until(700)
        assert states(w.sinks["boss"]) == ["firing", "resolved"]


async def test_what_is_acknowledged_or_over_in_time_does_not_escalate_nor_its_end(tmp_path):
    async with world(tmp_path, receivers=[receiver(), receiver("boss")], routes=ESCALATING) as w:
        await w.see(a="red", b="red")
        await w.until(100)
        await w.acknowledge("a")
        await w.see(b="green")
        await w.until(2000)
        await w.see(a="green")
        await w.until(3000)
        assert w.sinks["boss"].told == []
        assert w.rows(lambda c: outbox.pending(c, "boss")) == []
        assert states(w.sinks["ops"])[-1] == "resolved"


async def test_an_acknowledged_alert_is_not_repeated_until_its_date(tmp_path):
    async with world(tmp_path, routes=[route(repeat_interval=MINUTE)]) as w:
        await w.see(a="red")
        await w.until(10)
        await w.acknowledge("a", until=w.now + 5 * MINUTE)
        await w.until(300)
        assert len(w.sinks["ops"].told) == 1
        await w.until(400)
        assert len(w.sinks["ops"].told) >= 2


async def test_a_kpi_that_is_removed_while_firing_is_resolved_with_that_reason(tmp_path):
    from tests.unit.notify.world import organisation

    async with world(tmp_path) as w:
        await w.see(a="red")
        await w.until(10)
        await w.reload(org=organisation(kpi("b")))
        await w.until(20)
        _, message, words = w.sinks["ops"].got[-1]
        assert message.items[0].state == "resolved"
        assert "the KPI it/a was removed" in words.text


async def test_a_route_that_changes_tells_the_new_receiver_and_ends_at_the_old_one(tmp_path):
    async with world(tmp_path, receivers=[receiver(), receiver("new")], routes=[route()]) as w:
        await w.see(a="red")
        await w.until(10)
        changed = route(receivers=["new"])
        await w.reload(routes={"default": changed})
        await w.until(20)
        assert states(w.sinks["new"]) == ["firing"]
        await w.see(a="green")
        await w.until(30)
        assert states(w.sinks["ops"]) == states(w.sinks["new"]) == ["firing", "resolved"]


async def test_a_clock_set_back_by_an_hour_or_a_day_holds_no_message_up(tmp_path):
    for jump in (HOUR, 24 * HOUR):
        folder = tmp_path / str(jump.total_seconds())
        folder.mkdir()
        async with world(folder) as w:
            sink = w.sinks["ops"]
            await w.see(a="red")
            await w.until(10)
            sink.down = DOWN
            await w.see(b="red")
            await w.until(20)
            w.now -= jump
            sink.down = None
            w.wake()
            begun = w.seconds
            await w.until(begun + 60)
            assert states(sink, "b") == ["firing"]
            await w.see(c="red")
            await w.until(begun + 120)
            assert states(sink, "c") == ["firing"]


async def test_a_receiver_that_is_down_for_an_hour_catches_up_and_delays_nobody(tmp_path, soak):
    """All is told within 60 s of its return, to the healthy one never later than 2 s after it may be.

    A thousand transitions with ``--soak``, a hundred without.
    """
    names = [f"k{number}" for number in range(100 if soak else 3)]
    routes = [route(receivers=["well", "ill"], group_by=("kpi",), group_wait=SECOND, group_interval=SECOND)]
    rules = [replace(RED, flap_limit=10**6)]
    async with world(
        tmp_path,
        kpis=[kpi(n) for n in names],
        receivers=[receiver("well"), receiver("ill")],
        routes=routes,
        rules=rules,
    ) as w:
        w.sinks["ill"].down = DOWN
        for turn in range(10):
            await w.see(**dict.fromkeys(names, "green" if turn % 2 else "red"))
            await w.until(360 * (turn + 1))
        assert w.lanes["one", "ill"].waiting == 10 * len(names)
        w.sinks["ill"].down = None
        await w.until(3660)
        assert w.lanes["one", "ill"].waiting == 0
        for sink in (w.sinks["ill"], w.sinks["well"]):
            assert len(sink.transitions) == len(set(sink.transitions)) == 10 * len(names)
            for name in names:
                kinds = [
                    moment.kind
                    for _, message, _ in sink.got
                    for item in message.items
                    if item.alert.labels["kpi"] == name
                    for moment in item.moments
                ]
                assert kinds == ["fired", "resolved"] * 5
        assert all(second % 360 <= 3 for second, _ in w.sinks["well"].told)


MANY = [f"k{number:02}" for number in range(12)]
APART = route(group_by=("scorecard", "kpi"))


async def test_in_a_storm_the_groups_that_are_due_share_a_message_and_go_on_each_for_itself(tmp_path):
    async with world(tmp_path, kpis=[kpi(name) for name in MANY], routes=[APART]) as w:
        await w.see(**dict.fromkeys(MANY[:10], "red"))
        await w.until(10)
        assert [len(told) for _, told in w.sinks["ops"].told] == [1] * 10, "ten can be read one by one"
        await w.see(**dict.fromkeys(MANY[:10], "green"))
        await w.until(20)
        await w.see(**dict.fromkeys(MANY, "red"))
        await w.until(30)
        (at, told) = w.sinks["ops"].told[-1]
        assert (at, told) == (21, dict.fromkeys(MANY, "firing"))
        message = w.sinks["ops"].got[-1][1]
        assert message.group == {"scorecard": "it"}, "what all of them share"
        await w.see(k03="green")
        await w.until(40)
        assert w.sinks["ops"].told[-1] == (31, {"k03": "resolved"})
        await w.until(20 + 3700)
        assert {len(told) for at, told in w.sinks["ops"].told if at > 3600} == {1}, "and each is repeated for itself"
        assert len([told for at, told in w.sinks["ops"].told if at > 3600]) == len(MANY) - 1
        assert len(w.sinks["ops"].transitions) == len(set(w.sinks["ops"].transitions)) == 20 + 12 + 1


async def test_a_message_of_many_groups_that_may_have_been_taken_comes_again_as_it_was_before_what_followed(tmp_path):
    async with world(tmp_path, kpis=[kpi(name) for name in [*MANY, "other"]], routes=[APART]) as w:
        sink, tried = w.sinks["ops"], []
        send = w.lanes["one", "ops"]._send

        async def note(message, words):
            tried.append((message.key, sorted(m.key for item in message.items for m in item.moments)))
            return await send(message, words)

        w.lanes["one", "ops"]._send = note
        sink.down = Outcome("no answer in time", sure=False)
        await w.see(**dict.fromkeys(MANY, "red"))
        await w.until(2)
        await w.see(k00="green", other="red")
        sink.down = None
        w.open()
        w.lanes["one", "ops"]._send = note
        await w.until(60)
        assert tried[0] == tried[1]
        assert len(tried[0][1]) == len(MANY)
        assert set(dict.fromkeys(state for state in states(sink, "k00"))) == {"firing", "resolved"}
        assert states(sink, "k00") == ["firing", "resolved"]
        assert states(sink, "other") == ["firing"]
        assert len(sink.transitions) == len(set(sink.transitions)) == len(MANY) + 2


async def test_what_is_held_back_in_great_number_hides_nothing_that_is_not(tmp_path, monkeypatch):
    from bsc_monitor.notify import lane

    monkeypatch.setattr(lane, "_PAGES", (3, 100))
    async with world(tmp_path) as w:
        await w.silence(is_("kpi", "[a-d]", "=~"), ends=1000)
        await w.see(a="red", b="red", c="red", d="red")
        await w.see(e="red")
        await w.until(10)
        assert w.sinks["ops"].told == [(1, {"e": "firing"})]


async def test_a_receiver_of_a_plugin_is_tried_again_and_cannot_end_the_service(tmp_path):
    from tests.unit.notify.world import START

    from bsc_monitor.notify.message import Message
    from bsc_monitor.notify.plugged import plugin_sender
    from bsc_monitor.notify.render import render
    from bsc_monitor.notify.wording import Wording
    from bsc_monitor.plugin import CollectorError, SourceError

    message = Message("k", "ops", "default", START)
    got = []

    async def takes(config, body):
        got.append((config["room"], body["key"]))

    async def exits(config, body):
        raise SystemExit(3)

    async def refuses(config, body):
        raise SourceError("never", CollectorError.SCHEMA)

    receivers = {"takes": takes, "exits": exits, "refuses": refuses}
    outcomes = {
        name: await plugin_sender(name, receivers, {"room": "x"}, Wording())(message, render(message, Wording()))
        for name in (*receivers, "missing")
    }
    assert outcomes["takes"].ok
    assert got == [("x", "k")]
    assert outcomes["exits"].error == "SystemExit: 3"
    assert (outcomes["refuses"].dead, outcomes["exits"].dead) == (True, False)
    assert outcomes["missing"].error == "no plugin provides a receiver 'missing'"


@pytest.mark.parametrize("refused", [False, True])
async def test_what_a_crash_left_of_a_storm_is_told_in_the_order_in_which_it_happened(tmp_path, refused):
    names = [f"k{number:03}" for number in range(150)]
    routes = [route(group_by=("scorecard", "kpi"), group_interval=5 * MINUTE)]
    async with world(tmp_path, kpis=[kpi(name) for name in [*names, "told"]], routes=routes) as w:
        await w.see(told="red")
        await w.until(5)
        w.now += 200 * SECOND
        await w.see(told="green")  # waits longer than those after it
        await w.see(**dict.fromkeys(names, "red"))
        await w.see(**dict.fromkeys(names, "green"))
        w.now += 200 * SECOND

        async def killed(message, words):
            raise KeyboardInterrupt

        w.lanes["one", "ops"]._send = killed
        with contextlib.suppress(KeyboardInterrupt):
            await w.until(410)
        if (
            refused
        ):  # the first part once more, before another crash: it waits for its next try, what follows it does not
            w.lanes.clear()
            w._next.clear()
            w.open()
            w.sinks["ops"].down = DOWN
            await w.until(411)
            w.sinks["ops"].down = None
        w.lanes.clear()
        w._next.clear()
        w.open()
        await w.until(500)
        told = [m.key for _, message, _ in w.sinks["ops"].got for item in message.items for m in item.moments]
        assert len(told) == len(set(told)) == 2 + 2 * len(names)
        last = {item.alert.labels["kpi"]: item.state for _, message, _ in w.sinks["ops"].got for item in message.items}
        assert last == dict.fromkeys([*names, "told"], "resolved")
