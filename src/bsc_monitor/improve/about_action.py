"""Insights about what is done, and what is not: stagnation, effect, driver."""

from dataclasses import dataclass
from datetime import date

from bsc_monitor.improve.assess import Assessment, first_day, place_of
from bsc_monitor.improve.driver import Driver
from bsc_monitor.improve.effect import Effect
from bsc_monitor.improve.initiatives import Check
from bsc_monitor.improve.words import amount, change, number, signed, span
from bsc_monitor.model.insight import Direction, Insight, InsightKind, NotEnoughData
from bsc_monitor.model.organisation import Initiative, Objective
from bsc_monitor.model.period import PeriodKind
from bsc_monitor.model.period_value import PeriodValue
from bsc_monitor.model.status import Status

STUCK = {PeriodKind.DAY: 20, PeriodKind.WEEK: 8, PeriodKind.MONTH: 3, PeriodKind.QUARTER: 2, PeriodKind.YEAR: 2}
"""Periods in a row off target, by kind, from which a KPI counts as stuck."""

_PATIENCE = 3  # periods after the start of an initiative before it is called stuck
_OFF_TARGET = (Status.AMBER, Status.RED)


def stagnation_insight(seen: Assessment, *, acted_on: bool) -> Insight | None:
    """Amber or red for many periods, not getting better, and nobody acts. Periods without a status count for nothing."""
    if acted_on or seen.variation.direction is Direction.IMPROVING:
        return None
    stuck: list[PeriodValue] = []
    for record in reversed(seen.series.records):
        if record.status in _OFF_TARGET:
            stuck.append(record)
        elif record.status is not Status.UNKNOWN:
            break
    enough = STUCK[seen.kpi.period]
    if len(stuck) < enough:
        return None
    red = sum(record.status is Status.RED for record in stuck)
    colour = "red" if red == len(stuck) else "off target" if red else "amber"
    return Insight(
        kind=InsightKind.STAGNATION, subject_kind="kpi", subject=seen.kpi.name, since=stuck[-1].period.start,
        direction=Direction.NONE, strength=min(1.0, (len(stuck) + red) / (8 * enough)),
        sentence=f"{seen.kpi.title} has been {colour} for {span(len(stuck), seen.kpi.period)}, and no initiative is "
        "working on it.",
        next_step="Start an initiative for it, or decide that this target is not worth the effort.",
        aspect="no-action", evidence={"periods": len(stuck), "red": red, "value": seen.series.values[-1]},
        period=seen.newest.period.label,
    )  # fmt: skip


def stuck_initiative(initiative: Initiative, seen: Assessment, timezone: str) -> Insight | None:
    """An initiative past half its time whose KPI shows no sign of getting better, over three closed periods at least."""
    began = None if initiative.start is None else place_of(seen.series, initiative.start, timezone)
    if initiative.start is None or began is None or len(seen.series) - began < _PATIENCE:
        return None
    if _better_since(seen, initiative.start, timezone):
        return None
    return Insight(
        kind=InsightKind.STAGNATION, subject_kind="initiative", subject=initiative.id,
        since=seen.series.records[began].period.start, direction=Direction.NONE, strength=0.5,
        sentence=f"“{initiative.title}” is past half its time, and {seen.kpi.title} shows no sign of it yet.",
        next_step="Check whether the work reaches the process at all, and change the plan while there is time.",
        aspect=seen.kpi.name, evidence={"kpi": seen.kpi.name, "start": initiative.start.isoformat(),
        "due": initiative.due.isoformat() if initiative.due else None}, period=seen.newest.period.label,
    )  # fmt: skip


def _better_since(seen: Assessment, start: date, timezone: str) -> bool:
    if seen.variation.direction is Direction.IMPROVING:
        return True
    phase = seen.phases[-1]
    if phase.cause != "shift" or first_day(seen.series.records[phase.start], timezone) < start:
        return False
    values = seen.series.values
    before, after = seen.phases[-2], phase
    shift = _mean(values[after.start : after.end]) - _mean(values[before.start : before.end])
    return shift < 0 if seen.kpi.better == "lower" else shift > 0


def _mean(values: tuple[float, ...]) -> float:
    return sum(values) / len(values)


def effect_insight(initiative: Initiative, found: Check, about: Assessment, timezone: str) -> Insight | None:
    """The verdict on an initiative, once its effect has settled; ``about`` is the KPI that was checked."""
    seen = found.effect
    began = None if initiative.start is None else place_of(about.series, initiative.start, timezone)
    if isinstance(seen, NotEnoughData) or began is None:
        return None
    direction = {"worked": Direction.IMPROVING, "got_worse": Direction.WORSENING}.get(seen.verdict, Direction.NONE)
    pairs = seen.counts[0] * seen.counts[1]
    sentence, step = _effect_words(initiative, found, seen)
    return Insight(
        kind=InsightKind.EFFECT, subject_kind="initiative", subject=initiative.id, since=about.series.records[began].period.start,
        direction=direction, strength=abs(2 * seen.test.u / pairs - 1), sentence=sentence, next_step=step,
        aspect=f"{seen.verdict}:{found.kpi.name}",
        evidence={
            "kpi": found.kpi.name, "verdict": seen.verdict, "shift": seen.shift, "low": seen.low, "high": seen.high,
            "before": seen.before, "after": seen.after, "periods_before": seen.counts[0],
            "periods_after": seen.counts[1], "p": seen.test.p, "method": seen.test.method, "new_phase": seen.new_phase,
            "moved_before": seen.moved_before, "expected": seen.expected, "share_of_expected": seen.share,
        },
        data="firm" if min(seen.counts) >= 6 else "provisional", period=about.newest.period.label,
    )  # fmt: skip


def _effect_words(initiative: Initiative, found: Check, seen: Effect) -> tuple[str, str]:
    kpi, title = found.kpi, f"“{initiative.title}”"
    moved = f"{'fell' if seen.shift < 0 else 'rose'} by {change(seen.shift, kpi.unit)}"
    hoped = "" if seen.expected is None else f"; a change of {signed(seen.expected, kpi.unit)} was expected"
    levels = f"typically {amount(seen.before, kpi.unit)} before and {amount(seen.after, kpi.unit)} since"
    if seen.verdict == "worked":
        return (
            f"{title} worked: {kpi.title} {moved}, {levels}{hoped}.",
            "Make it the standard, and set the target anew."
            if seen.share is None or seen.share >= 1
            else "Make it the standard, and plan what brings the rest of the expected effect.",
        )
    if seen.verdict == "got_worse":
        return (
            f"{kpi.title} got worse since {title} began: it {moved}, {levels}{hoped}.",
            "Stop or revise the initiative, unless something else explains the change.",
        )
    if seen.moved_before:
        return (
            f"There is no evidence that {title} worked: {kpi.title} {moved}, but it was moving that way already.",
            "Wait for more periods, or test the measure where the other cause is absent.",
        )
    if seen.low * seen.high > 0:
        return (
            f"There is a hint, but no evidence yet, that {title} changed {kpi.title}: it {moved}, {levels}{hoped}.",
            "Wait for more periods before judging it.",
        )
    return (
        f"There is no evidence that {title} changed {kpi.title}: {levels}{hoped}.",
        "Revise the initiative or end it; doing more of the same is not supported by the data.",
    )


@dataclass(frozen=True, slots=True)
class Link:
    """One ``drives`` link of a strategy map and what the data say of it."""

    cause: Objective
    effect: Objective
    period: PeriodKind | None  #: of the KPIs that were compared; None: they share no kind of period
    driver: Driver | NotEnoughData
    newest: PeriodValue | None = None  #: of the cause's KPIs

    @property
    def name(self) -> str:
        """``cause → effect`` by full names."""
        return link_name(self.cause, self.effect)


def link_name(cause: Objective, effect: Objective) -> str:
    """What insights about a link have as their subject."""
    return f"{cause.name} → {effect.name}"


def driver_insight(link: Link) -> Insight | None:
    """A link that the data support or contradict."""
    found = link.driver
    if isinstance(found, NotEnoughData) or found.verdict == "no_evidence" or link.newest is None:
        return None
    best = found.best
    later = "in the same " + str(link.period) if not best.lag else span(best.lag, link.period) + " later"
    first, second = f"“{link.cause.title}”", f"“{link.effect.title}”"
    supported = found.verdict == "supported"
    sentence = (
        f"The data support that {first} drives {second}: when the first improves, the second tends to improve {later} "
        f"(rank correlation {number(best.rho)} over {span(best.pairs, link.period)})."
        if supported
        else f"The data contradict that {first} drives {second}: when the first improves, the second tends to get worse "
        f"{later} (rank correlation {number(best.rho)} over {span(best.pairs, link.period)})."
    )
    return Insight(
        kind=InsightKind.DRIVER, subject_kind="link", subject=link.name, since=link.newest.period.start,
        direction=Direction.NONE, strength=abs(best.rho), sentence=sentence,
        next_step=f"Invest in {first} and expect the effect {later}." if supported
        else "Rethink this arrow of the strategy map: the two may compete for the same people, or share a cause.",
        aspect=found.verdict, period=link.newest.period.label,
        evidence={
            "verdict": found.verdict, "lag": best.lag, "rho": best.rho, "pairs": best.pairs, "p_corrected": found.p,
            "lags": [{"lag": lag.lag, "rho": lag.rho, "p": lag.p, "pairs": lag.pairs} for lag in found.lags],
        },
    )  # fmt: skip
