"""``kill -9`` at random and at every named point, under a stream of readings, with two receivers."""

import random
import time

import pytest
from tests.faults.receiver import Receiver
from tests.faults.rig import Feeder, Rig
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


def test_random_kills_lose_no_reading_and_no_transition(rig, often, figures):
    deaths, chance = often(1000, 10), random.Random(5)
    begun = time.monotonic()
    with Feeder(rig):
        for death in range(deaths):
            rig.start(ready=chance.random() < 0.8)
            time.sleep(chance.uniform(0, 1.0))
            assert rig.kill() == -9, rig.log.read_text()[-3000:]
            if death % 100 == 99:
                print(f"{death + 1} kills, {len(rig.acknowledged)} acknowledged, {time.monotonic() - begun:.0f} s")
    settle(rig)
    figures["random kills"] = {**rig.check(deaths), "seconds": round(time.monotonic() - begun)}


def test_a_kill_at_each_named_point_loses_nothing(rig, often, figures):
    times, chance, deaths = often(20, 1), random.Random(6), 0
    begun = time.monotonic()
    with Feeder(rig):
        for point in POINTS:
            for _ in range(times):
                rig.start(ready=False, BSC_MONITOR_CRASH=f"{point}:{chance.randint(1, 20)}")
                wait_until(rig.gone, f"the end at {point}", 60)
                assert rig.wait() == -9, rig.log.read_text()[-3000:]
                deaths += 1
            print(f"{point}: {times} kills")
    settle(rig)
    figures["kills at named points"] = {**rig.check(deaths), "seconds": round(time.monotonic() - begun)}
