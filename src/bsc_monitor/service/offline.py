"""Parts of the service for work on a database that no service has open: no schedule, no board, no messages."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bsc_monitor.bus import Bus
from bsc_monitor.collect.plugins import Plugins
from bsc_monitor.collect.schedule import Collection
from bsc_monitor.collect.stored import StoredRecords
from bsc_monitor.config import Configuration
from bsc_monitor.evaluate import Evaluator
from bsc_monitor.score.periods import period_at
from bsc_monitor.store import Store
from bsc_monitor.store.schema import RECORDS


@asynccontextmanager
async def evaluating(configuration: Configuration, bus: Bus | None = None) -> AsyncIterator[Evaluator]:
    """An evaluator on the configuration's database. Raises ``Taken`` where another process has it."""
    store = Store.open(configuration.service.database)
    try:
        evaluator = Evaluator(store, bus or Bus(), configuration)
        await evaluator.start()
        yield evaluator
    finally:
        store.close()


@asynccontextmanager
async def collecting(configuration: Configuration, plugins: Plugins) -> AsyncIterator[tuple[Store, Collection]]:
    """Sources ready to be asked, what they deliver going into the configuration's database."""
    bus = Bus()
    async with evaluating(configuration, bus) as evaluator:
        collection = Collection(
            configuration, plugins.collectors, deliver=evaluator.deliver, bus=bus,
            records=StoredRecords(evaluator.store, RECORDS), period_at=period_at, isolated=plugins.isolated,
        )  # fmt: skip
        await collection.open_sources()
        try:
            yield evaluator.store, collection
        finally:
            await collection.stop()
            await evaluator.tick()  # periods of this past close now, not at the next start
