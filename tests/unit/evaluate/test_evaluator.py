"""One transaction per evaluation: what is committed together, what is told, and what a failure leaves behind."""

import asyncio
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import Connection, text
from structlog.testing import capture_logs

from bsc_monitor.bus import Bus
from bsc_monitor.collect.harvest import Harvest
from bsc_monitor.config.settings import Configuration
from bsc_monitor.evaluate import Evaluator
from bsc_monitor.evaluate.gather import Gatherer
from bsc_monitor.model.alert import AlertState
from bsc_monitor.model.event import (
    AlertChanged,
    CollectorFailed,
    CollectorRan,
    Event,
    KpiJudged,
    PeriodClosed,
    ReadingStored,
    ScoreChanged,
    StatusChanged,
)
from bsc_monitor.model.health import CollectionHealth
from bsc_monitor.model.organisation import (
    Kpi,
    Objective,
    Organisation,
    Perspective,
    Scorecard,
    TargetPath,
    TargetStep,
    Thresholds,
)
from bsc_monitor.model.period import Period, PeriodKind
from bsc_monitor.model.status import Status
from bsc_monitor.plugin import CollectorError, Reading, SourceError
from bsc_monitor.score.periods import parse_period
from bsc_monitor.store import Store, history
from bsc_monitor.store.periods import nodes_of
from bsc_monitor.store.standing import load_collections

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
PATH = TargetPath((TargetStep(date.min, Thresholds(target=8.0, red=24.0)),))


def organisation(target=8.0):
    path = TargetPath((TargetStep(date.min, Thresholds(target=target, red=24.0)),))
    card = Scorecard("it", "IT", perspectives=(Perspective("internal_process", "it", "Internal process"),))
    objective = Objective("restore-fast", "it", "internal_process", "Restore service fast")
    kpi = Kpi(
        "mttr", "it", "internal_process", objective.name, "Mean time to resolve", unit="h", better="lower", path=path,
        source="itsm", measure="mttr", stale_after=timedelta(days=3),
    )  # fmt: skip
    return Organisation({"it": card}, {objective.name: objective}, {kpi.name: kpi})


class Clock:
    def __init__(self):
        self.now = NOW

    def __call__(self):
        return self.now


class Site:
    """An evaluator over a store, and all that it told."""

    def __init__(self, folder):
        self.clock, self.bus, self.told = Clock(), Bus(), []
        self.store = Store.open(f"sqlite:///{folder / 'test.db'}")
        self.configuration = Configuration(organisation=organisation())
        self.bus.subscribe(Event, self.told.append)
        self.evaluator = Evaluator(self.store, self.bus, self.configuration, self.clock)

    async def deliver(self, *values, **more):
        kpi = self.configuration.organisation.kpis["it/mttr"]
        items = tuple((kpi, value if isinstance(value, Reading) else Reading(value, **more)) for value in values)
        await self.evaluator.deliver(Harvest("itsm", "mttr", "h", self.clock.now, items))

    def of(self, kind):
        return [event for event in self.told if isinstance(event, kind)]


@pytest.fixture
async def site(tmp_path):
    built = Site(tmp_path)
    await built.evaluator.start()
    built.told.clear()
    yield built
    built.store.close()


async def test_a_reading_is_stored_judged_and_rolled_up_and_then_told_in_that_order(site):
    await site.deliver(4.0)
    kinds = [type(event) for event in site.told if not isinstance(event, AlertChanged)]
    assert kinds[:3] == [ReadingStored, KpiJudged, StatusChanged]
    assert {event.node.name for event in site.of(ScoreChanged)} == {"it/restore-fast", "it/internal_process", "it"}
    assert [each.value for each in site.store.read_now(lambda c: history.readings(c, "it/mttr"))] == [4.0]


async def test_a_change_of_status_is_kept_as_history_and_the_first_judgement_too(site):
    await site.deliver(4.0)
    site.clock.now += timedelta(hours=1)
    await site.deliver(30.0)
    kept = site.store.read_now(lambda c: history.events(c, subject="it/mttr", kinds=("status",)))
    assert [(each.data["from"], each.data["to"]) for each in kept] == [("green", "red"), ("unknown", "green")]


async def test_a_restart_goes_on_with_status_and_since_before_any_reading_came(site, tmp_path):
    await site.deliver(4.0)
    since = site.of(KpiJudged)[-1].judgement.since
    site.store.close()
    site.clock.now += timedelta(minutes=5)
    again = Site(tmp_path)
    again.clock.now = site.clock.now
    await again.evaluator.start()
    judged = again.of(KpiJudged)[-1].judgement
    assert (judged.status, judged.value, judged.since) == (Status.GREEN, 4.0, since)
    again.store.close()


async def test_an_alert_on_a_measure_lives_while_any_of_its_collections_fails(site):
    def states():
        alerts = [event.alert for event in site.of(AlertChanged) if event.alert.rule == "CollectorFailing"]
        return [(alert.state, alert.facts.note) for alert in alerts]

    run = (site.clock.now, "itsm", "mttr", 1.0)
    await site.evaluator.collected(CollectorFailed(*run, CollectorError.CONFIG, "404", job="b"), "404 (it/mttr)")
    await site.evaluator.collected(CollectorRan(*run, 1, job="a"), "404 (it/mttr)")
    site.clock.now += timedelta(hours=1)
    await site.evaluator.tick()
    assert states()[-1] == (AlertState.FIRING, "404 (it/mttr)")
    known = {"a": CollectionHealth("itsm", "mttr", "a")}
    await site.evaluator.keep_collections(known, {("itsm", "mttr"): None})
    assert states()[-1][0] is AlertState.RESOLVED
    kept = site.store.read_now(lambda connection: load_collections(connection, known))
    assert kept == [CollectionHealth("itsm", "mttr", "a", last_success=NOW)]


async def test_a_period_closes_after_its_grace_and_freezes_the_nodes_with_it(site):
    await site.deliver(4.0)
    site.clock.now = datetime(2026, 7, 2, 0, 0, 1, tzinfo=UTC)
    await site.evaluator.tick()
    site.clock.now += timedelta(seconds=5)
    await site.evaluator.tick()
    closed = [event.period for event in site.of(PeriodClosed) if event.period.label == "2026-06"]
    assert len(closed) == 1
    frozen = {each.name: each.score for each in site.store.read_now(lambda c: nodes_of(c, closed[0]))}
    assert frozen.keys() == {"it/restore-fast", "it/internal_process", "it"}
    assert frozen["it"] == pytest.approx(75.0)  # a quarter of the way from target 8 to best −8


async def test_a_quarter_that_was_frozen_first_takes_the_values_of_its_months_when_they_come_later(tmp_path):
    """A back-fill asks source after source: the months of one may come long after the quarters of another."""
    site = Site(tmp_path)
    base = organisation()
    mttr = base.kpis["it/mttr"]
    survey = replace(mttr, id="survey", period=PeriodKind.QUARTER)
    site.configuration = Configuration(organisation=replace(base, kpis={each.name: each for each in (mttr, survey)}))
    site.evaluator = Evaluator(site.store, site.bus, site.configuration, site.clock)
    await site.evaluator.start()

    async def fill_in(kpi, label, value):
        period = parse_period(label, base.scorecards["it"].calendar)
        reading = Reading(value, at=period.end - timedelta(seconds=1), period=period)
        await site.evaluator.deliver(Harvest("itsm", "mttr", "h", site.clock.now, ((kpi, reading),)))
        site.clock.now += timedelta(seconds=5)
        await site.evaluator.tick()
        return period

    quarter = await fill_in(survey, "2026-Q1", 8.0)
    march = await fill_in(mttr, "2026-03", 24.0)

    for period in (quarter, march):
        frozen = {each.name: each for each in site.store.read_now(lambda c, p=period: nodes_of(c, p))}
        assert frozen["it"].score == pytest.approx(50)
        assert (frozen["it"].green, frozen["it"].red) == (1, 1)
    site.store.close()


async def test_a_changed_threshold_does_not_rewrite_the_past_but_rescoring_does_and_is_on_record(site):
    await site.deliver(9.0)
    site.clock.now = datetime(2026, 7, 2, 0, 0, 1, tzinfo=UTC)
    await site.evaluator.tick()

    def june():
        values = site.store.read_now(lambda c: history.period_values(c, "it/mttr"))
        return next(value for value in values if value.period.label == "2026-06")

    before = june()
    await site.evaluator.replace(Configuration(organisation=organisation(target=10.0)))
    assert june() == before
    assert await site.evaluator.rescore(["it/mttr"], NOW - timedelta(days=30), "ada") == 1
    assert (june().status, june().revision) == (Status.GREEN, before.revision + 1)
    (kept,) = site.store.read_now(lambda c: history.events(c, kinds=("rescored",)))
    assert kept.data["author"] == "ada"


async def test_what_cannot_be_used_is_refused_in_words_and_the_rest_is_taken(site):
    await site.deliver(Reading(float("nan")), Reading(5.0))
    assert [each.value for each in site.store.read_now(lambda c: history.readings(c, "it/mttr"))] == [5.0]
    with pytest.raises(SourceError, match="nan"):
        await site.deliver(Reading(float("nan")))


async def test_of_what_one_run_says_twice_the_last_counts_and_it_is_said(tmp_path):
    site = Site(tmp_path)
    kpis = {name: replace(kpi, aggregate="mean") for name, kpi in site.configuration.organisation.kpis.items()}
    site.configuration = Configuration(organisation=replace(site.configuration.organisation, kpis=kpis))
    site.evaluator = Evaluator(site.store, site.bus, site.configuration, site.clock)
    await site.evaluator.start()
    with capture_logs() as logs:
        await site.deliver(30.0, 4.0)
        await site.deliver(6.0, 6.0, at=NOW - timedelta(hours=1))
    said = "it/mttr: 2 readings of the total at 2026-06-15 12:00 UTC (30, 4): only the last counts"
    assert [(each["event"], each["why"]) for each in logs if "why" in each] == [("readings were replaced", said)]
    kept = site.store.read_now(lambda c: history.readings(c, "it/mttr"))
    assert [(each.value, (each.note or "").endswith("only the last counts")) for each in kept] == [
        (4.0, True),
        (6.0, False),
    ]
    assert site.of(KpiJudged)[-1].judgement.value == 5.0, "as it is when the store is read anew"
    site.store.close()


async def test_a_transaction_that_fails_tells_nothing_and_the_next_judges_by_what_the_store_holds(site):
    await site.deliver(4.0)
    site.told.clear()

    def fail(connection, state):
        state.scoring.tick(NOW + timedelta(days=400))  # memory runs ahead of the store …
        raise RuntimeError("disk full")

    with pytest.raises(RuntimeError, match="disk full"):
        await site.evaluator.run(fail)
    assert site.told == []
    site.clock.now += timedelta(minutes=1)
    await site.deliver(5.0)  # … and is read anew
    assert site.of(KpiJudged)[-1].judgement.value == 5.0


async def test_deliveries_during_a_commit_share_the_next_one(site):
    await asyncio.gather(*(site.deliver(float(number), at=NOW - timedelta(minutes=number)) for number in range(50)))
    assert len(site.store.read_now(lambda c: history.readings(c, "it/mttr"))) == 50


async def test_of_deliveries_taken_together_one_that_fails_harms_itself_alone(tmp_path):
    store = Store.open(f"sqlite:///{tmp_path / 'g.db'}")
    taken = []

    def take(connection: Connection, deliveries):
        connection.execute(text("SELECT 1"))
        values = [reading for delivery in deliveries for reading in delivery.readings]
        if "bad" in values:
            raise ValueError("bad")
        taken.append(values)
        return []

    from bsc_monitor.evaluate.gather import Delivery

    gatherer = Gatherer(store.submit, take)
    waiting = [Delivery([value]) for value in ("a", "bad", "b", "c")]
    results = await asyncio.gather(*(gatherer.put(each) for each in waiting), return_exceptions=True)
    assert [type(result).__name__ for result in results] == ["NoneType", "ValueError", "NoneType", "NoneType"]
    assert sorted(value for values in taken for value in values) == ["a", "b", "c"]
    store.close()


async def test_after_a_back_fill_a_status_is_as_old_as_it_really_is(site):
    await site.deliver(30.0)
    for month, hours in ((5, 28.0), (4, 26.0), (3, 4.0)):
        at = datetime(2026, month, 28, tzinfo=UTC)
        start = datetime(2026, month, 1, tzinfo=UTC)
        period = Period(start, datetime(2026, month + 1, 1, tzinfo=UTC), PeriodKind.MONTH, f"2026-{month:02}")
        await site.deliver(Reading(hours, at=at, period=period))
    await site.evaluator.tick()
    await site.evaluator.date_back()
    judged = site.of(KpiJudged)[-1].judgement
    assert (judged.status, judged.since) == (Status.RED, datetime(2026, 4, 1, tzinfo=UTC))
    nodes = {each.node.kind: each.node for each in site.of(ScoreChanged)}
    assert {kind: (node.status, node.since) for kind, node in nodes.items()} == dict.fromkeys(
        ("objective", "perspective", "scorecard"), (Status.RED, datetime(2026, 4, 1, tzinfo=UTC))
    )
    site.clock.now += timedelta(hours=1)
    await site.deliver(31.0)
    assert site.of(KpiJudged)[-1].judgement.since == datetime(2026, 4, 1, tzinfo=UTC)
