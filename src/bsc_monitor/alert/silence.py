"""Which silences hold an alert's messages back."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from bsc_monitor.model.alert import Silence, matches_all


def silencing(silences: Iterable[Silence], labels: Mapping[str, str], now: datetime) -> tuple[str, ...]:
    """The ids of the silences in force at ``now`` that match; a silence without matchers silences nothing."""
    return tuple(
        silence.id
        for silence in silences
        if silence.matchers and silence.starts_at <= now < silence.ends_at and matches_all(silence.matchers, labels)
    )
