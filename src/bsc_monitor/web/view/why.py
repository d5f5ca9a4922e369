"""Why a KPI has its score, in steps that a person can check: value, thresholds, place between them, weight."""

from dataclasses import dataclass

from bsc_monitor.model.organisation import Kpi, Level
from bsc_monitor.model.status import Freshness, ReadingState
from bsc_monitor.web import words
from bsc_monitor.web.view.scene import Scene


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the derivation."""

    what: str
    how: str


_STATES = {
    ReadingState.NO_DATA: "the source answered that there was nothing to measure",
    ReadingState.INSUFFICIENT: "too few observations to judge",
    ReadingState.PARTIAL: "part of the source's data was missing",
}


def steps(scene: Scene, kpi: Kpi) -> list[Step]:
    """The derivation of a KPI's score."""
    it, unit = scene.judgement(kpi.name), kpi.unit
    found = [Step("Value", _value(scene, kpi))]
    if kpi.formula:
        found.append(Step("Formula", kpi.formula))
    if it.thresholds.target is not None:
        found.append(Step("Target", _level(it.thresholds.target, unit)))
        found.append(Step("Red flag", _level(it.thresholds.red, unit)))
    elif kpi.curve:
        found.append(Step("Curve", ", ".join(f"{words.number(x)} → {words.number(y)}" for x, y in kpi.curve)))
    if it.score is not None:
        found.append(Step("Score", f"{it.score:.1f} of 100: {_place(it.score)}"))
    elif not kpi.scored:
        found.append(Step("Score", "none: this KPI is shown, not scored"))
    else:
        found.append(Step("Score", "none, because there is no value to judge"))
    if it.freshness is not Freshness.FRESH:
        found.append(
            Step("Counts as", "missing in the roll-up, because its value is " + words.freshness_word(it.freshness))
        )
    found.append(Step("Weight", _weight(scene, kpi)))
    return found


def _value(scene: Scene, kpi: Kpi) -> str:
    it = scene.judgement(kpi.name)
    parts = [words.amount(it.value, kpi.unit)]
    if it.period is not None and it.period.label:
        parts.append(f"of {it.period.label}")
    if it.samples is not None:
        parts.append(f"from {it.samples:,} observations")
    text = " ".join(parts)
    return f"{text} ({_STATES[it.state]})" if it.state in _STATES else text


def _level(level: Level | None, unit: str) -> str:
    if level is None:
        return "none"
    if isinstance(level, tuple):
        return f"{words.number(level[0])} to {words.amount(level[1], unit)}"
    return words.amount(level, unit)


def _place(score: float) -> str:
    if score >= 200 / 3:
        return "at or beyond the target (66⅔)"
    if score <= 100 / 3:
        return "at or beyond the red flag (33⅓)"
    share = (score - 100 / 3) / (100 / 3)
    return f"{share * 100:.0f} % of the way from the red flag (33⅓) to the target (66⅔)"


def _weight(scene: Scene, kpi: Kpi) -> str:
    day = scene.now.date()
    objective = scene.organisation.objectives.get(kpi.objective)
    siblings = scene.kpis_of(objective) if objective else [kpi]
    total = sum(each.weight.on(day) for each in siblings)
    share = kpi.weight.on(day) / total if total else 0
    text = f"{share * 100:.0f} % of its objective"
    return text + "; a key KPI: the objective cannot be better than it" if kpi.key else text
