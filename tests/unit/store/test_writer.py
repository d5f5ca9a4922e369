import pytest
from sqlalchemy import create_engine, event, text

from bsc_monitor.store.writer import Writer


@pytest.fixture
def engine(tmp_path):
    made = create_engine(f"sqlite:///{tmp_path / 'bsc.db'}")
    event.listen(made, "connect", lambda raw, _: setattr(raw, "isolation_level", None))
    event.listen(made, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    with made.begin() as connection:
        connection.execute(text("create table t (x integer primary key)"))
    yield made
    made.dispose()


def test_a_failing_request_is_undone_alone_and_the_others_are_committed(engine):
    writer = Writer(engine)

    def fails(connection):
        connection.execute(text("insert into t values (2)"))
        raise ValueError("no")

    first = writer.submit(lambda c: c.execute(text("insert into t values (1)")).rowcount)
    second = writer.submit(fails)
    third = writer.submit(lambda c: c.execute(text("insert into t values (3)")).rowcount)
    writer.close()
    assert (first.result(), third.result()) == (1, 1)
    with pytest.raises(ValueError, match="no"):
        second.result()
    with engine.begin() as connection:
        assert connection.scalars(text("select x from t order by x")).all() == [1, 3]


def test_when_the_commit_fails_every_request_of_it_is_told(engine):
    event.listen(engine, "commit", lambda connection: 1 / 0)
    writer = Writer(engine)
    done = writer.submit(lambda c: c.execute(text("insert into t values (1)")).rowcount)
    writer.close()
    with pytest.raises(ZeroDivisionError):
        done.result()
