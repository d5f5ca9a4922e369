"""From ``[sources.*]`` to sources; what KPIs may ask of them."""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, get_args, get_origin

from pydantic import SecretStr

from bsc_monitor.config.form import SourceForm
from bsc_monitor.config.notes import Notes
from bsc_monitor.config.positions import Path as KeyPath
from bsc_monitor.config.problems import near
from bsc_monitor.config.secrets import SecretReader, resolve
from bsc_monitor.config.things import Thing, Things
from bsc_monitor.config.validate import validate
from bsc_monitor.model.organisation import Schedule
from bsc_monitor.model.source import Source
from bsc_monitor.plugin import Collector, Measure, declared

_GENERIC = frozenset(SourceForm.model_fields)
_BY_HAND = 'values that people enter need no source of their own: write source = "manual" in the KPI'


class Sources:
    """The sources of a configuration and the measures that each offers."""

    def __init__(
        self,
        things: Things,
        collectors: Mapping[str, type[Collector]],
        notes: Notes,
        why_broken: Callable[[str], object] = lambda _: None,
    ) -> None:
        self._why_broken = why_broken
        self._things = things
        self._collectors = collectors
        self._notes = notes
        self._plugins: dict[str, str] = {}
        self._measures: dict[str, dict[str, Measure]] = {}  #: by plugin; reading annotations takes its time
        self._right: set[tuple[str, str, str]] = set()  #: plugin, measure and parameters that were found right
        self.built: dict[str, Source] = {}

    def build(self, base: Path) -> None:
        """Build every source; relative paths in it start at ``base``."""
        reader = SecretReader(base, self._notes)
        for thing in self._things.of("sources", SourceForm):
            self._plugins[thing.id] = thing.form.plugin
            if thing.form.every and thing.form.cron:
                self._notes.error((*thing.path, "cron"), "every is given too", "keep one of them")
            source = self._build_one(thing, base, reader)
            if source is not None:
                self.built[thing.id] = source

    def _build_one(self, thing: Thing[SourceForm], base: Path, reader: SecretReader) -> Source | None:
        form, path = thing.form, thing.path
        collector = self._collectors.get(form.plugin)
        if collector is None and (why := self._why_broken(form.plugin)) is not None:
            self._notes.warn((*path, "plugin"), f"the plugin {form.plugin!r} is broken, no value will come: {why}")
            schedule = Schedule(form.every, form.cron)
            return Source(thing.id, form.plugin, None, schedule=schedule, place=self._notes.place(path))
        if collector is None:
            hint = _BY_HAND if form.plugin == "manual" else near(form.plugin, self._collectors)
            self._notes.error((*path, "plugin"), f"there is no plugin {form.plugin[:60]!r}", hint)
            return None
        model = collector.Config
        own = {key: value for key, value in thing.data.items() if key not in _GENERIC or key in model.model_fields}
        before = len(reader.seen)
        resolved = resolve(own, model, path, reader)
        secrets = [reader.take(s, (*path, "webhook_secrets", n)) for n, s in enumerate(form.webhook_secrets)]
        if resolved is None or None in secrets:
            return None
        for name, info in model.model_fields.items():
            if isinstance(resolved.get(name), str) and _is_path(info.annotation):
                resolved[name] = str(base / resolved[name])
        hide = tuple(secret for secret in reader.seen[before:] if len(secret) > 3)
        config = validate(model, resolved, path, self._notes, hide=hide)
        if config is None:
            return None
        return Source(
            id=thing.id, plugin=form.plugin, config=config, schedule=Schedule(form.every, form.cron), hosts=tuple(form.hosts),
            allow_private=form.allow_private, requests_per_second=form.requests_per_second, concurrency=form.concurrency,
            timeout=form.timeout.total_seconds(), max_bytes=form.max_bytes, daily_budget=form.daily_budget,
            webhook_secrets=tuple(SecretStr(secret) for secret in secrets if secret), place=self._notes.place(path),
        )  # fmt: skip

    def ask(self, source: str, measure: str, params: Mapping[str, Any], path: KeyPath) -> Measure | None:
        """The measure that a KPI asks for, its parameters checked; None (with an error) when there is no such."""
        if source not in self._plugins:
            known = self._things.known("sources")
            if source not in known:
                self._notes.error((*path, "source"), f"there is no source {source!r}", near(source, known))
            return None
        collector = self._collectors.get(self._plugins[source])
        if collector is None:
            return None
        if collector.name not in self._measures:
            self._measures[collector.name] = declared(collector, "measure")
        measures = self._measures[collector.name]
        found = measures.get(measure)
        if found is None:
            message = f"{self._plugins[source]} has no measure {measure[:60]!r}"
            self._notes.error((*path, "measure"), message, near(measure, measures))
            return None
        asked = (collector.name, measure, repr(params))
        if asked not in self._right:
            if validate(found.params, params, (*path, "params"), self._notes) is None:
                return None
            self._right.add(asked)
        return found


def _is_path(annotation: Any) -> bool:
    if get_origin(annotation) is types.UnionType:
        return any(_is_path(argument) for argument in get_args(annotation))
    return isinstance(annotation, type) and issubclass(annotation, Path)
