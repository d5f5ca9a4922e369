"""Sources and how the runs of their measures went."""

from collections import Counter
from dataclasses import dataclass

from bsc_monitor.current import CollectorHealth
from bsc_monitor.model.source import Source
from bsc_monitor.model.status import CollectorError, Status
from bsc_monitor.web.view.scene import Scene


@dataclass(frozen=True, slots=True)
class Feed:
    """A source with its measures."""

    source: Source
    kpis: int
    runs: tuple[CollectorHealth, ...]

    @property
    def status(self) -> Status:
        """Red when a measure's last run failed, unknown when none ran yet."""
        if not self.runs:
            return Status.UNKNOWN
        return Status.RED if any(run.error is not None for run in self.runs) else Status.GREEN


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


def usual_reason(health: CollectorHealth) -> CollectorError | None:
    """Why a measure failed most often since the start."""
    return health.failures.most_common(1)[0][0] if health.failures else None
