"""Running a plugin's code so that whatever it does, the service goes on: deadline, containment, threads of its own."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import threading
import traceback
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import structlog

from bsc_monitor.plugin import CollectorError, SourceError

T = TypeVar("T")
_log = structlog.get_logger(__name__)
_GRACE = 1.0  #: seconds that a cancelled run gets to clean up
_abandoned: set[asyncio.Task[Any]] = set()


def calm_collector() -> None:
    """Spare what lives on from being looked at again and again.

    Full passes over a large configuration were seen to stall the loop for 50 ms. A burst of readings makes many small
    objects without any circle: few passes, but each over little enough not to be felt (50,000 objects took 100 ms).
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 10, 100)


def abandoned() -> int:
    """How many runs swallowed their cancellation and are still somewhere in this process."""
    return len(_abandoned)


async def guarded(run: Coroutine[Any, Any, T], deadline: Callable[[], float]) -> T:
    """The result of a plugin's coroutine, or SourceError: PLUGIN when it raises or exits, TIMEOUT when it is late.

    ``deadline()`` is read again when it passes (loop time), so a run that makes progress may extend it. Uses
    ``asyncio.wait``: ``wait_for`` would never return for a coroutine that swallows its cancellation.
    """
    loop = asyncio.get_running_loop()
    started = loop.time()
    task = asyncio.create_task(_contained(run))
    try:
        while not task.done() and (left := deadline() - loop.time()) > 0:
            await asyncio.wait({task}, timeout=left)
        if not task.done():
            await _abandon(task)
            raise SourceError(
                f"no result within {loop.time() - started:.1f} s",
                CollectorError.TIMEOUT,
                hint="Raise timeout of the source, or ask for less at once.",
            )
    except asyncio.CancelledError:
        await _abandon(task)
        raise
    outcome = task.result()
    if isinstance(outcome, _Failure):
        raise outcome.error
    return outcome


class _Failure:
    def __init__(self, error: SourceError) -> None:
        self.error = error


async def _contained(run: Coroutine[Any, Any, T]) -> T | _Failure:
    """Never raises: asyncio lets a SystemExit of a task end the whole loop."""
    try:
        return await run
    except asyncio.CancelledError:
        return _Failure(SourceError("the run was cancelled", CollectorError.TIMEOUT))
    except BaseException as error:  # noqa: BLE001
        return _Failure(as_source_error(error))


async def _abandon(task: asyncio.Task[Any]) -> None:
    task.cancel()
    await asyncio.wait({task}, timeout=_GRACE)
    if not task.done():
        _abandoned.add(task)
        task.add_done_callback(_abandoned.discard)
        _log.warning("a plugin ignores its deadline and was left behind", abandoned=len(_abandoned))


def as_source_error(error: BaseException) -> SourceError:
    """What a plugin raised, as a SourceError that names the line."""
    if isinstance(error, SourceError):
        return error
    frames = [f for f in traceback.extract_tb(error.__traceback__) if "bsc_monitor/collect/" not in f.filename]
    place = f" ({frames[-1].filename.rsplit('/', 1)[-1]}:{frames[-1].lineno})" if frames else ""
    if isinstance(error, (SystemExit, KeyboardInterrupt)):
        return SourceError(f"the plugin tried to end the service{place}", CollectorError.PLUGIN)
    if isinstance(error, TimeoutError):
        return SourceError(f"a time limit of the plugin passed{place}", CollectorError.TIMEOUT)
    words = " ".join(str(error).split())[:300]
    return SourceError(f"the plugin raised {type(error).__name__}{place}: {words}", CollectorError.PLUGIN)


async def in_thread(function: Callable[[], T], slots: asyncio.Semaphore) -> T:
    """Run a plugin's plain function in a daemon thread: one that hangs delays neither the loop nor the service's end.

    ``slots`` bounds the threads of its source; a hanging one keeps its slot, so a source can only block itself.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T | _Failure] = loop.create_future()

    def finish(outcome: T | _Failure) -> None:
        slots.release()
        if not future.done():
            future.set_result(outcome)

    def work() -> None:
        outcome: T | _Failure
        try:
            outcome = function()
        except BaseException as error:  # noqa: BLE001
            outcome = _Failure(as_source_error(error))
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(finish, outcome)

    await slots.acquire()
    threading.Thread(target=work, name="bsc-plugin", daemon=True).start()
    outcome = await future
    if isinstance(outcome, _Failure):
        raise outcome.error
    return outcome
