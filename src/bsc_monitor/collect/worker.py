"""The process that a third-party plugin lives in: ``python -m bsc_monitor.collect.worker``.

Reads questions as JSON lines from its standard input and answers on the pipe that was its standard output; what the
plugin prints goes nowhere. The first line says which plugin and what limits. It ends with its input.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import resource
import sys
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from typing import Any

from bsc_monitor.collect.context import RunContext, RunLog
from bsc_monitor.collect.guard import as_source_error
from bsc_monitor.collect.live import LiveSource, open_source
from bsc_monitor.collect.plugins import Plugins, load_origin
from bsc_monitor.collect.run import RunResult, measured, run_measure
from bsc_monitor.collect.streams import TransientRecords
from bsc_monitor.collect.worker_hooks import HOOKS, own_source
from bsc_monitor.model.adapter import adapter
from bsc_monitor.model.period import Calendar, Period
from bsc_monitor.plugin import Params, Reading, Record, SourceError, Window

_CHUNK = 200  #: records in one line
_PATIENCE = (
    3600.0  #: seconds beyond its requests' deadline: what hangs by itself is ended with the worker, from outside
)
Send = Callable[[dict[str, Any]], None]


def limit(memory: int) -> None:
    """Bound memory, files and core dumps of this process and of those it starts."""
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256))
    resource.setrlimit(resource.RLIMIT_FSIZE, (64 << 20, 64 << 20))


def main() -> None:
    """Serve until the input ends."""
    private = os.dup(1)
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    first = json.loads(_first_line())
    limit(first["memory"])
    pipe = os.fdopen(private, "wb", buffering=0)

    def send(message: dict[str, Any]) -> None:
        pipe.write(json.dumps(message).encode() + b"\n")

    found = load_origin(first["origin"])
    send({"id": 0})  # ready
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(found, send))


def _first_line() -> bytes:
    """Byte by byte: a buffer would swallow the questions behind it."""
    line = bytearray()
    while not line.endswith(b"\n") and (byte := os.read(0, 1)):
        line += byte
    return bytes(line)


async def _serve(found: Plugins, send: Send) -> None:
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=1 << 30)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin.buffer)
    lives: dict[str, LiveSource] = {}
    tasks: set[asyncio.Task[None]] = set()
    while line := await reader.readline():
        task = asyncio.create_task(_answer(found, lives, json.loads(line), send))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
    os._exit(0)  # threads of the plugin may hang


async def _answer(found: Plugins, lives: dict[str, LiveSource], asked: dict[str, Any], send: Send) -> None:
    answer: dict[str, Any] = {"id": asked["id"]}
    error: BaseException | None = None
    try:
        if asked["do"] in HOOKS:
            answer["result"] = await HOOKS[asked["do"]](found, asked)
        else:
            result = await _OPERATIONS[asked["do"]](_live(found, lives, asked["source"]), asked, send)
            error = result.error
            answer |= {
                "readings": adapter(list[Reading]).dump_python(list(result.readings), mode="json"),
                "requests": result.requests,
                "trace": [[e.method, e.url, e.status, e.size, e.seconds, e.note] for e in result.trace],
                "checkpoint": result.checkpoint,
            }
    except BaseException as failure:  # noqa: BLE001 - sys.exit() in a plugin ends no worker
        error = failure
    if error is not None:
        known = as_source_error(error)
        answer["error"] = [known.message, known.reason.value, known.hint, known.retry_after]
    send(answer)


def _live(found: Plugins, lives: dict[str, LiveSource], given: dict[str, Any]) -> LiveSource:
    key = json.dumps(given, sort_keys=True)
    if key not in lives:
        source = own_source(found, given)
        lives[key] = open_source(source, found.collectors[source.plugin])
    return lives[key]


def _params(model: type[Params], asked: dict[str, Any]) -> Params:
    return model.model_validate_json(asked["params"])


def _context(live: LiveSource, asked: dict[str, Any]) -> RunContext:
    now, period = datetime.fromisoformat(asked["now"]), adapter(Period).validate_python(asked["period"])
    window = Window(period.start, max(period.start, min(now, period.end)))
    log = RunLog(live.source.id, asked["name"], live.client.redactor)
    calendar = adapter(Calendar).validate_python(asked["calendar"])
    return RunContext(live.client.run(), now, window, period, tuple(asked["by"]), calendar, log)


async def _direct(live: LiveSource, asked: dict[str, Any], _send: Send) -> RunResult:
    params = _params(live.measures[asked["name"]].params, asked)
    run = _context(live, asked)
    return await run_measure(
        live, asked["name"], params.model_dump(exclude_unset=True), period=run.period, now=run.now,
        calendar=run.calendar, records=TransientRecords(), by=run.by, checkpoint=asked["checkpoint"], patience=_PATIENCE,
    )  # fmt: skip


async def _stream(live: LiveSource, asked: dict[str, Any], send: Send) -> RunResult:
    spec, run = live.streams[asked["name"]], _context(live, asked)
    start = asked["start"] and datetime.fromisoformat(asked["start"])
    run.checkpoint.update(asked["checkpoint"])
    window = Window(start, datetime.fromisoformat(asked["end"]))
    found: AsyncIterator[Record] = getattr(live.collector, spec.name)(run, _params(spec.scope, asked), window)
    await _send_items(asked, found, send, lambda record: record.model_dump_json())
    return RunResult(requests=run.http.requests, trace=tuple(run.http.trace), checkpoint=run.checkpoint)


async def _ids(live: LiveSource, asked: dict[str, Any], send: Send) -> RunResult:
    spec, run = live.streams[asked["name"]], _context(live, asked)
    await _send_items(asked, getattr(live.collector, str(spec.ids))(run, _params(spec.scope, asked)), send, str)
    return RunResult(requests=run.http.requests, trace=tuple(run.http.trace))


async def _send_items(asked: dict[str, Any], found: AsyncIterator[Any], send: Send, text: Callable[[Any], str]) -> None:
    items: list[str] = []
    async for item in found:
        items.append(text(item))
        if len(items) >= _CHUNK:
            send({"id": asked["id"], "items": items})
            items = []
    send({"id": asked["id"], "items": items})


async def _over(live: LiveSource, asked: dict[str, Any], _send: Send) -> RunResult:
    spec = live.measures[asked["name"]]
    record = live.streams[str(spec.over)].record
    records = [record.model_validate_json(text) for text in asked["records"]]
    return RunResult(tuple(measured(live, spec, _params(spec.params, asked), records, _context(live, asked))))


_OPERATIONS = {"direct": _direct, "stream": _stream, "ids": _ids, "over": _over}

if __name__ == "__main__":
    try:
        main()
    except SourceError as error:
        sys.exit(error.message)
