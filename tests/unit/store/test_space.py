from types import SimpleNamespace

import pytest

from bsc_monitor.store import space
from bsc_monitor.store.space import BALLAST, RESERVE, Space


@pytest.fixture
def disk(tmp_path, monkeypatch):
    free = [10 * RESERVE]
    monkeypatch.setattr(space.shutil, "disk_usage", lambda _: SimpleNamespace(free=free[0]))
    return free, Space(tmp_path / "bsc.db"), tmp_path / "bsc.db.ballast"


def test_below_the_reserve_it_is_short_until_there_is_clearly_more(disk):
    free, room, _ = disk
    found = []
    for free[0] in (2 * RESERVE, RESERVE - 1, RESERVE + 1, int(1.3 * RESERVE), RESERVE + 1):
        found.append(room.look())
    assert found == [False, True, True, False, False]


def test_a_ballast_is_kept_given_up_when_nothing_is_left_and_taken_again(disk):
    free, room, ballast = disk
    room.look()
    assert ballast.stat().st_size == BALLAST
    free[0] = RESERVE // 2
    room.look()
    assert ballast.exists(), "the reserve serves first"
    free[0] = BALLAST // 4
    room.look()
    assert not ballast.exists()
    free[0] = RESERVE
    room.look()
    assert not ballast.exists(), "not while there is little"
    free[0] = 10 * RESERVE
    room.look()
    assert ballast.exists()


def test_a_database_elsewhere_is_looked_after_there():
    assert not Space.of("postgresql://somewhere/else").look()
