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

LONGEST = 4000


class NotThere(LookupError):  # noqa: N818 - names what happened
    """There is no such alert, silence or window; ``str()`` says so in words."""


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
        raise NotThere(f"there is no alert {fingerprint[:60]!r}; {_candidates(connection)}")
    if len(found) > 1:
        names = ", ".join(sorted(alert.fingerprint for alert in found)[:_MOST_NAMED])
        raise NotPossible(f"{fingerprint!r} is the beginning of {len(found)} alerts: write more of it ({names})")
    alert = found[0]
    if alert.state is not AlertState.FIRING:
        raise NotPossible(f"the alert {alert.fingerprint} is {alert.state}: only a firing one can be acknowledged")
    if until is not None and until <= now:
        raise NotPossible("the time until which it is acknowledged has passed")
    given = Acknowledgement(alert.fingerprint, alert.episode, one_line(author), now, note[:LONGEST], until)
    controls.save_acknowledgement(connection, given)
    data = {"author": given.author, "note": given.note, "until": until, "episode": alert.episode}
    leave_trace(connection, now, "alert_acknowledged", alert.fingerprint, data)
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
    kept = Silence(name, tuple(matchers), starts_at, ends_at, one_line(author), comment[:LONGEST])
    controls.save_silence(connection, kept, now)
    said = ", ".join(f"{m.label}{m.operator}{m.value}" for m in matchers)
    data = {
        "author": kept.author,
        "matchers": said,
        "starts_at": starts_at,
        "ends_at": ends_at,
        "comment": comment[:LONGEST],
    }
    leave_trace(connection, now, "silence_created", name, data)
    return name


def expire_silence(connection: Connection, name: str, author: str, now: datetime) -> None:
    """End a silence now; its id may be shortened as long as it is the only one in force.

    Raises NotThere when there is none, NotPossible when it is over.
    """
    kept = controls.load_silences(connection)
    open_ = [one.id for one in kept if one.ends_at > now]
    found = [one for one in open_ if one.startswith(name)] if len(name) >= _SHORTEST else []
    if len(found) > 1 and name not in found:
        raise NotPossible(f"{name!r} is the beginning of {len(found)} silences: write more of it")
    full = name if name in found else found[0] if found else name
    if controls.end_silence(connection, full, now):
        leave_trace(connection, now, "silence_expired", full, {"author": one_line(author)})
        return
    if any(one.id == name for one in kept):
        raise NotPossible(f"the silence {name} is over already")
    known = f"in force: {', '.join(open_[:_MOST_NAMED])}" if open_ else "none is in force"
    raise NotThere(f"there is no silence {name[:60]!r}; {known}")


def comment(connection: Connection, subject: str, text: str, author: str, now: datetime) -> None:
    """Write a comment on a subject (``kind:name``, or an alert's fingerprint). Raises NotPossible for an empty one."""
    if not text.strip():
        raise NotPossible("a comment must say something")
    controls.save_comment(connection, controls.Comment(subject, now, one_line(author), text.strip()[:LONGEST]))
    leave_trace(connection, now, "comment", subject, {"author": one_line(author), "text": text.strip()[:LONGEST]})


def _candidates(connection: Connection) -> str:
    """What could have been meant, for people."""
    firing = load_alerts(connection, states=[AlertState.FIRING])
    if not firing:
        return "none fires now, and only a firing one can be acknowledged"
    firing.sort(key=lambda alert: (alert.labels.get("severity") in ("info", "none"), alert.fingerprint))
    said = [f"{alert.fingerprint} ({one_line(alert.facts.title or alert.subject)})" for alert in firing]
    more = f" and {len(said) - _MOST_NAMED} more" if len(said) > _MOST_NAMED else ""
    return f"firing now: {', '.join(said[:_MOST_NAMED])}{more}"


def _firing_or_not(connection: Connection, fingerprint: str) -> list[Alert]:
    if len(fingerprint) == _FULL:
        return load_alerts(connection, fingerprints=[fingerprint])
    return load_alerts(connection, states=[AlertState.FIRING, AlertState.PENDING])


def one_line(text: str) -> str:
    """A name as it is kept: one line, not too long."""
    return " ".join(text.split())[:200]


def leave_trace(connection: Connection, now: datetime, kind: str, subject: str, data: Mapping[str, Any]) -> None:
    """Note who did what, and when."""
    said = {name: value.isoformat() if isinstance(value, datetime) else value for name, value in data.items()}
    save_events(connection, [StoredEvent(now, kind, subject, said)])


_SHORTEST, _FULL = 4, 16  #: characters of an alert's name that are enough, and all of them
_MOST_NAMED = 5
