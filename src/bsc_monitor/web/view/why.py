"""Why a KPI has its score, in steps that a person can check: the explanation's lines in words."""

from collections.abc import Iterator
from dataclasses import dataclass

from bsc_monitor.evaluate.awaiting import failure, looked_at, with_period
from bsc_monitor.model.organisation import Kpi, Level
from bsc_monitor.model.status import ReadingState
from bsc_monitor.score.explain_kpi import KpiExplanation, explain_kpi
from bsc_monitor.web import words
from bsc_monitor.web.view.scene import Scene

_STATES = {
    ReadingState.NO_DATA: "the source answered that there was nothing to measure",
    ReadingState.INSUFFICIENT: "too few observations to judge",
    ReadingState.PARTIAL: "part of the source's data was missing",
}


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the derivation."""

    what: str
    how: str


def steps(scene: Scene, kpi: Kpi) -> list[Step]:
    """The derivation of a KPI's score."""
    said = explain_kpi(scene.organisation, scene.judgement(kpi.name), (), scene.judgements)
    return [*_value(scene, kpi, said), *_thresholds(said), *_score(said), Step("Weight", _weight(scene, kpi))]


def _value(scene: Scene, kpi: Kpi, said: KpiExplanation) -> Iterator[Step]:
    parts = [words.amount(said.value, said.unit)]
    if said.period:
        parts.append(f"of {said.period}" + (", the period before" if said.previous_period else ""))
    if said.samples is not None:
        parts.append(f"from {said.samples:,} observations")
    text = " ".join(parts)
    if said.value is None and said.observed_at is None:  # nobody answered yet: there is no state to tell
        text = "none yet" if scene.past else f"none yet for {_awaited(scene, kpi, said)}"
    elif said.state in _STATES:
        text += f" ({_STATES[said.state]})"
    yield Step("Value", text)
    if (failing := scene.failure(kpi)) is not None:
        yield Step("Its collection fails", failure(failing))
    if said.formula:
        yield Step("Formula", said.formula)
    for operand in said.operands:
        yield Step(operand.name, f"{words.number(operand.value)}, {operand.freshness} ({operand.kpi})")


def _awaited(scene: Scene, kpi: Kpi, said: KpiExplanation) -> str:
    return looked_at(with_period(said, kpi, scene.organisation.scorecards[kpi.scorecard].calendar, scene.now))


def _thresholds(said: KpiExplanation) -> Iterator[Step]:
    if said.thresholds.target is not None:
        rated = ", pro-rated to the time that has passed" if said.prorated else ""
        yield Step("Target", _level(said.thresholds.target, said.unit) + rated)
        yield Step("Red flag", _level(said.thresholds.red, said.unit) + rated)
    if said.curve:
        yield Step("Curve", ", ".join(f"{words.number(x)} → {words.number(y)}" for x, y in said.curve))
    if said.segment is not None:
        (x1, y1), (x2, y2) = said.segment
        between = (
            f"between {words.number(x1)} (score {words.number(y1)}) and {words.number(x2)} (score {words.number(y2)})"
        )
        yield Step("Place", between)


def _score(said: KpiExplanation) -> Iterator[Step]:
    if said.score is not None:
        yield Step("Score", f"{said.score:.1f} of 100; green from 66⅔, red up to 33⅓")
    if said.reason:
        yield Step("Does not count" if said.score is not None else "No score", said.reason)


def _level(level: Level | None, unit: str) -> str:
    if level is None:
        return "none"
    if isinstance(level, tuple):
        return f"{words.number(level[0])} to {words.amount(level[1], unit)}"
    return words.amount(level, unit)


def _weight(scene: Scene, kpi: Kpi) -> str:
    day = scene.now.date()
    objective = scene.organisation.objectives.get(kpi.objective)
    siblings = scene.kpis_of(objective) if objective else [kpi]
    total = sum(each.weight.on(day) for each in siblings)
    share = kpi.weight.on(day) / total if total else 0
    text = f"{share * 100:.0f} % of its objective's KPIs"
    return text + "; a key KPI: the objective cannot be better than it" if kpi.key else text
