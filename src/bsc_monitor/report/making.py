"""Making a report's data from the store: a closed period as it was frozen, or the open one as it stands."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from bsc_monitor.config import Configuration
from bsc_monitor.evaluate.picture import Picture, past, present
from bsc_monitor.improve.initiatives import review
from bsc_monitor.improve.insights import Findings, examine
from bsc_monitor.improve.relations import Relations, relations
from bsc_monitor.improve.words import period_name
from bsc_monitor.model.insight import InitiativeState
from bsc_monitor.model.judgement import NodeKind
from bsc_monitor.model.organisation import Kpi, Objective, Organisation, Scorecard
from bsc_monitor.model.period import Period
from bsc_monitor.model.period_value import PeriodValue
from bsc_monitor.model.status import Status
from bsc_monitor.report import telling
from bsc_monitor.report.courses import course_of
from bsc_monitor.report.data import VERSION, KpiLine, ReportData, Standing
from bsc_monitor.report.words import target_words
from bsc_monitor.score.periods import parse_period, period_at, previous
from bsc_monitor.store.insights import load_initiatives
from bsc_monitor.store.periods import closed_values, node_periods

TREND = 13  #: periods in a small trend: a year and the month it began with
_MONTHS = 36


class NoReportError(ValueError):
    """There is no such report. ``str()`` says why, in words."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What a report is about."""

    configuration: Configuration
    card: Scorecard
    period: Period
    before: Period
    owner: str
    now: datetime

    @property
    def organisation(self) -> Organisation:
        """What is judged."""
        return self.configuration.organisation

    @property
    def closed(self) -> bool:
        """Whether the period has ended."""
        return self.period.end <= self.now

    @property
    def at(self) -> datetime:
        """The moment that the report tells of."""
        return self.period.end if self.closed else self.now


def subject_of(configuration: Configuration, scorecard: str, period: str, owner: str, now: datetime) -> Subject:
    """What is asked for; an empty period is the last closed month. Raises NoReportError."""
    cards = configuration.organisation.scorecards
    if scorecard not in cards:
        raise NoReportError(f"there is no scorecard {scorecard!r}; there is {', '.join(cards) or 'none'}")
    card = cards[scorecard]
    try:
        found = parse_period(period, card.calendar) if period else None
    except ValueError as error:
        raise NoReportError(str(error)) from None
    if found is None:
        month = parse_period(f"{now.astimezone(ZoneInfo(card.calendar.timezone)):%Y-%m}", card.calendar)
        found = previous(month, card.calendar)
    if found.start > now:
        raise NoReportError(f"{period} has not begun")
    if found.end <= now or found.kind is None:
        pass
    elif found != period_at(now, found.kind, card.calendar):
        raise NoReportError(f"{period} has not begun")
    return Subject(configuration, card, found, previous(found, card.calendar), owner, now)


def make(connection: Connection, subject: Subject) -> ReportData:
    """The report's data. ``final`` where the period is frozen. Raises NoReportError for an owner of nothing."""
    organisation, card = subject.organisation, subject.card
    pictures = (_picture(connection, subject), past(connection, subject.before))
    kpis = _kpis(subject)
    if subject.owner and not kpis:
        raise NoReportError(f"{subject.owner} owns no KPI of {card.id}")
    values = _series(connection, subject)
    known = relations(organisation)
    states = _states(connection, subject, known, values)
    found = examine(known, values, subject.at, states=states, only=[kpi.name for kpi in kpis])
    lines = tuple(_line(subject, kpi, pictures, values.get(kpi.name, ()), found) for kpi in kpis)
    standing, views = _tree(subject, pictures)
    counts = _counts(lines)
    now_words, before_words = period_name(subject.period), period_name(subject.before)
    return ReportData(
        VERSION, card.id, card.title, card.vision, card.owner, subject.owner, str(subject.period.kind or ""),
        subject.period.label, now_words, before_words, subject.period.start, subject.period.end, card.calendar.timezone,
        subject.now, _final(subject, pictures[0]),
        telling.headline(subject.owner, standing, counts, lines, now_words, before_words), standing,
        _history(connection, subject), views, counts, lines, telling.turned(lines, before_words), telling.movers(lines),
        telling.areas(subject.card, known, found, kpis), telling.doing(known, states, kpis, organisation),
        telling.idle(lines, known, states), telling.alignment_of(organisation, card.id), telling.supports(organisation, card),
        telling.quality(lines, standing, values, subject.period),
    )  # fmt: skip


def _picture(connection: Connection, subject: Subject) -> Picture:
    if subject.closed:
        return past(connection, subject.period)
    return present(connection, subject.configuration, subject.now)


def _final(subject: Subject, picture: Picture) -> bool:
    """A period is final once its nodes are frozen and the grace of every KPI of it has passed."""
    grace = max((kpi.grace for kpi in subject.organisation.kpis.values()), default=timedelta(0))
    frozen = ("scorecard", subject.card.id) in picture.nodes
    return subject.closed and frozen and subject.period.end + grace <= subject.now


def family(organisation: Organisation, card: str) -> list[str]:
    """A scorecard and all below it, itself first."""
    found = [card]
    for each in organisation.scorecards.values():
        if each.parent in found:
            found.append(each.id)
    return found


def owner_of(organisation: Organisation, kpi: Kpi) -> str:
    """Who answers for a KPI: its owner, else its objective's, else its scorecard's."""
    return kpi.owner or organisation.objectives[kpi.objective].owner or organisation.scorecards[kpi.scorecard].owner


def _kpis(subject: Subject) -> list[Kpi]:
    cards = family(subject.organisation, subject.card.id)
    order = {
        (card, view.id): place
        for place, (card, view) in enumerate(
            (card, view) for card in cards for view in subject.organisation.scorecards[card].perspectives
        )
    }
    found = [
        kpi
        for kpi in subject.organisation.kpis.values()
        if kpi.scorecard in cards and subject.owner in ("", owner_of(subject.organisation, kpi))
    ]
    return sorted(found, key=lambda kpi: order[kpi.scorecard, kpi.perspective])


def _series(connection: Connection, subject: Subject) -> Mapping[str, Sequence[PeriodValue]]:
    """The closed values of every KPI up to the period: links and initiatives need those of others too."""
    found: dict[str, list[PeriodValue]] = defaultdict(list)
    for value in closed_values(connection, subject.organisation.kpis):
        if value.period.end <= subject.at:
            found[value.kpi].append(value)
    return found


def _states(
    connection: Connection, subject: Subject, known: Relations, values: Mapping[str, Sequence[PeriodValue]]
) -> dict[str, InitiativeState]:
    progress = {name: state.progress for name, state in load_initiatives(connection).items()}
    told = {name: share for name, share in progress.items() if share is not None}
    states, _ = review(known, values, subject.at, progress=told)
    return states


def _line(
    subject: Subject, kpi: Kpi, pictures: tuple[Picture, Picture], records: Sequence[PeriodValue], found: Findings
) -> KpiLine:
    organisation = subject.organisation
    now, before = (picture.judgements.get(kpi.name) for picture in pictures)
    target = now.thresholds.target if now else None
    same = now is not None and before is not None and now.period == before.period
    card = organisation.scorecards[kpi.scorecard]
    score = now.score if now else None
    score_before = before.score if before and not same else None
    return KpiLine(
        kpi.name, kpi.title, card.title, next(view.title for view in card.perspectives if view.id == kpi.perspective),
        organisation.objectives[kpi.objective].title, owner_of(organisation, kpi), kpi.unit,
        now.period.label if now and now.period else "", now.value if now else None,
        before.value if before and not same else None, target_words(target, kpi.better, kpi.unit),
        target if isinstance(target, float | int) else None, score, score_before,
        now.status if now else Status.UNKNOWN, before.status if before else Status.UNKNOWN,
        _movement(score, score_before), kpi.scored, kpi.key, now.samples if now else None,
        tuple(record.value for record in records[-TREND:]), (now.evidence or "") if now else "", (now.note or "") if now else "",
        course_of(found.assessments[kpi.name], _MONTHS) if subject.owner and kpi.name in found.assessments else None,
    )  # fmt: skip


def _movement(now: float | None, before: float | None) -> int:
    if now is None or before is None or abs(now - before) < 0.5:
        return 0
    return 1 if now > before else -1


def _tree(subject: Subject, pictures: tuple[Picture, Picture]) -> tuple[Standing, tuple[Standing, ...]]:
    organisation, card = subject.organisation, subject.card

    def standing(
        kind: NodeKind, name: str, title: str, parts: tuple[Standing, ...] = (), fed_by: tuple[Standing, ...] = ()
    ) -> Standing:
        now, before = (picture.nodes.get((kind, name)) for picture in pictures)
        return Standing(
            name, title, now.score if now else None, before.score if before else None,
            now.status if now else Status.UNKNOWN, now.coverage if now else 0.0, now.reason if now else "", parts, fed_by,
        )  # fmt: skip

    def objective(name: str) -> Standing:
        below = [
            standing("objective", each.name, _fed(organisation, each, several=several))
            for each in organisation.objectives.values()
            if each.supports == name
        ]
        return standing("objective", name, organisation.objectives[name].title, (), tuple(below))

    several = sum(each.parent == card.id for each in organisation.scorecards.values()) > 1
    views = []
    for view in card.perspectives:
        goals = tuple(
            objective(each.name)
            for each in organisation.objectives.values()
            if (each.scorecard, each.perspective) == (card.id, view.id)
        )
        views.append(standing("perspective", view.name, view.title, goals))
    return standing("scorecard", card.id, card.title), tuple(views)


def _fed(organisation: Organisation, objective: Objective, *, several: bool) -> str:
    """What a supporting objective is called: with its scorecard where more than one supports."""
    return f"{objective.title} ({organisation.scorecards[objective.scorecard].title})" if several else objective.title


def _history(connection: Connection, subject: Subject) -> tuple[tuple[str, float | None], ...]:
    kept = [
        node
        for node in node_periods(connection, "scorecard", subject.card.id, limit=400)
        if node.period.kind is subject.period.kind and node.period.end <= subject.at
    ]
    return tuple((node.period.label, node.score) for node in kept[-TREND:])


def _counts(lines: Sequence[KpiLine]) -> tuple[int, int, int, int]:
    scored = [line.status for line in lines if line.scored]
    green, amber, red, missing = (
        scored.count(status) for status in (Status.GREEN, Status.AMBER, Status.RED, Status.UNKNOWN)
    )
    return green, amber, red, missing
