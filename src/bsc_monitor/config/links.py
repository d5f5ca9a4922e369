"""The links between things of an organisation: cause and effect, cascade, formulas. Circles are refused and printed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from bsc_monitor.config.form_scorecard import KpiForm, ObjectiveForm
from bsc_monitor.config.graphs import cycles
from bsc_monitor.config.names import Names
from bsc_monitor.config.notes import Notes
from bsc_monitor.config.problems import near
from bsc_monitor.config.things import Thing
from bsc_monitor.model.organisation import Kpi, Objective, Scorecard
from bsc_monitor.score.formula import Formula, FormulaError, parse_formula


def check_links(
    objectives: Mapping[str, Objective],
    things: Mapping[str, Thing[ObjectiveForm]],
    scorecards: Mapping[str, Scorecard],
    names: Names,
    notes: Notes,
) -> dict[str, Objective]:
    """The objectives with ``drives`` and ``supports`` resolved."""
    linked: dict[str, Objective] = {}
    for name, objective in objectives.items():
        thing = things[name]
        drives = tuple(_drives(objective, thing, names, notes))
        linked[name] = replace(objective, drives=drives, supports=_supports(objective, thing, scorecards, names, notes))
    drives_links = {name: objective.drives for name, objective in linked.items()}
    supports_links = {name: (o.supports,) if o.supports else () for name, o in linked.items()}
    for key, links in (("drives", drives_links), ("supports", supports_links)):
        for circle in cycles(links):
            notes.error(
                (*things[circle[0]].path, key), f"circular {key}: {' → '.join(circle)}", "take one of the links out"
            )
    return linked


def _drives(objective: Objective, thing: Thing[ObjectiveForm], names: Names, notes: Notes) -> Iterator[str]:
    for place, reference in enumerate(thing.form.drives):
        where = (*thing.path, "drives", place)
        found = names.find(("objectives",), reference, objective.scorecard, where)
        if found is None:
            continue
        if found[1].partition("/")[0] != objective.scorecard:
            hint = 'use supports = "…" for the parent scorecard'
            notes.error(where, f"{found[1]} is in another scorecard; drives stays inside {objective.scorecard!r}", hint)
        else:
            yield found[1]


def _supports(
    objective: Objective, thing: Thing[ObjectiveForm], scorecards: Mapping[str, Scorecard], names: Names, notes: Notes
) -> str | None:
    reference = thing.form.supports
    if reference is None:
        return None
    where = (*thing.path, "supports")
    above = list(_ancestors(objective.scorecard, scorecards))
    if "/" not in reference:  # an objective's own name may be its parent's too
        meant = [
            f"{card}/{reference}"
            for card in above
            if f"{card}/{reference}" in names.candidates("objectives", reference, card)
        ]
        reference = meant[0] if meant else reference
    found = names.find(("objectives",), reference, None, where)
    if found is None:
        return None
    card = found[1].partition("/")[0]
    own = scorecards[objective.scorecard]
    if card in above or (card == own.id and found[1] == objective.name):
        return found[1]
    if own.parent is None and card != own.id:
        notes.warn(where, f"scorecard {own.id!r} names no parent", f'parent = "{card}" in [scorecards.{own.id}]')
        return found[1]
    if any(scorecards[each].parent not in {None, *scorecards} for each in (own.id, *above)):
        return None  # an unknown parent is a mistake of its own
    parent = f"its parent is {own.parent!r}" if own.parent else "it has no parent"
    notes.error(where, f"{found[1]} is no objective above scorecard {own.id!r}: {parent}", near(reference, above))
    return None


def _ancestors(card: str, scorecards: Mapping[str, Scorecard]) -> Iterator[str]:
    seen = {card}
    while (parent := scorecards[card].parent) is not None and parent in scorecards and parent not in seen:
        seen.add(parent)
        yield parent
        card = parent


def check_formulas(
    kpis: Mapping[str, Kpi], things: Mapping[str, Thing[KpiForm]], names: Names, notes: Notes
) -> dict[str, Kpi]:
    """The KPIs with the operands of their formulas resolved to full names."""
    spelt: dict[str, dict[str, None]] = {}
    for kpi in kpis.values():
        spelt.setdefault(kpi.id.replace("-", "_"), {})[kpi.id] = None
    linked: dict[str, Kpi] = {}
    links: dict[str, tuple[str, ...]] = {}
    for name, kpi in kpis.items():
        operands: dict[str, str] = {}
        if kpi.formula is not None and (formula := _parsed(kpi.formula, things[name], notes)) is not None:
            operands = _operands(kpi, formula, things[name], spelt, names, notes)
        linked[name] = replace(kpi, operands=operands) if operands else kpi
        links[name] = tuple(operands.values())
    for circle in cycles(links):
        notes.error((*things[circle[0]].path, "formula"), f"circular formulas: {' → '.join(circle)}")
    _check_periods(linked, things, notes)
    return linked


def _parsed(text: str, thing: Thing[KpiForm], notes: Notes) -> Formula | None:
    try:
        return parse_formula(text)
    except FormulaError as error:
        notes.error((*thing.path, "formula"), str(error))
        return None


def _check_periods(kpis: Mapping[str, Kpi], things: Mapping[str, Thing[KpiForm]], notes: Notes) -> None:
    """A formula is computed on values of one period."""
    for name, kpi in kpis.items():
        for operand in dict.fromkeys(kpi.operands.values()):
            if kpis[operand].period is not kpi.period:
                message = f"{operand} is judged by the {kpis[operand].period.value}, this by the {kpi.period.value}"
                hint = f'period = "{kpis[operand].period.value}"'
                notes.error((*things[name].path, "formula"), message, hint)
                break


def _operands(
    kpi: Kpi,
    formula: Formula,
    thing: Thing[KpiForm],
    spelt: Mapping[str, Mapping[str, None]],
    names: Names,
    notes: Notes,
) -> dict[str, str]:
    where = (*thing.path, "formula")
    operands: dict[str, str] = {}
    for word in formula.names:
        meant = sorted(
            {full for short in spelt.get(word, ()) for full in names.candidates("kpis", short, kpi.scorecard)}
        )
        own = [full for full in meant if full.startswith(f"{kpi.scorecard}/")]
        meant = own or meant
        if len(meant) == 1:
            operands[word] = meant[0]
        elif meant:
            notes.error(where, f"{word!r} may be {', '.join(meant[:4])}", "give the KPIs ids of their own")
        elif not names.is_lost("kpis", word) and not names.is_lost("kpis", word.replace("_", "-")):
            notes.error(where, f"there is no KPI {word!r}", near(word, spelt))
    return operands
