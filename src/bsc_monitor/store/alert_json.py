"""Alerts as JSON text, as the store keeps them."""

from pydantic import TypeAdapter

from bsc_monitor.model.alert import Alert

_ALERT: TypeAdapter[Alert] = TypeAdapter(Alert)


def to_json(alert: Alert) -> str:
    """An alert as JSON."""
    return _ALERT.dump_json(alert).decode()


def from_json(text: str) -> Alert:
    """An alert from its JSON."""
    return _ALERT.validate_json(text)
