"""Board 5, for operations: what is red, since when, who owns it, and what is being done, in that order."""

from typing import Any

from grafana.board import board
from grafana.boards.overview import DUE, TO_KPI
from grafana.looks import (
    AGE_COLUMN,
    BAD_FROM_ONE,
    DOUBT_FROM_ONE,
    RATIO_COLUMN,
    STATUS,
    STATUS_COLUMN,
    column,
)
from grafana.panels import lines, listing, now, over, rows, tiles, timeline
from grafana.queries import CARD, INITIATIVE, JOB, KPI, OPEN, count_or_zero, described, fenced, held, latest

STATUS_NOW = latest("bsc_kpi_status_code", KPI)
FIRING = f'bsc_alert_firing{{{CARD}, severity!="none"}}'  # the dead man's switch fires for as long as all is well
BREACHED = f"{STATUS_NOW} >= 2"


def make() -> dict[str, Any]:
    """The board as Grafana's JSON."""
    return board(
        "breaches", "Balanced scorecard: breaches and actions",
        "What is red, since when, who owns it, and what is being done.",
        [*counts(), _breached(), *_alerts(), *_actions()], since="now-7d", refresh="30s",
    )  # fmt: skip


def counts(height: int = 4, *, big: bool = False) -> list[Any]:
    """How many KPIs are in trouble, of each sort: 0 is an answer, no data is none."""
    freshness = latest("bsc_kpi_freshness_code", KPI)
    asked = [
        ("✖ Red KPIs", "KPIs at or beyond their red threshold.", f"{STATUS_NOW} == 3", BAD_FROM_ONE),
        ("▲ Amber KPIs", "KPIs between red and target.", f"{STATUS_NOW} == 2", DOUBT_FROM_ONE),
        ("◔ Stale KPIs", "KPIs whose value is too old to count.", f"{freshness} == 1", DOUBT_FROM_ONE),
        ("○ Missing KPIs", "KPIs that have no value.", f"{freshness} == 0", DOUBT_FROM_ONE),
        ("! Firing alerts", "Alerts that the service's own rules have firing.", FIRING, BAD_FROM_ONE),
        (
            "✖ Failing collectors", "Measures whose last run failed.",
            f"{latest('bsc_collector_up', 'source, measure', JOB)} == 0", BAD_FROM_ONE,
        ),
    ]  # fmt: skip
    return [
        tiles(title, text, now(count_or_zero(what), title), width=4, height=height, colors=colors, big=big)
        for title, text, what, colors in asked
    ]


def _breached() -> Any:
    since = f"time() - {latest('bsc_kpi_status_since_timestamp_seconds', KPI)}"
    open_ones = f"count by (scorecard, objective) (bsc_initiative_info{{{CARD}, {OPEN}}})"
    actions = f"({STATUS_NOW} * 0 + on (scorecard, objective) group_left () {open_ones}) or {STATUS_NOW} * 0"
    return listing(
        "In breach", "Every KPI that is not green, the worst and longest first, with its owner and the open actions.",
        rows(described(BREACHED, "title, kpi_owner, unit"), "status"), rows(fenced(since, KPI, BREACHED), "since"),
        rows(fenced(latest("bsc_kpi_value", KPI), KPI, BREACHED), "value"),
        rows(fenced(latest("bsc_kpi_target_value", KPI), KPI, BREACHED), "target"),
        rows(fenced(actions, KPI, BREACHED), "actions"),
        columns={
            "Value #status": "Status", "title": "Title", "Value #since": "For", "kpi_owner": "Owner",
            "Value #actions": "Open actions", "Value #value": "Value", "Value #target": "Target", "unit": "Unit",
            "objective": "Objective", "scorecard": "Scorecard", "kpi": "KPI",
        },
        styles={
            "Status": STATUS_COLUMN, "Title": column(link=TO_KPI, width=260), "For": AGE_COLUMN,
            "Value": column(unit="short", decimals=2), "Target": column(unit="short", decimals=2),
        },
        sort="Status", height=11, empty="✔ Nothing is in breach",
    )  # fmt: skip


def _alerts() -> list[Any]:
    return [
        listing(
            "Firing alerts", "What the service's own rules have firing; acknowledge or silence it on the built-in board.",
            rows(f"max by (alert, severity, scorecard, objective, kpi, source) ({FIRING})"),
            columns={
                "severity": "Severity", "alert": "Alert", "scorecard": "Scorecard", "objective": "Objective", "kpi": "KPI",
                "source": "Source",
            },
            sort="Severity", descending=False, width=10, height=9, empty="✔ No alert is firing",
        ),
        timeline(
            "KPI status over time", "Which KPI was in which status, and for how long.",
            over(held("bsc_kpi_status_code", KPI), "{{scorecard}} {{kpi}}"), STATUS, width=14, height=9,
        ),
    ]  # fmt: skip


def _actions() -> list[Any]:
    infos = f"{INITIATIVE}, title, initiative_owner, state"
    open_ones = f"max by ({infos}) (bsc_initiative_info{{{CARD}, {OPEN}}})"
    entered = f"sum by (status) (increase(bsc_kpi_status_changes_total{{{CARD}}}[$__rate_interval]))"
    sent = f"sum by (receiver) (increase(bsc_notifications_total{{{JOB}}}[$__rate_interval]))"
    failed = f"sum by (receiver) (increase(bsc_notification_failures_total{{{JOB}}}[$__rate_interval]))"
    return [
        listing(
            "Open initiatives", "What is being done, by whom, and until when.",
            rows(open_ones, "info"), rows(fenced(f"{DUE} - time()", INITIATIVE, open_ones), "due"),
            rows(fenced(latest("bsc_initiative_progress_ratio", INITIATIVE), INITIATIVE, open_ones), "progress"),
            columns={
                "title": "Initiative", "initiative_owner": "Owner", "state": "State", "Value #progress": "Done",
                "Value #due": "Due in", "objective": "Objective", "scorecard": "Scorecard",
            },
            styles={"Done": RATIO_COLUMN, "Due in": AGE_COLUMN}, sort="Due in", descending=False, width=24, height=8,
            empty="No initiative is open",
        ),
        lines("Status changes", "KPIs that entered a status.", over(entered, "{{status}}"), width=8),
        lines(
            "Notifications", "Messages tried, and those that a receiver did not take.",
            over(sent, "{{receiver}} tried", "tried"), over(failed, "{{receiver}} failed", "failed"), width=8,
            empty="No receiver is configured",
        ),
        lines(
            "Messages that wait", "Messages that wait in the outbox: a line that stays up is a receiver that is down.",
            over(latest("bsc_outbox_pending", "receiver", JOB), "{{receiver}}"), low=0, width=8,
            empty="No receiver is configured",
        ),
    ]  # fmt: skip
