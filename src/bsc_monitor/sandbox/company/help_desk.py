"""The lives of the help desk's requests, with their service levels and what customers said."""

import math
import random
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from bsc_monitor.sandbox.company.story import History, around, course, moment, weekday
from bsc_monitor.sandbox.jira.fields import FIRST_RESPONSE, RESOLUTION, SATISFACTION, SATISFACTION_DATE
from bsc_monitor.sandbox.jira.site import Item, Step
from bsc_monitor.sandbox.seed import chance

_WAITING, _WORKING, _CUSTOMER, _RESOLVED, _CLOSED = "10020", "10021", "10022", "10023", "10024"
_NAMES = {
    _WAITING: "Waiting for support", _WORKING: "Work in progress", _CUSTOMER: "Waiting for customer",
    _RESOLVED: "Resolved", _CLOSED: "Closed",
}  # fmt: skip
_RESPONSE_GOAL, _RESOLUTION_GOAL = timedelta(hours=4), timedelta(hours=40)
_ASKS = (
    "A new laptop",
    "Access to reports",
    "Printer on floor 2",
    "VPN for a supplier",
    "Reset my password",
    "More disk space",
)


def resolution_met(month: float) -> float:
    """Share of requests resolved in time: drifts to breach."""
    return 0.97 - 0.15 * math.pow(course(month), 1.5)


def lives(history: History, people: Sequence[str]) -> Iterator[tuple[str, list[Step]]]:
    """Every request with all that happens to it."""
    number = 0
    for day, month, _ in history.days():
        rng = chance(history.seed, f"HELP:{day}")
        count = max(0, round(rng.gauss(5, 1.5))) if weekday(day) else rng.randrange(2)
        for created in sorted(moment(day, rng) for _ in range(count)):
            number += 1
            yield str(50_000 + number), _life(number, created, month, rng.choice(people[:3]), rng)


def _life(number: int, created: datetime, month: float, who: str, rng: random.Random) -> list[Step]:
    in_time = rng.random() < resolution_met(month)
    answered = created + timedelta(hours=min(around(rng, 1.4, 0.8), 9))
    working = around(rng, 14, 0.6) if in_time else 40 + around(rng, 20, 0.6)
    resolved = answered + timedelta(hours=min(working, 35) if in_time else working)
    response = _cycle(created, answered, _RESPONSE_GOAL)
    resolution = _cycle(created, resolved, _RESOLUTION_GOAL)
    steps = [Step(created, _begun(number, created, who, rng))]
    steps.append(_status(answered, who, _WAITING, _WORKING, **{FIRST_RESPONSE: [response]}))
    if rng.random() < 0.2:
        back = answered + (resolved - answered) * 0.6
        steps.append(_status(answered + (resolved - answered) * 0.3, who, _WORKING, _CUSTOMER))
        steps.append(_status(back, who, _CUSTOMER, _WORKING))
    done = {
        RESOLUTION: [resolution],
        "resolution": "Done",
        "resolutiondate": resolved,
        "statuscategorychangedate": resolved,
    }
    steps.append(_status(resolved, who, _WORKING, _RESOLVED, **done))
    if rng.random() < 0.35:
        rated = resolved + timedelta(hours=rng.uniform(1, 30))
        rating = rng.choices((5, 4, 3, 2, 1), (55, 28, 10, 4, 3))[0]
        steps.append(Step(rated, {SATISFACTION: rating, SATISFACTION_DATE: rated}))
    steps.append(_status(resolved + timedelta(days=3), who, _RESOLVED, _CLOSED))
    return steps


def _begun(number: int, created: datetime, who: str, rng: random.Random) -> dict[str, Any]:
    return {
        "issuekey": f"HELP-{number}", "project": "HELP", "status": _WAITING, "reporter": who, "issuetype": "10105",
        "assignee": who, "priority": rng.choices(("High", "Medium", "Low"), (15, 65, 20))[0], "summary": rng.choice(_ASKS),
        "labels": [], "components": [rng.choice(("hardware", "access", "software"))], "resolution": None,
        "resolutiondate": None, "statuscategorychangedate": created, SATISFACTION: None, SATISFACTION_DATE: None,
        FIRST_RESPONSE: [_cycle(created, None, _RESPONSE_GOAL)], RESOLUTION: [_cycle(created, None, _RESOLUTION_GOAL)],
    }  # fmt: skip


def _cycle(start: datetime, stop: datetime | None, goal: timedelta) -> dict[str, Any]:
    """One run of a service level's clock."""
    elapsed = int((stop - start).total_seconds() * 1000) if stop else None
    millis = int(goal.total_seconds() * 1000)
    return {
        "start": start,
        "stop": stop,
        "elapsed": elapsed,
        "goal": millis,
        "breached": bool(elapsed and elapsed > millis),
    }


def _status(at: datetime, who: str, old: str, new: str, **values: Any) -> Step:
    return Step(at, {"status": new, **values}, who, (Item("status", old, new, _NAMES[old], _NAMES[new]),))
