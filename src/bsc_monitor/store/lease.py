"""Who may write: one process at a time, so that nobody's memory is behind the store's back.

SQLite: a lock on a file beside the database, which the system lets go however its holder ends. PostgreSQL: an advisory
lock held by the writer's own connection, so that whoever loses that connection can write no more until it has the lock
again: a leader that was thought dead and wakes up is fenced by the server itself.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, event, text

_KEY = 0x62736D6F6E  # "bsmon"


_KNOWS_IDLE = 140000  #: the first version that ends idle sessions
_SILENT = ("tcp_keepalives_idle = 5", "tcp_keepalives_interval = 2", "tcp_keepalives_count = 3",
           "idle_in_transaction_session_timeout = '60s'", "idle_session_timeout = '10s'")  # fmt: skip
HEARTBEAT = 3.0  #: seconds: the writer is never silent for longer


class Taken(Exception):  # noqa: N818 - no error: another one leads
    """Another process writes to this database."""


def take_file(database: Path) -> int:
    """Lock an SQLite database for this process; returns the descriptor that holds the lock. Raises Taken."""
    held = os.open(f"{database}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(held)
        raise Taken from None
    return held


def is_taken(database: Path) -> bool:
    """Whether a process holds the lock of an SQLite database now."""
    try:
        looked = os.open(f"{database}.lock", os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(looked, fcntl.LOCK_SH | fcntl.LOCK_NB)  # let go at once: whoever starts now must find it free
    except BlockingIOError:
        return True
    finally:
        os.close(looked)
    return False


def is_held(connection: Connection) -> bool:
    """Whether a connection to this PostgreSQL database holds the lock now."""
    held = text(
        "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 1"
        " AND classid = :high AND objid = :low AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    )
    return bool(connection.scalar(held, {"high": _KEY >> 32, "low": _KEY & 0xFFFFFFFF}))


def lead_by_connection(engine: Engine) -> None:
    """Let every new connection of a PostgreSQL writer take the lock first; without it the connection is of no use.

    A leader that is frozen, or whose machine is gone, says nothing: the server ends its session and so frees the lock.
    """

    @event.listens_for(engine, "connect")
    def _take(connection: Any, _: Any) -> None:
        with connection.cursor() as cursor:
            for setting in _SILENT if connection.info.server_version >= _KNOWS_IDLE else _SILENT[:-1]:
                cursor.execute(f"SET {setting}")
            cursor.execute("SELECT pg_try_advisory_lock(%s)", (_KEY,))
            got = cursor.fetchone()[0]
        connection.commit()
        if not got:
            connection.close()
            raise Taken
