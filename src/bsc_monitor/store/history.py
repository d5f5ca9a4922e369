"""The past as pages, reports and exports ask for it: reading functions over a connection."""

from bsc_monitor.store.events import StoredEvent, events
from bsc_monitor.store.periods import (
    closed_values,
    has_closed,
    node_periods,
    nodes_of,
    period_values,
    segment_values,
    status_starts,
    values_ended_by,
)
from bsc_monitor.store.readings import recent_readings as readings

__all__ = [
    "StoredEvent",
    "closed_values",
    "events",
    "has_closed",
    "node_periods",
    "nodes_of",
    "period_values",
    "readings",
    "segment_values",
    "status_starts",
    "values_ended_by",
]
