"""Long lists of ServiceNow are walked once, then followed: what changed is asked for, and nothing is believed unchecked."""

from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

from tests.contract.servicenow_run import NoStreams, month, opened, total
from tests.contract.test_servicenow_wire import Served, incident

from bsc_monitor.collect.run import run_measure
from bsc_monitor.model.period import Calendar

APRIL = month("2026-04")
NOW = datetime(2026, 5, 2, tzinfo=UTC)
BEFORE = "2026-05-01 00:00:00"


def solved(number, hours, **values):
    opened_at = datetime(2026, 4, 3, tzinfo=UTC)
    return incident(
        number, f"{opened_at:%Y-%m-%d %H:%M:%S}", f"{opened_at + timedelta(hours=hours):%Y-%m-%d %H:%M:%S}",
        sys_updated_on=BEFORE, **values,
    )  # fmt: skip


class Followed:
    """One source over some incidents, asked again and again, and the instance's rows by number."""

    def __init__(self, served, live):
        self.rows, self._live = {row["number"]: row for row in served.rows}, live

    def change(self, number, at, **values):
        self.rows[f"INC{number:07d}"].update(values, sys_updated_on=f"{at:%Y-%m-%d %H:%M:%S}")

    async def mttr(self, now, **params):
        result = await run_measure(
            self._live, "mttr", params, period=APRIL, now=now, calendar=Calendar(), records=NoStreams()
        )
        assert result.error is None, result.error
        return total(result.readings), result.requests


@asynccontextmanager
async def following(*rows, **behaviour):
    async with Served(list(rows), **behaviour) as served:
        live = opened(served.url, page_size=2)
        try:
            yield Followed(served, live)
        finally:
            await live.client.close()


async def test_after_the_first_walk_only_what_changed_is_asked_for():
    async with following(*(solved(n, 2) for n in range(10))) as source:
        first, walked = await source.mttr(NOW)
        source.change(3, NOW + timedelta(minutes=5), resolved_at="2026-04-03 12:00:00")
        later, asked = await source.mttr(NOW + timedelta(minutes=10))

    assert (first.value, later.value, later.samples) == (2, 3, 10)  # (9 × 2 + 12) / 10
    assert walked >= 5, "pages of two"
    assert asked == 2, "what changed, and how many there are"


async def test_a_record_that_left_the_list_is_noticed_by_its_length():
    async with following(*(solved(n, n) for n in range(1, 11))) as source:
        first, _ = await source.mttr(NOW)
        source.change(10, NOW + timedelta(minutes=5), state="2", resolved_at="")  # reopened: no longer in the list
        later, _ = await source.mttr(NOW + timedelta(minutes=10))

    assert (first.value, first.samples) == (5.5, 10)
    assert (later.value, later.samples) == (5, 9)


async def test_one_that_left_while_another_came_is_noticed_too():
    async with following(*(solved(n, n) for n in range(1, 11)), incident(11, "2026-04-03 00:00:00")) as source:
        await source.mttr(NOW)
        source.change(10, NOW + timedelta(minutes=5), state="2", resolved_at="")
        source.change(11, NOW + timedelta(minutes=6), state="6", resolved_at="2026-04-03 20:00:00")
        later, _ = await source.mttr(NOW + timedelta(minutes=10))

    assert (later.value, later.samples) == ((45 + 20) / 10, 10)


async def test_hidden_records_stay_counted_and_the_value_partial():
    hidden = frozenset(solved(n, 2)["sys_id"] for n in (4, 5))
    async with following(*(solved(n, 2) for n in range(10)), unreadable=hidden) as source:
        await source.mttr(NOW)
        later, asked = await source.mttr(NOW + timedelta(minutes=10))

    assert (later.samples, later.note, asked) == (8, "2 records could not be read", 2)


async def test_once_a_day_the_whole_list_is_walked():
    async with following(*(solved(n, 2) for n in range(10))) as source:
        await source.mttr(NOW)
        source.rows["INC0000003"]["resolved_at"] = "2026-04-03 12:00:00"  # without a trace: the update time is old
        soon, _ = await source.mttr(NOW + timedelta(hours=23))
        later, asked = await source.mttr(NOW + timedelta(hours=24))

    assert (soon.value, later.value) == (2, 3)
    assert asked >= 5


async def test_lists_of_different_questions_are_kept_apart():
    async with following(*(solved(n, 2, priority=str(1 + n % 2)) for n in range(10))) as source:
        every, _ = await source.mttr(NOW)
        urgent, _ = await source.mttr(NOW, query="priority=1")
        again, asked = await source.mttr(NOW + timedelta(minutes=1), query="priority=1^ORpriority=7")

    assert (every.samples, urgent.samples, again.samples) == (10, 5, 5)
    assert asked > 2
