"""Third-party plugins in worker processes of their own: what such a plugin does, it does to its worker alone.

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
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, SecretStr, ValidationError

from bsc_monitor.collect.answer import Exchange
from bsc_monitor.collect.context import RunContext
from bsc_monitor.collect.worker import CALENDAR, PERIOD, READINGS
from bsc_monitor.model.source import Source
from bsc_monitor.plugin import CollectorError, Measure, Params, Reading, Record, SourceError, Stream, Window

_MEMORY = 1 << 30  #: bytes of address space of a worker
_LONGEST_LINE = 64 << 20  #: bytes of one answer
_LOOK = 0.2  #: seconds between looks whether a worker lives
_STRIKES, _QUARANTINE = 3, 600.0  #: failures in a row, then seconds
_KEPT = ("PATH", "LANG", "LC_ALL", "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR")  #: of the environment; secrets live there too


class Worker:
    """The process of one plugin, started when it is needed. ``file`` None: from an installed package."""

    def __init__(self, plugin: str, file: Path | None) -> None:
        self.plugin = plugin
        self.strikes = 0
        self._file = file
        self._until = 0.0
        self._process: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Task[None] | None = None
        self._waiting: dict[int, tuple[asyncio.subprocess.Process, asyncio.Queue[dict[str, Any] | SourceError]]] = {}
        self._number = 0
        self._starting = asyncio.Lock()

    async def direct(self, source: Source, measure: Measure, params: Params, run: RunContext) -> list[Reading]:
        """Ask for a direct measure."""
        more = {"checkpoint": run.checkpoint}
        answer = [message async for message in self._ask("direct", source, measure.name, params, run, more)][-1]
        run.checkpoint.clear()
        run.checkpoint.update(answer.get("checkpoint") or {})
        return self._readings(answer)

    async def measured(
        self, source: Source, measure: Measure, params: Params, records: Sequence[Record], run: RunContext
    ) -> list[Reading]:
        """Take a measure over records."""
        more = {"records": [record.model_dump_json() for record in records]}
        answer = [message async for message in self._ask("over", source, measure.name, params, run, more)][-1]
        return self._readings(answer)

    async def stream(
        self, source: Source, stream: Stream, scope: Params, window: Window, run: RunContext
    ) -> AsyncIterator[Record]:
        """The records of a window."""
        more = {"start": window.start.isoformat() if window.start else None, "end": window.end.isoformat()}
        async for message in self._ask("stream", source, stream.name, scope, run, more):
            for text in message.get("items", ()):
                try:
                    yield stream.record.model_validate_json(text)
                except ValidationError:
                    raise self._misbehaved("sent a record that is none") from None

    async def ids(self, source: Source, stream: Stream, scope: Params, run: RunContext) -> AsyncIterator[str]:
        """The keys that exist at the source now."""
        async for message in self._ask("ids", source, stream.name, scope, run, {}):
            for name in message.get("items", ()):
                yield str(name)

    def kill(self) -> None:
        """End the process and all that it started; the next question starts a new one."""
        process, self._process = self._process, None
        if process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)

    async def close(self) -> None:
        """End for good."""
        process = self._process
        self.kill()
        if process is not None:
            await process.wait()
        if self._reading is not None:
            await asyncio.wait({self._reading}, timeout=1)

    async def _ask(
        self, do: str, source: Source, name: str, params: Params, run: RunContext, more: Mapping[str, Any]
    ) -> AsyncIterator[dict[str, Any]]:
        """All messages that answer one question; the last has no items. Raises SourceError."""
        process = await self._started()
        self._number += 1
        number = self._number
        inbox: asyncio.Queue[dict[str, Any] | SourceError] = asyncio.Queue()
        self._waiting[number] = (process, inbox)
        question = {
            "id": number, "do": do, "name": name, "source": plain_source(source), "params": _text(params),
            "now": run.now.isoformat(), "period": PERIOD.dump_python(run.period, mode="json"),
            "calendar": CALENDAR.dump_python(run.calendar, mode="json"), "by": list(run.by), **more,
        }  # fmt: skip
        try:
            assert process.stdin is not None  # noqa: S101 - opened as a pipe
            process.stdin.write(json.dumps(question).encode() + b"\n")
            await process.stdin.drain()
            while True:
                message = await self._next(inbox, process)
                if isinstance(message, SourceError):
                    raise message
                yield message
                if "items" not in message:
                    break
                run.http.extend()
            run.http.requests += int(message.get("requests", 0))
            run.http.trace += [Exchange(*line) for line in message.get("trace", ())]
            if "error" in message:
                words, reason, hint, retry_after = message["error"]
                raise SourceError(words, CollectorError(reason), hint=hint, retry_after=retry_after)
            self.strikes = 0
        except (asyncio.CancelledError, GeneratorExit):  # the deadline passed
            self._misbehaved("did not answer in time")
            raise
        except (ConnectionError, TypeError, ValueError) as error:
            raise self._misbehaved(f"broke off ({type(error).__name__})") from None
        finally:
            self._waiting.pop(number, None)

    async def _next(
        self, inbox: asyncio.Queue[dict[str, Any] | SourceError], process: asyncio.subprocess.Process
    ) -> dict[str, Any] | SourceError:
        """The next message. A worker that died while its children keep the pipe open is seen too."""
        while True:
            try:
                async with asyncio.timeout(_LOOK):
                    return await inbox.get()
            except TimeoutError:
                if process.returncode is not None:
                    with contextlib.suppress(ProcessLookupError, PermissionError):
                        os.killpg(process.pid, signal.SIGKILL)

    async def _started(self) -> asyncio.subprocess.Process:
        left = self._until - time.monotonic()
        if left > 0:
            raise SourceError(
                f"the plugin {self.plugin} is quarantined after {_STRIKES} failures; next attempt in {left:.0f} s",
                CollectorError.PLUGIN,
                retry_after=left,
            )
        async with self._starting:
            if self._process is None or self._process.returncode is not None:
                self._process = await asyncio.create_subprocess_exec(
                    sys.executable, "-I", "-m", "bsc_monitor.collect.worker", stdin=asyncio.subprocess.PIPE,
                    stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL, start_new_session=True,
                    limit=_LONGEST_LINE, env={k: v for k, v in os.environ.items() if k in _KEPT},
                )  # fmt: skip
                first = {"plugin": self.plugin, "file": str(self._file) if self._file else "", "memory": _MEMORY}
                assert self._process.stdin is not None  # noqa: S101 - opened as a pipe
                self._process.stdin.write(json.dumps(first).encode() + b"\n")
                self._reading = asyncio.create_task(self._read(self._process))
            return self._process

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        """Deal out answers until the process ends or says what is no answer; then fail all who wait."""
        assert process.stdout is not None  # noqa: S101 - opened as a pipe
        why = "ended without an answer"
        try:
            while line := await process.stdout.readline():
                message = json.loads(line)
                asker, inbox = self._waiting.get(message["id"], (None, None))
                if inbox is not None and asker is process:
                    inbox.put_nowait(message)
        except (ValueError, KeyError, TypeError, RecursionError):
            why = "answered what is no answer"
        left = [inbox for asker, inbox in self._waiting.values() if asker is process]
        if left:
            killed = self._process is not process  # by another run's deadline
            error = SourceError("the worker of the plugin was restarted") if killed else self._misbehaved(why)
            for inbox in left:
                inbox.put_nowait(error)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()

    def _misbehaved(self, how: str) -> SourceError:
        self.kill()
        self.strikes += 1
        if self.strikes >= _STRIKES:
            self._until, self.strikes = time.monotonic() + _QUARANTINE, 0
        return SourceError(f"the worker of plugin {self.plugin} {how}", CollectorError.PLUGIN)

    def _readings(self, answer: Mapping[str, Any]) -> list[Reading]:
        try:
            return READINGS.validate_python(answer.get("readings"))
        except ValidationError:
            raise self._misbehaved("sent readings that are none") from None


def plain_source(source: Source) -> dict[str, Any]:
    """A source for its own worker: with its secrets revealed, and nobody else's."""
    return {
        "id": source.id, "plugin": source.plugin, "config": _plain(source.config), "hosts": list(source.hosts),
        "allow_private": source.allow_private, "requests_per_second": source.requests_per_second,
        "concurrency": source.concurrency, "timeout": source.timeout * 0.9, "max_bytes": source.max_bytes,
        "daily_budget": source.daily_budget,
    }  # fmt: skip


def _text(params: Params) -> str:
    return json.dumps({name: _plain(getattr(params, name)) for name in params.model_fields_set})


def _plain(value: Any) -> Any:
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, BaseModel):
        return {name: _plain(getattr(value, name)) for name in type(value).model_fields}
    if isinstance(value, Mapping):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_plain(item) for item in value]
    return value if value is None or isinstance(value, (bool, int, float, str)) else str(value)
