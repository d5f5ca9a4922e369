"""What touches what in an organisation: looked up once per configuration, so that a close costs what closed."""

from collections.abc import Iterable
from dataclasses import dataclass

from bsc_monitor.model.organisation import Initiative, Kpi, Objective, Organisation


@dataclass(frozen=True, slots=True)
class Relations:
    """An organisation with its relations turned round."""

    organisation: Organisation
    members: dict[str, list[Kpi]]  #: KPIs by objective
    kpis: dict[str, list[Kpi]]  #: by initiative: the KPI that it promises to change first, then its targets'
    initiatives: dict[str, list[Initiative]]  #: by KPI
    links: dict[str, list[tuple[Objective, Objective]]]  #: ``drives`` links by either objective

    def zone(self, kpi: Kpi) -> str:
        """The time zone that a KPI's periods are judged in."""
        scorecard = self.organisation.scorecards.get(kpi.scorecard)
        return scorecard.calendar.timezone if scorecard else "UTC"

    def checks(self, initiative: Initiative, kpi: str) -> bool:
        """Whether an initiative's effect is looked for in this KPI: in the first of its own."""
        kpis = self.kpis[initiative.id]
        return bool(kpis) and kpis[0].name == kpi

    def touching(self, objectives: Iterable[str]) -> list[tuple[Objective, Objective]]:
        """The links that begin or end at one of these objectives."""
        found = {
            (cause.name, effect.name): (cause, effect)
            for name in objectives
            for cause, effect in self.links.get(name, ())
        }
        return list(found.values())


def relations(organisation: Organisation) -> Relations:
    """Look all relations up; what they name and does not exist is left out."""
    members: dict[str, list[Kpi]] = {}
    for kpi in organisation.kpis.values():
        members.setdefault(kpi.objective, []).append(kpi)
    kpis: dict[str, list[Kpi]] = {}
    initiatives: dict[str, list[Initiative]] = {}
    for initiative in organisation.initiatives.values():
        kpis[initiative.id] = _kpis(initiative, organisation, members)
        for kpi in kpis[initiative.id]:
            initiatives.setdefault(kpi.name, []).append(initiative)
    links: dict[str, list[tuple[Objective, Objective]]] = {}
    for cause in organisation.objectives.values():
        for name in cause.drives:
            if (effect := organisation.objectives.get(name)) is not None:
                links.setdefault(cause.name, []).append((cause, effect))
                links.setdefault(name, []).append((cause, effect))
    return Relations(organisation, members, kpis, initiatives, links)


def _kpis(initiative: Initiative, organisation: Organisation, members: dict[str, list[Kpi]]) -> list[Kpi]:
    names = [initiative.expect.kpi] if initiative.expect else []
    for target in initiative.targets:
        names += [target] if target in organisation.kpis else [kpi.name for kpi in members.get(target, ())]
    return [organisation.kpis[name] for name in dict.fromkeys(names) if name in organisation.kpis]
