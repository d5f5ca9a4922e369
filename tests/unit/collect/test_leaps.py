from datetime import UTC, datetime, timedelta

import pytest

from bsc_monitor.collect.agenda import Agenda, jobs_of
from bsc_monitor.model.organisation import Kpi, Organisation, Schedule, Scorecard
from bsc_monitor.model.period import Calendar
from bsc_monitor.model.source import Source
from bsc_monitor.plugin import SourceConfig
from bsc_monitor.score.periods import period_at

HOUR = timedelta(hours=1)


@pytest.fixture
def daily():
    """An agenda with one job at 02:30 in Berlin that last ran on 20 May, and the job."""
    card = Scorecard("it", "IT", calendar=Calendar("Europe/Berlin"))
    schedule = Schedule(cron="30 2 * * *")
    kpi = Kpi("k", "it", "p", "it/o", "k", source="s", measure="m", schedule=schedule)
    job = next(iter(jobs_of(Organisation(scorecards={"it": card}, kpis={kpi.name: kpi}), {"s": Source("s", "x", SourceConfig())}).values()))  # fmt: skip
    agenda = Agenda()
    ran = datetime(2026, 5, 20, 0, 30, tzinfo=UTC)
    agenda.start([job], ran)
    assert agenda.take(ran, 1) == [job]
    agenda.finished(job, ran, None, period_at)
    return agenda, job, ran


def test_a_clock_that_leaps_over_a_daily_run_has_it_done_at_once(daily):
    agenda, job, ran = daily
    late = ran + 25 * HOUR
    agenda.rebase([job], late, period_at)
    assert agenda.next_due() == late


@pytest.mark.parametrize("back", [HOUR, 24 * HOUR])
def test_a_clock_that_is_set_back_does_not_repeat_the_days_run(daily, back):
    agenda, job, ran = daily
    agenda.rebase([job], ran + HOUR / 10 - back, period_at)
    assert agenda.next_due() == ran + 24 * HOUR


def test_a_clock_that_was_years_ahead_is_believed(daily):
    agenda, job, ran = daily
    now = ran - timedelta(days=400)
    agenda.rebase([job], now, period_at)
    assert now < agenda.next_due() <= now + 24 * HOUR
