"""The metric families, as data: the one table that the exposition, the boards' tests and the docs read."""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["gauge", "counter", "histogram"]
Scope = Literal["kpi", "segment", "node", "strategy", "initiative", "alert", "collector", "service"]


@dataclass(frozen=True, slots=True)
class Family:
    """One metric family. Values stand in Prometheus' base units; scores on their scale of 0 to 100."""

    name: str
    kind: Kind
    help: str
    labels: tuple[str, ...]
    scope: Scope

    @property
    def openmetrics_name(self) -> str:
        """OpenMetrics names a counter's family without the ``_total`` of its samples."""
        return self.name.removesuffix("_total") if self.kind == "counter" else self.name


KPI_LABELS = ("scorecard", "perspective", "objective", "kpi")
_SEGMENT = (*KPI_LABELS, "unit", "dimension", "segment")
_STATUS = "0 no data, 1 green, 2 amber, 3 red."


def _kpi(name: str, text: str, *labels: str, kind: Kind = "gauge") -> Family:
    return Family(f"bsc_kpi_{name}", kind, text, (*KPI_LABELS, *labels), "kpi")


def _node(level: str, *labels: str) -> tuple[Family, ...]:
    return (
        Family(f"bsc_{level}_score", "gauge", f"Score of the {level}, 0 to 100.", labels, "node"),
        Family(f"bsc_{level}_status_code", "gauge", f"Status of the {level}: {_STATUS}", labels, "node"),
        Family(
            f"bsc_{level}_coverage_ratio", "gauge", f"Share of the {level}'s weight that has a score.", labels, "node"
        ),
    )


def _one(scope: Scope, name: str, text: str, *labels: str, kind: Kind = "gauge") -> Family:
    return Family(f"bsc_{name}", kind, text, labels, scope)


_RUN = ("source", "measure")
_INITIATIVE = ("scorecard", "objective", "initiative")

FAMILIES: tuple[Family, ...] = (
    _kpi("value", "Latest judged value, in the base unit that the unit label names.", "unit"),
    _kpi("target_value", "Target in force; the bound that is nearer the value for a band.", "unit"),
    _kpi("threshold_value", "Thresholds in force: red, worst, best.", "unit", "bound"),
    _kpi("score", "Score of the KPI, 0 to 100; absent when there is none."),
    _kpi("status_code", f"Status of the KPI: {_STATUS}"),
    _kpi("freshness_code", "Freshness of the value: 0 missing, 1 stale, 2 fresh."),
    _kpi("observed_timestamp_seconds", "When the judged value was observed."),
    _kpi("status_since_timestamp_seconds", "When the KPI entered its status."),
    _kpi("stale_after_seconds", "Age from which the value counts as stale."),
    _kpi("progress_ratio", "Way from the baseline to the final target that is done."),
    _kpi("trend_ratio", "Relative change on the previous period, positive is better."),
    _kpi("weight", "Weight of the KPI in its objective."),
    _kpi("status_changes_total", "Times that the KPI entered the status.", "status", kind="counter"),
    _kpi(
        "info", "What the KPI is; always 1.",
        "title", "unit", "display_unit", "better", "leading", "kpi_owner", "source", "severity",
    ),
    _kpi("limit_value", "Process-behaviour limits in force: lower, centre, upper; in the base unit.", "bound"),
    Family("bsc_insight_active", "gauge", "An open finding about the KPI; always 1.", (*KPI_LABELS, "kind", "direction"), "kpi"),
    Family("bsc_kpi_segment_value", "gauge", "Latest value of one segment of the KPI.", _SEGMENT, "segment"),
    Family("bsc_kpi_segment_status_code", "gauge", f"Status of one segment: {_STATUS}", _SEGMENT, "segment"),
    _one("segment", "segments_folded", "Segments over the cap, folded into other.", "scorecard", "kpi", "dimension"),
    *_node("objective", "scorecard", "perspective", "objective"),
    *_node("perspective", "scorecard", "perspective"),
    *_node("scorecard", "scorecard"),
    _one(
        "strategy", "objective_info", "What the objective is; x and y place it on the strategy map.",
        "scorecard", "perspective", "objective", "title", "x", "y",
    ),
    _one("strategy", "scorecard_info", "What the scorecard is and what it cascades from.", "scorecard", "title", "parent"),
    _one("strategy", "link_info", "An objective that drives another.", "scorecard", "source", "target"),
    _one(
        "strategy", "support_info", "An objective that supports one of the parent scorecard.",
        "scorecard", "objective", "parent_scorecard", "parent_objective",
    ),
    _one(
        "strategy", "link_correlation_ratio", "What the data say of a link: lagged rank correlation, -1 to 1.",
        "scorecard", "source", "target",
    ),
    _one("initiative", "initiative_progress_ratio", "Share of the initiative that is done.", *_INITIATIVE),
    _one("initiative", "initiative_due_timestamp_seconds", "When the initiative is due.", *_INITIATIVE),
    _one(
        "initiative", "initiative_info", "What the initiative is; always 1.",
        *_INITIATIVE, "title", "initiative_owner", "state", "effect",
    ),
    _one(
        "alert", "alert_firing", "An alert that is firing; always 1.",
        "alert", "severity", "scorecard", "perspective", "objective", "kpi", "source", "measure",
    ),
    _one("alert", "notifications_total", "Messages that were tried on the receiver.", "receiver", kind="counter"),
    _one("alert", "notification_failures_total", "Messages that the receiver did not take.", "receiver", kind="counter"),
    _one("alert", "outbox_pending", "Messages that wait for the receiver.", "receiver"),
    _one("collector", "collector_up", "Whether the last run of every collection of the measure succeeded.", *_RUN),
    _one(
        "collector", "collector_last_success_timestamp_seconds",
        "When a run last succeeded, of the collection where that is longest ago; absent while one never did.", *_RUN,
    ),
    _one("collector", "collector_interval_seconds", "Time from that good run to the next one of its collection.", *_RUN),
    _one("collector", "collector_runs_total", "Runs that were finished.", *_RUN, kind="counter"),
    _one("collector", "collector_run_failures_total", "Runs that failed.", *_RUN, "reason", kind="counter"),
    _one("collector", "collector_run_duration_seconds", "Duration of runs.", *_RUN, kind="histogram"),
    _one("collector", "collector_http_requests_total", "Requests that runs made.", *_RUN, kind="counter"),
    _one("service", "events_total", "Events told on the bus.", "kind", kind="counter"),
    _one("service", "events_dropped_total", "Events that a slow subscriber did not get.", "kind", kind="counter"),
    _one("service", "exposition_failures_total", "Items that could not be shown and are left out.", kind="counter"),
    _one("service", "loop_stall_seconds", "Longest stall of the event loop in the last minute."),
    _one("service", "config_last_reload_successful", "Whether the last reload of the configuration succeeded."),
    _one("service", "config_last_reload_success_timestamp_seconds", "When the configuration was last loaded."),
    _one("service", "build_info", "The version that runs; always 1.", "version", "python"),
)  # fmt: skip

BY_NAME: dict[str, Family] = {family.name: family for family in FAMILIES}
SEGMENT_FAMILIES = tuple(family for family in FAMILIES if family.scope == "segment")
MAIN_FAMILIES = tuple(family for family in FAMILIES if family.scope != "segment")
