"""The ``sql`` collector on a real PostgreSQL and on SQLite, against values computed by hand."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
import sqlalchemy
from sqlalchemy import text
from tests.contract.collector_run import PLUGINS, check, month, parts, run, total
from tests.servers import postgresql

from bsc_monitor.plugin import CollectorError, ReadingState, SourceError

MAY = month("2026-05")
ROWS = [
    ("2026-04-30 23:59:59", "a", 100), ("2026-05-01 00:00:00", "a", 1), ("2026-05-15 12:00:00", "b", 2),
    ("2026-05-31 23:59:59", "b", 4), ("2026-06-01 00:00:00", "b", 100), ("2026-05-20 00:00:00", None, None),
]  # fmt: skip
INSIDE = "at >= :start AND at < :end"


@pytest.fixture(scope="module")
def postgres():
    with postgresql() as server:
        yield server.url


@pytest.fixture(params=["postgresql", "sqlite"])
def database(request, tmp_path):
    url = f"sqlite:///{tmp_path}/app.db" if request.param == "sqlite" else request.getfixturevalue("postgres")
    kind = "text" if request.param == "sqlite" else "timestamptz"
    engine = sqlalchemy.create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE IF EXISTS orders"))
        connection.execute(text(f"CREATE TABLE orders (at {kind}, team text, amount numeric)"))
        for at, team, amount in ROWS:
            at = at if request.param == "sqlite" else datetime.fromisoformat(at).replace(tzinfo=UTC)
            amount = None if amount is None else float(amount) if request.param == "sqlite" else Decimal(amount)
            connection.execute(text("INSERT INTO orders VALUES (:a, :t, :n)"), {"a": at, "t": team, "n": amount})
    engine.dispose()
    return {"url": url}


async def ask(database, query, **options):
    return await run("sql", database, "value", MAY, query=query, **options)


async def test_a_statement_over_the_period_gives_a_number(database):
    reading = total(await ask(database, f"SELECT sum(amount), count(*) AS rows FROM orders WHERE {INSIDE}".replace("sum(amount)", "sum(amount) AS value, count(amount) AS samples")))  # fmt: skip

    assert (reading.value, reading.samples) == (7, 3)


async def test_a_single_column_needs_no_name_and_text_may_be_a_number(database):
    assert total(await ask(database, "SELECT '12.5'")).value == 12.5
    assert total(await ask(database, "WITH x AS (SELECT 3 AS n) SELECT n FROM x;")).value == 3


async def test_rows_are_readings_told_apart_by_columns_and_the_row_without_is_the_total(database):
    query = (
        f"SELECT team, sum(amount) AS value FROM orders WHERE {INSIDE} AND team IS NOT NULL GROUP BY team "
        f"UNION ALL SELECT NULL, sum(amount) FROM orders WHERE {INSIDE}"
    )
    readings = await ask(database, query, by=("team",))

    assert parts(readings, "team") == {"a": 1, "b": 6}
    assert total(readings).value == 7


async def test_rows_at_different_times_are_history(database):
    readings = await ask(database, f"SELECT at, amount AS value FROM orders WHERE {INSIDE} AND amount > 1 ORDER BY at")

    assert [(reading.at.day, reading.value) for reading in readings] == [(15, 2), (31, 4)]


@pytest.mark.parametrize("query", ["SELECT NULL", "SELECT amount FROM orders WHERE team = 'none'"])
async def test_null_and_no_row_are_no_data(database, query):
    assert total(await ask(database, query)).state is ReadingState.NO_DATA


@pytest.mark.parametrize(
    ("query", "reason", "words"),
    [
        ("SELECT amount FROM orders", CollectorError.CONFIG, "6 rows where the KPI can tell fewer apart"),
        ("SELECT amount FROM order_lines", CollectorError.CONFIG, "order_lines"),
        ("SELECT amount, team FROM orders", CollectorError.CONFIG, "no column value"),
        ("SELECT team FROM orders WHERE team = 'a' LIMIT 1", CollectorError.CONFIG, "'a' is no number"),
        ("SELECT 1 WHERE 1 > :limit", CollectorError.CONFIG, "names :limit"),
        ("SELECT 1 AS value, 'soon' AS at", CollectorError.CONFIG, "'soon', which is no time"),
    ],
)
async def test_a_query_that_cannot_be_used_says_why(database, query, reason, words):
    with pytest.raises(SourceError, match=words) as caught:
        await ask(database, query)
    assert caught.value.reason is reason


@pytest.mark.parametrize(
    "query",
    ["DELETE FROM orders", "SELECT 1; DELETE FROM orders", "UPDATE orders SET amount = 0", "COMMIT", "", "-- SELECT\nDROP TABLE orders"],
)  # fmt: skip
def test_what_is_no_single_select_is_refused_before_it_is_asked(query):
    with pytest.raises(ValueError, match=r"SELECT|one statement"):
        PLUGINS.collectors["sql"].__dict__["value"].__annotations__["p"](query=query)


def test_a_semicolon_in_a_text_or_a_comment_is_none():
    form = PLUGINS.collectors["sql"].__dict__["value"].__annotations__["p"]

    assert form(query="SELECT ';' AS value -- one; two\n;").query.startswith("SELECT ';'")


async def test_writing_is_impossible_even_from_inside_a_select(postgres):
    engine = sqlalchemy.create_engine(postgres)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE IF NOT EXISTS kept (n int); CREATE SEQUENCE IF NOT EXISTS counter"))
    config = {"url": postgres}

    for query in ("WITH gone AS (DELETE FROM kept RETURNING n) SELECT count(*) FROM gone", "SELECT nextval('counter')"):
        with pytest.raises(SourceError, match="read-only transaction"):
            await ask(config, query)
    engine.dispose()


async def test_a_statement_that_takes_too_long_is_stopped(database):
    slow = (
        "SELECT pg_sleep(30)"
        if database["url"].startswith("postgresql")
        else "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
    )
    with pytest.raises(SourceError) as caught:
        await ask({**database, "statement_timeout": 0.3}, slow)
    assert caught.value.reason is CollectorError.TIMEOUT


async def test_too_many_rows_are_an_error(database):
    query = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000) SELECT i AS value FROM n"
    with pytest.raises(SourceError, match="more than 1,000 rows"):
        await ask(database, query)


async def test_a_wrong_password_a_missing_right_and_no_server_are_told_apart(postgres):
    wrong = postgres.replace("secret", "wr0ng-pass")
    with pytest.raises(SourceError) as caught:
        await check("sql", {"url": wrong})
    assert caught.value.reason is CollectorError.AUTH
    assert "wr0ng-pass" not in str(caught.value)

    engine = sqlalchemy.create_engine(postgres)
    with engine.begin() as connection:
        connection.execute(text("CREATE ROLE guest LOGIN PASSWORD 'secret'"))
        connection.execute(text("CREATE TABLE hidden (n int)"))
    engine.dispose()
    with pytest.raises(SourceError, match="permission denied") as caught:
        await ask({"url": postgres.replace("postgres:secret", "guest:secret")}, "SELECT count(*) FROM hidden")
    assert caught.value.reason is CollectorError.PERMISSION

    with pytest.raises(SourceError) as caught:
        await check("sql", {"url": "postgresql://postgres@127.0.0.1:1/postgres"})
    assert caught.value.reason is CollectorError.TRANSIENT


async def test_a_database_file_that_is_missing_is_not_created(tmp_path):
    with pytest.raises(SourceError, match="does not exist"):
        await check("sql", {"url": f"sqlite:///{tmp_path}/none.db"})
    assert not (tmp_path / "none.db").exists()


async def test_a_missing_driver_is_named():
    with pytest.raises(SourceError, match="no driver for nosuch"):
        await check("sql", {"url": "nosuch://host/db"})


def test_an_address_that_is_none_is_refused():
    with pytest.raises(ValueError, match="no SQLAlchemy URL"):
        PLUGINS.collectors["sql"].Config.model_validate({"url": "not a url"})
