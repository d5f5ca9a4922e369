"""The store on SQLite: what goes in comes out the same, and the migrations make what the code expects."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from msgspec.structs import replace

from bsc_monitor.model.health import CollectionHealth
from bsc_monitor.model.organisation import Thresholds
from bsc_monitor.model.period import Period, PeriodKind
from bsc_monitor.model.period_value import NodePeriod, PeriodValue
from bsc_monitor.model.reading import KpiReading
from bsc_monitor.model.status import CollectorError, Completeness, ReadingState, Status
from bsc_monitor.store import Store, StoreError, Taken, history, read_only
from bsc_monitor.store.events import StoredEvent, save_events
from bsc_monitor.store.periods import (
    closed_value,
    live_values,
    save_nodes,
    save_values,
    status_starts,
    unfrozen_periods,
    values_ended_by,
)
from bsc_monitor.store.readings import clear_readings, readings_within, save_readings
from bsc_monitor.store.schema import HEAD, metadata, to_micros
from bsc_monitor.store.standing import keep_collections, load_collections, save_collection

NOW = datetime(2026, 7, 2, 9, 30, 0, 123456, tzinfo=UTC)
MAY = Period(datetime(2026, 5, 1, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC), PeriodKind.MONTH, "2026-05")
JUNE = Period(MAY.end, datetime(2026, 7, 1, tzinfo=UTC), PeriodKind.MONTH, "2026-06")
JULY = Period(JUNE.end, datetime(2026, 8, 1, tzinfo=UTC), PeriodKind.MONTH, "2026-07")

RUN = CollectionHealth("itsm", "mttr", "a", ("it/mttr",))


@pytest.fixture
def store(tmp_path):
    opened = Store.open(f"sqlite:///{tmp_path / 'test.db'}")
    yield opened
    opened.close()


def reading(at=NOW, **more):
    return KpiReading("it/mttr", at, 12.5, **more)


def value(period=JUNE, **more):
    return PeriodValue("it/mttr", period, **{"value": 12.5, "closed_at": NOW, **more})


def test_a_reading_comes_back_as_it_went_in(store):
    whole = reading(
        labels=(("team", 'D"BA, 1'),), samples=7, numerator=1.0, denominator=2.0, period=JUNE, state=ReadingState.PARTIAL,
        completeness=Completeness.PROVISIONAL, evidence="https://x/y?z=1", note="ü", author="ops@example.com",
    )  # fmt: skip
    store.write_now(lambda connection: save_readings(connection, [whole], NOW))
    assert store.read_now(lambda connection: history.readings(connection, "it/mttr")) == [whole]


def test_a_restated_reading_replaces_the_earlier(store):
    store.write_now(lambda connection: save_readings(connection, [reading(), replace(reading(), value=3.0)], NOW))
    found = store.read_now(lambda connection: readings_within(connection, "it/mttr", (), JULY))
    assert [each.value for each in found] == [3.0]


def test_no_page_of_readings_ends_within_an_instant(store):
    teams = [reading(NOW, labels=(("team", str(n)),)) for n in range(5)]
    older = reading(NOW - timedelta(minutes=1))
    store.write_now(lambda connection: save_readings(connection, [*teams, older], NOW))

    def page(**how):
        return store.read_now(lambda connection: history.readings(connection, "it/mttr", limit=2, **how))

    assert page(whole=True) == teams
    assert page(whole=True, before=NOW) == [older]
    assert page() == teams[:2]


def test_a_period_holds_its_start_and_not_its_end(store):
    at = [JUNE.start - timedelta(microseconds=1), JUNE.start, JUNE.end - timedelta(microseconds=1), JUNE.end]
    store.write_now(lambda connection: save_readings(connection, [reading(each) for each in at], NOW))
    found = store.read_now(lambda connection: readings_within(connection, "it/mttr", (), JUNE))
    assert [each.at for each in found] == at[1:3]


def test_old_readings_are_cleared_and_only_those(store):
    at = [NOW - timedelta(days=days) for days in range(5)]
    store.write_now(lambda connection: save_readings(connection, [reading(each) for each in at], NOW))
    assert store.write_now(lambda connection: clear_readings(connection, at[2])) == 2
    assert [each.at for each in store.read_now(lambda connection: history.readings(connection, "it/mttr"))] == at[:3]


def test_a_period_value_comes_back_as_it_went_in(store):
    limits = Thresholds(target=(4.0, 6.0), red=(2.0, 8.0), ideal=5.0)
    whole = value(samples=3, thresholds=limits, score=66.6, status=Status.AMBER, definition="abc", revision=2, note="n")
    store.write_now(lambda connection: save_values(connection, [value(MAY, value=9.0), whole]))
    assert store.read_now(lambda connection: history.period_values(connection, "it/mttr"))[-1] == whole
    assert store.read_now(lambda connection: closed_value(connection, "it/mttr", (), JUNE)) == whole
    assert store.read_now(lambda connection: closed_value(connection, "it/mttr", (), JULY)) is None


def test_a_start_reads_open_values_and_the_last_closed_one(store):
    opened = value(JULY, closed_at=None)
    values = [value(MAY), value(JUNE), opened, replace(value(JUNE), labels=(("team", "a"),))]
    store.write_now(lambda connection: save_values(connection, values))
    assert set(store.read_now(lambda connection: list(live_values(connection)))) == set(values[1:])


def test_a_past_day_shows_the_period_that_ended_last_by_then(store):
    store.write_now(lambda connection: save_values(connection, [value(MAY), value(JUNE), value(JULY, closed_at=None)]))
    found = store.read_now(lambda connection: values_ended_by(connection, JUNE.end - timedelta(days=1)))
    assert [each.period.label for each in found] == ["2026-05"]


def test_a_status_of_the_past_began_with_the_first_of_the_periods_that_had_it(store):
    red, green = {"status": Status.RED}, {"status": Status.GREEN}
    part = replace(value(JUNE, **green), labels=(("team", "a"),))
    values = [value(MAY, **green), value(JUNE, **red), value(JULY, **red), part]
    values += [replace(value(each, **red), kpi="it/csat") for each in (MAY, JUNE)]
    store.write_now(lambda connection: save_values(connection, values))
    starts = {
        each.label: store.read_now(lambda connection, each=each: status_starts(connection, each.end))
        for each in (MAY, JUNE, JULY)
    }
    assert starts["2026-05"] == {"it/mttr": MAY.start, "it/csat": MAY.start}
    assert starts["2026-06"] == starts["2026-07"] == {"it/mttr": JUNE.start, "it/csat": MAY.start}


def test_periods_whose_nodes_are_not_rolled_up_since_their_last_closing_are_known(store):
    node = NodePeriod("scorecard", "it", MAY, 50.0, Status.AMBER, 1.0, closed_at=NOW)
    store.write_now(lambda connection: save_values(connection, [value(MAY), value(JUNE)]))
    store.write_now(lambda connection: save_nodes(connection, [node]))
    assert store.read_now(unfrozen_periods) == [JUNE]
    late = replace(value(MAY), closed_at=NOW + timedelta(hours=1))
    store.write_now(lambda connection: save_values(connection, [late]))
    assert store.read_now(unfrozen_periods) == [MAY, JUNE]
    assert store.read_now(lambda connection: history.node_periods(connection, "scorecard", "it")) == [node]


def test_events_are_paged_from_the_newest_back(store):
    told = [StoredEvent(NOW, "status", "it/mttr", {"n": n}) for n in range(5)]
    store.write_now(lambda connection: save_events(connection, told))
    first = store.read_now(lambda connection: history.events(connection, subject="it/mttr", limit=2))
    rest = store.read_now(lambda connection: history.events(connection, before=first[-1].id))
    assert [each.data["n"] for each in first + rest] == [4, 3, 2, 1, 0]


def went(store, *runs, asked=(RUN,)):
    """What is known of collections after these runs."""
    for each in runs:
        store.write_now(lambda connection, each=each: save_collection(connection, each))
    return store.read_now(lambda connection: load_collections(connection, {of.job: of for of in asked}))


def test_a_success_leaves_the_last_failure_on_record(store):
    ran = [replace(RUN, last_failure=NOW, error="401", reason=CollectorError.AUTH), replace(RUN, last_success=NOW)]
    assert went(store, *ran) == [replace(RUN, last_success=NOW, last_failure=NOW)]


def test_a_failure_leaves_the_last_success_and_the_interval_after_it_on_record(store):
    failed = replace(RUN, last_failure=NOW, error="401", reason=CollectorError.AUTH)
    assert went(store, replace(RUN, last_success=NOW, interval=300.0), failed) == [
        replace(failed, last_success=NOW, interval=300.0)
    ]


def test_collections_of_one_measure_are_kept_apart_and_what_is_no_more_is_forgotten(store):
    other = replace(RUN, job="b", kpis=("it/backlog",))
    good, bad = replace(RUN, last_success=NOW), replace(other, last_failure=NOW, error="404")
    assert went(store, bad, good, asked=(RUN, other)) == [good, bad]
    store.write_now(lambda connection: keep_collections(connection, {"a": RUN}))
    assert went(store, asked=(RUN, other)) == [good]


def test_what_was_kept_by_measure_is_said_of_each_of_its_collections_until_it_runs(tmp_path):
    url, after = f"sqlite:///{tmp_path / 'old.db'}", timedelta(hours=1)
    Store.open(url).close()
    with closing(sqlite3.connect(tmp_path / "old.db")) as old, old:
        old.executescript(f"""
            DROP TABLE collection_state;
            CREATE TABLE collector_state (source VARCHAR(200) NOT NULL, measure VARCHAR(200) NOT NULL, last_success BIGINT,
                last_failure BIGINT, error TEXT, "interval" FLOAT, PRIMARY KEY (source, measure)) WITHOUT ROWID;
            INSERT INTO collector_state VALUES ('itsm', 'mttr', {to_micros(NOW - after)}, {to_micros(NOW)}, '401', 300.0);
            UPDATE alembic_version SET version_num = '0007_interval';
        """)
    other = replace(RUN, job="b")
    known = {"last_success": NOW - after, "last_failure": NOW, "error": "401", "interval": 300.0}
    with closing(Store.open(url)) as opened:
        assert went(opened, asked=(RUN, other)) == [replace(RUN, **known), replace(other, **known)]
        opened.write_now(lambda connection: keep_collections(connection, {"a": RUN, "b": other}))
        good = replace(RUN, last_success=NOW + after, interval=60.0)
        assert went(opened, good, asked=(RUN, other)) == [replace(good, last_failure=NOW), replace(other, **known)]
        assert went(opened, asked=(replace(RUN, job="new"),)) == [], "one that came since has no past"


def test_the_migrations_make_exactly_the_tables_that_the_code_expects(store):
    import bsc_monitor.store.actions
    import bsc_monitor.store.alerts
    import bsc_monitor.store.controls
    import bsc_monitor.store.insights
    import bsc_monitor.store.outbox
    import bsc_monitor.store.reports
    import bsc_monitor.store.told
    import bsc_monitor.store.webhooks
    import bsc_monitor.store.windows  # noqa: F401 - all tables are in the one metadata

    with store.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_the_newest_migration_is_the_one_that_a_start_looks_for():
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", "bsc_monitor.store:migrations")
    assert ScriptDirectory.from_config(config).get_current_head() == HEAD


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("mysql://x/y", "not supported"),
        ("nonsense", "cannot be read"),
        ("sqlite:///:memory:", "lose everything"),
        ("sqlite:////nowhere/at/all.db", "does not exist"),
    ],
)
def test_a_database_that_cannot_be_used_is_refused_in_words(url, words):
    with pytest.raises(StoreError, match=words):
        Store.open(url)


def test_a_file_that_is_no_database_is_refused_in_words(tmp_path):
    file = tmp_path / "x.db"
    file.write_bytes(b"no database at all" * 100)
    with pytest.raises(StoreError, match="not a database"):
        Store.open(f"sqlite:///{file}")


def test_the_database_file_is_for_its_owner_alone(tmp_path):
    Store.open(f"sqlite:///{tmp_path / 'own.db'}").close()
    assert (tmp_path / "own.db").stat().st_mode & 0o077 == 0


def test_a_second_process_may_look_but_not_write(tmp_path):
    url = f"sqlite:///{tmp_path / 'shared.db'}"
    first = Store.open(url)
    first.write_now(lambda connection: save_readings(connection, [reading()], NOW))
    with pytest.raises(Taken):
        Store.open(url)
    assert len(read_only(url, lambda connection: history.readings(connection, "it/mttr"))) == 1
    first.close()
    Store.open(url).close()
