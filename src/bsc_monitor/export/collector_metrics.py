"""Runs of collectors as metric lines."""

from bisect import bisect_left
from dataclasses import dataclass, field

from bsc_monitor.current import CollectorHealth, Current
from bsc_monitor.export.exposition import Exposition
from bsc_monitor.export.text import line, pairs
from bsc_monitor.model.event import CollectorFailed, CollectorRan
from bsc_monitor.model.status import CollectorError

BUCKETS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)  #: upper bounds of run durations, seconds


@dataclass(slots=True)
class _Runs:
    labels: str
    requests: int = 0
    duration: float = 0.0
    buckets: list[int] = field(default_factory=lambda: [0] * (len(BUCKETS) + 1))
    failures: dict[CollectorError, int] = field(default_factory=lambda: dict.fromkeys(CollectorError, 0))


class CollectorMetrics:
    """Keeps an exposition's collector families in step with the runs. Let ``current`` hear of a run first."""

    def __init__(self, exposition: Exposition, current: Current) -> None:
        self._exposition = exposition
        self._current = current
        self._runs: dict[tuple[str, str], _Runs] = {}

    def refresh(self) -> None:
        """Show what ``current`` knows, at start and when other collections are in force; what it lacks is gone."""
        for key in [key for key in self._runs if key not in self._current.collectors]:
            del self._runs[key]
            self._exposition.remove(("collector", *key))
        for health in self._current.collectors.values():
            self._tell(health)

    def ran(self, event: CollectorRan) -> None:
        """Take a run that succeeded."""
        self._take(event)

    def failed(self, event: CollectorFailed) -> None:
        """Take a run that failed."""
        self._of(event.source, event.measure).failures[event.reason] += 1
        self._take(event)

    def _take(self, event: CollectorRan | CollectorFailed) -> None:
        runs = self._of(event.source, event.measure)
        runs.requests += event.requests
        runs.duration += event.duration
        runs.buckets[bisect_left(BUCKETS, event.duration)] += 1
        self._tell(self._current.collectors[event.source, event.measure])

    def _of(self, source: str, measure: str) -> _Runs:
        key = (source, measure)
        runs = self._runs.get(key)
        if runs is None:
            runs = self._runs[key] = _Runs(pairs(("source", "measure"), key))
        return runs

    def _tell(self, health: CollectorHealth) -> None:
        """A measure is up while none of its collections fails, and as old as the one that succeeded longest ago."""
        key = (health.source, health.measure)
        runs, last_success = self._of(*key), health.last_success
        labels, total = runs.labels, sum(runs.buckets)
        single = {
            "bsc_collector_up": float(not health.failing) if health.collections else None,
            "bsc_collector_last_success_timestamp_seconds": last_success.timestamp() if last_success else None,
            "bsc_collector_interval_seconds": health.interval,
            "bsc_collector_runs_total": total,
            "bsc_collector_http_requests_total": runs.requests,
        }
        lines = {name: b"" if value is None else line(name, labels, value) for name, value in single.items()}
        name = "bsc_collector_run_failures_total"
        lines[name] = b"".join(
            line(name, f'{labels},reason="{reason}"', count) for reason, count in runs.failures.items()
        )
        lines["bsc_collector_run_duration_seconds"] = _histogram(runs, total)
        for family, text in lines.items():
            self._exposition.set(family, ("collector", *key), text)


def _histogram(runs: _Runs, total: int) -> bytes:
    name, below, lines = "bsc_collector_run_duration_seconds", 0, []
    for bound, count in zip((*BUCKETS, "+Inf"), runs.buckets, strict=True):
        below += count
        lines.append(line(f"{name}_bucket", f'{runs.labels},le="{bound}"', below))
    lines += [line(f"{name}_count", runs.labels, total), line(f"{name}_sum", runs.labels, runs.duration)]
    return b"".join(lines)
