"""Board 2, one KPI, for its owner: value and target, breaches, segments, evidence."""

from typing import Any

from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.models.dashboard import DataTransformerConfig

from grafana.board import KPIS, board
from grafana.looks import FRESHNESS, STATUS, STATUS_COLUMN, column
from grafana.panels import SOURCE, lines, listing, now, over, rows, tiles, timeline
from grafana.queries import KPI, ONE_KPI, held, latest, score_line

SEGMENT = f"{KPI}, dimension, segment"
BY = "{{scorecard}} {{kpi}}"
TO_EVIDENCE = (
    "Evidence, readings and explanation on the built-in board",
    '${board}/kpis/${__data.fields["Scorecard"]}/${__data.fields["KPI"]}',
)


def in_its_unit(panel: Any) -> Any:
    """Show the numbers of a panel in the unit that the KPI's ``display_unit`` names."""
    info = f"max by (display_unit) (bsc_kpi_info{{{ONE_KPI}}})"
    options = {
        "applyTo": {"id": "byType", "options": "number"},
        "configRefId": "unit",
        "mappings": [{"fieldName": "display_unit", "handlerKey": "unit"}],
    }
    return panel.with_target(rows(info, "unit")).with_transformation(
        DataTransformerConfig("configFromData", options=options)
    )


def make() -> dict[str, Any]:
    """The board as Grafana's JSON."""
    site = build.TextBoxVariable("board").label("Board address").default_value("http://127.0.0.1:9877")
    site = site.description("Where the built-in board of bsc-monitor answers, for links to evidence.")
    return board(
        "kpi", "Balanced scorecard: KPI", "One KPI: value, target, breaches, segments and evidence.",
        [*_heads(), *_charts(), *_breakdown()], [KPIS, site], [_breaches()],
    )  # fmt: skip


def _breaches() -> Any:
    red = f"{held('bsc_kpi_status_code', KPI, ONE_KPI)} == 3"
    made = build.AnnotationQuery().name("Red").enable(True).icon_color("red").datasource(SOURCE)
    return made.expr(red).step("1m").title_format("✖ Red").text_format(BY).tag_keys("scorecard,kpi")


def _heads() -> list[Any]:
    age = f"time() - {latest('bsc_kpi_observed_timestamp_seconds', KPI, ONE_KPI)}"
    since = f"time() - {latest('bsc_kpi_status_since_timestamp_seconds', KPI, ONE_KPI)}"
    infos = "title, kpi_owner, unit, better, leading, source, severity"
    value = tiles(
        "Value", "The latest judged value, in the unit of the KPI.", now(latest("bsc_kpi_value", KPI, ONE_KPI), BY, "value"),
        width=4, decimals=2,
    )  # fmt: skip
    return [
        in_its_unit(value),
        tiles(
            "Status", "The value against the thresholds in force.",
            now(latest("bsc_kpi_status_code", KPI, ONE_KPI), BY), mappings=STATUS, width=4,
        ),
        tiles("Status for", "How long it has been so.", now(since, BY), unit="s", decimals=1, width=4),
        tiles(
            "Score", "0 to 100, with its way over the shown time.", over(score_line("kpi", ONE_KPI), BY), spark=True,
            width=4,
        ),
        tiles(
            "Freshness", "Whether the value is recent enough to count.",
            now(latest("bsc_kpi_freshness_code", KPI, ONE_KPI), BY), mappings=FRESHNESS, width=4,
        ),
        tiles("Age", "Time since the value was observed.", now(age, BY), unit="s", decimals=1, width=4),
        listing(
            "What it is", "Owner, direction and source; the links lead to readings, evidence and the derivation.",
            rows(f"max by ({KPI}, {infos}) (bsc_kpi_info{{{ONE_KPI}}})", "info"),
            rows(latest("bsc_kpi_stale_after_seconds", KPI, ONE_KPI), "stale"),
            rows(latest("bsc_kpi_progress_ratio", KPI, ONE_KPI), "progress"),
            columns={
                "title": "Title", "kpi_owner": "Owner", "unit": "Unit", "better": "Better", "leading": "Leading",
                "source": "Source", "severity": "Severity", "Value #stale": "Stale after",
                "Value #progress": "Progress to target", "objective": "Objective", "scorecard": "Scorecard", "kpi": "KPI",
            },
            styles={
                "Title": column(link=TO_EVIDENCE, width=280), "Stale after": column(unit="s", decimals=1),
                "Progress to target": column(unit="percentunit", decimals=0),
            },
            height=5,
        ),
    ]  # fmt: skip


def _charts() -> list[Any]:
    dashed = column(**{"custom.lineStyle": {"fill": "dash", "dash": [8, 6]}})
    value = lines(
        "Value, target and thresholds", "The value with what it is judged against. Red bands mark breaches.",
        over(held("bsc_kpi_value", KPI, ONE_KPI), "value", "value"),
        over(held("bsc_kpi_target_value", KPI, ONE_KPI), "target", "target"),
        over(held("bsc_kpi_threshold_value", f"{KPI}, bound", ONE_KPI), "{{bound}}", "threshold"),
        stairs=True, width=16, height=10,
        styles={
            "target": [*column(color={"mode": "fixed", "fixedColor": "green"}), *dashed],
            "red": [*column(color={"mode": "fixed", "fixedColor": "red"}), *dashed],
        },
    )  # fmt: skip
    return [
        in_its_unit(value),
        timeline(
            "Status over time", "Where a status held, and where it changed.",
            over(held("bsc_kpi_status_code", KPI, ONE_KPI), BY), STATUS, width=8, height=10,
        ),
    ]  # fmt: skip


def _breakdown() -> list[Any]:
    folded = f"max by (scorecard, kpi, dimension) (bsc_segments_folded{{{ONE_KPI}}})"
    entered = f"sum by (status) (increase(bsc_kpi_status_changes_total{{{ONE_KPI}}}[$__rate_interval]))"
    return [
        listing(
            "Segments", "The value of each breakdown, worst first; values stand in base units.",
            rows(latest("bsc_kpi_segment_status_code", SEGMENT, ONE_KPI), "status"),
            rows(latest("bsc_kpi_segment_value", SEGMENT, ONE_KPI), "value"),
            columns={
                "dimension": "Dimension", "segment": "Segment", "Value #status": "Status", "Value #value": "Value",
                "kpi": "KPI", "scorecard": "Scorecard",
            },
            styles={"Status": STATUS_COLUMN, "Value": column(unit="short", decimals=2)},
            sort="Status", width=12, empty="This KPI is not broken down",
        ),
        tiles(
            "Segments not shown", "Segments over the cap, folded into the one named other.",
            now(folded, "{{kpi}} by {{dimension}}"), width=4, height=9, empty="This KPI is not broken down",
        ),
        lines("Status changes", "Times that the KPI entered a status.", over(entered, "{{status}}"), width=8, height=9),
    ]  # fmt: skip
