"""The stories of delivery on a PostgreSQL store."""

from datetime import timedelta

import pytest
from tests.servers import postgresql
from tests.unit.notify.world import is_, receiver, route, world

from bsc_monitor.notify.outcome import Outcome
from bsc_monitor.store import outbox
from bsc_monitor.store.alerts import alert_history, load_alerts

pytest.importorskip("psycopg")


async def test_an_alerts_whole_life_with_controls_outage_and_restart_on_postgresql(tmp_path):
    with postgresql() as server:
        routes = [route(receivers=["well", "ill"], repeat_interval=timedelta(minutes=1))]
        async with world(tmp_path, receivers=[receiver("well"), receiver("ill")], routes=routes, url=server.url) as w:
            w.sinks["ill"].down = Outcome("no connection")
            await w.see(a="red", b="red")
            await w.until(10)
            await w.acknowledge("a")
            name = await w.silence(is_("kpi", "b"), ends=300)
            await w.until(200)
            assert [at for at, _ in w.sinks["well"].told] == [1]
            await w.expire(name)
            await w.see(a="green")
            await w.until(230)
            w.lanes.clear()
            w._next.clear()
            w.sinks["ill"].down = None
            w.open()
            await w.store.write(lambda c: outbox.take_over(c, "one"))
            await w.until(300)
            for sink in w.sinks.values():
                kinds = {
                    moment.kind
                    for _, m, _ in sink.got
                    for i in m.items
                    if i.alert.labels["kpi"] == "a"
                    for moment in i.moments
                }
                assert kinds == {"fired", "resolved"}
                assert len(sink.transitions) == len(set(sink.transitions))
            for channel in w.sinks:
                assert w.rows(lambda c, channel=channel: outbox.pending(c, channel)) == []
            assert w.rows(lambda c: len(alert_history(c))) == 3
            assert len(w.rows(load_alerts)) == 2
            w.sinks["well"].down = Outcome("answered 400", dead=True)
            await w.see(c="red")
            await w.until(310)
            (dead,) = w.rows(outbox.dead_letters)
            assert await w.store.write(lambda c: outbox.retry_dead(c, [dead.key])) == 1
            assert await w.store.write(lambda c: outbox.forget(c, w.now)) > 0
