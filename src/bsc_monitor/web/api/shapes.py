"""From the model to what the API answers."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from bsc_monitor.model import organisation as org
from bsc_monitor.model.alert import Alert, AlertState, Matcher, Silence
from bsc_monitor.model.judgement import NodeKind
from bsc_monitor.model.organisation import Level
from bsc_monitor.model.period_value import PeriodValue
from bsc_monitor.model.reading import KpiReading
from bsc_monitor.model.words import node_reason
from bsc_monitor.web.api import alert_models, kpi_models, models, scorecard_models
from bsc_monitor.web.view.controls import Controls
from bsc_monitor.web.view.scene import Scene


def _node(scene: Scene, kind: NodeKind, name: str, title: str) -> dict[str, Any]:
    node = scene.node(kind, name)
    counts = node.counts
    return {
        "kind": kind, "name": name, "title": title, "score": node.score, "status": node.status,
        "coverage": node.coverage, "reason": node_reason(node.reason), "since": node.since,
        "counts": scorecard_models.Counts(green=counts.green, amber=counts.amber, red=counts.red, missing=counts.missing),
    }  # fmt: skip


def perspective(scene: Scene, of: org.Perspective) -> scorecard_models.Node:
    """A perspective's score."""
    return scorecard_models.Node(**_node(scene, "perspective", of.name, of.title))


def objective(scene: Scene, of: org.Objective) -> scorecard_models.Objective:
    """An objective."""
    return scorecard_models.Objective(
        **_node(scene, "objective", of.name, of.title), perspective=of.perspective, owner=of.owner,
        drives=list(of.drives), supports=of.supports, kpis=[kpi.name for kpi in scene.kpis_of(of)],
    )  # fmt: skip


def _card(scene: Scene, of: org.Scorecard) -> dict[str, Any]:
    children = [each.id for each in scene.organisation.scorecards.values() if each.parent == of.id]
    return {
        **_node(scene, "scorecard", of.id, of.title), "vision": of.vision, "owner": of.owner, "parent": of.parent,
        "children": children,
    }  # fmt: skip


def scorecard(scene: Scene, of: org.Scorecard) -> scorecard_models.Scorecard:
    """A scorecard in short."""
    return scorecard_models.Scorecard(
        **_card(scene, of), perspectives=[perspective(scene, each) for each in of.perspectives]
    )


def scorecard_detail(scene: Scene, of: org.Scorecard) -> scorecard_models.ScorecardDetail:
    """A scorecard down to its objectives."""
    objectives = scene.objectives_of(of)
    return scorecard_models.ScorecardDetail(
        **_card(scene, of),
        perspectives=[
            scorecard_models.Perspective(
                **_node(scene, "perspective", each.name, each.title),
                objectives=[objective(scene, goal) for goal in objectives if goal.perspective == each.id],
            )
            for each in of.perspectives
        ],
    )


def kpi(scene: Scene, of: org.Kpi) -> kpi_models.Kpi:
    """A KPI as it is judged in a scene."""
    it = scene.judgement(of.name)
    return kpi_models.Kpi(
        name=of.name, id=of.id, scorecard=of.scorecard, perspective=of.perspective, objective=of.objective,
        title=of.title, unit=of.unit, better=of.better, value=it.value, target=level(it.thresholds.target),
        red=level(it.thresholds.red), score=it.score, status=it.status, freshness=it.freshness, state=it.state,
        period=it.period.label or None if it.period else None, previous_period=it.previous_period,
        observed_at=it.observed_at, since=it.since, samples=it.samples, progress=it.progress, trend=it.trend,
        owner=scene.owner(of), leading=of.leading, key=of.key, source=of.source, measure=of.measure,
        formula=of.formula, description=of.description, evidence=it.evidence, note=it.note, runbook_url=of.runbook_url,
    )  # fmt: skip


def level(of: Level | None) -> models.Level | None:
    """A threshold."""
    return of


def period_point(of: PeriodValue) -> kpi_models.PeriodPoint:
    """A value of one period."""
    return kpi_models.PeriodPoint(
        period=of.period.label, kind=of.period.kind, start=of.period.start, end=of.period.end, value=of.value,
        target=level(of.thresholds.target), red=level(of.thresholds.red), score=of.score, status=of.status,
        state=of.state, completeness=of.completeness, samples=of.samples, closed_at=of.closed_at,
        revision=of.revision, evidence=of.evidence, note=of.note,
    )  # fmt: skip


def segment(of: PeriodValue) -> kpi_models.Segment:
    """One part of a breakdown."""
    return kpi_models.Segment(
        labels=dict(of.labels), period=of.period.label, value=of.value, score=of.score, status=of.status,
        samples=of.samples,
    )  # fmt: skip


def reading(of: KpiReading) -> kpi_models.Reading:
    """A reading."""
    return kpi_models.Reading(
        at=of.at, value=of.value, labels=dict(of.labels), samples=of.samples,
        period=of.period.label if of.period else None, state=of.state, completeness=of.completeness,
        evidence=of.evidence, note=of.note, author=of.author,
    )  # fmt: skip


def alert(of: Alert, controls: Controls, now: datetime, url: str) -> alert_models.Alert:
    """An open alert, as Alertmanager shows one."""
    held, taken = controls.held(of, now), controls.acknowledgement(of, now)
    state = "unprocessed" if of.state is AlertState.PENDING else "suppressed" if held else "active"
    return alert_models.Alert(
        fingerprint=of.fingerprint, labels=dict(of.labels), annotations=_annotations(of),
        startsAt=of.starts_at or of.active_since, endsAt=of.resolved_at, updatedAt=of.observed_at,
        generatorURL=f"{url}/{address(of)}" if address(of) else url,
        status=alert_models.AlertStatus(
            state=state, silencedBy=list(held.silenced_by), inhibitedBy=list(held.inhibited_by),
            mutedBy=list(held.muted_by),
        ),
        phase=of.state.value, subject=of.subject, value=of.value, episode=of.episode, flapping=of.flapping,
        acknowledgement=None if taken is None else alert_models.Acknowledgement(
            author=taken.author, at=taken.at, note=taken.note, until=taken.until
        ),
    )  # fmt: skip


def _annotations(of: Alert) -> Mapping[str, str]:
    facts = of.facts
    said = {
        "summary": facts.title, "description": facts.note or of.reason, "runbook_url": facts.runbook_url,
        "evidence": facts.evidence, "owner": facts.owner,
    }  # fmt: skip
    return {name: text for name, text in said.items() if text}


def address(of: Alert) -> str:
    """The page of what an alert is about; empty where there is none."""
    kind, _, name = of.subject.partition(":")
    if kind in ("kpi", "forecast"):
        return f"kpis/{name}"
    if kind in ("objective", "perspective", "scorecard"):
        return f"scorecards/{name.partition('/')[0]}"
    return "sources" if kind == "collector" else ""


def silence(of: Silence, now: datetime) -> alert_models.Silence:
    """A silence, as Alertmanager shows one."""
    state = "pending" if of.starts_at > now else "active" if of.ends_at > now else "expired"
    return alert_models.Silence(
        id=of.id, status=alert_models.SilenceState(state=state), startsAt=of.starts_at, endsAt=of.ends_at,
        createdBy=of.author, comment=of.comment,
        matchers=[matcher(each) for each in of.matchers],
    )  # fmt: skip


def matcher(of: Matcher) -> alert_models.Matcher:
    """A condition on a label, as Alertmanager shows one."""
    sign = of.operator
    return alert_models.Matcher(name=of.label, value=of.value, isRegex=sign.endswith("~"), isEqual=sign.startswith("="))
