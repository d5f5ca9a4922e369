"""A receiver that is down beside one that is well, with real clocks and connections; figures are printed."""

import time
from collections import defaultdict
from datetime import datetime

from tests.integration.notify.rig import eventually, kpis, rig, web_sink

from bsc_monitor.model.alert import Receiver, Webhook
from bsc_monitor.model.organisation import Organisation
from bsc_monitor.notify import Pace


class Ledger:
    """What a sink took, by transition key: kind, alert and moment, in order. Reads each message once."""

    def __init__(self, sink):
        self.sink, self.read, self.found = sink, 0, {}

    def count(self):
        for got in self.sink.got[self.read :]:
            for alert in got.json["alerts"]:
                for moment in alert["transitions"]:
                    self.found.setdefault(moment["key"], (moment["kind"], alert["fingerprint"], moment["at"]))
        self.read = len(self.sink.got)
        return len(self.found)


async def test_a_receiver_that_was_down_is_told_everything_in_order_when_it_is_back(tmp_path, soak):
    """1,000 transitions with ``--soak``, 60 without: all within a minute of its return."""
    names = [f"k{number}" for number in range(100 if soak else 10)]
    turns = 10 if soak else 6
    async with web_sink() as well, web_sink() as ill:
        receivers = [Receiver("well", webhook=Webhook(well.url)), Receiver("ill", webhook=Webhook(ill.url))]
        organisation = Organisation(kpis=kpis(*names))
        async with rig(tmp_path, *receivers, organisation=organisation, pace=Pace(longest=5.0)) as r:
            healthy, ailing = Ledger(well), Ledger(ill)
            ill.status = 503
            for turn in range(turns):
                await r.see(**dict.fromkeys(names, "green" if turn % 2 else "red"))
                await eventually(
                    lambda turn=turn: healthy.count() == (turn + 1) * len(names), "the healthy one", seconds=120
                )
            late = [
                (event.at - datetime.fromisoformat(healthy.found[event.key][2])).total_seconds()
                for event in r.delivered
                if event.receiver == "well"
            ]
            refused = len(ill.got)
            ill.got.clear()
            ill.status, back = 200, time.monotonic()
            await eventually(lambda: ailing.count() == turns * len(names), "all of it", seconds=60)
            print(
                f"\n{turns * len(names)} transitions: caught up in {time.monotonic() - back:.1f} s with {len(ill.got)} "
                f"messages after {refused} refusals; the healthy one at most {max(late):.2f} s late"
            )
        for ledger in (healthy, ailing):
            orders = defaultdict(list)
            for kind, fingerprint, _ in ledger.found.values():
                orders[fingerprint].append(kind)
            assert all(kinds == ["fired", "resolved"] * (turns // 2) for kinds in orders.values())
            assert len(orders) == len(names)
