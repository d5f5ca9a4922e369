"""Maintenance windows that people open and end. Durable when the store's write returns, with a trace in the events.

Functions over a connection, to be run by ``store.write``. Wake the notifier after.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from bsc_monitor.model.alert import Maintenance
from bsc_monitor.model.cron import next_fire
from bsc_monitor.model.zones import zone
from bsc_monitor.notify.controls import LONGEST, NotPossible, NotThere, leave_trace, one_line
from bsc_monitor.notify.wording import lasted
from bsc_monitor.store import windows

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,99}")  #: as the configuration's are written
_LONGEST_WINDOW = timedelta(days=31)
_LONGEST_CRON = 200  #: characters, as many as the store keeps


def open_window(connection: Connection, wanted: Maintenance, configured: Collection[str], now: datetime) -> Maintenance:
    """Hold back what matches in a person's recurring window from now on; returns it as it is kept.

    ``configured``: the names of the configuration's windows. Raises NotPossible.
    """
    if not _NAME.fullmatch(wanted.id):
        raise NotPossible(f"{wanted.id[:60]!r} is no name for a window: use small letters, digits, - and _")
    if wanted.id in configured:
        raise NotPossible(f"the configuration file has a window {wanted.id!r} already: take another name")
    if any(kept.id == wanted.id for kept in windows.load_windows(connection, since=now)):
        raise NotPossible(f"there is a window {wanted.id!r} already: end it first, or take another name")
    _check_times(wanted, now)
    if all(matcher.matches({}) for matcher in wanted.match):
        raise NotPossible("a window must not match everything: name one label at least")
    kept = replace(
        wanted, author=one_line(wanted.author) or "unknown", comment=wanted.comment[:LONGEST], since=now, place=None
    )
    windows.save_window(connection, kept)
    data = {
        "author": kept.author, "matchers": ", ".join(f"{m.label}{m.operator}{m.value}" for m in kept.match),
        "cron": kept.cron, "timezone": kept.timezone, "lasts": lasted(kept.lasts), "until": kept.until,
        "comment": kept.comment,
    }  # fmt: skip
    leave_trace(connection, now, "maintenance_opened", kept.id, data)
    return kept


def end_window(connection: Connection, name: str, author: str, configured: Collection[str], now: datetime) -> None:
    """End a person's window for good, now. Raises NotThere, and NotPossible for one of the configuration's."""
    if windows.end_window(connection, name, now):
        leave_trace(connection, now, "maintenance_ended", name, {"author": one_line(author)})
        return
    if name in configured:
        raise NotPossible(
            f"the window {name!r} is the configuration file's: take [maintenance.{name}] out of it and reload"
        )
    known = [kept.id for kept in windows.load_windows(connection, since=now)]
    raise NotThere(
        f"there is no window {name!r}"
        + (f"; people opened {', '.join(known[:20])}" if known else ": nobody opened one")
    )


def _check_times(wanted: Maintenance, now: datetime) -> None:
    if not timedelta(0) < wanted.lasts <= _LONGEST_WINDOW:
        raise NotPossible(f"a window lasts up to {lasted(_LONGEST_WINDOW)}, and longer than nothing")
    if wanted.until is not None and wanted.until <= now:
        raise NotPossible("the time until which the window comes again has passed")
    if len(wanted.cron) > _LONGEST_CRON:
        raise NotPossible(f"a cron expression has up to {_LONGEST_CRON} characters")
    try:
        opening = next_fire(wanted.cron, zone(wanted.timezone), now)
    except ValueError as error:
        raise NotPossible(str(error)) from None
    if opening is None:
        raise NotPossible(f"cron expression {wanted.cron!r} never fires")
