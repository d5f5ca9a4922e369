"""One report of a scorecard and period: what it says, that it never changes, and that it harms no reader."""

import csv
import io
import shutil
import subprocess
import zipfile
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from msgspec import structs
from tests.unit.web import site

from bsc_monitor.config import Configuration
from bsc_monitor.model.organisation import Organisation
from bsc_monitor.model.status import Status
from bsc_monitor.report import mail, pages
from bsc_monitor.report.data import from_json, to_json
from bsc_monitor.report.making import NoReportError, make, subject_of
from bsc_monitor.report.render import CONTENT_TYPES, render
from bsc_monitor.report.shelf import keep, on_shelf
from bsc_monitor.report.tables import harmless
from bsc_monitor.store.periods import closed_values, save_values
from bsc_monitor.store.reports import kept_reports

NOW = datetime(2026, 6, 14, 9, 30, tzinfo=UTC)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    opened = site.open_store(tmp_path_factory.mktemp("reports") / "r.db")
    yield opened
    opened.close()


def asked(scorecard="it", period="2026-05", owner="", now=NOW, hostile=False):
    return subject_of(Configuration(organisation=site.organisation(hostile)), scorecard, period, owner, now)


@pytest.fixture(scope="module")
def executive(store):
    return store.read_now(lambda connection: make(connection, asked()))


@pytest.fixture(scope="module")
def detail(store):
    return store.read_now(lambda connection: make(connection, asked(owner="cio@example.com")))


def test_it_tells_score_movement_red_and_what_nobody_acts_on(executive):
    assert executive.final
    assert executive.headline.startswith(f"IT department scores {executive.standing.score + 0.5:.0f}"[:26])
    assert executive.standing.before is not None
    red = [line.title for line in executive.kpis if line.status is Status.RED]
    assert f"{len([k for k in executive.kpis if k.scored and k.status is Status.RED])} of" in executive.headline
    assert set(executive.idle) <= set(red)
    assert [view.title for view in executive.perspectives] == [title for _, title in site.FOUR]
    assert executive.initiatives[0].standing == "late" or executive.initiatives[0].start is not None


def test_an_owner_sees_the_detail_of_their_own_kpis(store, detail):
    found = store.read_now(lambda connection: make(connection, asked(owner="finops@example.com")))
    assert [line.title for line in found.kpis] == ["Cloud cost"]
    assert found.kpis[0].course is not None
    assert len(found.kpis[0].course.values) == 12
    assert all(line.owner == "cio@example.com" for line in detail.kpis)


@pytest.mark.parametrize(
    ("scorecard", "period", "owner", "words"),
    [
        ("nothing", "2026-05", "", "no scorecard"),
        ("it", "soon", "", "no period"),
        ("it", "2027-01", "", "not begun"),
        ("it", "2026-05", "nobody@example.com", "owns no KPI"),
    ],
)
def test_what_cannot_be_reported_is_said_in_words(store, scorecard, period, owner, words):
    with pytest.raises(NoReportError, match=words):
        store.read_now(lambda connection: make(connection, asked(scorecard, period, owner)))


def test_without_a_period_it_is_the_last_closed_month():
    assert asked(period="").period.label == "2026-05"


def test_the_open_period_is_marked_and_never_kept(store):
    subject = asked(period="2026-06")
    data, _ = store.read_now(lambda connection: on_shelf(connection, subject, "json"))
    assert not data.final
    store.write_now(lambda connection: keep(connection, data, "json", b"x"))
    assert all(each.label != "2026-06" for each in store.read_now(kept_reports))
    assert "not final" in mail.html(data)


@pytest.mark.parametrize("form", list(CONTENT_TYPES))
def test_the_same_data_is_the_same_bytes(detail, form):
    assert render(detail, form) == render(from_json(to_json(detail)), form)


def test_a_report_of_a_closed_period_never_changes(tmp_path):
    store = site.open_store(tmp_path / "r.db")
    try:
        subject = asked()
        data, nothing = store.read_now(lambda connection: on_shelf(connection, subject, "csv"))
        assert nothing is None
        first = store.write_now(lambda connection: keep(connection, data, "csv", render(data, "csv")))
        told = store.read_now(lambda connection: closed_values(connection, ["it/mttr"]))
        late = [structs.replace(value, value=999.0, revision=1) for value in told]
        store.write_now(lambda connection: save_values(connection, late))
        later = asked(now=datetime(2026, 12, 24, tzinfo=UTC))
        again, kept = store.read_now(lambda connection: on_shelf(connection, later, "csv"))
        assert kept == first
        assert again == data
        other = store.write_now(lambda connection: keep(connection, data, "csv", b"rendered by a later version"))
        assert other == first
    finally:
        store.close()


@pytest.mark.skipif(shutil.which("pdfinfo") is None, reason="poppler-utils")
def test_an_executive_reads_one_page_however_much_there_is(executive, tmp_path):
    much = replace(
        executive, areas=executive.areas * 20, initiatives=executive.initiatives * 20, idle=executive.idle * 9,
        kpis=tuple(replace(line, status=Status.RED) for line in executive.kpis) * 3,
    )  # fmt: skip
    file = tmp_path / "r.pdf"
    file.write_bytes(render(much, "pdf"))
    told = subprocess.run(["pdfinfo", str(file)], check=True, capture_output=True, text=True).stdout
    assert [line.split()[1] for line in told.splitlines() if line.startswith("Pages")] == ["1"]


def test_that_everything_has_data_is_said_only_where_it_is_so(executive):
    def told(coverage, *without):
        data = replace(executive, quality=replace(executive.quality, coverage=coverage, without_data=without))
        return pages.page(data).partition("<b>Data</b>")[2].partition("</p>")[0]

    assert told(1.0).startswith(" Everything has data.")
    assert told(1.0, "Audit").startswith(" No value: Audit.")
    assert told(0.75, "Audit").startswith(" 75 % of the perspectives' weight has a score. No value: Audit.")


def test_names_from_elsewhere_stay_text_in_every_format(tmp_path):
    store = site.open_store(tmp_path / "h.db", hostile=True)
    try:
        data = store.read_now(lambda connection: make(connection, asked(hostile=True)))
    finally:
        store.close()
    for page in (render(data, "html").decode(), pages.page(data)):
        assert "<script>" not in page
        assert "&lt;script&gt;" in page
    assert "\n" not in mail.subject(replace(data, title="a\r\nBcc: x@example.com"))


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1"])
def test_no_spreadsheet_takes_a_text_for_a_formula(executive, text):
    data = replace(executive, kpis=(replace(executive.kpis[0], title=text, value=-3.5),))
    row = next(csv.DictReader(io.StringIO(render(data, "csv").decode("utf-8-sig"))))
    assert row["KPI"] == f"'{text}"
    assert row["Value"] == "-3.5"
    assert harmless("plain") == "plain"
    with zipfile.ZipFile(io.BytesIO(render(data, "xlsx"))) as book:
        for name in book.namelist():
            assert b"<f>" not in book.read(name), name


def test_an_empty_organisation_has_no_report():
    with pytest.raises(NoReportError, match="there is none"):
        subject_of(Configuration(organisation=Organisation()), "it", "", "", NOW)
