"""Insights about a process as it is: signal, assurance, ratchet, volatility."""

from datetime import datetime
from typing import Any

from bsc_monitor.improve.assess import Assessment, young_shift
from bsc_monitor.improve.assurance import direction_of, good_side, newest_signal
from bsc_monitor.improve.ratchet import Ratchet, ratchet
from bsc_monitor.improve.volatility import JUMPS, Volatility
from bsc_monitor.improve.words import amount, between, change, figures, number, period_name, span, unit_of, within
from bsc_monitor.improve.xmr import Limits, Signal
from bsc_monitor.model.insight import Direction, Insight, InsightKind

_WORDS = {Direction.IMPROVING: "better than", Direction.WORSENING: "worse than"}
_CHANGES = {Direction.IMPROVING: "changed for the better", Direction.WORSENING: "changed for the worse"}
_STEPS = {
    Direction.IMPROVING: "Find out what changed, and make it the standard.",
    Direction.WORSENING: "Find the cause before this becomes the new normal; start an initiative if it will not go away.",
    Direction.NONE: "Find out what changed, and decide whether it is wanted.",
}


def signal_insights(seen: Assessment) -> list[Insight]:
    """What is more than noise in the newest period: a shift while it is young, and the newest signal of the chart."""
    found: list[Insight] = []
    if (young := young_shift(seen.phases)) is not None:
        phase, before = young
        points = range(phase.start, phase.end)
        values = [seen.series.values[place] for place in points]
        above = sum(values) / len(values) > before.centre
        found.append(_signal(seen, Signal("run", 1 if above else -1, tuple(points)), before, shift=True))
    if seen.phases and (newest := newest_signal(seen.phases[-1])) is not None and seen.limits is not None:
        told = _signal(seen, newest, seen.limits)
        if not any(told.key == other.key for other in found):
            found.append(told)
    return found


def _signal(seen: Assessment, signal: Signal, usual: Limits, *, shift: bool = False) -> Insight:
    good = good_side(seen.kpi.better, seen.thresholds.target, usual.centre)
    direction = direction_of(signal.side, good)
    values = [seen.series.values[place] for place in signal.points]
    reach = usual.upper - usual.centre
    away = abs(sum(values) / len(values) - usual.centre)
    telling = _shift_sentence if shift else _SENTENCES[signal.rule]
    evidence: dict[str, Any] = {
        "rule": "shift" if shift else signal.rule,
        "periods": [seen.series.records[place].period.label for place in signal.points],
        "values": values,
        **_limits_evidence(seen, usual),
    }
    return _about(
        seen, InsightKind.SIGNAL, direction if direction is not Direction.NONE else _level(signal.side),
        direction=direction, since=_start(seen, signal.first), strength=min(1.0, away / (2 * reach)) if reach else 1.0,
        sentence=telling(seen, signal, usual, direction), next_step=_STEPS[direction], evidence=evidence, usual=usual,
    )  # fmt: skip


def _run_sentence(seen: Assessment, signal: Signal, usual: Limits, direction: Direction) -> str:
    than = _WORDS.get(direction, _level(signal.side) + " than")
    return (
        f"{seen.kpi.title} has been {than} its average of {amount(usual.centre, seen.kpi.unit)} for "
        f"{span(len(signal.points), seen.kpi.period)} in a row: something {_CHANGES.get(direction, 'changed')} around "
        f"{period_name(seen.series.records[signal.first].period)}."
    )


def _shift_sentence(seen: Assessment, signal: Signal, usual: Limits, direction: Direction) -> str:
    values = [seen.series.values[place] for place in signal.points]
    if all((value - usual.centre) * signal.side > 0 for value in values):
        return _run_sentence(seen, signal, usual, direction)
    level, unit = sum(values) / len(values), seen.kpi.unit
    digits = figures(level, usual.centre)
    return (
        f"{seen.kpi.title} {_CHANGES.get(direction, 'changed')} around "
        f"{period_name(seen.series.records[signal.first].period)}: it now averages {amount(level, unit, digits)}, "
        f"against {amount(usual.centre, unit, digits)} before."
    )


def _beyond_sentence(seen: Assessment, signal: Signal, usual: Limits, direction: Direction) -> str:
    side = "above" if signal.side > 0 else "below"
    news = {Direction.IMPROVING: "good news with a cause", Direction.WORSENING: "bad news with a cause"}
    value, (low, high) = seen.series.values[signal.last], seen.possible(usual)
    digits = figures(value, low, high)
    return (
        f"{seen.kpi.title} was {amount(value, seen.kpi.unit, digits)} in "
        f"{period_name(seen.series.records[signal.last].period)}, {side} its usual range of "
        f"{between(low, high, seen.kpi.unit, figures=digits)}: {news.get(direction, 'this has a cause')}, not chance."
    )


def _near_sentence(seen: Assessment, signal: Signal, usual: Limits, direction: Direction) -> str:
    edge = "upper" if signal.side > 0 else "lower"
    whole = signal.last - signal.first + 1
    news = {Direction.IMPROVING: "a change for the better", Direction.WORSENING: "a change for the worse"}
    often = f"in {len(signal.points)} of the last {span(whole, seen.kpi.period)}"
    if whole == len(signal.points):
        often = f"for {span(whole, seen.kpi.period)} in a row"
    return (
        f"{seen.kpi.title} came close to the {edge} end of its usual range "
        f"({between(*seen.possible(usual), seen.kpi.unit)}) {often}: "
        f"{news.get(direction, 'a change')} may be under way."
    )


def _steps_sentence(seen: Assessment, signal: Signal, _usual: Limits, direction: Direction) -> str:
    news = {Direction.IMPROVING: " better", Direction.WORSENING: " worse"}
    return (
        f"{seen.kpi.title} has {'risen' if signal.side > 0 else 'fallen'} {len(signal.points) - 1} times in a row and is "
        f"getting{news.get(direction, ' ' + _level(signal.side))}."
    )


_SENTENCES = {
    "run": _run_sentence, "beyond_limit": _beyond_sentence, "near_limit": _near_sentence, "trend": _steps_sentence,
}  # fmt: skip


def assurance_insight(seen: Assessment) -> Insight | None:
    """A target that the process, left alone, misses every time. Only with firm limits."""
    usual, target = seen.limits, seen.thresholds.target
    if usual is None or not usual.firm or seen.assurance != "fail" or target is None:
        return None
    nearer = usual.upper if usual.centre < (target if isinstance(target, float | int) else target[0]) else usual.lower
    goal = between(*target, seen.kpi.unit) if isinstance(target, tuple) else amount(target, seen.kpi.unit)
    edge = min(target, key=lambda each: abs(each - nearer)) if isinstance(target, tuple) else target
    reach = usual.upper - usual.centre
    return _about(
        seen, InsightKind.ASSURANCE, "fail", direction=Direction.NONE, since=_start(seen, seen.phases[-1].start),
        strength=min(1.0, abs(edge - nearer) / (2 * reach)) if reach else 1.0,
        sentence=f"{seen.kpi.title} cannot be expected to reach its target of {goal}: left alone it stays "
        f"{within(*seen.possible(usual), seen.kpi.unit)}.",
        next_step="Change the way the work is done: effort within the same process will not reach this target.",
        evidence={"target": list(target) if isinstance(target, tuple) else target, **_limits_evidence(seen, usual)},
        usual=usual,
    )  # fmt: skip


def ratchet_insight(seen: Assessment) -> Insight | None:
    """A target that has stopped being a goal, and the next one."""
    if seen.limits is None or seen.assurance != "pass":
        return None
    judged: list[float] = []
    for record in reversed(seen.series.records):
        if record.thresholds.target != seen.thresholds.target or record.value is None:
            break
        judged.append(record.value)
    found = ratchet(judged[::-1], seen.limits, seen.thresholds.target, seen.kpi.better)
    return None if found is None else _raise(seen, found, seen.limits)


def _raise(seen: Assessment, found: Ratchet, usual: Limits) -> Insight:
    unit, digits = seen.kpi.unit, figures(found.target, found.proposed)
    target, proposed = amount(found.target, unit, digits), amount(found.proposed, unit, digits)
    return _about(
        seen, InsightKind.RATCHET, "raise", direction=Direction.IMPROVING, since=_start(seen, len(seen.series) - found.met),
        strength=min(1.0, abs(usual.centre - found.target) / (4 * (usual.upper - usual.centre) or 1.0)),
        sentence=f"{seen.kpi.title} has met its target of {target} in each of the last "
        f"{span(found.met, seen.kpi.period)} and will go on doing so by itself: {proposed} would be "
        "a goal again.",
        next_step=f"Set the target to {proposed}, or put the attention elsewhere.",
        evidence={"target": found.target, "proposed": found.proposed, "met": found.met, **_limits_evidence(seen, usual)},
        usual=usual,
    )  # fmt: skip


def volatility_insight(seen: Assessment) -> Insight | None:
    """A process that swings more, or less, than it used to."""
    found = seen.volatility
    if not isinstance(found, Volatility) or not (found.changed or len(found.jumps) >= JUMPS):
        return None
    unit, kind = seen.kpi.unit, unit_of(seen.kpi.period)
    wider = found.ratio > 1 or not found.changed
    if found.changed:
        since, strength = found.since, 1 - min(found.ratio, 1 / found.ratio if found.ratio else 0.0)
        sentence = (
            f"{seen.kpi.title} has become {'less' if wider else 'more'} steady: from one {kind} to the next it now "
            f"changes by about {change(found.recent, unit)}, before that by {change(found.usual, unit)}."
        )
    else:
        since, strength = found.jumps[0], min(1.0, len(found.jumps) / 4)
        sentence = (
            f"{seen.kpi.title} has become unstable: it jumped {number(len(found.jumps))} times in the last "
            f"{span(6, seen.kpi.period)} by more than it usually does."
        )
    return _about(
        seen, InsightKind.VOLATILITY, "wider" if wider else "narrower",
        direction=Direction.WORSENING if wider else Direction.IMPROVING, since=_start(seen, since), strength=strength,
        sentence=sentence,
        next_step="Look for what differs between the good and the bad periods, and settle the process before improving it."
        if wider else "Find out what made the process steadier, and keep it.",
        evidence={
            "recent": found.recent, "usual": found.usual, "jumps": len(found.jumps),
            "ratio": found.ratio if found.usual else None,
        },
        usual=seen.limits,
    )  # fmt: skip


def _level(side: int) -> str:
    return "higher" if side > 0 else "lower"


def _start(seen: Assessment, place: int) -> datetime:
    return seen.series.records[place].period.start


def _limits_evidence(seen: Assessment, usual: Limits) -> dict[str, Any]:
    lower, upper = seen.possible(usual)
    return {"centre": usual.centre, "lower": lower, "upper": upper, "points": usual.points}


def _about(
    seen: Assessment, kind: InsightKind, aspect: str, *, direction: Direction, since: datetime, strength: float,
    sentence: str, next_step: str, evidence: dict[str, Any], usual: Limits | None,
) -> Insight:  # fmt: skip
    return Insight(
        kind=kind, subject_kind="kpi", subject=seen.kpi.name, since=since, direction=direction, strength=strength,
        sentence=sentence, next_step=next_step, aspect=str(aspect), evidence=evidence,
        data="firm" if usual is not None and usual.firm else "provisional", period=seen.newest.period.label,
    )  # fmt: skip
