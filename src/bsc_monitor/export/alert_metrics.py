"""Alerts and their delivery as metric lines."""

from collections.abc import Iterable, Mapping

from bsc_monitor.export.exposition import Exposition
from bsc_monitor.export.families import BY_NAME
from bsc_monitor.export.text import line, pairs
from bsc_monitor.model.alert import Alert, AlertState
from bsc_monitor.model.event import AlertChanged, NotificationDelivered, NotificationFailed

_FIRING = "bsc_alert_firing"
_SUBJECT = BY_NAME[_FIRING].labels[2:]


class AlertMetrics:
    """Keeps an exposition's alert families in step with alerts and deliveries."""

    def __init__(self, exposition: Exposition) -> None:
        self._exposition = exposition
        self._tried: dict[str, int] = {}
        self._failed: dict[str, int] = {}

    def changed(self, event: AlertChanged) -> None:
        """Take an alert's new state."""
        self.alert(event.alert)

    def alert(self, alert: Alert) -> None:
        """Show an alert while it is firing."""
        text = b""
        if alert.state is AlertState.FIRING:
            subject = [alert.labels.get(name, "") for name in _SUBJECT]
            names = ("alert", "severity", *_SUBJECT)
            text = line(_FIRING, pairs(names, (alert.rule, alert.labels.get("severity", ""), *subject)), 1)
        self._exposition.set(_FIRING, ("alert", alert.fingerprint), text)

    def receivers(self, names: Iterable[str]) -> None:
        """Take the configured receivers, so that their counters stand at 0 before anything was sent."""
        known = set(names)
        for gone in self._tried.keys() - known:
            del self._tried[gone], self._failed[gone]
            self._exposition.remove(("receiver", gone))
        for name in known:
            self._count(name)

    def delivered(self, event: NotificationDelivered) -> None:
        """Count a message that was taken."""
        self._count(event.receiver, tried=1)

    def failed(self, event: NotificationFailed) -> None:
        """Count a message that was not taken."""
        self._count(event.receiver, tried=1, failed=1)

    def outbox(self, pending: Mapping[str, int]) -> None:
        """Take how many messages wait for each receiver."""
        for receiver, count in pending.items():
            text = line("bsc_outbox_pending", pairs(("receiver",), (receiver,)), count)
            self._exposition.set("bsc_outbox_pending", ("receiver", receiver), text)

    def _count(self, receiver: str, tried: int = 0, failed: int = 0) -> None:
        self._tried[receiver] = self._tried.get(receiver, 0) + tried
        self._failed[receiver] = self._failed.get(receiver, 0) + failed
        labels, key = pairs(("receiver",), (receiver,)), ("receiver", receiver)
        for name, counts in (
            ("bsc_notifications_total", self._tried),
            ("bsc_notification_failures_total", self._failed),
        ):
            self._exposition.set(name, key, line(name, labels, counts[receiver]))
