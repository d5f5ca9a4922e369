"""Watching the clock and the event loop: jumps of the one, stalls of the other."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from datetime import datetime

_BEAT = 0.1  #: seconds between looks
_JUMP = 2.0  #: seconds by which wall clock and monotonic clock may differ from look to look
_REMEMBERED = 60.0  #: seconds


class LoopWatch:
    """Looks at both clocks ten times a second; runs until cancelled.

    A plugin that blocks the loop shows here, whoever it was; a clock that was set shows before any timer notices.
    """

    def __init__(
        self,
        clock: Callable[[], datetime],
        on_jump: Callable[[float], None],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock = clock
        self._on_jump = on_jump
        self._monotonic = monotonic
        self._stalls: deque[tuple[float, float]] = deque(maxlen=1000)
        self._offset = clock().timestamp() - monotonic()
        self._looked = monotonic()

    @property
    def stall(self) -> float:
        """The longest stall of the loop in the last minute, seconds: ``bsc_loop_stall_seconds``."""
        since = self._monotonic() - _REMEMBERED
        return max((length for at, length in self._stalls if at >= since), default=0.0)

    async def run(self) -> None:
        """Look until cancelled."""
        self._looked = self._monotonic()
        while True:
            await asyncio.sleep(_BEAT)
            self.look(expected=_BEAT)

    def look(self, expected: float) -> None:
        """One look, ``expected`` seconds after the last."""
        now = self._monotonic()
        late = now - self._looked - expected
        if late > 0.005:
            self._stalls.append((now, late))
        self._looked = now
        offset = self._clock().timestamp() - now
        jump = offset - self._offset
        self._offset = offset
        if abs(jump) > _JUMP:
            self._on_jump(jump)
