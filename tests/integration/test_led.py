"""Whether a service runs, told by its store."""

import pytest
from tests.servers import postgresql

from bsc_monitor.store import Store, is_led


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request, tmp_path):
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/bsc.db"
        return
    with postgresql() as server:
        yield server.url


def test_a_database_is_led_while_a_store_is_open_and_looking_takes_nothing(database):
    Store.open(database).close()
    assert not is_led(database)
    store = Store.open(database)
    assert is_led(database)
    store.close()
    assert not is_led(database)
    Store.open(database).close()


def test_a_database_that_never_was_is_led_by_nobody(tmp_path):
    assert not is_led(f"sqlite:///{tmp_path}/none.db")
    assert list(tmp_path.iterdir()) == []
