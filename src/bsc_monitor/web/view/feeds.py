"""Sources and how the runs of their measures went."""

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime

from bsc_monitor.current import CollectorHealth
from bsc_monitor.model.health import CollectionHealth, waiting
from bsc_monitor.model.source import Source
from bsc_monitor.model.status import CollectorError, Status
from bsc_monitor.web.view.scene import Scene


@dataclass(frozen=True, slots=True)
class Fault:
    """An error, and the first of those who get no values because of it."""

    error: str
    reason: CollectorError | None
    names: str
    last_failure: datetime | None


@dataclass(frozen=True, slots=True)
class Feed:
    """A source with its measures."""

    source: Source
    kpis: int
    runs: tuple[CollectorHealth, ...]

    @property
    def status(self) -> Status:
        """Red when the last run of any collection failed, unknown when none ran yet."""
        if not any(run.collections for run in self.runs):
            return Status.UNKNOWN
        return Status.RED if any(run.failing for run in self.runs) else Status.GREEN


def feeds(scene: Scene) -> list[Feed]:
    """All sources, failing ones first."""
    used = Counter(kpi.source for kpi in scene.organisation.kpis.values())
    runs: dict[str, list[CollectorHealth]] = {}
    for health in scene.collectors.values():
        runs.setdefault(health.source, []).append(health)
    found = [
        Feed(each, used[each.id], tuple(sorted(runs.get(each.id, []), key=lambda run: run.measure)))
        for each in scene.sources.values()
    ]
    return sorted(found, key=lambda feed: (-feed.status.code, feed.source.id))


def faults(health: CollectorHealth) -> list[Fault]:
    """Why a measure's collections fail, the newest error first: each once, however many collections meet it."""
    found = [
        Fault(error, (last := max(alike.values(), key=_failed_at)).reason, waiting(alike.values()), last.last_failure)
        for error, alike in health.failing.items()
    ]
    return sorted(found, key=_failed_at, reverse=True)


def _failed_at(of: Fault | CollectionHealth) -> datetime:
    return of.last_failure or datetime.min.replace(tzinfo=UTC)
