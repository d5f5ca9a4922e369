"""The acceptance scenarios of the reference system, rebuilt from their descriptions, under their names."""

from dataclasses import replace
from datetime import timedelta

from tests.unit.notify.world import RED, SECOND, is_, kpi, receiver, route, world

from bsc_monitor.model.alert import AlertRule, AlertState, Inhibition, Matcher
from bsc_monitor.notify.outcome import Outcome
from bsc_monitor.store import outbox

DOWN = Outcome("answered 500")


def at(sink):
    return [second for second, _ in sink.told]


async def test_merge_alerts(tmp_path):
    """The same alert seen again keeps its start and takes the newest facts; a new fire is a new start."""
    async with world(tmp_path) as w:
        await w.see(a="red")
        await w.until(10)
        await w.see(a="red")  # seen again: nothing new to tell
        await w.until(20)
        await w.see(a="green")
        await w.until(30)
        await w.see(a="red")
        await w.until(40)
        assert w.sinks["ops"].told == [(1, {"a": "firing"}), (21, {"a": "resolved"}), (31, {"a": "firing"})]
        starts = [message.items[0].alert.starts_at for _, message, _ in w.sinks["ops"].got]
        assert starts[0] == starts[1] != starts[2]


async def test_merge_alerts_with_ends_at(tmp_path):
    """An alert that is over twice is over once; its end is told as it was."""
    async with world(tmp_path) as w:
        await w.see(a="red")
        await w.until(5)
        await w.see(a="green")
        ended = w.now
        await w.until(8)
        await w.see(a="green")
        await w.until(20)
        (_, _, _), (_, message, _) = w.sinks["ops"].got
        assert message.items[0].alert.resolved_at == ended


async def test_repeat(tmp_path):
    async with world(tmp_path, routes=[route(repeat_interval=timedelta(minutes=1))]) as w:
        await w.see(a="red")
        await w.until(200)
        assert at(w.sinks["ops"]) == [1, 61, 121, 181]
        assert [m.repeated for _, m, _ in w.sinks["ops"].got] == [False, True, True, True]
        await w.see(a="green")
        await w.until(1000)
        assert w.sinks["ops"].told[4:] == [(201, {"a": "resolved"})]


async def test_retry(tmp_path):
    """Of two receivers one fails for a while: the other gets exactly its own, the failing one gets all of it later."""
    async with world(tmp_path, receivers=[receiver("well"), receiver("ill")]) as w:
        w.sinks["ill"].down = DOWN
        await w.see(a="red")
        await w.until(4.5)
        assert w.sinks["well"].told == [(1, {"a": "firing"})]
        assert len(w.sinks["ill"].tried) >= 2
        w.sinks["ill"].down = None
        await w.until(60)
        assert w.sinks["well"].told == [(1, {"a": "firing"})]
        assert [state for _, state in w.sinks["ill"].told] == [{"a": "firing"}]
        assert w.sinks["ill"].got[0][1].late


async def test_batching(tmp_path):
    """One message for a group; late alerts join at the next interval; without news nothing until the repetition."""
    routes = [route(group_wait=5 * SECOND, group_interval=10 * SECOND, repeat_interval=timedelta(seconds=50))]
    async with world(tmp_path, routes=routes) as w:
        await w.see(a="red")
        await w.until(2)
        await w.see(b="red", c="red")
        await w.until(7)
        await w.see(d="red")
        await w.until(60)
        assert [(second, sorted(states)) for second, states in w.sinks["ops"].told] == [
            (5, ["a", "b", "c"]),
            (15, ["a", "b", "c", "d"]),
        ]
        await w.until(66)
        assert at(w.sinks["ops"]) == [5, 15, 65]


async def test_resolved(tmp_path):
    """All that ended is told once, in one message; an alert of which nothing is heard any more does not end by itself."""
    async with world(tmp_path) as w:
        await w.see(a="red", b="red")
        await w.until(10)
        await w.see(a="unknown", b="stale")
        await w.until(100)
        assert len(w.sinks["ops"].told) == 1
        await w.see(a="green", b="green")
        await w.until(200)
        assert w.sinks["ops"].told[1:] == [(101, {"a": "resolved", "b": "resolved"})]


async def test_resolved_filter(tmp_path):
    """A receiver that wants no ends gets none, and is still told when it fires again."""
    async with world(tmp_path, receivers=[receiver("all"), receiver("fires", send_resolved=False)]) as w:
        await w.see(a="red")
        await w.until(10)
        await w.see(a="green")
        await w.until(20)
        await w.see(a="red")
        await w.until(30)
        assert [s["a"] for _, s in w.sinks["all"].told] == ["firing", "resolved", "firing"]
        assert w.sinks["fires"].told == [(1, {"a": "firing"}), (21, {"a": "firing"})]
        await w.until(30 + 4000)
        assert len(w.sinks["fires"].told) == 3  # the repetition of what still fires


async def test_cold_start(tmp_path):
    """After a start, what fires already is told again to nobody, and what was not told is told together."""
    async with world(tmp_path) as w:
        await w.see(a="red")
        await w.until(10)
        w.sinks["ops"].down = DOWN
        await w.see(b="red", c="red")
        await w.until(12)
        w.sinks["ops"].down = None
        w.lanes.clear()
        w.open()
        await w.until(100)
        told = w.sinks["ops"].told
        assert len(told) == 2
        assert {"b": "firing", "c": "firing"}.items() <= told[1][1].items()


async def test_reload(tmp_path):
    """A reload amid an interval repeats no first message and forgets no repetition."""
    async with world(tmp_path, routes=[route(repeat_interval=timedelta(minutes=1))]) as w:
        await w.see(a="red")
        await w.until(30)
        await w.reload()
        await w.until(60)
        assert at(w.sinks["ops"]) == [1]
        await w.until(62)
        assert at(w.sinks["ops"]) == [1, 61]


async def test_webhook_timeout(tmp_path):
    """A receiver that answers too late is tried again under the same key until it answers."""
    async with world(tmp_path) as w:
        sink = w.sinks["ops"]
        sink.down = Outcome("no complete answer within 0.5 s", sure=False)
        await w.see(a="red")
        await w.until(1.2)
        rows = w.rows(lambda c: outbox.pending(c, "ops"))
        await w.see(b="red")  # does not change the message that may have been taken
        await w.until(3)
        sink.down = None
        await w.until(20)
        assert sink.told[0][1] == {"a": "firing"}
        assert sink.got[0][1].key == rows[0].message
        assert len(set(sink.transitions)) == len(sink.transitions) == 2


INHIBIT = Inhibition("i", (is_("alertname", "page"),), (is_("alertname", "red"),), ("scorecard",))
PAGE = AlertRule("page", "breach", match=(is_("kpi", "a"),), flap_limit=1000)
OTHERS = replace(RED, match=(Matcher("kpi", "!=", "a"),))


async def test_inhibiting(tmp_path):
    """While its source fires, the target is muted; then it is told."""
    async with world(tmp_path, rules=[PAGE, OTHERS], inhibitions=[INHIBIT]) as w:
        await w.see(a="red", b="red")
        await w.until(50)
        assert w.sinks["ops"].told == [(1, {"a": "firing"})]
        await w.see(a="green")
        await w.until(100)
        assert {"b": "firing"}.items() <= w.sinks["ops"].told[-1][1].items()


async def test_always_inhibiting(tmp_path):
    """Source and target end together: the last message says both, since both were told."""
    async with world(tmp_path, rules=[PAGE, OTHERS], inhibitions=[INHIBIT]) as w:
        await w.see(b="red")
        await w.until(10)
        await w.see(a="red")
        await w.until(20)
        await w.see(a="green", b="green")
        await w.until(40)
        assert w.sinks["ops"].told[-1][1] == {"a": "resolved", "b": "resolved"}


async def test_empty_inhibition_rule(tmp_path):
    async with world(tmp_path, inhibitions=[Inhibition("empty", (), ())]) as w:
        await w.see(a="red")
        await w.until(10)
        assert w.sinks["ops"].told == [(1, {"a": "firing"})]


async def test_add_silence(tmp_path):
    """A silence that starts later mutes from then on, what was told before stays told."""
    async with world(tmp_path, routes=[route(repeat_interval=timedelta(seconds=30))]) as w:
        await w.see(a="red")
        await w.silence(is_("kpi", "a"), starts=20, ends=100)
        await w.until(95)
        assert at(w.sinks["ops"]) == [1]
        await w.until(140)
        assert at(w.sinks["ops"]) == [1, 100, 130]


async def test_silencing(tmp_path):
    """Muted exactly inside the window, regular expressions included; told afterwards."""
    async with world(tmp_path) as w:
        await w.silence(Matcher("kpi", "=~", "a|b"), ends=60)
        await w.see(a="red", b="red", c="red")
        await w.until(59)
        assert w.sinks["ops"].told == [(1, {"c": "firing"})]
        await w.until(80)
        assert w.sinks["ops"].told[1] == (61, {"a": "firing", "b": "firing", "c": "firing"})


async def test_silence_delete(tmp_path):
    async with world(tmp_path) as w:
        name = await w.silence(is_("kpi", "a"), ends=1000)
        await w.see(a="red")
        await w.until(30)
        assert w.sinks["ops"].told == []
        await w.expire(name)
        await w.until(40)
        assert w.sinks["ops"].told == [(31, {"a": "firing"})]


async def test_cluster_deduplication(tmp_path):
    """Three instances on one store tell once."""
    async with world(tmp_path, routes=[route(repeat_interval=timedelta(seconds=30))]) as w:
        w.open("two")
        w.open("three")
        await w.see(a="red")
        await w.until(70)
        assert at(w.sinks["ops"]) == [1, 31, 61]


async def test_cluster_vs_instance(tmp_path):
    """One instance and three tell the same."""
    told = []
    for instances in (1, 3):
        folder = tmp_path / str(instances)
        folder.mkdir()
        async with world(folder) as w:
            for number in range(1, instances):
                w.open(f"more-{number}")
            for second, name in enumerate("abcde"):
                await w.see(**{name: "red"})
                await w.until(3 * second + 2)
            await w.see(a="green", c="green")
            await w.until(60)
            told.append(sorted(w.sinks["ops"].transitions))
    assert told[0] == told[1]
    assert len(told[0]) == 7


def held_now(w):
    alerts = {alert.labels["kpi"]: alert for alert in w.engine.firing() if "kpi" in alert.labels}
    quiet = w.rows(lambda c: w.instance.quiet(c, tuple(w.instance.inhibitors.values()), w.now))
    return {name: quiet.held(alert, w.now) for name, alert in alerts.items()}, alerts


async def test_add_alerts(tmp_path):
    """What fires is there to be shown at once."""
    async with world(tmp_path) as w:
        await w.see(a="red")
        held, alerts = held_now(w)
        assert alerts["a"].state is AlertState.FIRING
        assert not held["a"]


async def test_alert_get_returns_current_alert_status(tmp_path):
    """Silences and inhibition show at once, not at the next message, and with whom to ask."""
    async with world(tmp_path, rules=[PAGE, OTHERS], inhibitions=[INHIBIT]) as w:
        await w.see(b="red", c="red")
        name = await w.silence(is_("kpi", "c"), ends=100)
        held, _ = held_now(w)
        assert (held["c"].silenced_by, held["b"].silenced_by) == ((name,), ())
        await w.see(a="red")
        held, alerts = held_now(w)
        assert held["b"].inhibited_by == (alerts["a"].fingerprint,)
        await w.expire(name)
        assert held_now(w)[0]["c"].silenced_by == ()


async def test_filter_alert_request(tmp_path):
    """Alerts are found by matchers."""
    from bsc_monitor.model.alert import matches_all

    async with world(tmp_path, kpis=[kpi("a"), kpi("b", severity="critical")]) as w:
        await w.see(a="red", b="red")
        wanted = (is_("severity", "critical"), Matcher("kpi", "!~", "x.*"))
        assert [a.labels["kpi"] for a in w.engine.firing() if matches_all(wanted, a.labels)] == ["b"]


async def test_web_with_prefix(tmp_path):
    """Links keep the prefix of the board's address."""
    async with world(tmp_path, board="https://tools.example.com/bsc/") as w:
        await w.see(a="red")
        await w.until(5)
        _, _, words = w.sinks["ops"].got[0]
        assert "https://tools.example.com/bsc/kpis/it/a" in words.text
        assert "https://tools.example.com/bsc/alerts#" in words.text


UTF8 = AlertRule("größe-rot", "breach", labels={"équipe": "naïve 🙂"})


async def test_utf8_alerts(tmp_path):
    async with world(tmp_path, rules=[UTF8]) as w:
        await w.see(a="red")
        await w.until(5)
        assert w.sinks["ops"].got[0][1].items[0].alert.labels["équipe"] == "naïve 🙂"


async def test_utf8_silence(tmp_path):
    async with world(tmp_path, rules=[UTF8]) as w:
        await w.silence(Matcher("équipe", "=~", "naïve .*"), ends=60)
        await w.see(a="red")
        await w.until(50)
        assert w.sinks["ops"].told == []
        await w.until(70)
        assert w.sinks["ops"].told == [(61, {"a": "firing"})]


async def test_utf8_routing(tmp_path):
    routes = [
        route("mine", ["utf"], match=(is_("équipe", "naïve 🙂"),)),
        route("rest", ["ops"], order=1),
    ]
    async with world(tmp_path, rules=[UTF8], receivers=[receiver(), receiver("utf")], routes=routes) as w:
        await w.see(a="red")
        await w.until(5)
        assert w.sinks["utf"].told == [(1, {"a": "firing"})]
        assert w.sinks["ops"].told == []


async def test_utf8_grouping(tmp_path):
    async with world(tmp_path, rules=[UTF8], routes=[route(group_by=("équipe",))]) as w:
        await w.see(a="red", b="red")
        await w.until(5)
        assert w.sinks["ops"].got[0][1].group == {"équipe": "naïve 🙂"}
        assert w.sinks["ops"].told == [(1, {"a": "firing", "b": "firing"})]


async def test_utf8_inhibition(tmp_path):
    rules = [replace(PAGE, labels={"équipe": "é"}), replace(OTHERS, labels={"équipe": "é"})]
    inhibition = replace(INHIBIT, equal=("équipe",))
    async with world(tmp_path, rules=rules, inhibitions=[inhibition]) as w:
        await w.see(a="red", b="red")
        await w.until(30)
        assert w.sinks["ops"].told == [(1, {"a": "firing"})]
