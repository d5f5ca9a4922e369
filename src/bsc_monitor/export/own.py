"""The service's own metrics: process and Python ones, appended at every scrape."""

from collections.abc import Callable


def own_metrics() -> Callable[[bool], bytes]:
    """A ``tail`` for ``Exposition``: renders prometheus_client's process, platform and garbage-collection metrics."""
    import prometheus_client
    import prometheus_client.openmetrics.exposition as openmetrics

    prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call]
    registry = prometheus_client.CollectorRegistry()
    for collector in (
        prometheus_client.ProcessCollector,
        prometheus_client.PlatformCollector,
        prometheus_client.GCCollector,
    ):
        collector(registry=registry)

    def tail(wants_openmetrics: bool) -> bytes:
        if wants_openmetrics:
            text: bytes = openmetrics.generate_latest(registry)  # type: ignore[no-untyped-call]
            return text.removesuffix(b"# EOF\n")
        return prometheus_client.generate_latest(registry)

    return tail
