"""Runs of collectors as metric lines."""

from bisect import bisect_left
from dataclasses import dataclass, field

from bsc_monitor.current import CollectorHealth, asked
from bsc_monitor.export.exposition import Exposition
from bsc_monitor.export.text import line, pairs
from bsc_monitor.model.event import CollectorFailed, CollectorRan
from bsc_monitor.model.organisation import Organisation
from bsc_monitor.model.status import CollectorError

BUCKETS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)  #: upper bounds of run durations, seconds


@dataclass(slots=True)
class _Runs:
    labels: str
    up: bool = True
    last_success: float | None = None
    interval: float | None = None
    requests: int = 0
    duration: float = 0.0
    buckets: list[int] = field(default_factory=lambda: [0] * (len(BUCKETS) + 1))
    failures: dict[CollectorError, int] = field(default_factory=lambda: dict.fromkeys(CollectorError, 0))


class CollectorMetrics:
    """Keeps an exposition's collector families in step with the runs."""

    def __init__(self, exposition: Exposition) -> None:
        self._exposition = exposition
        self._runs: dict[tuple[str, str], _Runs] = {}

    def restore(self, health: CollectorHealth) -> None:
        """Take how the last runs before the start went; what is counted begins at nothing."""
        runs = self._of(health.source, health.measure)
        runs.up = health.error is None
        runs.last_success = health.last_success.timestamp() if health.last_success else None
        runs.interval = health.interval
        self._tell((health.source, health.measure), runs)

    def ran(self, event: CollectorRan) -> None:
        """Take a run that succeeded."""
        runs = self._take(event)
        runs.up, runs.last_success = True, event.at.timestamp()
        runs.interval = event.interval
        self._tell((event.source, event.measure), runs)

    def failed(self, event: CollectorFailed) -> None:
        """Take a run that failed."""
        runs = self._take(event)
        runs.up = False
        runs.failures[event.reason] += 1
        self._tell((event.source, event.measure), runs)

    def load(self, organisation: Organisation) -> None:
        """Take a new configuration: what none of its KPIs asks any more is gone at the next scrape."""
        known = asked(organisation)
        for key in [key for key in self._runs if key not in known]:
            del self._runs[key]
            self._exposition.remove(("collector", *key))

    def _take(self, event: CollectorRan | CollectorFailed) -> _Runs:
        runs = self._of(event.source, event.measure)
        runs.requests += event.requests
        runs.duration += event.duration
        runs.buckets[bisect_left(BUCKETS, event.duration)] += 1
        return runs

    def _of(self, source: str, measure: str) -> _Runs:
        key = (source, measure)
        runs = self._runs.get(key)
        if runs is None:
            runs = self._runs[key] = _Runs(pairs(("source", "measure"), key))
        return runs

    def _tell(self, key: tuple[str, str], runs: _Runs) -> None:
        labels, total = runs.labels, sum(runs.buckets)
        single = {
            "bsc_collector_up": float(runs.up),
            "bsc_collector_last_success_timestamp_seconds": runs.last_success,
            "bsc_collector_interval_seconds": runs.interval,
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
