"""A receiver that is down beside one that is well, with real clocks and connections; figures are printed."""

import time
from collections import defaultdict
from datetime import datetime

from tests.integration.notify.rig import eventually, kpis, rig, web_sink

from bsc_monitor.model.alert import Receiver, Webhook
from bsc_monitor.model.organisation import Organisation
from bsc_monitor.notify import Pace


def told(sink):
    """By transition key: kind, alert and moment of what was taken, in order."""
    found = {}
    for got in sink.got:
        for alert in got.json["alerts"]:
            for moment in alert["transitions"]:
                found.setdefault(moment["key"], (moment["kind"], alert["fingerprint"], moment["at"]))
    return found


async def test_a_receiver_that_was_down_is_told_everything_in_order_when_it_is_back(tmp_path, soak):
    """1,000 transitions with ``--soak``, 60 without: all within a minute of its return."""
    names = [f"k{number}" for number in range(100 if soak else 10)]
    turns = 10 if soak else 6
    async with web_sink() as well, web_sink() as ill:
        receivers = [Receiver("well", webhook=Webhook(well.url)), Receiver("ill", webhook=Webhook(ill.url))]
        organisation = Organisation(kpis=kpis(*names))
        async with rig(tmp_path, *receivers, organisation=organisation, pace=Pace(longest=5.0)) as r:
            ill.status = 503
            for turn in range(turns):
                await r.see(**dict.fromkeys(names, "green" if turn % 2 else "red"))
                await eventually(
                    lambda turn=turn: len(told(well)) == (turn + 1) * len(names), "the healthy one", seconds=120
                )
            late = [
                (event.at - datetime.fromisoformat(told(well)[event.key][2])).total_seconds()
                for event in r.delivered
                if event.receiver == "well"
            ]
            refused = len(ill.got)
            ill.got.clear()
            ill.status, back = 200, time.monotonic()
            await eventually(lambda: len(told(ill)) == turns * len(names), "all of it", seconds=60)
            print(
                f"\n{turns * len(names)} transitions: caught up in {time.monotonic() - back:.1f} s with {len(ill.got)} "
                f"messages after {refused} refusals; the healthy one at most {max(late):.2f} s late"
            )
        for sink in (well, ill):
            orders = defaultdict(list)
            for kind, fingerprint, _ in told(sink).values():
                orders[fingerprint].append(kind)
            assert all(kinds == ["fired", "resolved"] * (turns // 2) for kinds in orders.values())
            assert len(orders) == len(names)
