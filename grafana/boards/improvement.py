"""Board 3, continuous improvement: what the numbers say, what is being done about it, and whether it works."""

from typing import Any

from grafana.board import KPIS, board
from grafana.boards.kpi import in_its_unit
from grafana.boards.overview import DUE, TO_KPI
from grafana.looks import AGE_COLUMN, RATIO_COLUMN, SCORE_COLUMN, STATUS_COLUMN, TREND_COLUMN, column
from grafana.panels import bars, lines, listing, now, over, rows, tiles
from grafana.queries import CARD, INITIATIVE, KPI, ONE_KPI, count_or_zero, described, fenced, held, latest

FOUND = f"{KPI}, kind, direction"


def make() -> dict[str, Any]:
    """The board as Grafana's JSON."""
    return board(
        "improvement", "Balanced scorecard: continuous improvement",
        "Open insights, initiatives and their effect, the way to the targets, and targets that are too easy.",
        [*_insights(), _behaviour(), *_actions(), *_targets()], [KPIS], since="now-1y",
    )  # fmt: skip


def _of(kind: str) -> str:
    return latest("bsc_insight_active", FOUND, f'{CARD}, kind="{kind}"')


def _insights() -> list[Any]:
    found = described(latest("bsc_insight_active", FOUND), "title, kpi_owner")
    worse = count_or_zero(latest("bsc_insight_active", FOUND, f'{CARD}, direction="worsening"'))
    better = count_or_zero(latest("bsc_insight_active", FOUND, f'{CARD}, direction="improving"'))
    status = fenced(latest("bsc_kpi_status_code", KPI), KPI, latest("bsc_insight_active", KPI))
    return [
        tiles("Worsening", "Open insights that say that something gets worse.", now(worse, "▼ worsening"), width=4, height=5),
        tiles("Improving", "Open insights that say that something gets better.", now(better, "▲ improving"), width=4, height=5),
        bars(
            "Open insights by kind", "Signals, trends, forecasts, stagnation and the like that are open now.",
            now(f"count by (kind) ({latest('bsc_insight_active', FOUND)})", "{{kind}}"), width=16, height=5,
            empty="✔ No insight is open",
        ),
        listing(
            "Open insights", "Findings about closed periods; the KPI's page gives their evidence and a next step.",
            rows(found, "insight"), rows(status, "status"),
            columns={
                "kind": "Insight", "direction": "Direction", "title": "Title", "Value #status": "Status",
                "kpi_owner": "Owner", "objective": "Objective", "scorecard": "Scorecard", "kpi": "KPI",
            },
            styles={"Status": STATUS_COLUMN, "Title": column(link=TO_KPI)},
            sort="Status", width=12, height=10, empty="✔ No insight is open",
        ),
    ]  # fmt: skip


def _behaviour() -> Any:
    return in_its_unit(
        lines(
            "Process behaviour of the chosen KPI", "The value between the limits of its own noise: inside them nothing "
            "has changed, whatever last month says.",
            over(held("bsc_kpi_value", KPI, ONE_KPI), "value", "value"),
            over(held("bsc_kpi_target_value", KPI, ONE_KPI), "target", "target"),
            over(latest("bsc_kpi_limit_value", f"{KPI}, bound", ONE_KPI), "limit: {{bound}}", "limit"),
            width=12, height=10, styles={"target": column(color={"mode": "fixed", "fixedColor": "green"})},
        )
    )  # fmt: skip


def _actions() -> list[Any]:
    infos = f"{INITIATIVE}, title, initiative_owner, state, effect"
    states = f"count by (state) (max by (scorecard, initiative, state) (bsc_initiative_info{{{CARD}}}))"
    return [
        listing(
            "Initiatives and their effect", "Plan, do, check, act: what is done, by whom, and what it has changed so far.",
            rows(f"max by ({infos}) (bsc_initiative_info{{{CARD}}})", "info"),
            rows(latest("bsc_initiative_progress_ratio", INITIATIVE), "progress"), rows(f"{DUE} - time()", "due"),
            columns={
                "title": "Initiative", "initiative_owner": "Owner", "state": "State", "Value #progress": "Done",
                "Value #due": "Due in", "effect": "Effect", "objective": "Objective", "scorecard": "Scorecard",
            },
            styles={"Done": RATIO_COLUMN, "Due in": AGE_COLUMN},
            sort="Due in", descending=False, width=16, height=9, empty="No initiative is configured",
        ),
        bars(
            "Initiatives by state", "Planned, doing, checking, standardised or abandoned.", now(states, "{{state}}"),
            width=8, height=9, empty="No initiative is configured",
        ),
    ]  # fmt: skip


def _targets() -> list[Any]:
    forecast = described(_of("forecast"), "title, kpi_owner")
    ratchet = described(_of("ratchet"), "title, kpi_owner, unit")
    trend = fenced(latest("bsc_kpi_trend_ratio", KPI), KPI, _of("forecast"))
    done = fenced(latest("bsc_kpi_progress_ratio", KPI), KPI, _of("forecast"))
    target = fenced(latest("bsc_kpi_target_value", KPI), KPI, _of("ratchet"))
    score = fenced(latest("bsc_kpi_score", KPI), KPI, _of("ratchet"))
    return [
        bars(
            "Way to the final target", "Share of the way from the baseline to the final target that is done.",
            now(latest("bsc_kpi_progress_ratio", KPI), "{{scorecard}} {{kpi}}"), unit="percentunit", high=1,
            width=8, height=9, empty="No KPI has a baseline",
        ),
        listing(
            "Forecast to target", "KPIs whose forecast says that they will reach (improving) or miss (worsening) the target.",
            rows(forecast, "forecast"), rows(trend, "trend"), rows(done, "done"),
            columns={
                "title": "Title", "direction": "Forecast", "Value #trend": "Trend", "Value #done": "Way done",
                "kpi_owner": "Owner", "scorecard": "Scorecard", "kpi": "KPI",
            },
            styles={"Title": column(link=TO_KPI), "Trend": TREND_COLUMN, "Way done": RATIO_COLUMN},
            width=8, height=9, empty="No forecast is firm enough",
        ),
        listing(
            "Ratchet candidates", "Targets that are always met have stopped being goals: raise them.",
            rows(ratchet, "ratchet"), rows(target, "target"), rows(score, "score"),
            columns={
                "title": "Title", "Value #target": "Target", "unit": "Unit", "Value #score": "Score",
                "kpi_owner": "Owner", "scorecard": "Scorecard", "kpi": "KPI",
            },
            styles={"Title": column(link=TO_KPI), "Target": column(unit="short", decimals=2), "Score": SCORE_COLUMN},
            width=8, height=9, empty="No target is too easy",
        ),
    ]  # fmt: skip
