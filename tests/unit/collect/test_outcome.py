"""What is told of a run that ended, and what of it is news for the log."""

from datetime import UTC, datetime, timedelta

import pytest
from structlog.testing import capture_logs

from bsc_monitor.collect.agenda import Job
from bsc_monitor.collect.outcome import blank, event_of, log
from bsc_monitor.model.event import CollectorFailed, CollectorRan
from bsc_monitor.model.organisation import Kpi, Schedule
from bsc_monitor.model.period import Calendar, PeriodKind
from bsc_monitor.plugin import CollectorError, SourceError

NOW = datetime(2026, 6, 10, 12, tzinfo=UTC)
GONE = SourceError("GET /b: 404", CollectorError.CONFIG, hint="Check its path.")


@pytest.fixture
def job():
    return job_of("b")


def job_of(*kpis, initiatives=()):
    known = [Kpi(id, "it", "p", "it/o", id, source="web", measure="value") for id in kpis]
    return Job("key", "web", "value", {}, PeriodKind.MONTH, None, Calendar(), Schedule(), known, [*initiatives])


def ended(job, error=None):
    """What is logged when a run ends so."""
    with capture_logs() as lines:
        log(job, event_of(job, NOW, error, duration=1.0, readings=0, requests=1))
    return [(line["log_level"], line.get("reason"), line.get("error")) for line in lines]


def test_a_run_is_told_with_its_collection_and_whom_it_feeds(job):
    job.due = NOW + timedelta(hours=1)
    ran = event_of(job, NOW, None, duration=1.0, readings=3, requests=2)
    assert ran == CollectorRan(NOW, "web", "value", 1.0, 3, 2, job.due, "key", ("it/b",))
    failed = event_of(job, NOW, GONE, duration=1.0, readings=0, requests=2)
    assert failed == CollectorFailed(
        NOW, "web", "value", 1.0, CollectorError.CONFIG, "GET /b: 404 Check its path.", 2, job.due, "key", ("it/b",)
    )
    assert blank([job])["key"].names == ("it/b",)


def test_an_error_without_words_is_one_all_the_same(job):
    assert event_of(job, NOW, SourceError(""), duration=1.0, readings=0, requests=0).message == "transient"


def test_a_failure_is_logged_when_it_begins_when_it_changes_and_when_it_ends(job):
    gone = ("warning", "config", "GET /b: 404 Check its path.")
    refused = ("warning", "auth", "GET /b: 401")
    assert ended(job) == [], "a run that went well is no news"
    assert ended(job, GONE) == [gone]
    assert ended(job, GONE) == []
    assert ended(job, SourceError("GET /b: 401", CollectorError.AUTH)) == [refused]
    assert ended(job, GONE) == [], "said already"
    assert ended(job) == [("info", None, None)]
    assert ended(job) == []
    assert ended(job, GONE) == [gone]


def test_an_error_whose_numbers_alone_differ_is_the_same_one(job):
    paused = [SourceError(f"not asked: too many requests; next attempt in {left} s") for left in (60, 30, 7)]
    assert [len(ended(job, each)) for each in paused] == [1, 0, 0]


def test_errors_that_never_repeat_do_not_fill_log_and_memory(job):
    told = [ended(job, SourceError(f"no {'x' * n}")) for n in range(200)]
    assert sum(map(len, told)) == 50
    assert len(job.logged) == 50


def test_a_line_names_who_waits_and_of_many_the_first():
    with capture_logs() as lines:
        for each in (job_of("b"), job_of(*(f"k{n}" for n in range(30))), job_of(initiatives=["swarm"])):
            log(each, event_of(each, NOW, GONE, duration=1.0, readings=0, requests=1))
    few, many, progress = lines
    assert few == {
        "event": "a collection fails", "log_level": "warning", "source": "web", "measure": "value", "kpis": ["it/b"],
        "reason": "config", "error": "GET /b: 404 Check its path.",
    }  # fmt: skip
    assert (len(many["kpis"]), many["more_kpis"]) == (20, 10)
    assert (progress["kpis"], progress["initiatives"]) == ([], ["swarm"])
