"""Scorecards and their history as rows: one form for CSV, JSON and XLSX."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from bsc_monitor.export.labels import local_id
from bsc_monitor.export.levels import nearest
from bsc_monitor.model.judgement import Judgement, NodeScore
from bsc_monitor.model.organisation import Kpi, Organisation
from bsc_monitor.model.period_value import PeriodValue
from bsc_monitor.model.words import node_reason

Cell = str | float | int | datetime | None  #: None: unknown, an empty cell
Row = Mapping[str, Cell]

_KPI = ("scorecard", "perspective", "objective", "kpi", "title", "owner", "unit")
_JUDGED = ("value", "target", "score", "status", "evidence", "note")
SCORECARD_COLUMNS = ("kind", *_KPI, *_JUDGED, "freshness", "coverage", "observed_at", "since")
HISTORY_COLUMNS = (*_KPI, "period", "start", "end", "segment", *_JUDGED, "samples", "closed_at", "revision")


def scorecard_rows(
    organisation: Organisation,
    judgements: Mapping[str, Judgement],
    nodes: Iterable[NodeScore],
) -> list[Row]:
    """What is true now: a row for every scorecard, perspective, objective and KPI, in the organisation's order.

    Values stand in the KPI's own unit. A KPI without a judgement has a row with status ``unknown``.
    """
    scores = {(node.kind, node.name): node for node in nodes}
    rows: list[Row] = []
    for card in organisation.scorecards.values():
        rows.append(_node_row(scores.get(("scorecard", card.id)), "scorecard", card.title, scorecard=card.id))
        for view in card.perspectives:
            own = {"scorecard": card.id, "perspective": view.id}
            rows.append(_node_row(scores.get(("perspective", view.name)), "perspective", view.title, **own))
            for objective in organisation.objectives.values():
                if (objective.scorecard, objective.perspective) == (card.id, view.id):
                    node = scores.get(("objective", objective.name))
                    more = {"objective": objective.id, "owner": objective.owner}
                    rows.append(_node_row(node, "objective", objective.title, **own, **more))
                    rows += [
                        _judgement_row(kpi, judgements.get(kpi.name, Judgement(kpi.name)))
                        for kpi in organisation.kpis.values()
                        if kpi.objective == objective.name
                    ]
    return rows


def history_rows(organisation: Organisation, values: Iterable[PeriodValue]) -> list[Row]:
    """A row for every period value of the organisation's KPIs, segments included, in their order."""
    rows: list[Row] = []
    for each in values:
        kpi = organisation.kpis.get(each.kpi)
        if kpi is not None:
            rows.append(
                _kpi_cells(kpi)
                | {
                    "period": each.period.label, "start": each.period.start, "end": each.period.end,
                    "segment": ", ".join(f"{name}={value}" for name, value in each.labels),
                    "value": each.value, "target": nearest(each.thresholds.target, each.value), "score": each.score,
                    "status": each.status.value, "evidence": each.evidence, "note": each.note,
                    "samples": each.samples, "closed_at": each.closed_at, "revision": each.revision,
                }
            )  # fmt: skip
    return rows


def _kpi_cells(kpi: Kpi) -> dict[str, Cell]:
    values = (kpi.scorecard, kpi.perspective, local_id(kpi.objective), kpi.id, kpi.title, kpi.owner, kpi.unit)
    return dict(zip(_KPI, values, strict=True))


def _judgement_row(kpi: Kpi, judgement: Judgement) -> Row:
    return {"kind": "kpi"} | _kpi_cells(kpi) | {
        "value": judgement.value, "target": nearest(judgement.thresholds.target, judgement.value),
        "score": judgement.score, "status": judgement.status.value, "freshness": judgement.freshness.value,
        "observed_at": judgement.observed_at, "since": judgement.since,
        "evidence": judgement.evidence, "note": judgement.note,
    }  # fmt: skip


def _node_row(node: NodeScore | None, kind: str, title: str, **more: str) -> Row:
    judged: dict[str, Cell] = {"status": "unknown"}
    if node is not None:
        judged = {
            "score": node.score, "status": node.status.value, "coverage": node.coverage, "since": node.since,
            "note": node_reason(node.reason),
        }  # fmt: skip
    return {"kind": kind, "title": title} | more | judged
