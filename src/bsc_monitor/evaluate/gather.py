"""Gathering what arrives while a transaction is under way, so that the next one takes all of it at once."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection

from bsc_monitor.model.event import Event
from bsc_monitor.model.reading import KpiReading
from bsc_monitor.store.records import ScopeKey

_MOST = 2000  #: readings in one evaluation


@dataclass(slots=True, eq=False)
class Delivery:
    """Readings that came together, with the checkpoint to commit beside them, and who waits for it."""

    readings: Sequence[KpiReading]
    checkpoint: tuple[ScopeKey, Mapping[str, Any]] | None = None
    done: asyncio.Future[None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


Take = Callable[[Connection, Sequence[Delivery]], list[Event]]
Submit = Callable[[Callable[[Connection], list[Event]]], Future[list[Event]]]


class Gatherer:
    """Puts deliveries into as few evaluations as there are transactions. One that fails is tried without the others."""

    def __init__(self, submit: Submit, take: Take) -> None:
        self._submit = submit
        self._take = take
        self._waiting: deque[Delivery] = deque()
        self._asked = False  #: whether an evaluation that will empty the queue is under way
        self._loop = asyncio.get_running_loop()

    async def put(self, delivery: Delivery) -> None:
        """Hand a delivery over; returns when it is durable. Raises what its own evaluation raised."""
        self._waiting.append(delivery)
        if not self._asked:
            self._asked = True
            self._ask()
        await delivery.done

    def _ask(self) -> None:
        taken: list[Delivery] = []

        def work(connection: Connection) -> list[Event]:  # in the writer's thread
            self._asked = False
            count = 0
            while self._waiting and count < _MOST:
                taken.append(self._waiting.popleft())
                count += len(taken[-1].readings)
            return self._take(connection, taken)

        self._follow(self._submit(work), taken)

    def _follow(self, done: Future[list[Event]], taken: list[Delivery]) -> None:
        done.add_done_callback(lambda ended: self._loop.call_soon_threadsafe(self._ended, ended, taken))

    def _ended(self, ended: Future[list[Event]], taken: list[Delivery]) -> None:
        error = ended.exception()
        if error is not None and not taken:  # no transaction came about: the store cannot be reached
            self._asked = False
            taken = list(self._waiting)
            self._waiting.clear()
            _tell(taken, error)
        elif error is None or len(taken) == 1:
            _tell(taken, error)
        else:
            for delivery in taken:
                alone = [delivery]
                self._follow(self._submit(lambda connection, alone=alone: self._take(connection, alone)), alone)  # type: ignore[misc]
        if self._waiting and not self._asked:  # more than one evaluation takes
            self._asked = True
            self._ask()


def _tell(deliveries: Sequence[Delivery], error: BaseException | None) -> None:
    """End the waiting of those who still wait."""
    for delivery in deliveries:
        if delivery.done.done():
            continue
        if error is None:
            delivery.done.set_result(None)
        else:
            delivery.done.set_exception(error)
