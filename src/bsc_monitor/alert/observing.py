"""What a rule sees of its subject: from judgements, node scores, closed periods, runs and findings to observations."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from bsc_monitor.alert.step import Observation
from bsc_monitor.alert.subjects import Subject
from bsc_monitor.model.alert import AlertRule, Facts
from bsc_monitor.model.judgement import Judgement, NodeScore
from bsc_monitor.model.period_value import PeriodValue
from bsc_monitor.model.status import Freshness, Status
from bsc_monitor.model.words import node_reason

Marks = tuple[tuple[datetime, float], ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """Whether something found by ``improve`` holds now: an insight, an initiative off track, a forecast breach."""

    subject: str  #: full name of the KPI or objective, or id of the initiative
    active: bool | None  #: None: not enough data to say
    kind: str = ""  #: of an insight: its kind
    within: int | None = None  #: of a forecast: in how many periods it will breach; None: not foreseen
    value: float | None = None
    note: str = ""  #: one plain sentence
    evidence: str = ""


@dataclass(slots=True)  # not frozen: one is made for every reading, and freezing takes most of the time
class Sight:
    """One subject at one moment, as all rules may look at it."""

    status: Status = Status.UNKNOWN
    score: float | None = None
    value: float | None = None
    quality: Freshness = Freshness.FRESH
    observed_at: datetime | None = None
    closed: str | None = None  #: label of the closed period it tells of
    closed_end: datetime | None = None
    active: bool | None = None
    within: int | None = None
    facts: Callable[[], Facts] = Facts  #: made only where an alert keeps them


def sight_of_kpi(subject: Subject, judgement: Judgement, now: datetime) -> Sight:
    """A KPI's judgement."""
    period = judgement.period
    closed = period is not None and period.kind is not None and period.end <= now
    facts = partial(_facts_of_kpi, subject, judgement)
    return Sight(
        judgement.status, judgement.score, judgement.value, judgement.freshness, judgement.observed_at,
        period.label if period and closed else None, period.end if period and closed else None, facts=facts,
    )  # fmt: skip


def _facts_of_kpi(subject: Subject, judgement: Judgement) -> Facts:
    return Facts(
        subject.title, subject.unit, judgement.thresholds.target, judgement.thresholds.red, judgement.score,
        str(judgement.status), judgement.period.label if judgement.period else "", subject.owner,
        judgement.evidence or "", subject.runbook_url, judgement.note or "", judgement.observed_at,
    )  # fmt: skip


def sight_of_period(subject: Subject, value: PeriodValue) -> Sight:
    """A KPI's closed period."""
    facts = partial(
        Facts, subject.title, subject.unit, value.thresholds.target, value.thresholds.red, value.score, str(value.status),
        value.period.label, subject.owner, value.evidence or "", subject.runbook_url, value.note or "",
        value.observed_at,
    )  # fmt: skip
    quality = Freshness.MISSING if value.value is None else Freshness.FRESH
    period = value.period
    return Sight(
        value.status, value.score, value.value, quality, value.observed_at, period.label, period.end, facts=facts
    )


def sight_of_node(subject: Subject, node: NodeScore) -> Sight:
    """An objective's, perspective's or scorecard's score. Without one it is unknown."""
    facts = partial(
        Facts,
        subject.title,
        "points",
        score=node.score,
        status=str(node.status),
        owner=subject.owner,
        note=node_reason(node.reason),
    )
    quality = Freshness.MISSING if node.score is None else Freshness.FRESH
    return Sight(node.status, node.score, node.score, quality, facts=facts)


def sight_of_finding(subject: Subject, finding: Finding) -> Sight:
    """A finding of ``improve``."""
    facts = partial(
        Facts, subject.title, subject.unit, owner=subject.owner, evidence=finding.evidence, runbook_url=subject.runbook_url,
        note=finding.note,
    )  # fmt: skip
    return Sight(value=finding.value, active=finding.active, within=finding.within, facts=facts)


def observe(
    rule: AlertRule, sight: Sight, before: Marks, window: timedelta, now: datetime
) -> tuple[Observation | None, Marks]:
    """What ``rule`` sees, and the peaks to keep for ``fell_by`` (``before``: those kept so far); no observation where this
    says nothing to it."""
    if rule.when == "breach":
        return _breach(rule, sight), ()
    if rule.when == "score":
        return _score(rule, sight, before, window, now)
    if rule.when == "stale":
        known = None if sight.quality is Freshness.MISSING else sight.quality is Freshness.STALE
        return Observation(known, value=sight.value), ()
    if rule.when == "forecast":
        near = sight.within is not None and sight.within <= rule.within
        return Observation(None if sight.active is None else sight.active and near, value=sight.value), ()
    return Observation(sight.active, value=sight.value), ()


def _breach(rule: AlertRule, sight: Sight) -> Observation | None:
    if rule.for_periods is not None and sight.closed is None:
        return None  # it counts closed periods: the open one says nothing yet
    breaching = None if sight.status is Status.UNKNOWN else sight.status.code >= rule.status.code
    clear = rule.clear is None or (sight.score is not None and sight.score >= rule.clear)
    at = sight.observed_at if rule.for_periods is None else sight.closed_end
    return Observation(breaching, clear, sight.value, sight.quality, at, sight.closed)


def _score(
    rule: AlertRule, sight: Sight, before: Marks, window: timedelta, now: datetime
) -> tuple[Observation | None, Marks]:
    if rule.for_periods is not None and sight.closed is None:
        return None, before
    score = sight.score
    if score is None or sight.quality is not Freshness.FRESH:
        return Observation(None, value=sight.value, quality=sight.quality), before
    at = sight.observed_at if rule.for_periods is None else sight.closed_end
    marks: Marks = ()
    breaching = rule.below is not None and score < rule.below
    if rule.fell_by is not None:
        marks = peaks(before, score, window, now)
        breaching = breaching or marks[0][1] - score >= rule.fell_by
    clear = rule.clear is None or score >= rule.clear
    return Observation(breaching, clear, score, sight.quality, at, sight.closed), marks


def peaks(marks: Sequence[tuple[datetime, float]], score: float, window: timedelta, now: datetime) -> Marks:
    """The falling peaks of the last ``window`` with ``score`` as the newest: the first is the highest of them all."""
    kept = [(at, peak) for at, peak in marks if at > now - window and peak > score]
    if len(kept) >= _MOST_MARKS:
        del kept[1]
    return (*kept, (now, score))


_MOST_MARKS = 64
