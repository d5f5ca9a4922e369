"""The sentences and lists of a report."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from zoneinfo import ZoneInfo

from bsc_monitor.improve.insights import Findings
from bsc_monitor.improve.relations import Relations
from bsc_monitor.improve.words import amount, figures, signed
from bsc_monitor.model.insight import Direction, InitiativePhase, InitiativeState, Insight, InsightKind
from bsc_monitor.model.organisation import Initiative, Kpi, Organisation, Scorecard
from bsc_monitor.model.period import Period
from bsc_monitor.model.period_value import PeriodValue
from bsc_monitor.model.status import Completeness, ReadingState, Status
from bsc_monitor.model.words import node_reason
from bsc_monitor.report.data import Area, Doing, KpiLine, Quality, Standing, Turn
from bsc_monitor.report.words import plural, score
from bsc_monitor.score.alignment import alignment

_WORSE = {Status.GREEN: 0, Status.AMBER: 1, Status.RED: 2}
_KINDS = {
    InsightKind.SIGNAL: "Signal", InsightKind.ASSURANCE: "Out of reach", InsightKind.TREND: "Trend",
    InsightKind.FORECAST: "Forecast", InsightKind.STAGNATION: "Nobody acts", InsightKind.RATCHET: "Raise the target",
    InsightKind.EFFECT: "Effect", InsightKind.DRIVER: "Cause and effect", InsightKind.VOLATILITY: "Unstable",
}  # fmt: skip
_ORDER = tuple(_KINDS)
_PRESSING = (
    InsightKind.FORECAST, InsightKind.TREND, InsightKind.SIGNAL, InsightKind.VOLATILITY, InsightKind.EFFECT,
    InsightKind.STAGNATION, InsightKind.RATCHET, InsightKind.DRIVER, InsightKind.ASSURANCE,
)  # fmt: skip


def headline(
    owner: str, standing: Standing, counts: tuple[int, int, int, int], lines: Sequence[KpiLine], now: str, before: str
) -> str:
    """The report in one or two sentences."""
    _, _, red, missing = counts
    scored = [line for line in lines if line.scored]
    was = sum(line.status_before is Status.RED for line in scored)
    if owner:
        first = f"{plural(len(lines), 'KPI')} of {owner} in {now}."
    elif standing.score is None:
        first = f"{standing.title} has no score for {now}" + (
            f": {node_reason(standing.reason)}." if standing.reason else "."
        )
    else:
        first = f"{standing.title} scores {score(standing.score)} of 100 in {now}{_moved(standing, before)}."
    verb = "is" if red == 1 else "are"
    number = f"{red} of {len(scored)} KPIs {verb} red" if red else "No KPI is red"
    change = "" if not any(line.status_before is not Status.UNKNOWN for line in scored) else _than(red, was, before)
    unknown = f" {plural(missing, 'KPI')} {'has' if missing == 1 else 'have'} no data." if missing else ""
    return f"{first} {number}{change}.{unknown}"


def _moved(standing: Standing, before: str) -> str:
    if standing.score is None or standing.before is None:
        return ""
    change = int(score(standing.score)) - int(score(standing.before))
    if change == 0:
        return f", as in {before}"
    return f", {plural(abs(change), 'point')} {'up' if change > 0 else 'down'} on {before}"


def _than(red: int, was: int, before: str) -> str:
    if red == was:
        return f", as many as in {before}" if red else f", as in {before}"
    return f", {abs(red - was)} {'more' if red > was else 'fewer'} than in {before}"


def turned(lines: Iterable[KpiLine], before: str) -> tuple[Turn, ...]:
    """KPIs that entered another status: the worst first."""
    found = [
        Turn(line.name, line.title, line.status_before, line.status, _why(line, before))
        for line in lines
        if line.scored
        and line.status is not line.status_before
        and Status.UNKNOWN not in (line.status, line.status_before)
    ]
    return tuple(sorted(found, key=lambda turn: (-_WORSE[turn.after], _WORSE[turn.before], turn.title)))


def _why(line: KpiLine, before: str) -> str:
    if line.value is None:
        return line.note
    near = [value for value in (line.value, line.value_before, line.target_value) if value is not None]
    digits = figures(*near)
    text = amount(line.value, line.unit, digits)
    if line.value_before is not None:
        was = amount(line.value_before, line.unit, digits)
        text += f", as in {before} (the target changed)" if was == text else f" after {was} in {before}"
    return f"{text}; target {line.target}" if line.target else text


def movers(lines: Iterable[KpiLine]) -> tuple[str, ...]:
    """What moved the score most, up and down."""
    changed = [
        (line.score - line.score_before, line)
        for line in lines
        if line.scored and line.score is not None and line.score_before is not None
    ]
    changed.sort(key=lambda each: -abs(each[0]))
    return tuple(
        f"{line.title} {score(line.score_before)} → {score(line.score)}"
        for change, line in changed[:4]
        if abs(change) >= 5
    )


def areas(card: Scorecard, known: Relations, found: Findings, kpis: Sequence[Kpi]) -> tuple[Area, ...]:
    """Insights about these KPIs, their initiatives and links: what needs a decision first."""
    names = {kpi.name: kpi for kpi in kpis}
    listed: list[Area] = []
    for insight in sorted(
        found.insights, key=lambda each: (not _bad(each), _PRESSING.index(each.kind), -each.strength)
    ):
        about = insight.subject if insight.subject_kind == "kpi" else str(insight.evidence.get("kpi", ""))
        if insight.subject_kind != "link" and about not in names:
            continue
        initiative = known.organisation.initiatives.get(insight.subject)
        title = (
            initiative.title if initiative else names[about].title if about in names else _ends(known, insight.subject)
        )
        zone = ZoneInfo(card.calendar.timezone)
        owner = initiative.owner if initiative else names[about].owner if about in names else ""
        listed.append(
            Area(
                _KINDS[insight.kind],
                about,
                title,
                insight.sentence,
                insight.next_step,
                str(insight.direction),
                insight.since.astimezone(zone).date(),
                insight.data == "provisional",
                owner,
            )
        )
    return tuple(listed)


def _bad(insight: Insight) -> bool:
    effect = insight.kind is InsightKind.EFFECT and insight.direction is not Direction.IMPROVING
    return insight.direction is Direction.WORSENING or insight.kind is InsightKind.STAGNATION or effect


def _ends(known: Relations, subject: str) -> str:
    titles = {name: each.title for name, each in known.organisation.objectives.items()}
    return " → ".join(titles.get(name, name) for name in subject.split(" → "))


def doing(
    known: Relations, states: Mapping[str, InitiativeState], kpis: Sequence[Kpi], organisation: Organisation
) -> tuple[Doing, ...]:
    """Initiatives for these KPIs or their objectives: those in trouble first."""
    names = {kpi.name for kpi in kpis}
    found = [
        _doing(initiative, states[initiative.id], known, organisation)
        for initiative in organisation.initiatives.values()
        if initiative.id in states and any(kpi.name in names for kpi in known.kpis[initiative.id])
    ]
    moods = (Status.RED, Status.AMBER, Status.UNKNOWN, Status.GREEN)
    return tuple(sorted(found, key=lambda each: (moods.index(each.mood), each.title)))


def _doing(initiative: Initiative, state: InitiativeState, known: Relations, organisation: Organisation) -> Doing:
    aims = [kpi.title for kpi in known.kpis[initiative.id]][:3]
    measured = organisation.kpis.get(state.kpi or "")
    unit = measured.unit if measured else ""
    parts = []
    if state.achieved is not None:
        parts.append(f"{signed(state.achieved, unit)} so far")
    if state.expected is not None:
        parts.append(f"{signed(state.expected, unit)} expected")
    words, mood = _standing(state)
    return Doing(
        initiative.id, initiative.title, initiative.owner, ", ".join(aims), str(state.phase), initiative.start,
        initiative.due, state.progress, words, mood, ", ".join(parts),
    )  # fmt: skip


def _standing(state: InitiativeState) -> tuple[str, Status]:
    if state.verdict == "worked":
        return "worked", Status.GREEN
    if state.verdict == "got_worse":
        return "things got worse", Status.RED
    if state.verdict == "no_evidence":
        return "no evidence of an effect", Status.AMBER
    if state.late:
        return "late", Status.RED
    if state.behind:
        return "behind its time", Status.AMBER
    return {
        InitiativePhase.PLANNED: ("planned", Status.UNKNOWN), InitiativePhase.DOING: ("on its way", Status.GREEN),
        InitiativePhase.CHECKING: ("done; effect not settled yet", Status.UNKNOWN),
        InitiativePhase.STANDARDISED: ("made the standard", Status.GREEN),
        InitiativePhase.ABANDONED: ("given up", Status.UNKNOWN),
    }[state.phase]  # fmt: skip


def idle(lines: Iterable[KpiLine], known: Relations, states: Mapping[str, InitiativeState]) -> tuple[str, ...]:
    """Red KPIs that no active initiative is for."""
    return tuple(
        line.title
        for line in lines
        if line.status is Status.RED
        and not any(states[each.id].active for each in known.initiatives.get(line.name, ()) if each.id in states)
    )


def alignment_of(organisation: Organisation, card: str) -> tuple[str, ...]:
    """What of the strategy does not hang together."""
    titles = {name: f"“{each.title}”" for name, each in organisation.objectives.items()}
    for each in organisation.scorecards.values():
        titles |= {view.name: f"“{view.title}”" for view in each.perspectives}
    messages = []
    for finding in alignment(organisation):
        if finding.scorecard == card:
            words = " ".join(titles.get(word, word) for word in finding.message.split(" "))
            messages.append(f"{words[0].upper()}{words[1:]}.")
    return tuple(messages)


def supports(organisation: Organisation, card: Scorecard) -> tuple[tuple[str, str], ...]:
    """The objectives of a scorecard with those of its parent that they support."""
    objectives = organisation.objectives
    return tuple(
        (each.title, objectives[each.supports].title)
        for each in objectives.values()
        if each.scorecard == card.id and each.supports is not None and each.supports in objectives
    )


def quality(
    lines: Sequence[KpiLine], standing: Standing, values: Mapping[str, Sequence[PeriodValue]], period: Period
) -> Quality:
    """How far the numbers can be trusted."""
    mine = {
        line.title: record
        for line in lines
        for record in values.get(line.name, ())[-1:]
        if record.period.end <= period.end and record.period.label == line.period
    }
    return Quality(
        standing.coverage,
        tuple(line.title for line in lines if line.value is None),
        tuple(title for title, record in mine.items() if record.state is ReadingState.INSUFFICIENT),
        tuple(title for title, record in mine.items() if record.revision),
        tuple(
            title
            for title, record in mine.items()
            if record.state is ReadingState.PARTIAL or record.completeness is Completeness.PARTIAL
        ),
    )
