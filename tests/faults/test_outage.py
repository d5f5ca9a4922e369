"""A receiver that is down for long beside a healthy one; a disk that fills up."""

import contextlib
import os
import shutil
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from tests.faults.receiver import Receiver
from tests.faults.rig import GREEN, RED, Feeder, Rig
from tests.servers import wait_until

MB = 2**20


def one_by_one(rig, value):
    """An hour's worth in small."""
    for name in rig.names:
        assert rig.enter(name, value)
        time.sleep(0.05)


def all_at_once(rig, value):
    with ThreadPoolExecutor(16) as pool:
        assert all(pool.map(lambda name: rig.enter(name, value), rig.names))
    time.sleep(1)  # a group that was just told waits its interval


@pytest.mark.parametrize("enter", [one_by_one, all_at_once])
def test_a_receiver_that_is_down_through_many_transitions_misses_none_and_delays_nobody(
    tmp_path, nursery, soak, figures, enter
):
    names, rounds = [f"k{number}" for number in range(50 if soak else 12)], 20 if soak else 2
    with Receiver(tmp_path, "healthy") as healthy, Receiver(tmp_path, "down") as down:
        rig = Rig(tmp_path, nursery, [healthy, down], names=names).start()
        down.go_down()
        for turn in range(rounds):
            enter(rig, GREEN if turn % 2 else RED)
        count = rounds * len(names)
        wait_until(lambda: sum(map(len, healthy.transitions().values())) == count, "all at the healthy one", 120)
        assert not down.messages()
        begun = time.monotonic()
        down.come_back()
        wait_until(rig.drained, "all at the one that was down", 120)
        seconds = time.monotonic() - begun
        assert rig.stop() == 0
        found = rig.check(deaths=0)
        assert any(message["body"]["late"] for message in down.messages())
        late = sorted(
            message["at"] - datetime.fromisoformat(one["at"]).timestamp()
            for message in healthy.messages()
            for alert in message["body"]["alerts"]
            for one in alert["transitions"]
        )
        delays = {
            "s later than it happened the healthy one was told (p99)": round(late[int(0.99 * (len(late) - 1))], 2),
            "s at most": round(late[-1], 2), "seconds to catch up": round(seconds, 1),
        }  # fmt: skip
        figures(f"a receiver down, transitions {enter.__name__.replace('_', ' ')}", {**found, **delays})
        assert len(down.messages()) < len(healthy.messages()) or enter is all_at_once, "what piled up comes in digests"


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 80 MB. Needs root."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if os.geteuid() != 0 or subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=80m", "bsc-monitor-test", folder], capture_output=True
    ).returncode:  # fmt: skip
        pytest.skip("no file system can be mounted here")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def fill(folder, leave):
    """Fill a disk up but for so many bytes."""
    with (folder / "filler").open("ab") as file:
        while (size := shutil.disk_usage(folder).free - leave) > 0:
            with contextlib.suppress(OSError):  # the service took some of it meanwhile
                os.posix_fallocate(file.fileno(), file.seek(0, os.SEEK_END), size)


def test_a_full_disk_corrupts_nothing_and_heals_when_there_is_room(small_disk, nursery, often, figures):
    rounds, refused, healed = often(50, 1), 0, []
    rig = Rig(small_disk, nursery, names=["k0", "k1"])
    rig.log = small_disk.parent / "service.log"  # not on the disk that fills
    rig.log.touch()
    rig.start()
    wait_until((small_disk / "service.db.ballast").exists, "the ballast")
    for turn in range(rounds):
        with Feeder(rig, pause=0.02, seed=turn) as feeder:
            if turn % 2 == 0:
                fill(small_disk, leave=24 * MB)  # the reserve is touched: nothing new is taken
                before = rig.refused
                wait_until(lambda before=before: rig.refused > before, "the first refusal", 20)
                assert "disk" in rig.ask("/api/v1/kpis/it/k0/readings", {"value": 1})[1]
            fill(small_disk, leave=0)  # others take the rest, too
            wait_until(lambda: not (small_disk / "service.db.ballast").exists(), "the ballast given up", 20)
            fill(small_disk, leave=0)
            for path in ("/metrics", "/", "/-/ready", "/api/v1/scorecards"):
                assert rig.status(path) == 200
            refused, count = rig.refused, len(rig.acknowledged)
            (small_disk / "filler").unlink()
            begun = time.monotonic()
            wait_until(lambda count=count: len(rig.acknowledged) > count, "readings to be taken again", 30)
            healed.append(time.monotonic() - begun)
        assert feeder.tried
        wait_until((small_disk / "service.db.ballast").exists, "the ballast again")
    assert rig.query("PRAGMA integrity_check") == [("ok",)]
    rig.kill()
    rig.start()
    assert rig.stop() == 0
    assert rig.query("PRAGMA integrity_check") == [("ok",)]
    found = rig.check(deaths=1)
    heal = round(max(healed), 1)
    figures("a full disk", {**found, "rounds": rounds, "refused": refused, "s until healed at most": heal})


def test_time_goes_on_after_an_evaluation_that_could_not_be_stored(small_disk, nursery):
    """What was due while the disk was full is done when there is room, without any reading."""
    rig = Rig(small_disk, nursery, names=["k0"], alerts='for = "4s"')
    rig.log = small_disk.parent / "service.log"
    rig.log.touch()
    rig.start()
    assert rig.enter("k0", RED, datetime.now(UTC))
    (small_disk / "service.db.ballast").unlink(missing_ok=True)
    fill(small_disk, leave=0)
    wait_until(lambda: "disk is full" in rig.log.read_text(), "the failure of the evaluation that is due", 30)
    assert rig.metrics("bsc_alerts{") or rig.status("/metrics") == 200
    (small_disk / "filler").unlink()
    wait_until(lambda: rig.query("SELECT 1 FROM alert_change WHERE kind = 'fired' AND told"), "the alert", 30)
    assert rig.stop() == 0
