"""Opening the store: engines, the lease, migrations, the writer thread and the readers' threads."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Self, TypeVar

from sqlalchemy import Connection, Engine, event, inspect, text
from sqlalchemy.exc import SQLAlchemyError

from bsc_monitor import crash
from bsc_monitor.store.engines import READERS, StoreError, build_engine, hint, parse_url, words
from bsc_monitor.store.lease import HEARTBEAT, is_held, is_taken, lead_by_connection, take_file
from bsc_monitor.store.schema import HEAD
from bsc_monitor.store.writer import Writer

T = TypeVar("T")


class Store:
    """A database with one writer thread (group commit) and a few reading ones. Open it with ``Store.open``."""

    def __init__(self, engine: Engine, reader: Engine, lease: int | None) -> None:
        self.engine = engine
        self.generation = 1  #: counts the writer's connections: between two of them another process may have written
        self.on_lost: Callable[[], None] = lambda: None  #: told, in the writer's thread, when another process leads
        event.listen(engine, "connect", self._connected)
        self._reader = reader
        self._lease = lease
        self._writer = Writer(engine, HEARTBEAT if lease is None else None, self._lost)
        self._threads = ThreadPoolExecutor(READERS, thread_name_prefix="store-reader")

    @classmethod
    def open(cls, url: str) -> Self:
        """Connect as the one that writes; create or migrate the tables.

        Raises StoreError in words, and ``Taken`` when another process writes to this database.
        """
        parsed = parse_url(url)
        lease = take_file(Path(str(parsed.database))) if parsed.get_backend_name() == "sqlite" else None
        engine = build_engine(parsed)
        try:
            if lease is None:
                lead_by_connection(engine)
            _migrate(engine)
            return cls(engine, build_engine(parsed, reading=True), lease)
        except BaseException as error:
            engine.dispose()
            if lease is not None:
                os.close(lease)
            if isinstance(error, SQLAlchemyError):
                raise StoreError(f"the database cannot be opened: {words(error)}", hint(parsed)) from error
            raise

    def _connected(self, *_: object) -> None:
        self.generation += 1

    def _lost(self) -> None:
        self.on_lost()

    def submit(self, work: Callable[[Connection], T]) -> Future[T]:
        """Queue a write; the future is done once it is durable. Raises ``queue.Full``."""
        return self._writer.submit(work)

    def write(self, work: Callable[[Connection], T]) -> Awaitable[T]:
        """Run ``work`` in the writer's transaction; durable when awaited."""
        return asyncio.wrap_future(self.submit(work))

    def write_now(self, work: Callable[[Connection], T]) -> T:
        """As ``write``, waiting in this thread."""
        return self.submit(work).result()

    def read(self, work: Callable[[Connection], T]) -> Awaitable[T]:
        """Run ``work`` on a consistent snapshot in a reader's thread."""
        return asyncio.wrap_future(self._threads.submit(self.read_now, work))

    def read_now(self, work: Callable[[Connection], T]) -> T:
        """As ``read``, in this thread."""
        with self._reader.connect() as connection:
            return work(connection)

    def close(self) -> None:
        """Finish what is queued, disconnect, and let another process write."""
        self._writer.close()
        self._threads.shutdown(wait=True, cancel_futures=True)
        self._reader.dispose()
        self.engine.dispose()
        if self._lease is not None:
            os.close(self._lease)
            self._lease = None


def read_only(url: str, work: Callable[[Connection], T]) -> T:
    """Run ``work`` on what is in a database, beside whoever writes to it. Raises StoreError."""
    parsed = parse_url(url)
    if parsed.get_backend_name() == "sqlite" and not Path(str(parsed.database)).exists():
        raise StoreError(f"there is no database {parsed.database} yet", "start the service once: bsc-monitor run")
    engine = build_engine(parsed, reading=True)
    try:
        with engine.connect() as connection:
            if _version(connection) != HEAD:
                raise StoreError("the database is of another version", "start the service once: it migrates")
            return work(connection)
    except SQLAlchemyError as error:
        raise StoreError(f"the database cannot be read: {words(error)}", hint(parsed)) from error
    finally:
        engine.dispose()


def is_led(url: str) -> bool:
    """Whether a process writes to a database now: a service, or for a moment a command. Raises StoreError."""
    parsed = parse_url(url)
    if parsed.get_backend_name() == "sqlite":
        return is_taken(Path(str(parsed.database)))
    return read_only(url, is_held)


def _version(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    version: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return version


def _migrate(engine: Engine) -> None:
    """Bring the tables to ``HEAD``. Alembic is slow to import, so a database that is there already is not shown to it."""
    with engine.begin() as connection:
        if _version(connection) == HEAD:
            return
        from alembic import command
        from alembic.config import Config
        from alembic.util import CommandError

        config = Config(attributes={"connection": connection})
        config.set_main_option("script_location", "bsc_monitor.store:migrations")
        try:
            command.upgrade(config, "head")
            crash.point("migrating")
        except CommandError as error:
            raise StoreError(
                f"the database is of another version: {error}", "install the version of bsc-monitor that wrote it"
            ) from None
