"""The in-process bus: tells what happened, after the commit that made it true."""

from collections.abc import Callable, Iterable
from typing import TypeVar, cast

import structlog

from bsc_monitor.model.event import Event

E = TypeVar("E", bound=Event)

_log = structlog.get_logger(__name__)


class Bus:
    """Typed events to synchronous handlers, on the event loop's thread and in order.

    A handler subscribed to a kind also gets its subclasses. One that raises is logged and counted in ``failures``
    and never disturbs the others.
    """

    def __init__(self) -> None:
        self.failures = 0  #: handler calls that raised, since start
        self._handlers: dict[type[Event], list[Callable[[Event], None]]] = {}

    def subscribe(self, kind: type[E], handler: Callable[[E], None]) -> Callable[[], None]:
        """Call ``handler`` with every later event of ``kind``; returns what ends the subscription (safe to repeat)."""
        handlers = self._handlers.setdefault(kind, [])

        # A fresh function per subscription: the same handler subscribed twice is ended one at a time.
        def call(event: Event) -> None:
            handler(cast("E", event))

        handlers.append(call)

        def unsubscribe() -> None:
            if call in handlers:
                handlers.remove(call)

        return unsubscribe

    def publish(self, events: Iterable[Event]) -> None:
        """Tell the events in order. Call it on the loop's thread, only after the commit."""
        for event in events:
            for kind in type(event).__mro__:
                for call in tuple(self._handlers.get(kind, ())):
                    self._tell(call, event)

    def _tell(self, call: Callable[[Event], None], event: Event) -> None:
        try:
            call(event)
        except Exception:  # noqa: BLE001 - a subscriber may raise anything; the others must still hear
            self.failures += 1
            _log.exception("a subscriber failed", kind=type(event).__name__)
