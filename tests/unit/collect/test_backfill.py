"""Back-fill: which past periods are wanting, how sources are treated, and how it goes on after an interruption."""

import asyncio
from datetime import UTC, datetime, timedelta

from bsc_monitor.collect.agenda import Job
from bsc_monitor.collect.backfill import backfill, past_runs
from bsc_monitor.collect.run import RunResult
from bsc_monitor.model.organisation import Schedule
from bsc_monitor.model.period import Calendar, PeriodKind
from bsc_monitor.plugin import CollectorError, Reading, SourceError
from bsc_monitor.score.periods import period_at

NOW = datetime(2026, 6, 15, tzinfo=UTC)
MARCH = datetime(2026, 3, 1, tzinfo=UTC)


def job(key="a", source="itsm", window=None):
    return Job(key, source, "mttr", {}, PeriodKind.MONTH, window, Calendar(), Schedule(every=timedelta(hours=1)))


def labels(runs):
    return [run.period.label for run in runs]


async def fill(runs, collect):
    outcomes = []

    async def finished(outcome):
        outcomes.append(outcome)

    await backfill(runs, collect, finished)
    return outcomes


def test_the_closed_periods_since_a_day_are_wanting_oldest_first_and_not_the_open_one():
    assert labels(past_runs([job()], MARCH, NOW, period_at)) == ["2026-03", "2026-04", "2026-05"]


def test_a_trailing_window_has_no_past_of_its_own():
    assert past_runs([job(window=timedelta(days=30))], MARCH, NOW, period_at) == []


async def test_after_an_interruption_only_what_is_missing_is_asked_again():
    done, asked = set(), []

    async def collect(of, period):
        asked.append(period.label)
        return RunResult((Reading(1.0),))

    async def finished(outcome):
        done.add(outcome.run.key)
        if len(done) == 2:
            raise asyncio.CancelledError  # the person pressed Ctrl-C

    runs = past_runs([job()], MARCH, NOW, period_at)
    try:
        await backfill(runs, collect, finished, at_once=1)
    except BaseExceptionGroup:
        pass
    except asyncio.CancelledError:
        pass
    left = past_runs([job()], MARCH, NOW, period_at, done)
    assert labels(left) == ["2026-05"]


async def test_a_source_that_does_not_accept_its_credentials_is_left_alone_and_the_others_go_on():
    asked = []

    async def collect(of, period):
        asked.append((of.source, period.label))
        error = SourceError("401", CollectorError.AUTH) if of.source == "bad" else None
        return RunResult(() if error else (Reading(1.0),), error=error)

    runs = past_runs([job("a", "bad"), job("b", "good")], MARCH, NOW, period_at)
    outcomes = await fill(runs, collect)
    assert [label for source, label in asked if source == "good"] == ["2026-03", "2026-04", "2026-05"]
    assert len([1 for source, _ in asked if source == "bad"]) <= 2
    assert all(outcome.error for outcome in outcomes if outcome.run.job.source == "bad")


async def test_one_wrong_measure_does_not_end_its_source():
    async def collect(of, period):
        error = SourceError("no such field", CollectorError.CONFIG) if of.key == "a" else None
        return RunResult(() if error else (Reading(1.0),), error=error)

    outcomes = await fill(past_runs([job("a"), job("b")], MARCH, NOW, period_at), collect)
    assert [bool(outcome.error) for outcome in outcomes if outcome.run.job.key == "b"] == [False] * 3


async def test_a_source_that_asks_for_patience_is_asked_again():
    answers = [SourceError("429", CollectorError.RATE_LIMIT, retry_after=0.0), None]

    async def collect(of, period):
        error = answers.pop(0) if answers else None
        return RunResult(() if error else (Reading(1.0),), error=error)

    (outcome,) = await fill(past_runs([job()], datetime(2026, 5, 1, tzinfo=UTC), NOW, period_at), collect)
    assert (outcome.error, outcome.readings) == ("", 1)
