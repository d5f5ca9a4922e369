"""The generic bundled collectors: ``http_json`` against a local server, ``git`` and ``table_file`` on made-up input."""

import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bsc_monitor.collect.live import open_source
from bsc_monitor.collect.plugins import find_plugins
from bsc_monitor.collect.run import run_measure
from bsc_monitor.collect.streams import TransientRecords
from bsc_monitor.model.period import Calendar, Period, PeriodKind
from bsc_monitor.model.source import Source
from bsc_monitor.plugin import CollectorError, ReadingState

MAY = Period(datetime(2026, 5, 1, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC), PeriodKind.MONTH, "2026-05")
PLUGINS = find_plugins([], with_entry_points=False)


async def ask(plugin, config, measure, params, by=(), zone="UTC"):
    cls = PLUGINS.collectors[plugin]
    live = open_source(Source("s", plugin, cls.Config.model_validate(config), timeout=10), cls)
    try:
        return await run_measure(
            live, measure, params, period=MAY, now=MAY.end, calendar=Calendar(zone), records=TransientRecords(), by=by
        )
    finally:
        await live.client.close()


def values(result):
    assert result.error is None, result.error
    return {tuple(reading.labels.values()): reading.value for reading in result.readings}


@pytest.fixture
async def service():
    answers = {
        "/api/status": {"open": 7, "text": "12.5", "yes": True, "none": None, "teams": [{"n": 1, "t": "a"}, {"n": 2, "t": "b"}]},
    }  # fmt: skip

    async def handle(request):
        handle.seen = request
        return web.json_response(answers[request.path])

    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", handle)
    server = TestServer(app, host="127.0.0.1")
    await server.start_server()
    server.seen = lambda: handle.seen
    yield server
    await server.close()


@pytest.mark.parametrize(
    ("select", "expected"),
    [("open", 7), ("text", 12.5), ("yes", 1), ("length(teams)", 2), ("sum(teams[].n)", 3)],
)
async def test_a_number_is_selected_from_json(service, select, expected):
    config = {"url": str(service.make_url("/api")), "token": "t0ken"}
    result = await ask(
        "http_json", config, "value", {"path": "/status", "query": {"from": "{start}"}, "select": select}
    )
    assert values(result) == {(): expected}
    assert service.seen().headers["Authorization"] == "Bearer t0ken"
    assert service.seen().query["from"] == "2026-05-01T00:00:00Z"


async def test_a_list_of_objects_gives_one_reading_each(service):
    config = {"url": str(service.make_url("/api/status"))}
    result = await ask("http_json", config, "value", {"select": "teams[].{value: n, team: t}"}, by=("team",))
    assert values(result) == {("a",): 1, ("b",): 2}


async def test_null_is_no_data_and_text_is_an_error_in_words(service):
    config = {"url": str(service.make_url("/api/status"))}
    nothing = await ask("http_json", config, "value", {"select": "none"})
    assert nothing.readings[0].state is ReadingState.NO_DATA
    for select, words in [
        ("teams", "gives a list of dict"),
        ("keys(@)[0]", "no number"),
        ("a..b", "no JMESPath"),
        ("sum(teams)", "does not fit the answer"),
    ]:
        error = (await ask("http_json", config, "value", {"select": select})).error
        assert error.reason is CollectorError.CONFIG
        assert words in error.message


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    folder = tmp_path_factory.mktemp("repository")

    def git(*arguments, at):
        environment = {
            "PATH": os.environ["PATH"], "HOME": str(folder), "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b",
            "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@b", "GIT_AUTHOR_DATE": at, "GIT_COMMITTER_DATE": at,
        }  # fmt: skip
        subprocess.run(["git", "-C", str(folder), *arguments], env=environment, check=True, capture_output=True)

    git("init", "-b", "main", at="")
    for message, at, tag in [
        ("one", "2026-04-01T00:00:00Z", "v1"), ("two", "2026-05-01T00:00:00Z", None),
        ("three", "2026-05-02T12:00:00Z", None), ("four", "2026-05-03T00:00:00Z", "v2"),
        ("five", "2026-05-31T23:00:00Z", "nightly"), ("six", "2026-06-01T00:00:00Z", "v3"),
    ]:  # fmt: skip
        (folder / "file").write_text(message)
        git("add", "file", at=at)
        git("commit", "-m", message, at=at)
        if tag:
            git("tag", "-a", tag, "-m", tag, at=at)
    return folder


@pytest.mark.parametrize(
    ("measure", "params", "expected", "samples"),
    [
        ("commits", {}, 4, 4),  # two to five
        ("commits", {"folder": "other"}, 0, 0),
        ("releases", {}, 1, 1),  # v2; nightly is none and v3 is of June
        ("releases", {"tags": "*"}, 2, 2),
        ("deployment_frequency", {}, 1 / 31, 1),
        ("change_lead_time", {}, 12.0, 3),  # 48 h, 12 h, 0 h
        ("change_lead_time", {"statistic": "mean"}, 20.0, 3),
        ("change_lead_time", {"statistic": "p85"}, 37.2, 3),  # 12 + 0.7 × 36
    ],
)
async def test_git_counts_commits_and_releases_and_their_lead_time(repository, measure, params, expected, samples):
    result = await ask("git", {"path": repository}, measure, params)
    assert values(result) == {(): pytest.approx(expected)}
    assert result.readings[0].samples == samples


async def test_git_without_releases_in_the_period_has_no_lead_time(repository):
    result = await ask("git", {"path": repository}, "change_lead_time", {"tags": "none*"})
    assert result.readings[0].state is ReadingState.NO_DATA


@pytest.mark.parametrize("config", [{"path": "/nowhere"}, {"path": "/tmp"}])
async def test_a_folder_that_is_no_repository_is_a_configuration_error(config):
    error = (await ask("git", config, "commits", {})).error
    assert error.reason is CollectorError.CONFIG
    assert "git: " in error.message


async def test_a_branch_that_looks_like_an_option_is_refused(repository):
    with pytest.raises(ValueError, match="branch"):
        PLUGINS.collectors["git"].Config(path=repository, branch="--output=/tmp/x")


CSV = """day;team;hours;heads
2026-04-30;a;100;1
2026-05-01;a;8;4
2026-05-15;b;"1.234,5";2
2026-05-20;b;;1
2026-05-21;a;n/a;1
2026-06-01;a;100;1
"""


@pytest.fixture
def table(tmp_path: Path):
    file = tmp_path / "training.csv"
    file.write_text(CSV)
    return {"path": file, "decimal": ","}


async def test_a_column_is_aggregated_over_the_rows_of_the_period(table):
    result = await ask("table_file", table, "column", {"column": "hours", "date": "day"}, by=("team",))
    assert values(result) == {(): 1242.5, ("a",): 8, ("b",): 1234.5}
    assert result.readings[0].state is ReadingState.PARTIAL
    assert "1 of 4 rows have no number in 'hours'" in result.readings[0].note


async def test_rows_are_counted_filtered_and_divided(table):
    assert values(await ask("table_file", table, "rows", {"where": {"team": "a"}})) == {(): 4}
    assert values(await ask("table_file", table, "rows", {"where": {"team": ["a", "b"]}, "date": "day"})) == {(): 4}
    ratio = await ask("table_file", table, "ratio", {"numerator": "hours", "denominator": "heads", "date": "day"})
    assert (ratio.readings[0].value, ratio.readings[0].numerator, ratio.readings[0].denominator) == (
        1242.5 / 8,
        1242.5,
        8,
    )


async def test_a_date_is_midnight_in_the_scorecards_time_zone(table):
    result = await ask("table_file", table, "rows", {"date": "day"}, zone="Asia/Tokyo")
    assert values(result) == {(): 4}  # the first of June in Tokyo is the last of May in UTC, that of May April


async def test_the_same_table_as_xlsx_gives_the_same(tmp_path):
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    for row in [("day", "team", "hours"), (datetime(2026, 5, 1), "a", 8), (datetime(2026, 5, 15), "b", 1234.5)]:
        book.active.append(row)
    book.save(tmp_path / "t.xlsx")
    result = await ask("table_file", {"path": tmp_path / "t.xlsx"}, "column", {"column": "hours", "date": "day"})
    assert values(result) == {(): 1242.5}


async def test_the_same_table_as_parquet_gives_the_same_with_instants_in_utc(tmp_path):
    duckdb = pytest.importorskip("duckdb")
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'Asia/Tokyo'")
        connection.execute(
            f"""COPY (SELECT * FROM (VALUES
            (DATE '2026-05-01', TIMESTAMPTZ '2026-05-01 08:59:00+09', 8.0, 'a'),
            (DATE '2026-05-31', TIMESTAMPTZ '2026-06-01 08:59:00+09', 4.5, 'b'),
            (DATE '2026-06-01', TIMESTAMPTZ '2026-06-01 09:00:00+09', 100.0, 'b')) AS t(day, "at", hours, team))
            TO '{tmp_path}/t.parquet' (FORMAT parquet)"""
        )
    config = {"path": tmp_path / "t.parquet"}

    assert values(await ask("table_file", config, "column", {"column": "hours", "date": "day"})) == {(): 12.5}
    by_instant = await ask("table_file", config, "column", {"column": "hours", "date": "at"}, by=("team",))
    assert values(by_instant) == {(): 4.5, ("b",): 4.5}  # 8:59 in Tokyo is the day before in UTC


async def test_the_tables_of_a_drop_folder_are_read_as_one(tmp_path):
    (tmp_path / "b.csv").write_text("day,hours\n2026-05-02,2\n")
    (tmp_path / "a.csv").write_text("day;hours\n2026-05-01;1\n")
    (tmp_path / "~$a.csv").write_text("a lock file")
    (tmp_path / ".c.csv").write_text("hidden")
    (tmp_path / "notes.md").write_text("no table")
    config = {"path": tmp_path}

    assert values(await ask("table_file", config, "column", {"column": "hours", "date": "day"})) == {(): 3}
    assert values(await ask("table_file", config, "column", {"column": "hours", "aggregate": "last"})) == {(): 2}


@pytest.mark.parametrize(
    ("name", "content", "params", "words"),
    [
        ("t.csv", CSV, {"column": "houres"}, "no column 'houres'"),
        ("t.csv", CSV, {"column": "hours", "date": "team"}, "is no date"),
        ("t.csv", "a,b\n\udcff,1\n", {"column": "b"}, "no readable table"),
        ("t.xlsx", "no archive", {"column": "b"}, "no readable table"),
        ("t.parquet", "no archive", {"column": "b"}, "no readable table"),
        ("missing.csv", None, {"column": "b"}, "cannot be read: No such file"),
    ],
)
async def test_a_table_that_cannot_be_used_says_why(tmp_path, name, content, params, words):
    file = tmp_path / name
    if content is not None:
        file.write_bytes(content.encode("utf-8", "surrogateescape"))
    error = (await ask("table_file", {"path": file}, "column", params)).error
    assert error is not None
    assert words in error.message
    assert error.reason in (CollectorError.CONFIG, CollectorError.SCHEMA)
