"""Initiatives as metric lines: one series for each objective that they are for."""

from collections.abc import Mapping
from datetime import UTC, datetime, time
from functools import partial
from zoneinfo import ZoneInfo

from bsc_monitor.export.exposition import Exposition
from bsc_monitor.export.labels import local_id
from bsc_monitor.export.text import line, pairs
from bsc_monitor.model.organisation import Initiative, Organisation


class InitiativeMetrics:
    """Keeps an exposition's initiative families in step with what is being done."""

    def __init__(self, exposition: Exposition) -> None:
        self._exposition = exposition
        self._organisation = Organisation()
        self._standings: dict[str, tuple[str, float | None, str]] = {}  # state, progress, effect

    def load(self, organisation: Organisation) -> None:
        """Take a new configuration; an initiative without a known state stands as ``planned``."""
        self._organisation = organisation
        for gone in self._standings.keys() - organisation.initiatives.keys():
            del self._standings[gone]
            self._exposition.remove(("initiative", gone))
        for name, each in organisation.initiatives.items():
            progress = each.progress if isinstance(each.progress, float) else None
            self.changed(name, *self._standings.get(name, (each.state or "planned", progress, "")))

    def changed(self, name: str, state: str, progress: float | None, effect: str = "") -> None:
        """Take an initiative's state (PDCA), progress (0 to 1, None: unknown) and measured effect (empty: not yet)."""
        initiative = self._organisation.initiatives.get(name)
        if initiative is not None:
            self._standings[name] = (state, progress, effect)
            self._exposition.show(("initiative", name), partial(self._lines, initiative, state, progress, effect))

    def _lines(self, initiative: Initiative, state: str, progress: float | None, effect: str) -> Mapping[str, bytes]:
        infos, dues, progresses = [], [], []
        for scorecard, objective in self._objectives(initiative):
            own = pairs(("scorecard", "objective", "initiative"), (scorecard, objective, initiative.id))
            more = pairs(
                ("title", "initiative_owner", "state", "effect"), (initiative.title, initiative.owner, state, effect)
            )
            infos.append(line("bsc_initiative_info", f"{own},{more}", 1))
            if progress is not None:
                progresses.append(line("bsc_initiative_progress_ratio", own, progress))
            if initiative.due:
                card = self._organisation.scorecards.get(scorecard)
                zone = ZoneInfo(card.calendar.timezone) if card else UTC
                end = datetime.combine(initiative.due, time.max, zone)  # a due day is over at its end
                dues.append(line("bsc_initiative_due_timestamp_seconds", own, round(end.timestamp())))
        return {
            "bsc_initiative_info": b"".join(infos),
            "bsc_initiative_progress_ratio": b"".join(progresses),
            "bsc_initiative_due_timestamp_seconds": b"".join(dues),
        }

    def _objectives(self, initiative: Initiative) -> list[tuple[str, str]]:
        found = []
        for target in initiative.targets:
            kpi = self._organisation.kpis.get(target)
            objective = self._organisation.objectives.get(kpi.objective if kpi else target)
            if objective is not None:
                found.append((objective.scorecard, local_id(objective.name)))
        return list(dict.fromkeys(found))
