"""Which of Jira's issues a measure is about, and what became of them by a period's end. Pure functions."""

from collections.abc import Iterable
from datetime import datetime

from bsc_monitor.kit.flow import Past, past, running
from bsc_monitor.kit.issues import Cycle, Issue
from bsc_monitor.kit.jira_params import Efficiency, Flow, named
from bsc_monitor.plugin import Calendar, CollectorError, SourceError, Window

Lived = tuple[Issue, Past]  # an issue, and what it had been through at a moment


def chosen(issues: Iterable[Issue], p: Flow) -> list[Issue]:
    """The issues that the parameters mean."""
    return [i for i in issues if (p.subtasks or not i.subtask) and (not p.types or is_type(i, p.types))]


def lives(issues: Iterable[Issue], p: Flow, end: datetime) -> list[Lived]:
    """The issues that the parameters mean, with what they had been through at a moment."""
    return [(i, past(i.history, end, done=p.is_done, started=p.is_started)) for i in chosen(issues, p)]


def finished(issues: Iterable[Issue], p: Flow, period: Window) -> list[Lived]:
    """The issues finished in the period, with what they had been through at its end."""
    found = lives(issues, p, period.end)
    return [(i, life) for i, life in found if life.finished and within(life.finished, period)]


def in_progress(issues: Iterable[Issue], p: Flow, period: Window) -> list[Lived]:
    """The issues started and not finished at the period's end."""
    return [(i, life) for i, life in lives(issues, p, period.end) if life.started and not life.finished]


def is_type(issue: Issue, names: list[str]) -> bool:
    """Whether an issue is of one of these types, by name or id."""
    return issue.type in names or issue.type_id in names


def within(at: datetime, period: Window) -> bool:
    """Whether a moment lies in the period."""
    return (period.start is None or at >= period.start) and at < period.end


def spent(found: Iterable[Lived], p: Efficiency, calendar: Calendar) -> tuple[float, float]:
    """Seconds that finished issues spent in active statuses, and in waiting ones."""
    active = waiting = 0.0
    for issue, life in found:
        ends = [*(move.at for move in issue.history[1:]), life.finished]
        for move, until in zip(issue.history, ends, strict=True):
            if life.finished is None or until is None or move.at >= life.finished:
                break
            seconds = running(move.at, until, (), calendar, p.business)
            if named(move, p.waiting):
                waiting += seconds
            elif named(move, p.active) if p.active else p.is_started(move) and not p.is_done(move):
                active += seconds
    return active, waiting


def cycles_of(issues: Iterable[Issue], name: str, period: Window) -> tuple[list[tuple[Issue, Cycle]], list[str]]:
    """Cycles of a service level completed in the period, and what is to be said. Raises SourceError on an unknown name."""
    every = [(issue, cycle) for issue in issues for cycle in issue.cycles]
    names = sorted({cycle.sla for _, cycle in every})
    if not every:
        return [], ["no issue here shows a completed service level: the user needs the agent role to see them"]
    if name and name not in names:
        raise SourceError(
            f"there is no service level {name!r} here; there is {', '.join(names)}", CollectorError.CONFIG
        )
    return [(i, c) for i, c in every if (not name or c.sla == name) and within(c.stop, period)], []
