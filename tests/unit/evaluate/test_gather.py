import asyncio
from concurrent.futures import Future

import pytest

from bsc_monitor.evaluate.gather import Delivery, Gatherer


async def test_when_no_transaction_comes_about_everybody_is_told_and_the_next_is_tried_again():
    asked = []

    def submit(work):
        done = Future()
        asked.append((work, done))
        return done

    taken = []
    gatherer = Gatherer(submit, lambda connection, deliveries: taken.extend(deliveries) or [])
    first = [asyncio.ensure_future(gatherer.put(Delivery([]))) for _ in range(2)]
    await asyncio.sleep(0)
    asked[0][1].set_exception(OSError("the server is away"))
    for each in first:
        with pytest.raises(OSError, match="away"):
            await each
    later = asyncio.ensure_future(gatherer.put(Delivery([])))
    await asyncio.sleep(0)
    work, done = asked[1]
    done.set_result(work(None))
    await later
    assert len(taken) == 1
