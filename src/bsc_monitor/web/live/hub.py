"""The hub of live updates: gathers changes for a moment, renders each piece once, and hands the bytes to all viewers.

A viewer listens on the channel of its page. Its queue is bounded: one that cannot keep up is dropped and comes back by
itself. Every message has a number; who comes back with the number of its last message gets what it missed.
"""

import asyncio
import secrets
from collections import OrderedDict
from collections.abc import Callable

from aiohttp import web

from bsc_monitor.model.event import AlertChanged, ConfigReloaded, Event, InitiativeChanged, KpiJudged, PeriodClosed
from bsc_monitor.web.board import Board
from bsc_monitor.web.live.changes import changed_by, concerned, touched
from bsc_monitor.web.live.pieces import KINDS, Key, Pieces
from bsc_monitor.web.templating import warm
from bsc_monitor.web.view.controls import Controls, read_controls

GATHER = 0.25  #: seconds between a change and its message, so that a burst is one message
_QUEUED = 32  #: messages that may wait for one viewer
_REMEMBERED = 20_000  #: changes, for viewers that come back
MOST_VIEWERS = 5000


class Viewer:
    """One open page."""

    def __init__(self, channel: str) -> None:
        self.channel = channel
        self.queue: asyncio.Queue[bytes | None] = asyncio.Queue(_QUEUED)
        self.drop: Callable[[], None] = lambda: None  #: closes its connection, whatever it waits for

    def put(self, message: bytes | None) -> bool:
        """Queue a message (None: the end); False when the queue is full."""
        try:
            self.queue.put_nowait(message)
        except asyncio.QueueFull:
            return False
        return True


class Hub:
    """All viewers, and what changed lately."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self.pieces = Pieces(board)
        self.dropped = 0  #: viewers that could not keep up, since start
        self._viewers: dict[str, set[Viewer]] = {}
        self._waiting: dict[Key, None] = {}
        self._changed: OrderedDict[Key, int] = OrderedDict()
        self._forgotten = 0  #: changes up to this number are no longer remembered
        self._number = 0
        self._run = secrets.token_hex(4)
        self._flush: asyncio.TimerHandle | None = None
        self._news = 0  #: counts what may change the controls
        self._read_at: int | None = None  #: that count when they were read; None: they never were
        self._reading = asyncio.Lock()
        self._rereading: asyncio.Task[None] | None = None
        self._warming: asyncio.Task[None] | None = None
        self._subscriptions: list[Callable[[], None]] = []

    async def start(self, _: web.Application) -> None:
        """Listen on the bus; compile the templates beside."""
        self._warming = asyncio.create_task(asyncio.to_thread(warm))
        self._subscriptions = [self._board.bus.subscribe(Event, self._happened)]

    @property
    def warm(self) -> bool:
        """Whether the first page will come as fast as the others."""
        return self._warming is not None and self._warming.done()

    async def controls(self) -> Controls:
        """What is known of alerts, silences and acknowledgements, reread if something changed since."""
        if self._read_at != self._news:
            async with self._reading:  # who asks meanwhile waits: an empty picture would say that nothing fires
                if self._read_at != self._news:
                    await self._read()
        return self.pieces.controls

    async def reread(self) -> None:
        """Read alerts, silences and acknowledgements from the store, and show what differs."""
        async with self._reading:
            await self._read()

    async def _read(self) -> None:
        board, before, seen = self._board, self.pieces.controls, self._news
        now, maintenance, inhibitions = board.clock(), board.maintenance(), board.inhibitions()
        after = await board.store.read(lambda connection: read_controls(connection, maintenance, now, inhibitions))
        self.pieces.controls, self._read_at = after, seen
        self.mark(*touched(before, after))

    async def stop(self, _: web.Application) -> None:
        """Stop listening and let every viewer go."""
        for end in self._subscriptions:
            end()
        if self._flush is not None:
            self._flush.cancel()
        for task in (self._rereading, self._warming):
            if task is not None:
                task.cancel()
        for viewers in list(self._viewers.values()):
            for viewer in list(viewers):
                if not viewer.put(None):
                    viewer.drop()

    def count(self) -> int:
        """How many viewers there are."""
        return sum(map(len, self._viewers.values()))

    def stamp(self) -> str:
        """The number of the newest change: a page made now misses nothing after it."""
        return f"{self._run}-{self._number}"

    def join(self, channel: str, since: str) -> Viewer:
        """Add a viewer of a channel and give it what changed after ``since``."""
        viewer = Viewer(channel)
        self._viewers.setdefault(channel, set()).add(viewer)
        run, _, number = since.partition("-")
        if not since:
            return viewer
        if run != self._run or not number.isdecimal() or int(number) < self._forgotten:
            viewer.put(self._message("restart", ""))  # too much happened, or another process did: load the page anew
            return viewer
        missed = [
            key
            for key, at in self._changed.items()
            if at > int(number) and KINDS[key.kind].channel(key.name) == channel
        ]
        if missed:
            viewer.put(self._message("update", self._render(missed)))
        return viewer

    def leave(self, viewer: Viewer) -> None:
        """Forget a viewer."""
        viewers = self._viewers.get(viewer.channel, set())
        viewers.discard(viewer)
        if not viewers:
            self._viewers.pop(viewer.channel, None)

    def mark(self, *keys: Key) -> None:
        """Pieces changed: they are rendered and sent in a moment."""
        for key in keys:
            self.pieces.forget(key)
            self._waiting[key] = None
        if self._waiting and self._flush is None:
            self._flush = asyncio.get_running_loop().call_later(GATHER, self.flush)

    def flush(self) -> None:
        """Send what waits."""
        if self._flush is not None:
            self._flush.cancel()
            self._flush = None
        waiting, self._waiting = self._waiting, {}
        self._number += 1
        by_channel: dict[str, list[Key]] = {}
        for key in waiting:
            self._changed[key] = self._number
            self._changed.move_to_end(key)
            channel = KINDS[key.kind].channel(key.name)
            if channel in self._viewers:
                by_channel.setdefault(channel, []).append(key)
        while len(self._changed) > _REMEMBERED:
            self._forgotten = max(self._forgotten, self._changed.popitem(last=False)[1])
        for channel, keys in by_channel.items():
            self._send(channel, self._message("update", self._render(keys)))

    def _happened(self, event: Event) -> None:
        if isinstance(event, KpiJudged):
            self.pieces.trails.judged(event.judgement)
        elif isinstance(event, PeriodClosed):
            self.pieces.trails.closed(event.kpi)
        elif isinstance(event, AlertChanged):
            self._alerted()
        elif isinstance(event, ConfigReloaded):
            self._reloaded(event)
        elif isinstance(event, InitiativeChanged):
            self.mark(*concerned(self._board.organisation, event.state.initiative))
        self.mark(*changed_by(event))

    def _alerted(self) -> None:
        self._news += 1
        if self._viewers and (self._rereading is None or self._rereading.done()):
            self._rereading = asyncio.create_task(self._reread_soon())

    async def _reread_soon(self) -> None:
        await asyncio.sleep(GATHER)
        await self.reread()

    def _reloaded(self, event: ConfigReloaded) -> None:
        if event.ok:
            self.pieces.forget_all()
            self._changed.clear()
            self._waiting.clear()
            self._forgotten = self._number = self._number + 1
            self._news += 1  # maintenance and inhibition may be others
        for channel in list(self._viewers):
            self._send(channel, self._message("restart", ""))

    def _render(self, keys: list[Key]) -> str:
        texts = []
        for key in keys:
            try:
                text = self.pieces.get(*key)
            except KeyError:  # it left the organisation since
                continue
            # after a bare row a browser drops the tables that follow, after anything else it drops the row
            texts.append(f"<template>{text}</template>" if KINDS[key.kind].in_table else text)
        return "".join(texts)

    def _message(self, event: str, text: str) -> bytes:
        lines = "\n".join(f"data: {line}" for line in text.splitlines() if line.strip()) or "data:"
        return f"event: {event}\nid: {self.stamp()}\n{lines}\n\n".encode()

    def _send(self, channel: str, message: bytes) -> None:
        for viewer in list(self._viewers.get(channel, ())):
            if not viewer.put(message):
                self.dropped += 1
                self.leave(viewer)
                viewer.drop()


HUB = web.AppKey("HUB", Hub)
