"""Board 1, for executives: how the scorecards stand, what moved, and what is late."""

from typing import Any

from grafana.board import board
from grafana.looks import AGE_COLUMN, RATIO_COLUMN, SCORE_COLUMN, STATUS, STATUS_COLUMN, column
from grafana.panels import listing, now, over, rows, tiles, timeline
from grafana.queries import (
    CARD,
    INITIATIVE,
    KPI,
    LEVELS,
    OPEN,
    a_quarter_ago,
    described,
    fenced,
    held,
    latest,
    score_line,
    score_now,
)

_BOARD = "/d/bsc-{}?${{datasource:queryparam}}&${{job:queryparam}}"
TO_PERSPECTIVE = (
    "Its KPIs",
    _BOARD.format("perspective")
    + "&var-scorecard=${__field.labels.scorecard}&var-perspective=${__field.labels.perspective}",
)
TO_KPI = (
    "This KPI",
    _BOARD.format("kpi") + '&var-scorecard=${__data.fields["Scorecard"]}&var-kpi=${__data.fields["KPI"]}',
)
TO_SCORECARD = (
    "Its KPIs", _BOARD.format("perspective") + "&var-scorecard=${__field.labels.scorecard}",
)  # fmt: skip
WORST = f"bottomk(10, {latest('bsc_kpi_score', KPI)})"
DUE = latest("bsc_initiative_due_timestamp_seconds", INITIATIVE)
LATE = f"time() - {DUE} > 0 and on (scorecard, initiative) bsc_initiative_info{{{CARD}, {OPEN}}}"
PERSPECTIVE = LEVELS["perspective"]


def make() -> dict[str, Any]:
    """The board as Grafana's JSON."""
    return board(
        "overview", "Balanced scorecard: overview",
        "How the scorecards stand, what moved against the last quarter, and which initiatives are late.",
        [*_heads(), *_details()],
    )  # fmt: skip


def _heads() -> list[Any]:
    status = latest("bsc_scorecard_status_code", "scorecard")
    words = latest("bsc_perspective_status_code", PERSPECTIVE)
    return [
        tiles(
            "Scorecard score", "Score of each scorecard, 0 to 100, with its way over the shown time.",
            over(score_line("scorecard"), "{{scorecard}}"), spark=True, width=10, height=5, link=TO_SCORECARD,
        ),
        tiles(
            "Scorecard status", "Red up to 33, green from 67; no data below the scorecard's least coverage.",
            now(status, "{{scorecard}}"), mappings=STATUS, width=7, height=5,
        ),
        tiles(
            "Coverage", "Share of the weights that has a fresh score: 100 points at 20 % coverage say little.",
            now(latest("bsc_scorecard_coverage_ratio", "scorecard"), "{{scorecard}}"), unit="percentunit",
            width=7, height=5,
        ),
        tiles(
            "Perspective score", "Score of each perspective, 0 to 100, with its way over the shown time.",
            over(score_line("perspective"), "{{scorecard}} {{perspective}}"), spark=True, width=24, height=5,
            link=TO_PERSPECTIVE,
        ),
        tiles(
            "Perspective status", "The same perspectives in words.",
            now(words, "{{scorecard}} {{perspective}}"), mappings=STATUS, width=24, height=4, link=TO_PERSPECTIVE,
        ),
    ]  # fmt: skip


def _details() -> list[Any]:
    since = f"time() - {latest('bsc_kpi_status_since_timestamp_seconds', KPI)}"
    status = described(latest("bsc_kpi_status_code", KPI), "title, kpi_owner")
    objective = f"{LEVELS['objective']}, title"
    past = a_quarter_ago("bsc_perspective_score", PERSPECTIVE)
    return [
        listing(
            "Worst ten KPIs", "The KPIs with the lowest scores. KPIs without a score are on the perspective board.",
            rows(WORST, "score"), rows(fenced(status, KPI, WORST), "status"), rows(fenced(since, KPI, WORST), "since"),
            columns={
                "title": "Title", "Value #status": "Status", "Value #since": "For", "kpi_owner": "Owner",
                "Value #score": "Score", "scorecard": "Scorecard", "perspective": "Perspective", "kpi": "KPI",
            },
            styles={"Status": STATUS_COLUMN, "For": AGE_COLUMN, "Score": SCORE_COLUMN, "Title": column(link=TO_KPI)},
            sort="Score", descending=False, width=14, height=10,
        ),
        timeline(
            "Perspective status over time", "Where a status held, and where it changed.",
            over(held("bsc_perspective_status_code", PERSPECTIVE), "{{scorecard}} {{perspective}}"), STATUS,
            width=10, height=10,
        ),
        listing(
            "Objectives", "Every strategic objective with the share of its weights that has a score.",
            rows(f"max by ({objective}) (bsc_objective_info{{{CARD}}})", "info"),
            rows(score_now("objective"), "score"),
            rows(latest("bsc_objective_status_code", LEVELS["objective"]), "status"),
            rows(latest("bsc_objective_coverage_ratio", LEVELS["objective"]), "coverage"),
            columns={
                "title": "Objective", "Value #status": "Status", "Value #score": "Score", "Value #coverage": "Coverage",
                "perspective": "Perspective", "scorecard": "Scorecard",
            },
            styles={"Status": STATUS_COLUMN, "Score": SCORE_COLUMN, "Coverage": RATIO_COLUMN},
            sort="Score", descending=False, width=14, height=10,
        ),
        tiles(
            "Movement against the last quarter", "Points gained or lost on what was true 13 weeks ago.",
            now(f"{latest('bsc_perspective_score', PERSPECTIVE)} - {past}", "{{scorecard}} {{perspective}}"),
            width=10, height=10, decimals=1, empty="○ No data of 13 weeks ago",
        ),
        listing(
            "Late initiatives", "Initiatives past their due date that are neither standardised nor abandoned.",
            rows(LATE, "late"),
            rows(fenced(
                f"max by ({INITIATIVE}, title, initiative_owner, state) (bsc_initiative_info{{{CARD}, {OPEN}}})",
                INITIATIVE, LATE), "info"),
            rows(fenced(latest("bsc_initiative_progress_ratio", INITIATIVE), INITIATIVE, LATE), "progress"),
            columns={
                "title": "Initiative", "initiative_owner": "Owner", "Value #late": "Late by", "state": "State",
                "Value #progress": "Done", "objective": "Objective", "scorecard": "Scorecard",
            },
            styles={"Late by": AGE_COLUMN, "Done": RATIO_COLUMN},
            sort="Late by", width=24, height=7, empty="✔ No initiative is late",
        ),
    ]  # fmt: skip
