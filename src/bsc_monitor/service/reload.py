"""Reloading: parse → validate → build → swap. Any failure keeps what runs, and says so."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from bsc_monitor import crash
from bsc_monitor.collect.outcome import blank
from bsc_monitor.config import ConfigError, Configuration, Problem
from bsc_monitor.evaluate.state import State
from bsc_monitor.model.event import ConfigReloaded, Event
from bsc_monitor.model.organisation import Organisation

if TYPE_CHECKING:
    from bsc_monitor.service.service import Service

_log = structlog.get_logger(__name__)
_LOGGED = 10  # mistakes; the board has all
#: What takes a restart, as it is written in the file, and what it sets.
_FIXED = {
    "service.listen": ("host", "port"), "service.database": ("database",), "service.auth": ("auth",),
    "service.url": ("url",),
}  # fmt: skip


class Reloading:
    """Reloads when asked, and when a file of the configuration or a plugin changes."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._started_with = service.configuration
        self._lock = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None
        self._stop = asyncio.Event()

    def start(self) -> None:
        """Begin to watch."""
        problems = tuple(str(problem) for problem in self._service.plugins.problems)
        for problem in problems:
            _log.error("a plugin is left out", problem=problem)
        self._service.bus.publish([ConfigReloaded(self._service.clock(), ok=True, messages=problems)])
        self._task = asyncio.create_task(self._watch())

    async def stop(self) -> None:
        """Watch no more."""
        self._stop.set()
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def reload(self) -> tuple[bool, tuple[str, ...]]:
        """Load anew: whether it is in force, and messages for people."""
        async with self._lock:
            try:
                messages = await self._swap()
                ok = True
            except ConfigError as error:
                ok, messages = False, tuple(str(problem) for problem in error.problems)
                what = "the configuration was not reloaded; the old one is in force"
                _log.error(what, count=len(messages), mistakes=messages[:_LOGGED])
            except SQLAlchemyError as error:
                ok, messages = False, ("the store could not take it; the old configuration is in force",)
                _log.error(messages[0], error=repr(error))
            waiting = self._waiting() if ok else ()
            if waiting:
                _log.warning("the configuration has changes that wait for a restart", keys=waiting)
            self._service.bus.publish([ConfigReloaded(self._service.clock(), ok, messages, waiting)])
            return ok, (*(f"{key} changed: restart the service for it" for key in waiting), *messages)

    async def _swap(self) -> tuple[str, ...]:
        service = self._service
        configuration, plugins = await asyncio.to_thread(service.load, service.file)
        if service.configuration.organisation.kpis and not configuration.organisation.kpis:
            # an editor or a copy empties a file before it fills it: all alerts would end, as of removed KPIs
            hint = "if it is meant so, restart the service"
            raise ConfigError([Problem(str(service.file), 0, "", "there is no KPI any more", hint)])
        configuration = await service.initiatives.applied(configuration)
        # those who show must know the new KPIs before the first news of them comes
        self._show(configuration.organisation)
        try:
            await service.evaluator.replace(configuration)
        except Exception:
            self._show(service.configuration.organisation)
            raise
        crash.point("reloading")
        service.configuration, service.plugins = configuration, plugins
        await service.extensions.replace()
        await service.delivery.replace(configuration)
        await service.collection.reload(configuration, plugins.collectors, plugins.isolated)
        self._follow()
        service.improving.look_again()
        crash.point("reloaded")
        for problem in plugins.problems:
            _log.error("a plugin is left out", problem=str(problem))
        return tuple(str(problem) for problem in plugins.problems)

    async def change(self, changed: Callable[[Configuration], Configuration]) -> None:
        """Put a configuration in force that differs from the present one in its initiatives alone."""
        async with self._lock:
            service = self._service
            configuration, now = changed(service.configuration), service.clock()

            def adopt(connection: Connection, state: State) -> list[Event]:
                state.configuration = configuration
                ended = state.alerts.replace(configuration.alert_rules, configuration.organisation, now)
                return state.tell_effects(connection, ended, now)

            self._show(configuration.organisation)
            await service.evaluator.run(adopt)
            service.configuration = configuration
            await service.collection.reload(configuration, service.plugins.collectors)
            self._follow()
            service.improving.follow_again()

    def _show(self, organisation: Organisation) -> None:
        self._service.current.replace_organisation(organisation)
        self._service.metrics.replace_organisation(organisation)

    def _follow(self) -> None:
        """Other collections may be in force: how those went that are no more is forgotten."""
        service = self._service
        known = blank(service.collection.next_runs())
        changed = service.current.keep_collections(known)
        service.metrics.collectors.refresh()
        failing = {(health.source, health.measure): health.said for health in changed}
        service.spawn(service.evaluator.keep_collections(known, failing))

    def _waiting(self) -> tuple[str, ...]:
        """The keys of what the service does not run with, though it is in the file."""
        before, now = self._started_with, self._service.configuration
        found = [
            key
            for key, names in _FIXED.items()
            if any(getattr(before.service, name) != getattr(now.service, name) for name in names)
        ]
        return (*found, *(["sandbox"] if before.sandbox != now.sandbox else []))

    async def _watch(self) -> None:
        from watchfiles import Change, awatch

        def wanted(_: Change, path: str) -> bool:
            return path.endswith((".toml", ".py"))

        while not self._stop.is_set():
            folders = self._folders()
            async for changes in awatch(
                *folders, watch_filter=wanted, stop_event=self._stop, debounce=400, recursive=False
            ):
                known = {str(file) for file in self._service.configuration.files}
                if any(path.endswith(".py") or path in known for _, path in changes):
                    await self.reload()
                if self._folders() != folders:  # else the same watch goes on: a change between two would be missed
                    break

    def _folders(self) -> set[Path]:
        """Where files are that matter."""
        configuration = self._service.configuration
        folders = {Path(file).parent for file in configuration.files}
        return folders | {folder for folder in configuration.service.plugins if folder.is_dir()}
