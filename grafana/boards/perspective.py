"""Board 2, the perspective: every KPI in a row, worst first."""

from typing import Any

from grafana.board import PERSPECTIVES, board
from grafana.boards.overview import TO_KPI
from grafana.looks import (
    AGE_COLUMN,
    FRESHNESS,
    SCORE_COLUMN,
    SPARK_COLUMN,
    STATUS,
    STATUS_COLUMN,
    TREND_COLUMN,
    WORD_CELL,
    column,
)
from grafana.panels import lines, listing, now, over, rows, tiles
from grafana.queries import CARD, KPI, LEVELS, described, held, latest, score_line

OWN = f'{CARD}, perspective=~"$perspective"'


def make() -> dict[str, Any]:
    """The board as Grafana's JSON."""
    status = latest("bsc_perspective_status_code", LEVELS["perspective"], OWN)
    panels = [
        tiles(
            "Perspective score", "Score of each perspective, 0 to 100, with its way over the shown time.",
            over(score_line("perspective", OWN), "{{scorecard}} {{perspective}}"), spark=True, width=10, height=5,
        ),
        tiles(
            "Perspective status", "The same perspectives in words.",
            now(status, "{{scorecard}} {{perspective}}"), mappings=STATUS, width=7, height=5,
        ),
        tiles(
            "Coverage", "Share of the perspective's weights that has a fresh score.",
            now(latest("bsc_perspective_coverage_ratio", LEVELS["perspective"], OWN), "{{scorecard}} {{perspective}}"),
            unit="percentunit", width=7, height=5,
        ),
        _kpis(),
        lines(
            "Objective scores", "Scores of the objectives, 0 to 100: red up to 33, green from 67.",
            over(held("bsc_objective_score", LEVELS["objective"], OWN), "{{scorecard}} {{objective}}"),
            low=0, high=100, stairs=True, width=24, height=9,
        ),
    ]  # fmt: skip
    return board(
        "perspective",
        "Balanced scorecard: perspective",
        "The KPIs of a perspective, worst first.",
        panels,
        [PERSPECTIVES],
    )


def _kpis() -> Any:
    age = f"time() - {latest('bsc_kpi_observed_timestamp_seconds', KPI, OWN)}"
    return listing(
        "KPIs", "Values stand in base units: ratio for percent, seconds for durations, the currency for money.",
        rows(described(latest("bsc_kpi_status_code", KPI, OWN), "title, kpi_owner, unit", OWN), "status"),
        rows(latest("bsc_kpi_value", KPI, OWN), "value"), rows(latest("bsc_kpi_target_value", KPI, OWN), "target"),
        rows(latest("bsc_kpi_score", KPI, OWN), "score"), rows(latest("bsc_kpi_trend_ratio", KPI, OWN), "trend"),
        rows(latest("bsc_kpi_freshness_code", KPI, OWN), "freshness"), rows(age, "age"),
        rows(latest("bsc_kpi_weight", KPI, OWN), "weight"),
        over(held("bsc_kpi_score", KPI, OWN), ref="history"),
        columns={
            "title": "Title", "Value #status": "Status", "kpi_owner": "Owner", "Value #value": "Value", "unit": "Unit",
            "Value #target": "Target", "Value #score": "Score", "Value #trend": "Trend", "Trend #history": "Score over time",
            "Value #freshness": "Freshness", "Value #age": "Age", "Value #weight": "Weight", "objective": "Objective",
            "perspective": "Perspective", "scorecard": "Scorecard", "kpi": "KPI",
        },
        styles={
            "Title": column(link=TO_KPI, width=240), "Status": STATUS_COLUMN, "Score": SCORE_COLUMN,
            "Trend": TREND_COLUMN, "Score over time": SPARK_COLUMN, "Age": AGE_COLUMN,
            "Freshness": column(mappings=FRESHNESS, cell=WORD_CELL, width=110),
            "Value": column(unit="short", decimals=2), "Target": column(unit="short", decimals=2),
        },
        sort="Status", height=14, spark=True,
    )  # fmt: skip
