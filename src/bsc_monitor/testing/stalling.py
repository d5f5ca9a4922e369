"""Seeing who blocks the event loop: a thread that looks whether the loop still turns, and where it stands if not."""

from __future__ import annotations

import asyncio
import ctypes
import sys
import threading
import time
import traceback
from pathlib import Path
from types import TracebackType
from typing import Self

_BEAT = 0.02
_STALL = 0.4  #: seconds; a loop that does not turn for so long is blocked
_HOPELESS = 10.0  #: seconds; after so long the plugin's code is broken off, or the check would never end


class Stalled(Exception):  # noqa: N818 - names what happened
    """Raised within code that never lets go of the loop."""

    def __init__(self) -> None:
        super().__init__("it never let go of the event loop, and was broken off")


class StallWatch:
    """An async context around a run. ``stalls`` holds, by file and line of the plugin, the longest stall in seconds."""

    def __init__(self, file: str) -> None:
        self.stalls: dict[int, float] = {}
        self._file = file
        self._main, self._native = threading.get_ident(), threading.get_native_id()
        self._beat = time.monotonic() - _queued(self._native)
        self._done = threading.Event()
        self._broken_off = False

    async def __aenter__(self) -> Self:
        self._beating = asyncio.create_task(self._turn())
        self._looking = threading.Thread(target=self._look, daemon=True)
        self._looking.start()
        return self

    async def __aexit__(
        self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None
    ) -> None:
        self._done.set()
        self._beating.cancel()
        await asyncio.to_thread(self._looking.join)

    async def _turn(self) -> None:
        while True:
            self._beat = time.monotonic() - _queued(self._native)
            await asyncio.sleep(_BEAT)

    def _look(self) -> None:
        while not self._done.wait(_BEAT):
            late = time.monotonic() - _queued(self._native) - self._beat
            frame = sys._current_frames().get(self._main)  # noqa: SLF001 - the documented way to see where a thread stands
            if late < _STALL or frame is None:
                continue
            lines = [each.lineno for each in traceback.extract_stack(frame) if each.filename == self._file]
            if lines and lines[-1] is not None:  # what stalls elsewhere is not the plugin's
                self.stalls[lines[-1]] = max(late, self.stalls.get(lines[-1], 0.0))
                if late > _HOPELESS and not self._broken_off:
                    self._broken_off = True
                    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(self._main), ctypes.py_object(Stalled))


def _queued(thread: int) -> float:
    """Seconds that a thread has waited for a processor so far: a busy machine's doing, not its own. 0 where nobody counts."""
    try:
        return int(Path(f"/proc/self/task/{thread}/schedstat").read_text().split()[1]) / 1e9
    except (OSError, IndexError, ValueError):
        return 0.0
