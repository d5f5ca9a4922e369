"""An organisation of any size, for measuring: ten KPIs an objective, eight objectives a scorecard, all below one company."""

from datetime import date

from bsc_monitor.model.organisation import (
    PERSPECTIVES,
    Kpi,
    Objective,
    Organisation,
    Perspective,
    Scorecard,
    TargetPath,
    TargetStep,
    Thresholds,
)

KPIS_AN_OBJECTIVE = 10
OBJECTIVES_A_CARD = 8
_PATH = TargetPath((TargetStep(date.min, Thresholds(target=80.0, red=50.0)),))


def organisation(kpis: int) -> Organisation:
    """``kpis`` KPIs (rounded up to whole scorecards)."""
    cards: dict[str, Scorecard] = {"company": _card("company", None)}
    objectives: dict[str, Objective] = {}
    found: dict[str, Kpi] = {}
    for view in PERSPECTIVES:
        top = Objective(f"top-{view}".replace("_", "-"), "company", view, f"Top {view}")
        objectives[top.name] = top
    number = 0
    while len(found) < kpis:
        name = f"team-{number}"
        number += 1
        cards[name] = _card(name, "company")
        for place in range(OBJECTIVES_A_CARD):
            view = PERSPECTIVES[place % 4]
            objective = Objective(
                f"o{place}", name, view, f"Objective {place}", supports=f"company/top-{view}".replace("_", "-")
            )
            objectives[objective.name] = objective
            for each in range(KPIS_AN_OBJECTIVE):
                kpi = Kpi(
                    f"k{place}-{each}", name, view, objective.name, f"KPI {each}", unit="%", path=_PATH,
                    source="bench", measure="value",
                )  # fmt: skip
                found[kpi.name] = kpi
    return Organisation(cards, objectives, found)


def _card(name: str, parent: str | None) -> Scorecard:
    views = tuple(Perspective(view, name, view.capitalize()) for view in PERSPECTIVES)
    return Scorecard(name, name.capitalize(), parent=parent, perspectives=views)
