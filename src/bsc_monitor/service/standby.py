"""Becoming the one that writes: at once, or on PostgreSQL as soon as nobody else does."""

from __future__ import annotations

import asyncio

import structlog

from bsc_monitor.store import Store, StoreError, Taken

_log = structlog.get_logger(__name__)
_LOOK = 1.0  #: seconds


async def lead(url: str) -> Store:
    """Open the store. Raises StoreError, and Taken where another process on this machine writes to an SQLite file.

    On PostgreSQL a second service stands by, however long the first lives: it serves nothing meanwhile.
    """
    waiting = False
    while True:
        try:
            return await asyncio.to_thread(Store.open, url)
        except Taken:
            if url.startswith("sqlite"):
                raise
            if not waiting:
                _log.info("another bsc-monitor leads: standing by")
            waiting = True
        except StoreError:
            if not waiting:
                raise  # the server may be away for a moment, the settings of one who stands by are right
        await asyncio.sleep(_LOOK)
