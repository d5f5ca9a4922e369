"""What the service says of itself, beside process metrics."""

import platform
from collections import Counter

from bsc_monitor.export.exposition import Exposition
from bsc_monitor.export.text import line, pairs
from bsc_monitor.model.event import ConfigReloaded, Event


class ServiceMetrics:
    """Keeps an exposition's event, reload, stall and build families."""

    def __init__(self, exposition: Exposition, version: str) -> None:
        self._exposition = exposition
        self._events: Counter[str] = Counter()
        build = pairs(("version", "python"), (version, platform.python_version()))
        exposition.set("bsc_build_info", "", line("bsc_build_info", build, 1))
        self.dropped("web", 0)

    def happened(self, event: Event) -> None:
        """Count an event that was told on the bus."""
        kind = type(event).__name__
        self._events[kind] += 1
        text = line("bsc_events_total", pairs(("kind",), (kind,)), self._events[kind])
        self._exposition.set("bsc_events_total", ("event", kind), text)

    def dropped(self, kind: str, total: int) -> None:
        """Take how many events of a kind a slow subscriber (``web``, ``plugin``) missed since start."""
        text = line("bsc_events_dropped_total", pairs(("kind",), (kind,)), total)
        self._exposition.set("bsc_events_dropped_total", ("dropped", kind), text)

    def reloaded(self, event: ConfigReloaded) -> None:
        """Say whether the last reload succeeded, and when one last did."""
        name = "bsc_config_last_reload_successful"
        self._exposition.set(name, "", line(name, "", float(event.ok)))
        if event.ok:
            name = "bsc_config_last_reload_success_timestamp_seconds"
            self._exposition.set(name, "", line(name, "", event.at.timestamp()))

    def stalled(self, seconds: float) -> None:
        """Take the longest stall of the event loop in the last minute."""
        self._exposition.set("bsc_loop_stall_seconds", "", line("bsc_loop_stall_seconds", "", seconds))
