"""What people do about alerts: take one on, silence some, say something. Durable when the store's write returns.

Functions over a connection, to be run by ``store.write``; each leaves its trace in the events. Wake the notifier after.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from bsc_monitor.model.alert import Acknowledgement, Alert, AlertState, Matcher, Silence
from bsc_monitor.store import controls
from bsc_monitor.store.alerts import load_alerts
from bsc_monitor.store.events import StoredEvent, save_events

_LONGEST = 4000


class NotThere(LookupError):  # noqa: N818 - names what happened
    """There is no such alert or silence; ``str()`` says so in words."""


class NotPossible(ValueError):  # noqa: N818 - names what happened
    """What was asked cannot be done; ``str()`` says why."""


def acknowledge(
    connection: Connection, fingerprint: str, note: str, until: datetime | None, author: str, now: datetime
) -> Acknowledgement:
    """Take the present episode of a firing alert on, until it resolves or until an instant.

    ``fingerprint`` may be shortened as long as it is the only one. Raises NotThere, NotPossible.
    """
    found = [alert for alert in _firing_or_not(connection, fingerprint) if alert.fingerprint.startswith(fingerprint)]
    if not found or len(fingerprint) < _SHORTEST:
        raise NotThere(f"there is no alert {fingerprint!r}")
    if len(found) > 1:
        raise NotPossible(f"{fingerprint!r} is the beginning of {len(found)} alerts: write more of it")
    alert = found[0]
    if alert.state is not AlertState.FIRING:
        raise NotPossible(f"the alert {alert.fingerprint} is {alert.state}: only a firing one can be acknowledged")
    if until is not None and until <= now:
        raise NotPossible("the time until which it is acknowledged has passed")
    given = Acknowledgement(alert.fingerprint, alert.episode, _line(author), now, note[:_LONGEST], until)
    controls.save_acknowledgement(connection, given)
    data = {"author": given.author, "note": given.note, "until": until, "episode": alert.episode}
    _leave_trace(connection, now, "alert_acknowledged", alert.fingerprint, data)
    return given


def silence(
    connection: Connection,
    matchers: Sequence[Matcher],
    starts_at: datetime,
    ends_at: datetime,
    author: str,
    comment: str,
    now: datetime,
) -> str:
    """Tell nobody of matching alerts in ``[starts_at, ends_at)``; returns the silence's id. Raises NotPossible."""
    if ends_at <= starts_at:
        raise NotPossible("a silence must end after it starts")
    if ends_at <= now:
        raise NotPossible("a silence must end in the future")
    if all(matcher.matches({}) for matcher in matchers):
        raise NotPossible("a silence must not match everything: name one label at least")
    name = str(uuid.uuid4())
    kept = Silence(name, tuple(matchers), starts_at, ends_at, _line(author), comment[:_LONGEST])
    controls.save_silence(connection, kept, now)
    said = ", ".join(f"{m.label}{m.operator}{m.value}" for m in matchers)
    data = {
        "author": kept.author,
        "matchers": said,
        "starts_at": starts_at,
        "ends_at": ends_at,
        "comment": comment[:_LONGEST],
    }
    _leave_trace(connection, now, "silence_created", name, data)
    return name


def expire_silence(connection: Connection, name: str, author: str, now: datetime) -> None:
    """End a silence now. Raises NotThere when there is none, NotPossible when it is over."""
    if controls.end_silence(connection, name, now):
        _leave_trace(connection, now, "silence_expired", name, {"author": _line(author)})
        return
    if any(kept.id == name for kept in controls.load_silences(connection)):
        raise NotPossible(f"the silence {name} is over already")
    raise NotThere(f"there is no silence {name!r}")


def comment(connection: Connection, subject: str, text: str, author: str, now: datetime) -> None:
    """Write a comment on a subject (``kind:name``, or an alert's fingerprint). Raises NotPossible for an empty one."""
    if not text.strip():
        raise NotPossible("a comment must say something")
    controls.save_comment(connection, controls.Comment(subject, now, _line(author), text.strip()[:_LONGEST]))
    _leave_trace(connection, now, "comment", subject, {"author": _line(author), "text": text.strip()[:_LONGEST]})


def _firing_or_not(connection: Connection, fingerprint: str) -> list[Alert]:
    if len(fingerprint) == _FULL:
        return load_alerts(connection, fingerprints=[fingerprint])
    return load_alerts(connection, states=[AlertState.FIRING, AlertState.PENDING])


def _line(text: str) -> str:
    return " ".join(text.split())[:200]


def _leave_trace(connection: Connection, now: datetime, kind: str, subject: str, data: Mapping[str, Any]) -> None:
    said = {name: value.isoformat() if isinstance(value, datetime) else value for name, value in data.items()}
    save_events(connection, [StoredEvent(now, kind, subject, said)])


_SHORTEST, _FULL = 4, 16
