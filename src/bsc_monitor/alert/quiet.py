"""What holds an alert's messages back: silences, maintenance windows, inhibition; and whether somebody took it on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from msgspec.structs import replace

from bsc_monitor.alert.inhibit import inhibiting
from bsc_monitor.alert.maintenance import window
from bsc_monitor.alert.silence import silencing
from bsc_monitor.model.alert import Acknowledgement, Alert, AlertState, Inhibition, Maintenance, Silence, matches_all

FOREVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Held:
    """By what an alert is held back at one moment: ids of silences and windows, fingerprints of inhibiting alerts."""

    silenced_by: tuple[str, ...] = ()
    inhibited_by: tuple[str, ...] = ()
    muted_by: tuple[str, ...] = ()  #: maintenance windows
    until: datetime | None = None  #: FOREVER where nobody knows

    def __bool__(self) -> bool:
        return self.until is not None


@dataclass(frozen=True, slots=True)
class Quiet:
    """All that holds back. ``alerts`` are those that may inhibit others: those that fire, and lately did."""

    silences: tuple[Silence, ...] = ()
    maintenance: tuple[Maintenance, ...] = ()
    inhibitions: tuple[Inhibition, ...] = ()
    alerts: tuple[Alert, ...] = ()
    acknowledged: Mapping[str, Acknowledgement] = field(default_factory=dict)  #: the newest of each alert

    def held(self, alert: Alert, at: datetime) -> Held:
        """What holds ``alert`` back at an instant, which may lie in the past."""
        silenced = silencing(self.silences, alert.labels, at)
        ends = [silence.ends_at for silence in self.silences if silence.id in silenced]
        muted: list[str] = []
        for each in self.maintenance:
            if each.match and not matches_all(each.match, alert.labels):
                continue
            if (span := window(each, at)) is not None:
                muted.append(each.id)
                ends.append(span[1])
        inhibited: tuple[str, ...] = ()
        if self.inhibitions and any(matches_all(rule.target, alert.labels) for rule in self.inhibitions):
            then = {other.fingerprint: other for other in self.alerts if _fired_at(other, at)}
            firing = (replace(other, state=AlertState.FIRING) for other in then.values())
            inhibited = inhibiting(self.inhibitions, alert, firing)
            ends += [_end(then[name]) for name in inhibited]
        return Held(silenced, inhibited, tuple(muted), max(ends, default=None))

    def acknowledgement(self, alert: Alert, now: datetime) -> Acknowledgement | None:
        """The acknowledgement of this alert's episode that holds now."""
        given = self.acknowledged.get(alert.fingerprint)
        if given is None or given.episode != alert.episode or alert.state is not AlertState.FIRING:
            return None
        return None if given.until is not None and given.until <= now else given


def may_inhibit(inhibitions: Iterable[Inhibition], alert: Alert) -> bool:
    """Whether an alert is the source of any inhibition."""
    return any(rule.source and matches_all(rule.source, alert.labels) for rule in inhibitions)


def _fired_at(alert: Alert, at: datetime) -> bool:
    if alert.starts_at is None or alert.starts_at > at:
        return False
    return alert.state is AlertState.FIRING or (alert.resolved_at is not None and at < alert.resolved_at)


def _end(alert: Alert) -> datetime:
    return FOREVER if alert.state is AlertState.FIRING or alert.resolved_at is None else alert.resolved_at
