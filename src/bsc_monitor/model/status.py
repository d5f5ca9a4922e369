"""How good a value is, and how much it can be trusted: two separate axes."""

from enum import StrEnum


class Status(StrEnum):
    """How good a judged value is. ``UNKNOWN`` is neither zero nor OK."""

    GREEN = "green"
    AMBER = "amber"
    RED = "red"
    UNKNOWN = "unknown"

    @property
    def code(self) -> int:
        """The number exported to Prometheus: 0 no data, 1 green, 2 amber, 3 red, so that ``max()`` is the worst."""
        return _STATUS_CODES[self]


class Freshness(StrEnum):
    """How recent the value behind a status is."""

    FRESH = "fresh"
    STALE = "stale"
    MISSING = "missing"

    @property
    def code(self) -> int:
        """The number exported to Prometheus: 0 missing, 1 stale, 2 fresh."""
        return _FRESHNESS_CODES[self]


class ReadingState(StrEnum):
    """What a collector says of a reading; anything but ``OK`` and ``PARTIAL`` carries no judgeable value."""

    OK = "ok"
    NO_DATA = "no_data"  # the source answered: there was nothing to measure
    INSUFFICIENT = "insufficient"  # fewer observations than ``min_samples``
    PARTIAL = "partial"  # some pages or permissions were missing; the value is judged and marked


class Completeness(StrEnum):
    """Whether the source may still restate a value."""

    FINAL = "final"
    PROVISIONAL = "provisional"
    PARTIAL = "partial"


class CollectorError(StrEnum):
    """Why a collector run failed; the ``reason`` label of ``bsc_collector_run_failures_total``."""

    AUTH = "auth"
    PERMISSION = "permission"
    RATE_LIMIT = "rate_limit"
    TRANSIENT = "transient"
    SCHEMA = "schema"  # the answer was not what the vendor's contract says
    CONFIG = "config"
    TIMEOUT = "timeout"
    PLUGIN = "plugin"  # the plugin itself raised or returned nonsense


_STATUS_CODES = {Status.UNKNOWN: 0, Status.GREEN: 1, Status.AMBER: 2, Status.RED: 3}
_FRESHNESS_CODES = {Freshness.MISSING: 0, Freshness.STALE: 1, Freshness.FRESH: 2}
