"""The HTTP client of a receiver of alerts: as a source's, with its limits, but never on strike.

A source's circuit breaker would go on refusing for minutes after the receiver is back; delivery has a back-off of its
own, for ever and capped.
"""

import sys

from bsc_monitor.collect.http import SourceClient
from bsc_monitor.model.source import Source

_LARGEST_ANSWER = 1024 * 1024
_SECONDS = 15.0


def receiver_client(channel: str, seconds: float = _SECONDS) -> SourceClient:
    """A client for one channel of a receiver; ``run()`` of it gives a message ``seconds``. Close it in the end."""
    source = Source(
        f"receiver {channel}", plugin="", config=None, requests_per_second=1000.0, timeout=seconds,
        max_bytes=_LARGEST_ANSWER,
    )  # fmt: skip
    client = SourceClient(source)
    client.breaker.threshold = sys.maxsize
    return client
