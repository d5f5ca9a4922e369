"""A KPI's process-behaviour chart, cut to what a report shows."""

from __future__ import annotations

from bsc_monitor.improve.assess import Assessment
from bsc_monitor.improve.chart import chart_of
from bsc_monitor.report.data import Ahead, Course, Stretch


def course_of(seen: Assessment, most: int) -> Course | None:
    """The newest ``most`` points with their phases, and the forecast; None with fewer than two points."""
    chart = chart_of(seen)
    if len(chart.points) < 2:
        return None
    first = max(0, len(chart.points) - most)
    points = chart.points[first:]
    stretches = tuple(
        Stretch(
            max(0, phase.start - first), phase.end - first, phase.limits.lower if phase.limits else None,
            phase.limits.centre if phase.limits else None, phase.limits.upper if phase.limits else None,
        )
        for phase in chart.phases
        if phase.end > first
    )  # fmt: skip
    return Course(
        labels=tuple(point.period.label for point in points), values=tuple(point.value for point in points),
        flagged=tuple(bool(point.signals) for point in points),
        targets=tuple(float(point.target) if isinstance(point.target, int | float) else None for point in points),
        stretches=stretches,
        ahead=tuple(Ahead(each.label, each.value, each.low, each.high) for each in chart.forecast[:3]),
        error=chart.forecast_error, variation=chart.variation.text,
        assurance=chart.assurance.text if chart.assurance else "", no_forecast=chart.no_forecast,
    )  # fmt: skip
