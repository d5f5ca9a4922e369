"""The workbook that a manager opens: numbers with their units, statuses without their colours, heads that stay, pages that fit."""

import io
from dataclasses import replace

import openpyxl
import pytest
from tests.unit.report.test_reports import asked
from tests.unit.web import site

from bsc_monitor.model.status import Status
from bsc_monitor.report.making import make
from bsc_monitor.report.styles import number_format
from bsc_monitor.report.workbook import workbook

pytestmark = pytest.mark.filterwarnings("ignore:Sparkline Group")


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    store = site.open_store(tmp_path_factory.mktemp("books") / "r.db")
    try:
        return store.read_now(lambda connection: make(connection, asked()))
    finally:
        store.close()


def opened(data):
    return openpyxl.load_workbook(io.BytesIO(workbook(data)))


def cells(sheet):
    """The cells of every row by their column's head."""
    head = [cell.value for cell in sheet[1]]
    return [dict(zip(head, row, strict=True)) for row in sheet.iter_rows(min_row=2)]


def test_values_are_numbers_whose_format_says_the_unit(data):
    found = {row["KPI"].value: row for row in cells(opened(data)["KPIs"])}

    for line in data.kpis:
        if line.unit == "yes/no":
            assert found[line.title]["Value"].value in ("yes", "no")
        elif line.value is not None:
            assert found[line.title]["Value"].value == pytest.approx(line.value)
            assert line.unit in ("", "count") or found[line.title]["Value"].number_format != "General"


@pytest.mark.parametrize(
    ("values", "unit", "form"),
    [
        ((24.46, 9.1), "h", '#,##0.0" h"'), ((12_345.6,), "USD", '"USD "#,##0;"USD "-#,##0'), ((3.0, 17.0), "count", "#,##0"),
        ((88.12,), "%", '#,##0.0" %"'), ((0.0,), "d", '#,##0" days"'), ((0.012, None), "ratio", "#,##0.0000"),
        ((), "h", '#,##0" h"'), ((5.0,), 'a"b\\', '#,##0" ab"'),
    ],
)  # fmt: skip
def test_number_formats_have_three_digits_and_the_unit(values, unit, form):
    assert number_format(values, unit) == form


def test_a_status_is_told_by_its_mark_and_word_too(data):
    marks = {Status.GREEN: "● Green", Status.AMBER: "▲ Amber", Status.RED: "■ Red", Status.UNKNOWN: "○ No data"}
    found = {row["KPI"].value: row for row in cells(opened(data)["KPIs"])}

    assert all(found[line.title]["Status"].value == marks[line.status] for line in data.kpis if line.scored)


def test_heads_stay_and_pages_are_as_wide_as_the_paper(data):
    book = opened(data)

    for sheet in book.worksheets:
        assert sheet.page_setup.fitToWidth in (None, 1)
        assert int(sheet.page_setup.paperSize) == 9
        assert sheet.sheet_properties.pageSetUpPr.fitToPage
        if sheet.title != "Summary":
            assert sheet.freeze_panes == "B2"
            assert sheet.print_title_rows == "$1:$1"


def test_long_texts_get_the_height_that_they_need(data):
    area = replace(data.areas[0], sentence="A sentence that goes on. " * 20)
    sheet = opened(replace(data, areas=(area,)))["Findings"]

    assert sheet.row_dimensions[2].height > 80
    assert sheet["C2"].alignment.wrap_text


def test_the_course_of_the_score_is_drawn_with_marks_and_not_with_colour(data):
    [chart] = opened(data)["Summary"]._charts
    [series] = chart.series

    assert series.marker.symbol == "circle"
    assert series.graphicalProperties.line.solidFill.srgbClr == "16202B"


def test_evidence_is_a_link_only_where_it_is_a_web_address(data):
    first, second = data.kpis[0], data.kpis[1]
    kpis = (replace(first, evidence="https://x.example.com/?a=1&b=2"), replace(second, evidence="javascript:alert(1)"))
    linked, bare = cells(opened(replace(data, kpis=kpis))["KPIs"])

    assert (linked["Evidence"].value, linked["Evidence"].hyperlink.target) == ("open", "https://x.example.com/?a=1&b=2")
    assert (bare["Evidence"].value, bare["Evidence"].hyperlink) == ("javascript:alert(1)", None)


def test_names_that_begin_like_formulas_stay_text(data):
    evil = '=HYPERLINK("http://x")'
    renamed = replace(data, title=evil, kpis=(replace(data.kpis[0], title=evil, owner=evil, note=evil),))
    book = opened(renamed)

    for sheet in book.worksheets:
        for row in sheet.iter_rows():
            assert all(cell.data_type != "f" for cell in row)
    assert book["Summary"]["A1"].value == f"'{evil}"


@pytest.mark.parametrize("title", ["24/7 operations", "R&D", "A & B " * 40])
def test_the_foot_of_a_page_says_the_title_whatever_it_is(data, title):
    foot = opened(replace(data, title=title))["KPIs"].oddFooter
    assert foot.left.text.strip().startswith(title[:90].replace("&", "&&").strip())
    assert foot.left.size == 8
    assert foot.right.text.strip() == "&P / &N"
