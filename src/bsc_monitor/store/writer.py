"""The one writer thread: everything queued shares one transaction, and is told done only after its commit."""

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from bsc_monitor import crash
from bsc_monitor.store.lease import Taken

_MOST_QUEUED = 10_000
_MOST_TOGETHER = 500  #: requests in one transaction, so that the first of them does not wait for ever

_Request = tuple[Callable[[Connection], Any], Future[Any]]


class Writer:
    """Runs requests in the order given. One that raises is undone alone (savepoint); a failed commit fails all of it.

    ``heartbeat``: seconds after which it shows the server that it lives; ``lost`` is called, in the writer's thread,
    when another process was found to write to the database.
    """

    def __init__(self, engine: Engine, heartbeat: float | None = None, lost: Callable[[], None] = lambda: None) -> None:
        self._engine = engine
        self._heartbeat = heartbeat
        self._lost = lost
        self._queue: queue.Queue[_Request | None] = queue.Queue(_MOST_QUEUED)
        self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)
        self._thread.start()

    def submit(self, work: Callable[[Connection], Any]) -> Future[Any]:
        """Queue a request. Raises ``queue.Full`` when too many wait."""
        done: Future[Any] = Future()
        self._queue.put_nowait((work, done))
        return done

    def close(self) -> None:
        """Finish what is queued and end the thread."""
        self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (first := self._next()) is not None:
            batch, ending = [first], False
            while len(batch) < _MOST_TOGETHER and not self._queue.empty():
                request = self._queue.get()
                if request is None:
                    ending = True
                    break
                batch.append(request)
            self._commit([request for request in batch if request[1].set_running_or_notify_cancel()])
            if ending:
                return

    def _next(self) -> _Request | None:
        while True:
            try:
                return self._queue.get(timeout=self._heartbeat)
            except queue.Empty:
                self._beat()

    def _beat(self) -> None:
        try:
            with self._engine.connect():
                pass  # the pool asks the server whether the connection is alive, and makes another if not
        except Taken:
            self._lost()
        except SQLAlchemyError:
            pass  # the server is away: the next request says so to whoever made it

    def _commit(self, batch: list[_Request]) -> None:
        results: list[tuple[Future[Any], Any, BaseException | None]] = []
        try:
            with self._engine.begin() as connection:
                for work, done in batch:
                    try:
                        with connection.begin_nested():
                            results.append((done, work(connection), None))
                    except Exception as error:  # noqa: BLE001 - the caller's own error goes back to the caller
                        results.append((done, None, error))
                crash.point("committing")
            crash.point("committed")
        except Exception as error:  # noqa: BLE001 - nothing of this transaction is durable: nobody may think so
            if isinstance(error, Taken):
                self._lost()
            for _, done in batch:
                done.set_exception(error)
            return
        for done, value, failure in results:
            if failure is None:
                done.set_result(value)
            else:
                done.set_exception(failure)
