"""KPIs, nodes and the strategy map as metric lines."""

from collections.abc import Mapping

from bsc_monitor.export.exposition import Exposition
from bsc_monitor.export.families import KPI_LABELS
from bsc_monitor.export.text import line, pairs
from bsc_monitor.model.event import ConfigReloaded, KpiJudged, ScoreChanged, StatusChanged
from bsc_monitor.model.judgement import Judgement, NodeScore
from bsc_monitor.model.organisation import Kpi, Level, Organisation
from bsc_monitor.model.status import Status
from bsc_monitor.model.unit import base, is_currency

_LEVELS = ("objective", "perspective", "scorecard")


class KpiMetrics:
    """Keeps an exposition's KPI, node and strategy families in step with what is judged."""

    def __init__(self, exposition: Exposition) -> None:
        self._exposition = exposition
        self._organisation = Organisation()
        self._labels: dict[str, str] = {}  # a KPI's K labels, escaped once
        self._entered: dict[str, dict[Status, int]] = {}
        self._nodes: dict[tuple[str, str], str] = {}

    def load(self, organisation: Organisation) -> None:
        """Take a new configuration: series of what is no longer in it are gone at the next scrape."""
        for name in self._labels.keys() - organisation.kpis.keys():
            self._exposition.remove(name)
            del self._labels[name], self._entered[name]
        self._organisation = organisation
        for name, kpi in organisation.kpis.items():
            labels = pairs(KPI_LABELS, (kpi.scorecard, kpi.perspective, kpi.objective.rpartition("/")[2], kpi.id))
            if self._labels.get(name, labels) != labels:  # it moved: its old series must not stay beside the new
                self._exposition.remove(name)
            self._labels[name] = labels
            self._entered.setdefault(name, dict.fromkeys(Status, 0))
            self._describe(kpi, labels)
            self._count(name)
        self._load_strategy(organisation)

    def judged(self, event: KpiJudged) -> None:
        """Take a KPI's new judgement; one of a KPI that is not in the configuration is left out."""
        judgement = event.judgement
        kpi = self._organisation.kpis.get(judgement.kpi)
        if kpi is not None:
            for family, text in _judgement_lines(kpi, self._labels[kpi.name], judgement).items():
                self._exposition.set(family, kpi.name, text)

    def status_changed(self, event: StatusChanged) -> None:
        """Count an entered status."""
        if event.kpi in self._entered:
            self._entered[event.kpi][event.status] += 1
            self._count(event.kpi)

    def scored(self, event: ScoreChanged) -> None:
        """Take the new score of an objective, perspective or scorecard."""
        node = event.node
        labels = self._nodes.get((node.kind, node.name))
        if labels is not None:
            for family, text in _node_lines(labels, node).items():
                self._exposition.set(family, (node.kind, node.name), text)

    def reloaded(self, event: ConfigReloaded) -> None:
        """Say whether the last reload succeeded, and when one last did."""
        name = "bsc_config_last_reload_successful"
        self._exposition.set(name, "", line(name, "", float(event.ok)))
        if event.ok:
            name = "bsc_config_last_reload_success_timestamp_seconds"
            self._exposition.set(name, "", line(name, "", event.at.timestamp()))

    def _describe(self, kpi: Kpi, labels: str) -> None:
        unit, _ = base(kpi.unit)
        more = pairs(
            ("title", "unit", "display_unit", "better", "leading", "kpi_owner", "source", "severity"),
            (kpi.title, unit, display_unit(kpi.unit), kpi.better, str(kpi.leading).lower(), kpi.owner,
             kpi.source or "", kpi.severity or ""),
        )  # fmt: skip
        today = self._organisation.loaded_at
        weight = kpi.weight.on(today.date()) if today else kpi.weight.steps[-1][1]
        stale = line("bsc_kpi_stale_after_seconds", labels, kpi.stale_after.total_seconds()) if kpi.stale_after else b""
        self._exposition.set("bsc_kpi_info", kpi.name, line("bsc_kpi_info", f"{labels},{more}", 1))
        self._exposition.set("bsc_kpi_weight", kpi.name, line("bsc_kpi_weight", labels, weight))
        self._exposition.set("bsc_kpi_stale_after_seconds", kpi.name, stale)

    def _count(self, name: str) -> None:
        family = "bsc_kpi_status_changes_total"
        text = b"".join(
            line(family, f'{self._labels[name]},status="{status}"', count)
            for status, count in self._entered[name].items()
        )
        self._exposition.set(family, name, text)

    def _load_strategy(self, organisation: Organisation) -> None:
        nodes = _node_labels(organisation)
        for gone in self._nodes.items() - nodes.items():
            self._exposition.remove(gone[0])
        self._nodes = nodes
        places: dict[tuple[str, str], int] = {}
        for objective in organisation.objectives.values():
            rows = [perspective.id for perspective in organisation.scorecards[objective.scorecard].perspectives]
            row = (objective.scorecard, objective.perspective)
            x = places[row] = places.get(row, -1) + 1
            y = rows.index(objective.perspective) if objective.perspective in rows else len(rows)
            key = ("objective", objective.name)
            more = pairs(("title", "x", "y"), (objective.title, str(x), str(y)))
            self._set_info("bsc_objective_info", key, f"{nodes[key]},{more}")
            links = [
                pairs(("scorecard", "source", "target"), (objective.scorecard, objective.id, target.rpartition("/")[2]))
                for target in objective.drives
                if target in organisation.objectives
            ]
            self._set_info("bsc_link_info", key, *links)
            names = ("scorecard", "objective", "parent_scorecard", "parent_objective")
            above = organisation.objectives.get(objective.supports or "")
            own = (objective.scorecard, objective.id)
            self._set_info(
                "bsc_support_info", key, *([pairs(names, (*own, above.scorecard, above.id))] if above else [])
            )
        for scorecard in organisation.scorecards.values():
            labels = pairs(("scorecard", "title", "parent"), (scorecard.id, scorecard.title, scorecard.parent or ""))
            self._set_info("bsc_scorecard_info", ("scorecard", scorecard.id), labels)

    def _set_info(self, family: str, key: tuple[str, str], *labels: str) -> None:
        self._exposition.set(family, key, b"".join(line(family, each, 1) for each in labels))


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
        "red": _edge(limits.red, judgement.value), "worst": limits.worst, "best": limits.best,
    }  # fmt: skip
    single: dict[str, tuple[str, float | None]] = {
        "bsc_kpi_value": (valued, _times(judgement.value, factor)),
        "bsc_kpi_target_value": (valued, _times(_edge(limits.target, judgement.value), factor)),
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


def _edge(level: Level | None, value: float | None) -> float | None:
    """A threshold as one number: of a band the edge nearer the value (its lower one without a value)."""
    if not isinstance(level, tuple):
        return level
    return level[0] if value is None else min(level, key=lambda edge: abs(edge - value))


def _times(value: float | None, factor: float) -> float | None:
    return None if value is None else value * factor


def _node_labels(organisation: Organisation) -> dict[tuple[str, str], str]:
    labels: dict[tuple[str, str], str] = {}
    for scorecard in organisation.scorecards.values():
        labels["scorecard", scorecard.id] = pairs(_LEVELS[2:], (scorecard.id,))
        for view in scorecard.perspectives:
            labels["perspective", view.name] = pairs(("scorecard", "perspective"), (scorecard.id, view.id))
    for objective in organisation.objectives.values():
        values = (objective.scorecard, objective.perspective, objective.id)
        labels["objective", objective.name] = pairs(("scorecard", "perspective", "objective"), values)
    return labels


def _node_lines(labels: str, node: NodeScore) -> Mapping[str, bytes]:
    name = f"bsc_{node.kind}"
    return {
        f"{name}_score": b"" if node.score is None else line(f"{name}_score", labels, node.score),
        f"{name}_status_code": line(f"{name}_status_code", labels, node.status.code),
        f"{name}_coverage_ratio": line(f"{name}_coverage_ratio", labels, node.coverage),
    }
