"""Scorecards and history as CSV, JSON and XLSX."""

import csv
import io
import json
from datetime import UTC, datetime

import openpyxl
import pytest

from bsc_monitor.export.rows import HISTORY_COLUMNS, SCORECARD_COLUMNS, history_rows, scorecard_rows
from bsc_monitor.export.tables import as_csv, as_json, as_xlsx
from bsc_monitor.model.judgement import Judgement, NodeScore
from bsc_monitor.model.organisation import Kpi, Objective, Organisation, Perspective, Scorecard, Thresholds
from bsc_monitor.model.period import Period
from bsc_monitor.model.period_value import PeriodValue
from bsc_monitor.model.status import Freshness, Status

NOW = datetime(2026, 6, 14, 8, 30, tzinfo=UTC)
JUNE = Period(datetime(2026, 6, 1, tzinfo=UTC), datetime(2026, 7, 1, tzinfo=UTC), label="2026-06")
EVIL = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", '=HYPERLINK("http://x","y")']


def organisation(title="Time to restore"):
    views = (Perspective("customer", "it", "Customer"),)
    kpis = [
        Kpi("mttr", "it", "customer", "it/fast", title, unit="h", owner="ops"),
        Kpi("sla", "it", "customer", "it/fast", "In time"),
    ]
    return Organisation(
        {"it": Scorecard("it", "IT", perspectives=views)},
        {"it/fast": Objective("fast", "it", "customer", "Fast")},
        {each.name: each for each in kpis},
    )


def present(title="Time to restore"):
    judgement = Judgement(
        "it/mttr", -4.5, Thresholds(target=4.0), 90.0, Status.AMBER, Freshness.FRESH, observed_at=NOW, since=NOW
    )
    nodes = [NodeScore("objective", "it/fast", 90.0, Status.GREEN, 0.5)]
    return scorecard_rows(organisation(title), {"it/mttr": judgement}, nodes)


def test_every_level_has_a_row_in_order_and_the_unknown_is_empty_rather_than_zero():
    rows = list(csv.DictReader(io.StringIO(as_csv(SCORECARD_COLUMNS, present()))))
    assert [row["kind"] for row in rows] == ["scorecard", "perspective", "objective", "kpi", "kpi"]
    assert [row["status"] for row in rows] == ["unknown", "unknown", "green", "amber", "unknown"]
    assert (rows[3]["value"], rows[3]["target"], rows[3]["observed_at"]) == ("-4.5", "4.0", "2026-06-14T08:30:00+00:00")
    assert (rows[4]["value"], rows[4]["score"], rows[0]["score"]) == ("", "", "")
    read = json.loads(as_json(SCORECARD_COLUMNS, present()))
    assert (read[3]["value"], read[4]["value"]) == (-4.5, None)


@pytest.mark.parametrize("title", EVIL)
def test_text_never_becomes_a_formula_and_numbers_stay_numbers(title):
    (row,) = [
        row for row in csv.DictReader(io.StringIO(as_csv(SCORECARD_COLUMNS, present(title)))) if row["kpi"] == "mttr"
    ]
    assert row["title"] == "'" + title
    assert row["value"] == "-4.5"
    sheet = openpyxl.load_workbook(io.BytesIO(as_xlsx(SCORECARD_COLUMNS, present(title)))).active
    cells = {head.value: cell for head, cell in zip(sheet[1], sheet[5], strict=True)}
    assert cells["title"].data_type == "s"
    assert cells["title"].value.endswith(title.strip())
    assert (cells["value"].data_type, cells["value"].value) == ("n", -4.5)
    assert cells["observed_at"].value == datetime(2026, 6, 14, 8, 30)


def test_history_has_a_row_a_period_with_segments_and_leaves_out_what_is_not_configured():
    values = [
        PeriodValue("it/mttr", JUNE, value=4.0, score=66.7, status=Status.GREEN, closed_at=NOW),
        PeriodValue("it/mttr", JUNE, (("team", "dba"),), value=float("nan")),
        PeriodValue("it/gone", JUNE, value=4.0),
    ]
    rows = json.loads(as_json(HISTORY_COLUMNS, history_rows(organisation(), values)))
    assert [(row["period"], row["segment"], row["value"]) for row in rows] == [
        ("2026-06", "", 4.0), ("2026-06", "team=dba", None),
    ]  # fmt: skip
