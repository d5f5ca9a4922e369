"""Alerting as pages show it: what is pending and firing, what holds it back, who took it on; reread when it changes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection

from bsc_monitor.alert.quiet import Held, Quiet
from bsc_monitor.model.alert import Acknowledgement, Alert, AlertState, Inhibition, Maintenance, Silence
from bsc_monitor.store.alerts import load_alerts
from bsc_monitor.store.controls import load_acknowledgements, load_silences
from bsc_monitor.store.windows import load_windows

_OPEN = (AlertState.FIRING, AlertState.PENDING)


@dataclass(frozen=True, slots=True)
class Controls:
    """Alerts by the KPI that they are about, and everything that people said of them."""

    alerts: tuple[Alert, ...] = ()  #: firing first, then the newest
    quiet: Quiet = field(default_factory=Quiet)
    by_subject: Mapping[str, tuple[Alert, ...]] = field(default_factory=dict)

    def held(self, alert: Alert, now: datetime) -> Held:
        """What keeps an alert from being told now."""
        return self.quiet.held(alert, now)

    def acknowledgement(self, alert: Alert, now: datetime) -> Acknowledgement | None:
        """Who has taken an alert on."""
        return self.quiet.acknowledgement(alert, now)

    def about(self, kind: str, name: str) -> tuple[Alert, ...]:
        """The open alerts about one subject."""
        return self.by_subject.get(f"{kind}:{name}", ())

    @property
    def urgent(self) -> tuple[Alert, ...]:
        """The open alerts that want somebody."""
        return tuple(each for each in self.alerts if not is_quiet(each))

    @property
    def known(self) -> tuple[Alert, ...]:
        """The open alerts that are merely to know."""
        return tuple(each for each in self.alerts if is_quiet(each))

    @property
    def silences(self) -> tuple[Silence, ...]:
        """Silences that have not ended."""
        return self.quiet.silences

    @property
    def windows(self) -> tuple[Maintenance, ...]:
        """Maintenance windows that have not ended, the configuration's first."""
        return self.quiet.maintenance


def read_controls(
    connection: Connection,
    maintenance: Mapping[str, Maintenance],
    now: datetime,
    inhibitions: tuple[Inhibition, ...] = (),
) -> Controls:
    """What the store knows of open alerts."""
    found = load_alerts(connection, states=_OPEN)
    found.sort(key=lambda each: (is_quiet(each), each.state is not AlertState.FIRING, -_began(each), each.fingerprint))
    by_subject: dict[str, tuple[Alert, ...]] = {}
    for alert in found:
        by_subject[alert.subject] = (*by_subject.get(alert.subject, ()), alert)
    quiet = Quiet(
        silences=tuple(load_silences(connection, since=now)),
        maintenance=(*maintenance.values(), *load_windows(connection, since=now)),
        inhibitions=inhibitions,
        alerts=tuple(found), acknowledged=load_acknowledgements(connection, [each.fingerprint for each in found]),
    )  # fmt: skip
    return Controls(tuple(found), quiet, by_subject)


def is_quiet(alert: Alert) -> bool:
    """Whether it is something to know rather than something to do at once: insights, the dead man's switch."""
    return alert.labels.get("severity", "") in ("info", "none")


def _began(alert: Alert) -> float:
    at = alert.starts_at or alert.active_since
    return at.timestamp() if at else 0.0
