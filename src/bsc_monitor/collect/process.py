"""The worker process of a third-party plugin: started when it is needed, killed when it misbehaves, quarantined after that.

A worker that misses a deadline, answers nonsense, floods or dies is killed with its children and started again at the
next question; after three such failures in a row its plugin is quarantined for a while.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

from bsc_monitor.plugin import CollectorError, SourceError

_MEMORY = 1 << 30  #: bytes of address space of a worker
_LONGEST_LINE = 64 << 20  #: bytes of one answer
_LOOK = 0.2  #: seconds between looks whether a worker lives
_START = 30.0  #: seconds that a process may take until it can be asked
_STRIKES, _QUARANTINE = 3, 600.0  #: failures in a row, then seconds
#: Of the environment; secrets live there too.
_KEPT = ("PATH", "PYTHONPATH", "LANG", "LC_ALL", "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR")

_Inbox = asyncio.Queue[dict[str, Any] | SourceError]


class WorkerProcess:
    """One plugin's process, by the plugin's name for people and its file or entry point."""

    def __init__(self, plugin: str, origin: str) -> None:
        self.plugin = plugin
        self.strikes = 0
        self._origin = origin
        self._until = 0.0
        self._last = ""
        self._process: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Task[None] | None = None
        self._waiting: dict[int, tuple[asyncio.subprocess.Process, _Inbox]] = {}
        self._number = 0
        self._starting = asyncio.Lock()
        self._ready = asyncio.Event()

    @property
    def pid(self) -> int | None:
        """Of the process, and of its group; None while there is none."""
        return self._process.pid if self._process is not None else None

    async def start(self, waiting: Callable[[], None] = lambda: None) -> None:
        """Start the process if there is none, and wait until it can be asked; ``waiting()`` is called meanwhile.

        A busy machine takes its time to start a process: that is no fault of the plugin. Raises SourceError.
        """
        process = await self._started()
        begun, ready = time.monotonic(), self._ready
        while not ready.is_set() and process.returncode is None:
            if time.monotonic() - begun > _START:
                raise self.misbehaved(f"was not ready within {_START:.0f} s")
            waiting()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LOOK):
                    await ready.wait()

    async def ask(self, do: str, question: Mapping[str, Any]) -> AsyncIterator[dict[str, Any]]:
        """All messages that answer one question; the last has no ``items``. Raises SourceError.

        Cancelling it, as a deadline does, ends the worker.
        """
        process = await self._started()
        self._number += 1
        number, inbox = self._number, _Inbox()
        self._waiting[number] = (process, inbox)
        try:
            assert process.stdin is not None  # noqa: S101 - opened as a pipe
            process.stdin.write(json.dumps({"id": number, "do": do, **question}).encode() + b"\n")
            await process.stdin.drain()
            while True:
                message = await self._next(inbox, process)
                if isinstance(message, SourceError):
                    raise message
                last = "items" not in message
                if last:
                    del self._waiting[number]
                yield message
                if last:
                    return
        except (asyncio.CancelledError, GeneratorExit):
            if number in self._waiting:  # the deadline passed
                self.misbehaved("did not answer in time")
            raise
        except (ConnectionError, TypeError, ValueError) as error:
            raise self.misbehaved(f"broke off ({type(error).__name__})") from None
        finally:
            self._waiting.pop(number, None)

    def misbehaved(self, how: str) -> SourceError:
        """The worker did what it must not: end it, and count."""
        self.kill()
        self.strikes += 1
        self._last = how
        if self.strikes >= _STRIKES:
            self._until, self.strikes = time.monotonic() + _QUARANTINE, 0
        return SourceError(f"the worker of plugin {self.plugin} {how}", CollectorError.PLUGIN)

    def behaved(self) -> None:
        """The worker gave a good answer: what was before is forgiven."""
        self.strikes = 0

    def kill(self) -> None:
        """End the process and all that it started; the next question starts a new one."""
        process, self._process = self._process, None
        if process is not None:
            _kill(process)

    async def close(self) -> None:
        """End for good."""
        process = self._process
        self.kill()
        if process is not None:
            await process.wait()
        if self._reading is not None:
            await asyncio.wait({self._reading}, timeout=1)

    async def _next(self, inbox: _Inbox, process: asyncio.subprocess.Process) -> dict[str, Any] | SourceError:
        """The next message. A worker that died while its children keep the pipe open is seen too."""
        while True:
            try:
                async with asyncio.timeout(_LOOK):
                    return await inbox.get()
            except TimeoutError:
                if process.returncode is not None:
                    _kill(process)

    async def _started(self) -> asyncio.subprocess.Process:
        left = self._until - time.monotonic()
        if left > 0:
            raise SourceError(
                f"the plugin {self.plugin} is quarantined after {_STRIKES} failures (the last: it {self._last}); "
                f"next attempt in {left:.0f} s",
                CollectorError.PLUGIN,
                retry_after=left,
            )
        async with self._starting:
            if self._process is None or self._process.returncode is not None:
                self._process = await asyncio.create_subprocess_exec(
                    sys.executable, "-P", "-s", "-m", "bsc_monitor.collect.worker", stdin=asyncio.subprocess.PIPE,
                    stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL, start_new_session=True,
                    limit=_LONGEST_LINE, env={k: v for k, v in os.environ.items() if k in _KEPT},
                )  # fmt: skip
                first = {"plugin": self.plugin, "origin": self._origin, "memory": _MEMORY}
                assert self._process.stdin is not None  # noqa: S101 - opened as a pipe
                self._process.stdin.write(json.dumps(first).encode() + b"\n")
                self._ready = asyncio.Event()
                self._reading = asyncio.create_task(self._read(self._process, self._ready))
            return self._process

    async def _read(self, process: asyncio.subprocess.Process, ready: asyncio.Event) -> None:
        """Deal out answers until the process ends or says what is no answer; then fail all who wait."""
        assert process.stdout is not None  # noqa: S101 - opened as a pipe
        why = "ended without an answer"
        try:
            while line := await process.stdout.readline():
                message = json.loads(line)
                if message["id"] == 0:
                    ready.set()
                asker, inbox = self._waiting.get(message["id"], (None, None))
                if inbox is not None and asker is process:
                    inbox.put_nowait(message)
        except (ValueError, KeyError, TypeError, RecursionError):
            why = "answered what is no answer"
        left = [inbox for asker, inbox in self._waiting.values() if asker is process]
        if left:
            killed = self._process is not process  # by another run's deadline
            error = SourceError("the worker of the plugin was restarted") if killed else self.misbehaved(why)
            for inbox in left:
                inbox.put_nowait(error)
        _kill(process)
        await process.wait()


def _kill(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
