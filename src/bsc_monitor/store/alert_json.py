"""Alerts as JSON text, as the store keeps them."""

from msgspec import json

from bsc_monitor.model.alert import Alert


def to_json(alert: Alert) -> str:
    """An alert as JSON."""
    return json.encode(alert).decode()


def from_json(text: str) -> Alert:
    """An alert from its JSON."""
    return json.decode(text, type=Alert)
