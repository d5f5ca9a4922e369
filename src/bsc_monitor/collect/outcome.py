"""How a collection's run ended, told: to those who hear the bus, and to the log where it is news."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import structlog

from bsc_monitor.collect.agenda import Job
from bsc_monitor.model.event import CollectorFailed, CollectorRan
from bsc_monitor.model.health import CollectionHealth
from bsc_monitor.plugin import SourceError

_log = structlog.get_logger(__name__)
_NAMED = 20  #: KPIs in a line of the log
_REMEMBERED = 50  #: different errors of one collection
_NUMBER = re.compile(r"\d+")


def blank(jobs: Iterable[Job]) -> dict[str, CollectionHealth]:
    """The collections of these jobs, by key, of which no run is known yet."""
    return {
        job.key: CollectionHealth(job.source, job.measure, job.key, _kpis(job), (*job.initiatives,)) for job in jobs
    }


def event_of(
    job: Job, at: datetime, error: SourceError | None, *, duration: float, readings: int, requests: int
) -> CollectorRan | CollectorFailed:
    """What a run that ended is told as; the job's next date is known already."""
    fed = (job.key, _kpis(job), (*job.initiatives,))
    if error is None:
        return CollectorRan(at, job.source, job.measure, duration, readings, requests, job.due, *fed)
    words = f"{error.message} {error.hint}".strip() or str(error.reason)
    return CollectorFailed(at, job.source, job.measure, duration, error.reason, words, requests, job.due, *fed)


def log(job: Job, event: CollectorRan | CollectorFailed) -> None:
    """Say once that a collection fails, once more for each other error, and that it works again.

    An error that differs from one said already by its numbers alone (seconds to the next attempt) is the same one.
    """
    if isinstance(event, CollectorRan):
        if job.logged:
            _log.info("a collection works again", **_about(event))
        job.logged.clear()
        return
    gist = f"{event.reason} {_NUMBER.sub('#', event.message)}"
    if gist not in job.logged and len(job.logged) < _REMEMBERED:
        _log.warning("a collection fails", **_about(event), reason=str(event.reason), error=event.message)
        job.logged.add(gist)


def _about(event: CollectorRan | CollectorFailed) -> dict[str, Any]:
    about: dict[str, Any] = {"source": event.source, "measure": event.measure, "kpis": list(event.kpis[:_NAMED])}
    if len(event.kpis) > _NAMED:
        about["more_kpis"] = len(event.kpis) - _NAMED
    if event.initiatives:
        about["initiatives"] = list(event.initiatives)
    return about


def _kpis(job: Job) -> tuple[str, ...]:
    return tuple(kpi.name for kpi in job.kpis)
