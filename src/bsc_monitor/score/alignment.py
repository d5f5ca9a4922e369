"""Whether strategy hangs together: what supports nothing, what nothing supports, odd cause-and-effect links."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from bsc_monitor.model.organisation import Organisation

AlignmentKind = Literal["supports_nothing", "unsupported", "no_leading_kpi", "odd_driver"]


@dataclass(frozen=True, slots=True)
class AlignmentFinding:
    """Something of the strategy that probably is not meant."""

    kind: AlignmentKind
    scorecard: str
    subject: str  #: full name of the objective or perspective
    message: str  #: one sentence
    place: str | None = None  #: ``file:line`` of the definition


def alignment(organisation: Organisation) -> list[AlignmentFinding]:
    """What does not hang together, in the order of the scorecards:

    ``supports_nothing``: an objective of a scorecard with a parent that supports no objective;
    ``unsupported``: an objective of a scorecard with children that none of them supports;
    ``no_leading_kpi``: a perspective none of whose KPIs is leading;
    ``odd_driver``: a ``drives`` link from a perspective to one further from the top (from results to what enables them).
    """
    found = [*_supports_nothing(organisation), *_unsupported(organisation), *_without_leading(organisation),
             *_odd_drivers(organisation)]  # fmt: skip
    order = {name: place for place, name in enumerate(organisation.scorecards)}
    return sorted(found, key=lambda finding: order.get(finding.scorecard, len(order)))


def _supports_nothing(organisation: Organisation) -> Iterator[AlignmentFinding]:
    for objective in organisation.objectives.values():
        parent = organisation.scorecards[objective.scorecard].parent
        if parent is not None and objective.supports is None:
            message = f"{objective.name} supports no objective of {parent}"
            yield AlignmentFinding("supports_nothing", objective.scorecard, objective.name, message, objective.place)


def _unsupported(organisation: Organisation) -> Iterator[AlignmentFinding]:
    parents = {card.parent for card in organisation.scorecards.values()}
    supported = {objective.supports for objective in organisation.objectives.values()}
    for objective in organisation.objectives.values():
        if objective.scorecard in parents and objective.name not in supported:
            message = f"no objective of a scorecard below {objective.scorecard} supports {objective.name}"
            yield AlignmentFinding("unsupported", objective.scorecard, objective.name, message, objective.place)


def _without_leading(organisation: Organisation) -> Iterator[AlignmentFinding]:
    """Perspectives of which no KPI leads, those of the objectives that support theirs included."""
    leading: set[tuple[str, str]] = set()
    for kpi in organisation.kpis.values():
        name: str | None = kpi.objective if kpi.leading else None
        while name is not None and (objective := organisation.objectives.get(name)) is not None:
            leading.add((objective.scorecard, objective.perspective))
            name = objective.supports
    for card in organisation.scorecards.values():
        for view in card.perspectives:
            if (card.id, view.id) not in leading:
                message = f"{view.name} has no leading KPI: it shows results when they can no longer be changed"
                yield AlignmentFinding("no_leading_kpi", card.id, view.name, message, card.place)


def _odd_drivers(organisation: Organisation) -> Iterator[AlignmentFinding]:
    for objective in organisation.objectives.values():
        views = [view.id for view in organisation.scorecards[objective.scorecard].perspectives]
        for name in objective.drives:
            effect = organisation.objectives.get(name)
            if effect is None or objective.perspective not in views or effect.perspective not in views:
                continue
            if views.index(effect.perspective) > views.index(objective.perspective):
                message = (
                    f"{objective.name} ({objective.perspective}) is said to drive {name} ({effect.perspective}), "
                    "against the usual order of perspectives"
                )
                yield AlignmentFinding("odd_driver", objective.scorecard, objective.name, message, objective.place)
