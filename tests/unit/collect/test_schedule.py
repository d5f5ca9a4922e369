"""The schedule: on a clock of its own where it is arithmetic, on a real loop where it is running."""

import asyncio
import itertools
import os
import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from structlog.testing import capture_logs

from bsc_monitor.collect.agenda import Agenda, jobs_of, periods_due
from bsc_monitor.collect.harvest import readings_for
from bsc_monitor.collect.plugins import find_plugins
from bsc_monitor.collect.schedule import Collection
from bsc_monitor.collect.streams import TransientRecords
from bsc_monitor.collect.watch import LoopWatch
from bsc_monitor.model.event import CollectorFailed, CollectorRan
from bsc_monitor.model.organisation import Kpi, Organisation, Schedule, Scorecard
from bsc_monitor.model.period import Calendar, Period, PeriodKind
from bsc_monitor.model.source import Source
from bsc_monitor.plugin import Collector, CollectorError, Params, Reading, Secret, SourceConfig, SourceError, measure

NOW = datetime(2026, 6, 10, 12, tzinfo=UTC)


def period_at(instant, kind, calendar):
    """Months and days in UTC are enough here."""
    if kind is PeriodKind.DAY:
        start = instant.replace(hour=0, minute=0, second=0, microsecond=0)
        return Period(start, start + timedelta(days=1), kind, start.date().isoformat())
    start = instant.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return Period(start, (start + timedelta(days=32)).replace(day=1), kind, f"{start:%Y-%m}")


def kpi(id, measure="count", source="s", **options):
    return Kpi(id, "it", "p", "it/o", id, source=source, measure=measure, **options)


def organisation(*kpis, timezone="UTC"):
    cards = {"it": Scorecard("it", "IT", calendar=Calendar(timezone))}
    return Organisation(scorecards=cards, kpis={k.name: k for k in kpis})


def source(id="s", every="15m", **options):
    minutes = {"15m": 15, "1m": 1, "1d": 1440}[every]
    return Source(id, "counter", SourceConfig(), schedule=Schedule(every=timedelta(minutes=minutes)), **options)


def jobs_for(*kpis, timezone="UTC", **options):
    return jobs_of(organisation(*kpis, timezone=timezone), {"s": source(**options)})


def play(agenda, jobs, start, until, error=None, step=timedelta(seconds=1)):
    """Run the agenda on a virtual clock; every run takes no time. The instants of all runs, by job."""
    agenda.start(jobs.values(), start)
    runs, now = [], start
    while now < until:
        for job in agenda.take(now, 1000):
            runs.append((now, job))
            job.started = now
            agenda.finished(job, now, error, period_at)
        now = max(now + step, agenda.next_due() or until)
    return runs


def test_kpis_that_ask_the_same_share_one_job():
    jobs = jobs_for(kpi("a"), kpi("b", by=("team",)), kpi("c", params={"x": 1}), kpi("d", period=PeriodKind.DAY))
    assert sorted(len(job.kpis) for job in jobs.values()) == [1, 1, 2]
    assert next(job for job in jobs.values() if len(job.kpis) == 2).by == ("team",)


def test_a_thousand_kpis_start_spread_and_stay_spread():
    jobs = jobs_for(*[kpi(f"k{n}", params={"n": n}) for n in range(1000)])
    runs = play(Agenda(random.Random(1).random), jobs, NOW, NOW + timedelta(minutes=46))
    first = {}
    for at, job in runs:
        first.setdefault(job.key, at)
    assert max(first.values()) - NOW <= timedelta(seconds=30)
    assert max(Counter(int((at - NOW).total_seconds()) for at in first.values()).values()) <= 60
    later = Counter(int((at - NOW).total_seconds()) for at, _ in runs if at > NOW + timedelta(minutes=1))
    assert max(later.values()) <= 12  # 1,000 in 900 s would be 1.1 a second on average
    assert all(3 <= n <= 5 for n in Counter(job.key for _, job in runs).values())


def test_a_failing_job_backs_off_and_returns_to_its_interval():
    jobs = jobs_for(kpi("a"), every="1m")
    runs = play(Agenda(lambda: 0.0), jobs, NOW, NOW + timedelta(hours=4), SourceError("down"))
    gaps = [(b - a).total_seconds() for (a, _), (b, _) in itertools.pairwise(runs)]
    assert gaps[:4] == [30, 60, 120, 240]
    assert max(gaps) == 3600
    [job] = jobs.values()
    agenda = Agenda(lambda: 0.0)
    agenda.finished(job, NOW, None, period_at)
    assert (job.failures, job.due - NOW <= timedelta(minutes=1.5)) == (0, True)


def test_a_source_that_names_a_waiting_time_is_not_asked_earlier():
    [job] = jobs_for(kpi("a")).values()
    agenda = Agenda(lambda: 0.0)
    agenda.finished(job, NOW, SourceError("slow down", CollectorError.RATE_LIMIT, retry_after=1800), period_at)
    assert job.due == NOW + timedelta(minutes=30)


def test_what_only_a_person_can_mend_is_not_tried_every_few_seconds():
    [job] = jobs_for(kpi("a"), every="1m").values()
    Agenda(lambda: 0.0).finished(job, NOW, SourceError("wrong password", CollectorError.AUTH), period_at)
    assert job.due - NOW == timedelta(minutes=5)


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe"])
def test_a_daily_job_runs_once_a_day_for_a_year_whatever_the_clock_does(zone):
    jobs = jobs_for(kpi("a", schedule=Schedule(cron="30 2 * * *"), window=timedelta(days=30)), timezone=zone)
    runs = play(Agenda(lambda: 0.0), jobs, NOW, NOW + timedelta(days=365), step=timedelta(minutes=7))
    from zoneinfo import ZoneInfo

    days = Counter(at.astimezone(ZoneInfo(zone)).date() for at, _ in runs[1:])
    assert set(days.values()) == {1}
    assert len(days) in (364, 365)


@pytest.mark.parametrize("hours", [-24, -1, 1, 24])
def test_a_jump_of_the_clock_neither_stops_nor_doubles_a_job(hours):
    jobs = jobs_for(kpi("a"))
    agenda = Agenda(lambda: 0.0)
    play(agenda, jobs, NOW, NOW + timedelta(hours=1))
    jumped = NOW + timedelta(hours=1 + hours)
    agenda.rebase(jobs.values(), jumped, period_at)
    assert jumped < agenda.next_due() <= jumped + timedelta(minutes=15)
    assert len(agenda.take(jumped + timedelta(minutes=15), 10)) == 1


def test_missed_runs_coalesce_into_one():
    jobs = jobs_for(kpi("a"))
    agenda = Agenda(lambda: 0.0)
    play(agenda, jobs, NOW, NOW + timedelta(minutes=1))
    late = NOW + timedelta(hours=9)  # the machine slept
    [job] = agenda.take(late, 10)
    agenda.finished(job, late, None, period_at)
    assert agenda.take(late, 10) == []


def test_after_a_periods_end_one_more_run_takes_its_final_value():
    [job] = jobs_for(kpi("a", period=PeriodKind.DAY), every="1d").values()
    agenda = Agenda(lambda: 0.0)
    job.closed, job.started = "2026-06-09", NOW
    agenda.finished(job, NOW, None, period_at)
    midnight = datetime(2026, 6, 11, tzinfo=UTC)
    assert midnight < job.due <= midnight + timedelta(minutes=10)
    assert [p.label for p in periods_due(job, job.due, period_at)] == ["2026-06-10", "2026-06-11"]
    job.closed = "2026-06-10"
    assert [p.label for p in periods_due(job, job.due, period_at)] == ["2026-06-11"]


def test_beyond_its_grace_a_period_is_left_alone():
    [job] = jobs_for(kpi("a")).values()
    assert [p.label for p in periods_due(job, NOW, period_at)] == ["2026-06"]
    assert [p.label for p in periods_due(job, datetime(2026, 6, 1, 5, tzinfo=UTC), period_at)] == ["2026-05", "2026-06"]


def test_webhooks_are_gathered_and_a_person_is_served_at_once():
    [job] = jobs_for(kpi("a")).values()
    agenda = Agenda(lambda: 0.0)
    agenda.finished(job, NOW, None, period_at)
    for n in range(50):
        agenda.ask(job, NOW + timedelta(milliseconds=n), event_time=NOW + timedelta(milliseconds=n))
    assert (job.due, job.event_time) == (NOW + agenda.coalesce, NOW)
    assert agenda.take(NOW + agenda.coalesce, 10) == [job]
    assert agenda.take(NOW + agenda.coalesce, 10) == []
    agenda.ask(job, NOW)  # while it runs
    agenda.finished(job, NOW, None, period_at)
    assert job.due == NOW + agenda.coalesce


def test_a_watch_sees_a_jump_of_the_wall_clock_and_a_stall_of_the_loop():
    wall, mono, jumps = [NOW], [100.0], []
    watch = LoopWatch(lambda: wall[0], jumps.append, lambda: mono[0])
    for wall_step, mono_step in [(0.1, 0.1), (0.4, 0.4), (3600.1, 0.1), (-7199.9, 0.1)]:
        wall[0] += timedelta(seconds=wall_step)
        mono[0] += mono_step
        watch.look(expected=0.1)
    assert [round(jump) for jump in jumps] == [3600, -7200]
    assert watch.stall == pytest.approx(0.3)
    mono[0] += 120
    watch.look(expected=120)
    assert watch.stall == 0.0


def test_a_kpi_takes_totals_and_its_own_breakdowns_of_a_shared_run():
    total, team, place = Reading(1.0), Reading(2.0, labels={"team": "a"}), Reading(3.0, labels={"place": "b"})
    assert readings_for(kpi("a"), [total, team, place]) == [total]
    assert readings_for(kpi("a", by=("team",)), [total, team, place]) == [total, team]
    assert readings_for(kpi("a"), [team]) == [team]


class Number(Params):
    n: int = 0


class Counter_(Collector):
    name = "counter"
    active = most = 0
    held = None

    @measure(unit="count", title="Count")
    async def count(self, ctx, p: Number):
        type(self).active += 1
        type(self).most = max(self.most, self.active)
        await asyncio.sleep(0)
        type(self).active -= 1
        return Reading(float(p.n))

    @measure(unit="count", title="Fails")
    async def fails(self, ctx):
        raise SourceError("no luck today", CollectorError.PERMISSION, hint="Ask the owner.")

    @measure(unit="count", title="Leaks")
    async def leaks(self, ctx, p: Number):
        if not p.n:
            return Reading(0.0)
        token = self.config.token.reveal()
        raise SourceError(f"{token} was refused", CollectorError.AUTH, hint=f"Renew {token}.")

    @measure(unit="count", title="Waits")
    async def waits(self, ctx, p: Number):
        await self.held.wait()
        return Reading(float(p.n))


class Guarded(SourceConfig):
    token: Secret


class Stage:
    """A collection with everything around it in memory."""

    def __init__(self, *kpis, **sources):
        self.harvests, self.events = [], []
        self.broken = False
        self.configuration = self.configure(*kpis, **sources)
        self.collection = Collection(
            self.configuration, {"counter": Counter_}, deliver=self.deliver, bus=self, records=TransientRecords(),
            period_at=period_at,
        )  # fmt: skip

    def configure(self, *kpis, **sources):
        return SimpleNamespace(organisation=organisation(*kpis), sources=sources or {"s": source()})

    async def deliver(self, harvest):
        if self.broken:
            raise OSError("disk full")
        self.harvests.append(harvest)

    def publish(self, events):
        self.events.extend(events)

    async def until(self, condition):
        async with asyncio.timeout(10):
            while not condition():  # noqa: ASYNC110
                await asyncio.sleep(0.005)

    async def __aenter__(self):
        await self.collection.start()
        return self

    async def __aexit__(self, *_):
        await self.collection.stop()


async def test_every_kpi_gets_its_readings_and_its_news():
    async with Stage(kpi("a", params={"n": 1}), kpi("b", params={"n": 2}), kpi("c", params={"n": 2})) as stage:
        await stage.until(lambda: len(stage.events) == 2)
        got = {item[0].id: item[1].value for harvest in stage.harvests for item in harvest.items}
        assert got == {"a": 1.0, "b": 2.0, "c": 2.0}
        assert all(isinstance(event, CollectorRan) and event.next_run > event.at for event in stage.events)
        assert stage.collection.next_runs()[0].due is not None


async def test_a_failing_source_is_told_in_words_and_the_others_do_not_notice():
    async with Stage(
        kpi("a"), kpi("b", "fails", source="t"), kpi("c", "nothing", source="u"), s=source(), t=source("t"),
        u=Source("u", "no-such-plugin", SourceConfig()),
    ) as stage:  # fmt: skip
        await stage.until(lambda: len(stage.events) == 3)
        by_source = {event.source: event for event in stage.events}
        assert isinstance(by_source["s"], CollectorRan)
        assert isinstance(by_source["t"], CollectorFailed)
        assert (by_source["t"].reason, by_source["t"].message) == (
            CollectorError.PERMISSION,
            "no luck today Ask the owner.",
        )
        assert by_source["t"].next_run > by_source["t"].at
        assert "no-such-plugin is not loaded" in by_source["u"].message


async def test_one_of_two_collections_that_fails_is_logged_once_with_its_secret_masked():
    with capture_logs() as lines:
        async with Stage(
            kpi("a", "leaks", params={"n": 0}), kpi("b", "leaks", params={"n": 1}),
            s=Source("s", "counter", Guarded(token=Secret("hunter2-hunter2"))),
        ) as stage:  # fmt: skip
            await stage.until(lambda: len(stage.events) == 2)
            stage.collection.run_now("s")
            await stage.until(lambda: len(stage.events) == 4)
    fails = [line for line in lines if line["event"] == "a collection fails"]
    assert [(line["kpis"], line["reason"], line["error"]) for line in fails] == [
        (["it/b"], "auth", "*** was refused Renew ***.")
    ]
    of_b = [event for event in stage.events if event.kpis == ("it/b",)]
    assert [type(event) for event in of_b] == [CollectorFailed, CollectorFailed]
    assert len({event.job for event in stage.events}) == 2


async def test_what_keeps_all_from_asking_is_no_news_of_each():
    with capture_logs() as lines:
        async with Stage(kpi("a"), kpi("b", params={"n": 2})) as stage:
            stage.collection.closed = "the disk is nearly full"
            await stage.until(lambda: len(stage.events) == 2)
            assert {event.message for event in stage.events} == {"the disk is nearly full"}
            stage.collection.closed = ""
            stage.collection.run_now("s")
            await stage.until(lambda: len(stage.events) == 4)
    assert [line for line in lines if "a collection" in line["event"]] == []


async def test_how_a_run_ends_that_a_reload_took_off_is_not_told():
    Counter_.held = asyncio.Event()
    async with Stage(kpi("a"), kpi("b", "waits", params={"n": 2})) as stage:
        await stage.until(lambda: stage.events and any(job.running for job in stage.collection.next_runs()))
        await stage.collection.reload(stage.configure(kpi("a")), {"counter": Counter_})
        Counter_.held.set()
        await stage.until(lambda: len(stage.harvests) == 2)
        stage.collection.run_now("s")
        await stage.until(lambda: len(stage.events) == 2)
        assert {event.kpis for event in stage.events} == {("it/a",)}


async def test_a_source_is_asked_by_no_more_runs_at_once_than_it_allows():
    Counter_.most = 0
    async with Stage(*[kpi(f"k{n}", params={"n": n}) for n in range(60)], s=source(concurrency=3)) as stage:
        stage.collection.run_now("s")
        await stage.until(lambda: len(stage.harvests) >= 60)
        assert 1 <= Counter_.most <= 3


async def test_readings_that_cannot_be_stored_are_collected_again():
    stage = Stage(kpi("a"))
    stage.broken = True
    async with stage:
        await stage.until(lambda: stage.events)
        assert isinstance(stage.events[0], CollectorFailed)
        assert "could not be stored" in stage.events[0].message
        stage.broken = False
        assert stage.collection.run_now("s") == 1
        await stage.until(lambda: stage.harvests)


async def test_a_storm_of_webhooks_becomes_few_runs_that_carry_the_first_events_time():
    async with Stage(kpi("a")) as stage:
        await stage.until(lambda: stage.events)
        for n in range(50):
            stage.collection.trigger("s", NOW + timedelta(seconds=n))
        await stage.until(lambda: len(stage.events) == 2)
        assert stage.harvests[1].event_time == NOW
        assert stage.collection.trigger("unknown") == 0


async def test_a_reload_keeps_what_did_not_change_and_drops_what_is_gone():
    async with Stage(kpi("a"), kpi("b", params={"n": 2})) as stage:
        await stage.until(lambda: len(stage.events) == 2)
        kept = next(job for job in stage.collection.next_runs() if not job.params)
        await stage.collection.reload(stage.configure(kpi("a"), kpi("c", params={"n": 3})), {"counter": Counter_})
        await stage.until(lambda: len(stage.events) == 3)
        assert {job.params.get("n") for job in stage.collection.next_runs()} == {None, 3}
        assert kept in stage.collection.next_runs()


async def test_a_plugin_that_is_not_bundled_answers_from_a_worker_of_its_own(tmp_path):
    (tmp_path / "outside.py").write_text(
        "import os\nfrom bsc_monitor.plugin import Collector, Reading, measure\n"
        "class Outside(Collector):\n    name = 'outside'\n"
        "    @measure(unit='count', title='Process')\n"
        "    async def process(self, ctx):\n        return Reading(float(os.getpid()))\n"
    )
    found = find_plugins([tmp_path], with_entry_points=False)
    stage = Stage(kpi("a", "process", source="o"), o=Source("o", "outside", SourceConfig()))
    stage.collection = Collection(
        stage.configuration, found.collectors, deliver=stage.deliver, bus=stage, records=TransientRecords(),
        period_at=period_at, isolated=found.isolated,
    )  # fmt: skip
    async with stage:
        await stage.until(lambda: stage.events)
        assert isinstance(stage.events[0], CollectorRan), stage.events
        assert stage.harvests[0].items[0][1].value != os.getpid()
