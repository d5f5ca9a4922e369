"""Opening the store: engines, migrations, the writer thread and the readers' threads."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Self, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event, inspect, make_url, text
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from bsc_monitor.store.schema import HEAD
from bsc_monitor.store.writer import Writer

T = TypeVar("T")

_READERS = 4


class StoreError(Exception):
    """The database cannot be used; ``hint`` says what to do."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class Store:
    """A database with one writer thread (group commit) and a few reading ones. Open it with ``Store.open``."""

    def __init__(self, engine: Engine, reader: Engine) -> None:
        self.engine = engine
        self._reader = reader
        self._writer = Writer(engine)
        self._threads = ThreadPoolExecutor(_READERS, thread_name_prefix="store-reader")

    @classmethod
    def open(cls, url: str) -> Self:
        """Connect, create or migrate the tables. Raises StoreError in words.

        SQLite runs in WAL mode with ``synchronous=FULL``: a commit that returned survives a loss of power.
        """
        engine = _engine(url)
        try:
            _migrate(engine)
        except SQLAlchemyError as error:
            engine.dispose()
            raise StoreError(f"the database cannot be opened: {_words(error)}", _hint(url)) from error
        return cls(engine, _engine(url, reading=True))

    def submit(self, work: Callable[[Connection], T]) -> Future[T]:
        """Queue a write; the future is done once it is durable. Raises ``queue.Full``."""
        return self._writer.submit(work)

    def write(self, work: Callable[[Connection], T]) -> Awaitable[T]:
        """Run ``work`` in the writer's transaction; durable when awaited."""
        return asyncio.wrap_future(self.submit(work))

    def read(self, work: Callable[[Connection], T]) -> Awaitable[T]:
        """Run ``work`` on a consistent snapshot in a reader's thread."""
        return asyncio.wrap_future(self._threads.submit(self.read_now, work))

    def read_now(self, work: Callable[[Connection], T]) -> T:
        """As ``read``, in this thread."""
        with self._reader.connect() as connection:
            return work(connection)

    def write_now(self, work: Callable[[Connection], T]) -> T:
        """As ``write``, waiting in this thread."""
        return self.submit(work).result()

    def close(self) -> None:
        """Finish what is queued and disconnect."""
        self._writer.close()
        self._threads.shutdown(wait=True, cancel_futures=True)
        self._reader.dispose()
        self.engine.dispose()


def _engine(url: str, *, reading: bool = False) -> Engine:
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise StoreError(
            "the database address cannot be read", 'write "sqlite:///FILE" or "postgresql://USER@HOST/NAME"'
        ) from None
    backend = parsed.get_backend_name()
    if backend == "sqlite":
        return _sqlite(url, Path(parsed.database or ""), reading=reading)
    if backend != "postgresql":
        raise StoreError(f"{backend} is not supported", "use SQLite or PostgreSQL")
    if parsed.drivername == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg")
    try:
        return create_engine(parsed, pool_size=_READERS if reading else 1, pool_pre_ping=True)
    except ImportError:
        raise StoreError("PostgreSQL needs its driver", "pip install 'bsc-monitor[postgresql]'") from None


def _sqlite(url: str, file: Path, *, reading: bool) -> Engine:
    if not file.name or str(file) == ":memory:":
        raise StoreError("a store in memory would lose everything", 'write "sqlite:///FILE"')
    if not file.parent.is_dir():
        raise StoreError(f"the folder {file.parent} does not exist", "create it, or change database in [service]")
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


def _migrate(engine: Engine) -> None:
    """Bring the tables to ``HEAD``. Alembic is slow to import, so a database that is there already is not shown to it."""
    with engine.begin() as connection:
        if inspect(connection).has_table("alembic_version"):
            version = connection.scalar(text("SELECT version_num FROM alembic_version"))
            if version == HEAD:
                return
        from alembic import command
        from alembic.config import Config
        from alembic.util import CommandError

        config = Config(attributes={"connection": connection})
        config.set_main_option("script_location", "bsc_monitor.store:migrations")
        try:
            command.upgrade(config, "head")
        except CommandError as error:
            raise StoreError(
                f"the database is of another version: {error}", "install the version of bsc-monitor that wrote it"
            ) from None


def _words(error: SQLAlchemyError) -> str:
    return str(getattr(error, "orig", None) or error).strip().splitlines()[0][:200]


def _hint(url: str) -> str:
    if url.startswith("sqlite"):
        return "check that the file and its folder may be written and the disk is not full"
    return "check that the server runs and that address, user and password are right"
