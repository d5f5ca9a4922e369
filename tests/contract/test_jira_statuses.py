"""Statuses that are renamed and put into other categories while a source is watched, over the real store."""

from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from tests.contract.collector_run import month, opened, run, total
from tests.contract.jira_site import STATUSES, Served, at, issue, site

from bsc_monitor.collect.stored import StoredRecords
from bsc_monitor.store import Store
from bsc_monitor.store.schema import RECORDS

MAY, JUNE = month("2026-05"), month("2026-06")
WAITS = issue(1, "2026-05-01 08:00", ("2026-05-02 08:00", "doing"), ("2026-05-10 08:00", "review"))
PASSED = issue(
    2, "2026-05-01 08:00", ("2026-05-03 08:00", "doing"), ("2026-05-05 08:00", "review"), ("2026-05-06 08:00", "done")
)
LATER = issue(3, "2026-05-01 08:00", ("2026-06-04 08:00", "doing"), ("2026-06-05 08:00", "done"))


@pytest.fixture(params=["cloud", "server"])
def side(request):
    return request.param


class Watched:
    """A source that the service watches: its records are kept, and every question is asked at a moment."""

    def __init__(self, served, live, store, clock):
        self.site, self._live, self._store, self._clock = served.site, live, store, clock
        self.restart()

    def restart(self):
        self._records = StoredRecords(self._store, RECORDS)

    def admin(self, status, **change):
        known = self.site.statuses[STATUSES[status].id]
        self.site.statuses[known.id] = replace(known, **change)

    async def ask(self, now, measure, period, **params):
        self._clock[0] = at(now)
        asked = {"project": "PAY", **params}
        return total(
            await run("jira", {}, measure, period, now=at(now), live=self._live, records=self._records, **asked)
        )


@asynccontextmanager
async def watching(tmp_path, side, *issues):
    clock = [at("2026-05-20 12:00")]
    store = Store.open(f"sqlite:///{tmp_path}/bsc.db")
    try:
        async with Served(site(*issues, now=lambda: clock[0])) as served:
            live = opened("jira", served.config(side))
            try:
                yield Watched(served, live, store, clock)
            finally:
                await live.client.close()
    finally:
        store.close()


async def test_a_status_put_among_the_done_ones_changes_no_closed_month_and_finishes_nothing(tmp_path, side):
    async with watching(tmp_path, side, WAITS, PASSED, LATER) as jira:
        before = [(await jira.ask("2026-05-20 12:00", name, MAY)).value for name in ("throughput", "wip")]
        jira.admin("review", category="done")
        after = [(await jira.ask("2026-06-02 12:00", name, MAY)).value for name in ("throughput", "wip", "cycle_time")]
        jira.restart()
        june = [(await jira.ask("2026-06-20 12:00", name, JUNE)).value for name in ("throughput", "wip", "cycle_time")]

    assert before == [1, 1]
    assert after == [1, 1, 72], "from the 3rd to the 6th: by today's map it were done on the 5th, and two of them"
    assert june == [1, 0, 24], "what waits in review is done by now, but nobody finished it in June"


async def test_a_status_taken_out_of_the_done_ones_reopens_nothing(tmp_path, side):
    async with watching(tmp_path, side, PASSED, LATER) as jira:
        await jira.ask("2026-05-20 12:00", "throughput", MAY)
        jira.admin("done", category="indeterminate")
        throughput = await jira.ask("2026-06-02 12:00", "throughput", MAY)
        wip = await jira.ask("2026-06-02 12:30", "wip", JUNE)
        jira.admin("done", category="done")
        back = await jira.ask("2026-06-20 12:00", "wip", JUNE)
        reopened = await jira.ask("2026-06-20 12:30", "reopened_rate", JUNE)

    assert (throughput.value, wip.value, back.value) == (1, 1, 0)
    assert (reopened.value, reopened.denominator) == (0, 1), "the one finished in June"


async def test_a_renamed_status_is_known_by_both_of_its_names(tmp_path, side):
    async with watching(tmp_path, side, PASSED, LATER) as jira:
        first = await jira.ask("2026-05-20 12:00", "throughput", MAY, done=["已完成"])
        jira.admin("done", name="Fertig")
        by_old = [(await jira.ask("2026-06-20 12:00", "throughput", p, done=["已完成"])).value for p in (MAY, JUNE)]
        by_new = [(await jira.ask("2026-06-20 12:30", "throughput", p, done=["Fertig"])).value for p in (MAY, JUNE)]

    assert first.value == 1
    assert by_old == by_new == [1, 1]


async def test_a_deleted_status_means_what_it_meant(tmp_path, side):
    async with watching(tmp_path, side, WAITS, PASSED) as jira:
        await jira.ask("2026-05-20 12:00", "wip", MAY)
        del jira.site.statuses["2"]
        reading = await jira.ask("2026-06-02 12:00", "cycle_time", MAY)

    assert (reading.value, reading.note) == (72, None)
