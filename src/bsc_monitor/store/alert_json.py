"""Alerts as JSON text, as the store keeps them."""

from bsc_monitor.model.adapter import adapter
from bsc_monitor.model.alert import Alert


def to_json(alert: Alert) -> str:
    """An alert as JSON."""
    return adapter(Alert).dump_json(alert).decode()


def from_json(text: str) -> Alert:
    """An alert from its JSON."""
    return adapter(Alert).validate_json(text)
