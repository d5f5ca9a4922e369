"""When the service begins to look back."""

import asyncio
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from bsc_monitor.bus import Bus
from bsc_monitor.model.event import CollectorRan, ConfigReloaded
from bsc_monitor.service.past import every_job_ran

NOW = datetime(2026, 6, 15, tzinfo=UTC)
RAN, RELOADED = CollectorRan(NOW, "jira", "lead_time", 1.0, 3), ConfigReloaded(NOW, ok=True)


@pytest.mark.parametrize("last_word", [RAN, RELOADED], ids=["it ran", "a reload took it away"])
async def test_the_past_waits_for_the_first_run_of_every_job_that_there_is(last_word):
    done, waited = SimpleNamespace(ended=NOW), SimpleNamespace(ended=None)
    jobs = [done, waited]
    bus = Bus()
    waiting = asyncio.create_task(every_job_ran(bus, SimpleNamespace(next_runs=lambda: list(jobs))))
    await asyncio.sleep(0)
    bus.publish([RAN, RELOADED])
    await asyncio.sleep(0)
    assert not waiting.done()

    if last_word is RAN:
        waited.ended = NOW
    else:
        jobs.remove(waited)
    bus.publish([last_word])

    await asyncio.wait_for(waiting, 10)
