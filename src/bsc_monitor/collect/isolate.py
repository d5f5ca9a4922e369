"""Collectors of third-party plugins, asked in worker processes: what such a plugin does, it does to its worker alone."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from pydantic import BaseModel, SecretStr, ValidationError

from bsc_monitor.collect.answer import Exchange
from bsc_monitor.collect.context import RunContext
from bsc_monitor.collect.process import WorkerProcess
from bsc_monitor.model.adapter import adapter
from bsc_monitor.model.period import Calendar, Period
from bsc_monitor.model.source import Source
from bsc_monitor.plugin import CollectorError, Measure, Params, Reading, Record, SourceError, Stream, Window


class Worker:
    """A plugin's collector in a process of its own. ``origin``: its file or entry point (``Plugins.isolated``)."""

    def __init__(self, plugin: str, origin: str) -> None:
        self.process = WorkerProcess(plugin, origin)

    async def direct(self, source: Source, measure: Measure, params: Params, run: RunContext) -> list[Reading]:
        """Ask for a direct measure."""
        more = {"checkpoint": run.checkpoint}
        answer = [message async for message in self._ask("direct", source, measure.name, params, run, more)][-1]
        _keep(run, answer)
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
        start = window.start.isoformat() if window.start else None
        more = {"start": start, "end": window.end.isoformat(), "checkpoint": run.checkpoint}
        async for message in self._ask("stream", source, stream.name, scope, run, more):
            _keep(run, message)
            for text in message.get("items", ()):
                try:
                    yield stream.record.model_validate_json(text)
                except ValidationError:
                    raise self.process.misbehaved("sent a record that is none") from None

    async def ids(self, source: Source, stream: Stream, scope: Params, run: RunContext) -> AsyncIterator[str]:
        """The keys that exist at the source now."""
        async for message in self._ask("ids", source, stream.name, scope, run, {}):
            for name in message.get("items", ()):
                yield str(name)

    async def close(self) -> None:
        """End for good."""
        await self.process.close()

    async def _ask(
        self, do: str, source: Source, name: str, params: Params, run: RunContext, more: Mapping[str, Any]
    ) -> AsyncIterator[dict[str, Any]]:
        """All messages that answer one question; the last has no items. Raises SourceError."""
        question = {
            "name": name, "source": plain_source(source), "params": _text(params), "now": run.now.isoformat(),
            "period": adapter(Period).dump_python(run.period, mode="json"),
            "calendar": adapter(Calendar).dump_python(run.calendar, mode="json"), "by": list(run.by), **more,
        }  # fmt: skip
        await self.process.start(run.http.extend)
        run.http.extend()  # the deadline is for the plugin, not for the start of its process
        async for message in self.process.ask(do, question):
            if "items" in message:
                run.http.extend()
                yield message
                continue
            run.http.requests += int(message.get("requests", 0))
            run.http.trace += [Exchange(*line) for line in message.get("trace", ())]
            if "error" in message:
                words, reason, hint, retry_after = message["error"]
                raise SourceError(words, CollectorError(reason), hint=hint, retry_after=retry_after)
            yield message

    def _readings(self, answer: Mapping[str, Any]) -> list[Reading]:
        try:
            found = adapter(list[Reading]).validate_python(answer.get("readings"))
        except ValidationError:
            raise self.process.misbehaved("sent readings that are none") from None
        self.process.behaved()
        return found


def _keep(run: RunContext, message: Mapping[str, Any]) -> None:
    """Take over what the plugin wants to be kept, once it is done."""
    if "items" not in message:
        run.checkpoint.clear()
        run.checkpoint.update(message.get("checkpoint") or {})


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
