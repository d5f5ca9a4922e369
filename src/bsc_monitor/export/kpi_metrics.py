"""KPIs as metric lines: what they are, what they are worth, and what is found about them."""

from collections.abc import Iterable, Mapping
from functools import partial

from bsc_monitor.export.exposition import Exposition
from bsc_monitor.export.labels import kpi_labels
from bsc_monitor.export.levels import nearest
from bsc_monitor.export.text import line, pairs
from bsc_monitor.model.event import KpiJudged, StatusChanged
from bsc_monitor.model.judgement import Judgement
from bsc_monitor.model.organisation import Kpi, Organisation
from bsc_monitor.model.status import Status
from bsc_monitor.model.unit import base, is_currency


class KpiMetrics:
    """Keeps an exposition's KPI families in step with what is judged."""

    def __init__(self, exposition: Exposition) -> None:
        self._exposition = exposition
        self._organisation = Organisation()
        self._labels: dict[str, str] = {}  # a KPI's K labels, escaped once
        self._entered: dict[str, dict[Status, int]] = {}

    def load(self, organisation: Organisation) -> None:
        """Take a new configuration: series of what is no longer in it are gone at the next scrape."""
        for name in self._entered.keys() - organisation.kpis.keys():
            self._exposition.remove(name)
            self._labels.pop(name, None)
            del self._entered[name]
        self._organisation = organisation
        for name, kpi in organisation.kpis.items():
            self._entered.setdefault(name, dict.fromkeys(Status, 0))
            self._exposition.show(name, partial(self._describe, kpi))

    def judged(self, event: KpiJudged) -> None:
        """Take a KPI's new judgement; one of a KPI that is not in the configuration is left out."""
        judgement = event.judgement
        kpi, labels = self._organisation.kpis.get(judgement.kpi), self._labels.get(judgement.kpi)
        if kpi is not None and labels is not None:
            self._exposition.show(kpi.name, partial(_judgement_lines, kpi, labels, judgement))

    def status_changed(self, event: StatusChanged) -> None:
        """Count an entered status."""
        if event.kpi in self._labels:
            self._entered[event.kpi][event.status] += 1
            self._exposition.show(event.kpi, partial(self._count, event.kpi))

    def limits(self, name: str, bounds: Mapping[str, float]) -> None:
        """Take a KPI's process-behaviour limits (``lower``, ``centre``, ``upper``, in its unit); empty: none yet."""
        kpi, labels = self._organisation.kpis.get(name), self._labels.get(name)
        if kpi is not None and labels is not None:
            family, factor = "bsc_kpi_limit_value", base(kpi.unit)[1]
            lines = [line(family, f"{labels},{pairs(('bound',), (key,))}", n * factor) for key, n in bounds.items()]
            self._exposition.set(family, name, b"".join(lines))

    def insights(self, name: str, active: Iterable[tuple[str, str]]) -> None:
        """Take all open insights of a KPI as (kind, direction) pairs; empty: none is open."""
        labels = self._labels.get(name)
        if labels is not None:
            family = "bsc_insight_active"
            each = sorted(set(active))
            lines = [line(family, f"{labels},{pairs(('kind', 'direction'), pair)}", 1) for pair in each]
            self._exposition.set(family, name, b"".join(lines))

    def _describe(self, kpi: Kpi) -> Mapping[str, bytes]:
        labels = kpi_labels(kpi)
        if self._labels.get(kpi.name, labels) != labels:  # it moved: its old series must not stay beside the new
            self._exposition.remove(kpi.name)
        self._labels[kpi.name] = labels
        more = pairs(
            ("title", "unit", "display_unit", "better", "leading", "kpi_owner", "source", "severity"),
            (kpi.title, base(kpi.unit)[0], display_unit(kpi.unit), kpi.better, str(kpi.leading).lower(), kpi.owner,
             kpi.source or "", kpi.severity or ""),
        )  # fmt: skip
        today = self._organisation.loaded_at
        weight = kpi.weight.on(today.date()) if today else kpi.weight.steps[-1][1]
        name = "bsc_kpi_stale_after_seconds"
        return {
            "bsc_kpi_info": line("bsc_kpi_info", f"{labels},{more}", 1),
            "bsc_kpi_weight": line("bsc_kpi_weight", labels, weight),
            name: line(name, labels, kpi.stale_after.total_seconds()) if kpi.stale_after else b"",
            **self._count(kpi.name),
        }

    def _count(self, name: str) -> Mapping[str, bytes]:
        family = "bsc_kpi_status_changes_total"
        entered = self._entered[name].items()
        return {family: b"".join(line(family, f'{self._labels[name]},status="{key}"', count) for key, count in entered)}


def display_unit(unit: str) -> str:
    """The Grafana unit id for values in the base unit of ``unit``."""
    name, _ = base(unit)
    if is_currency(name):
        return f"currency{name}"
    return {"seconds": "s", "ratio": "percentunit"}.get(name, "short")


def _judgement_lines(kpi: Kpi, labels: str, judgement: Judgement) -> Mapping[str, bytes]:
    unit, factor = base(kpi.unit)
    limits = judgement.thresholds
    valued = f'{labels},unit="{unit}"' if unit.isalnum() else f"{labels},{pairs(('unit',), (unit,))}"
    bounds = {
        "red": nearest(limits.red, judgement.value), "worst": limits.worst, "best": limits.best,
    }  # fmt: skip
    single: dict[str, tuple[str, float | None]] = {
        "bsc_kpi_value": (valued, _times(judgement.value, factor)),
        "bsc_kpi_target_value": (valued, _times(nearest(limits.target, judgement.value), factor)),
        "bsc_kpi_score": (labels, judgement.score),
        "bsc_kpi_status_code": (labels, judgement.status.code),
        "bsc_kpi_freshness_code": (labels, judgement.freshness.code),
        "bsc_kpi_observed_timestamp_seconds": (
            labels, judgement.observed_at.timestamp() if judgement.observed_at else None,
        ),
        "bsc_kpi_status_since_timestamp_seconds": (labels, judgement.since.timestamp() if judgement.since else None),
        "bsc_kpi_progress_ratio": (labels, judgement.progress),
        "bsc_kpi_trend_ratio": (labels, judgement.trend),
    }  # fmt: skip
    lines = {name: b"" if value is None else line(name, text, value) for name, (text, value) in single.items()}
    lines["bsc_kpi_threshold_value"] = b"".join(
        line("bsc_kpi_threshold_value", f'{valued},bound="{bound}"', value * factor)
        for bound, value in bounds.items()
        if value is not None
    )
    return lines


def _times(value: float | None, factor: float) -> float | None:
    return None if value is None else value * factor
