"""Incidents of the generated company, with their service levels, knowledge links and surveys."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from bsc_monitor.sandbox.company.operations import changes
from bsc_monitor.sandbox.company.people import GROUPS, SERVICES, USERS
from bsc_monitor.sandbox.company.story import History, around, first_contact, moment, resolution_hours, sys_id, weekday
from bsc_monitor.sandbox.servicenow.instance import Row, Table, stamp
from bsc_monitor.sandbox.servicenow.tables import (
    ASSESSMENT_COLUMNS,
    AUDIT_COLUMNS,
    INCIDENT_COLUMNS,
    KNOWLEDGE_LINK_COLUMNS,
    METRIC_RESULT_COLUMNS,
    SLA_COLUMNS,
)

_PRIORITIES = {"1": (0.02, 0.2), "2": (0.08, 0.4), "3": (0.62, 1.0), "4": (0.28, 1.25)}  # share, part of the mean time
_SYMPTOMS = ("cannot log in", "is slow", "shows an error", "does not print", "lost its connection", "needs a password")
_GROUP_IDS = [sys_id(f"group:{name}") for name in GROUPS]
_SERVICE_IDS = [sys_id(f"service:{name}") for name in SERVICES]
_SERVICE_NAMES = list(SERVICES)
_AUTO_CLOSE = timedelta(days=5)


@dataclass(frozen=True, slots=True)
class Incident:
    """The life of one incident."""

    number: str
    key: str
    opened: datetime
    answered: datetime
    resolved: datetime
    row: Row  #: what is known when it is opened
    taken: Row  #: what is known when somebody answers
    outcome: Row  #: what is known when it is resolved
    in_time: bool
    luck: float  #: 0–1, decides what hangs on it: a knowledge link, a survey


@lru_cache(maxsize=4)
def lives(history: History) -> list[Incident]:
    """All incidents, in the order in which they are opened."""
    by_day = changes(history)
    found: list[Incident] = []
    for day, month, rng in history.days():
        count = max(0, round(rng.gauss(22 if weekday(day) else 6, 3)))
        suspects = by_day.get(day, [])
        for opened in sorted(moment(day, rng) for _ in range(count)):
            found.append(_incident(len(found), opened, month, rng, suspects))
    return found


def _incident(index: int, opened: datetime, month: float, rng: random.Random, suspects: list[str]) -> Incident:
    number = f"INC{index + 10_001:07d}"
    priority = rng.choices(list(_PRIORITIES), [share for share, _ in _PRIORITIES.values()])[0]
    # the parts weigh to 1.006 over all priorities, so the mean of all is the story's
    hours = around(rng, resolution_hours(month) * _PRIORITIES[priority][1], 0.8)
    resolved = opened + timedelta(seconds=int(hours * 3600) + 60)
    group, service = rng.choices(range(len(GROUPS)), list(GROUPS.values()))[0], rng.randrange(len(SERVICES))
    moves = 0 if rng.random() < first_contact(month) else rng.choice((1, 1, 1, 2, 3))
    in_time, seconds = rng.random() < 0.98, int((resolved - opened).total_seconds())
    row = {
        "number": number, "sys_class_name": "incident", "state": "1", "incident_state": "1", "active": "true",
        "priority": priority, "impact": "1" if priority == "1" else "2", "urgency": "1" if priority in "12" else "2",
        "opened_at": stamp(opened), "assignment_group": _GROUP_IDS[group], "business_service": _SERVICE_IDS[service],
        "caller_id": USERS[rng.randrange(60, 120)], "opened_by": USERS[rng.randrange(10)],
        "reassignment_count": str(moves), "reopen_count": "0",
        "made_sla": "true", "contact_type": rng.choice(("phone", "email", "self-service", "chat")),
        "short_description": f"{_SERVICE_NAMES[service]} {rng.choice(_SYMPTOMS)}", "category": "software",
        "caused_by": rng.choice(suspects) if suspects and rng.random() < 0.03 else "",
        "major_incident_state": "accepted" if priority == "1" and rng.random() < 0.3 else "",
    }  # fmt: skip
    taken = {"state": "2", "incident_state": "2", "assigned_to": USERS[group * 10 + rng.randrange(10)]}
    outcome = {
        "state": "6", "incident_state": "6", "resolved_at": stamp(resolved), "resolved_by": taken["assigned_to"],
        "made_sla": str(in_time).lower(), "reopen_count": str(int(rng.random() < 0.055)),
        "close_code": "Solved (Permanently)", "calendar_stc": str(seconds),
        "business_stc": str(seconds * 40 // 168 if seconds > 28_800 else seconds),  # 40 of a week's 168 hours
        "knowledge": str(rng.random() < 0.1).lower(),
    }  # fmt: skip
    answered = opened + timedelta(seconds=int(min(around(rng, 900, 0.9), seconds)))
    return Incident(
        number, sys_id(f"incident:{number}"), opened, answered, resolved, row, taken, outcome, in_time, rng.random()
    )


def incident_table(history: History) -> Table:
    """The incidents themselves."""
    table = Table("incident", INCIDENT_COLUMNS, shown_by="number", prefix="INC")
    for life in lives(history):
        closed = life.resolved + _AUTO_CLOSE
        end = {"state": "7", "incident_state": "7", "active": "false", "closed_at": stamp(closed)}
        steps = [(life.opened, life.row), (life.answered, life.taken), (life.resolved, life.outcome), (closed, end)]
        table.unfold(history.now, life.key, steps)
    return table


def audit_table(history: History) -> Table:
    """When somebody took each incident: the change of its state out of New."""
    table = Table("sys_audit", AUDIT_COLUMNS, shown_by="sys_id")
    for life in lives(history):
        row = {"tablename": "incident", "documentkey": life.key, "fieldname": "state", "oldvalue": "1", "newvalue": "2"}
        table.unfold(history.now, sys_id(f"audit:{life.key}"), [(life.answered, row)])
    return table


def sla_table(history: History) -> Table:
    """Two service levels of each incident: response and resolution."""
    table = Table("task_sla", SLA_COLUMNS, shown_by="sys_id")
    for life in lives(history):
        late = (life.answered - life.opened).total_seconds() > 5400
        for name, end, breached in (("Response", life.answered, late), ("Resolution", life.resolved, not life.in_time)):
            begun = {
                "task": life.key, "sla": sys_id(f"sla:{name}"), "stage": "in_progress", "active": "true",
                "has_breached": "false", "start_time": stamp(life.opened),
            }  # fmt: skip
            done = {
                "stage": "completed", "active": "false", "end_time": stamp(end), "has_breached": str(breached).lower(),
                "business_percentage": "130" if breached else "55",
            }  # fmt: skip
            table.unfold(history.now, sys_id(f"{name}:{life.key}"), [(life.opened, begun), (end, done)])
    return table


def knowledge_table(history: History) -> Table:
    """Which incidents were solved with a knowledge article."""
    table = Table("m2m_kb_task", KNOWLEDGE_LINK_COLUMNS, shown_by="sys_id")
    for life in lives(history):
        if life.luck < 0.34:
            row = {"task": life.key, "kb_knowledge": sys_id(f"kb:{int(life.luck * 200)}")}
            table.unfold(history.now, sys_id(f"kb:{life.key}"), [(life.resolved, row)])
    return table


def _surveys(history: History) -> Iterator[tuple[Incident, datetime | None]]:
    """Incidents after which the caller was asked, and when they answered (if they did)."""
    for life in lives(history):
        if life.luck >= 0.6:
            yield life, life.resolved + timedelta(hours=20) if life.luck > 0.84 else None


def assessment_table(history: History) -> Table:
    """Surveys sent, and taken."""
    table = Table("asmt_assessment_instance", ASSESSMENT_COLUMNS, shown_by="number")
    for life, taken in _surveys(history):
        sent = {"number": f"AINST{life.number[3:]}", "state": "ready", "task_id": life.key, "trigger_table": "incident"}
        steps = [(life.resolved, sent)]
        if taken:
            steps.append((taken, {"state": "complete", "taken_on": stamp(taken)}))
        table.unfold(history.now, sys_id(f"survey:{life.key}"), steps)
    return table


def answer_table(history: History) -> Table:
    """Answers from 1 to 5 that mean 4.28, which is 82 of 100 points."""
    table = Table("asmt_metric_result", METRIC_RESULT_COLUMNS, shown_by="sys_id")
    for life, taken in _surveys(history):
        if taken:
            draw = (life.luck - 0.84) / 0.16
            answer = "5" if draw < 0.52 else "4" if draw < 0.86 else "3" if draw < 0.95 else "2" if draw < 0.98 else "1"
            row = {"instance": sys_id(f"survey:{life.key}"), "metric": "Satisfaction", "actual_value": answer,
                   "scaled_value": answer, "string_value": answer}  # fmt: skip
            table.unfold(history.now, sys_id(f"answer:{life.key}"), [(taken, row)])
    return table
