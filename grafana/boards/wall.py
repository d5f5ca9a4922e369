"""The wall board, for a screen that nobody touches: no rows, no links, big words."""

from typing import Any

from grafana.board import board
from grafana.boards.breaches import BREACHED, counts
from grafana.looks import AGE_COLUMN, SCORE_COLUMN, STATUS, STATUS_COLUMN
from grafana.panels import listing, now, over, rows, tiles
from grafana.queries import KPI, LEVELS, described, fenced, latest, score_line

PERSPECTIVE = LEVELS["perspective"]


def make() -> dict[str, Any]:
    """The board as Grafana's JSON."""
    since = f"time() - {latest('bsc_kpi_status_since_timestamp_seconds', KPI)}"
    panels = [
        tiles(
            "Scorecards", "Status of each scorecard in words.",
            now(latest("bsc_scorecard_status_code", "scorecard"), "{{scorecard}}"), mappings=STATUS, width=12, height=6,
            big=True,
        ),
        tiles(
            "Scores", "Score of each scorecard, 0 to 100, over the shown time.",
            over(score_line("scorecard"), "{{scorecard}}"), spark=True, width=12, height=6,
        ),
        tiles(
            "Perspectives", "Status of each perspective in words.",
            now(latest("bsc_perspective_status_code", PERSPECTIVE), "{{scorecard}} {{perspective}}"), mappings=STATUS,
            width=24, height=6, big=True,
        ),
        *counts(5, big=True),
        listing(
            "In breach", "What is not green, since when, and who owns it.",
            rows(described(BREACHED, "title, kpi_owner"), "status"), rows(fenced(since, KPI, BREACHED), "since"),
            rows(fenced(latest("bsc_kpi_score", KPI), KPI, BREACHED), "score"),
            columns={
                "Value #status": "Status", "title": "KPI", "Value #since": "For", "kpi_owner": "Owner",
                "Value #score": "Score", "scorecard": "Scorecard",
            },
            styles={"Status": STATUS_COLUMN, "For": AGE_COLUMN, "Score": SCORE_COLUMN},
            sort="Status", height=11, empty="✔ Nothing is in breach", tall=True,
        ),
    ]  # fmt: skip
    return board("wall", "Balanced scorecard: wall", "For a screen on the wall.", panels, links=False, refresh="30s")
