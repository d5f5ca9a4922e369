"""Engines for the databases that are supported, set up so that a commit that returned survives a loss of power."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

READERS = 4
_DRIVERS = frozenset({"sqlite", "sqlite+pysqlite", "postgresql", "postgresql+psycopg"})


class StoreError(Exception):
    """The database cannot be used; ``hint`` says what to do."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


def parse_url(url: str) -> URL:
    """The address, checked. Raises StoreError."""
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise StoreError(
            "the database address cannot be read", 'write "sqlite:///FILE" or "postgresql://USER@HOST/NAME"'
        ) from None
    if parsed.drivername not in _DRIVERS:
        hint = "use SQLite or PostgreSQL: sqlite:///FILE or postgresql://USER@HOST/NAME"
        raise StoreError(f"{parsed.drivername} is not supported", hint)
    if parsed.get_backend_name() == "sqlite":
        file = Path(parsed.database or "")
        if not file.name or str(file) == ":memory:":
            raise StoreError("a store in memory would lose everything", 'write "sqlite:///FILE"')
        if not file.parent.is_dir():
            raise StoreError(f"the folder {file.parent} does not exist", "create it, or change database in [service]")
    elif parsed.drivername == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg")
    return parsed


def build_engine(url: URL, *, reading: bool = False) -> Engine:
    """An engine for the one writer, or for readers. Raises StoreError where a driver is missing."""
    if url.get_backend_name() == "sqlite":
        return _sqlite(url, reading=reading)
    try:
        return create_engine(
            url, pool_size=READERS if reading else 1, max_overflow=0, pool_pre_ping=True,
            connect_args={"connect_timeout": 10, "application_name": "bsc-monitor"},
        )  # fmt: skip
    except ImportError:
        raise StoreError("PostgreSQL needs its driver", "pip install 'bsc-monitor[postgresql]'") from None


def _sqlite(url: URL, *, reading: bool) -> Engine:
    file = Path(str(url.database))
    if not reading and not file.exists():
        os.close(os.open(file, os.O_CREAT | os.O_RDWR, 0o600))  # readings and messages are nobody else's business
    # autocommit on the driver's side: SQLAlchemy's BEGIN is then the real one, and savepoints work
    engine = create_engine(url, connect_args={"timeout": 30, "check_same_thread": False, "isolation_level": None})

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _: Any) -> None:
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "cache_size=-16000", "wal_autocheckpoint=4000"):
            connection.execute(f"PRAGMA {pragma}")
        if reading:
            connection.execute("PRAGMA query_only=ON")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")

    return engine


def is_away(error: BaseException) -> bool:
    """Whether an error says that the database cannot be used for now, rather than that it was asked wrongly."""
    if isinstance(error, PoolTimeoutError):
        return True
    if not isinstance(error, DBAPIError):
        return False
    wrong = getattr(error.orig, "sqlite_errorname", "") == "SQLITE_ERROR"  # SQLite's word for a wrong statement
    return error.connection_invalidated or (isinstance(error, OperationalError | InterfaceError) and not wrong)


def words(error: SQLAlchemyError) -> str:
    """What a driver said, on one line."""
    return str(getattr(error, "orig", None) or error).strip().splitlines()[0][:200]


def hint(url: URL) -> str:
    """What to look at when a database cannot be opened."""
    if url.get_backend_name() == "sqlite":
        return "check that the file and its folder may be written and the disk is not full"
    return "check that the server runs and that address, user and password are right"
