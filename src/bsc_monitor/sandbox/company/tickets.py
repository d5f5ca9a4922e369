"""The lives of the software teams' issues."""

import math
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from bsc_monitor.sandbox.company.story import History, around, course, moment, weekday
from bsc_monitor.sandbox.jira.fields import EPIC_LINK, FOUND_IN, POINTS, SPRINT
from bsc_monitor.sandbox.jira.site import Item, Sprint, Step
from bsc_monitor.sandbox.seed import chance

BATCHES_START = 10  #: month in which SHOP starts to work in smaller batches
EPIC = "OPS-12"
_EPIC_NUMBER, _EPIC_PLANNED = 12, (12, 14)  # planned in these months, worked on for eight more

_EPIC_TYPE, _STORY, _TASK, _BUG = "10100", "10101", "10102", "10103"
_NAMES = {
    "10000": "To Do", "10001": "In Progress", "10002": "Waiting for review", "10003": "Done",
    "10010": "待办", "10011": "进行中", "10012": "等待评审", "10013": "已完成",
}  # fmt: skip
_WORK = (
    "checkout",
    "search",
    "invoices",
    "refunds",
    "login",
    "delivery dates",
    "price rules",
    "backups",
    "certificates",
    "logs",
)
_VERBS = ("Add", "Improve", "Simplify", "Fix", "Replace", "Speed up", "Document", "Test")


@dataclass(frozen=True, slots=True)
class Team:
    """How a team works: issues a weekday, and where its statuses start."""

    project: str
    a_day: float
    first: int  #: id of its "to do"; in progress, review and done follow
    start: int  #: where its issue ids start
    people: slice

    def status(self, step: int) -> str:
        """0 to do, 1 in progress, 2 waiting for review, 3 done."""
        return str(self.first + step)


TEAMS = (
    Team("SHOP", 1.9, 10000, 20_000, slice(0, 5)),
    Team("PAY", 1.2, 10010, 30_000, slice(5, 9)),
    Team("OPS", 0.9, 10000, 40_000, slice(9, 12)),
)


@dataclass(slots=True)
class Life:
    """An issue's life as it is being told."""

    id: str
    steps: list[Step] = field(default_factory=list)
    values: dict[str, Any] = field(default_factory=dict)

    def happens(self, at: datetime, author: str, items: Sequence[Item], **values: Any) -> None:
        """Tell the next step."""
        self.values.update(values)
        self.steps.append(Step(at, values, author, tuple(items)))

    def status(self, at: datetime, author: str, new: str, *, done: bool = False) -> None:
        """Enter a status; entering done resolves, leaving it takes the resolution away."""
        old, resolved = self.values["status"], self.values.get("resolution")
        items = [Item("status", old, new, _NAMES[old], _NAMES[new])]
        values: dict[str, Any] = {"status": new}
        if done != bool(resolved):
            items.append(Item("resolution", resolved, "Done" if done else None, resolved, "Done" if done else None))
            values |= {"resolution": "Done" if done else None, "resolutiondate": at if done else None}
            values["statuscategorychangedate"] = at
        self.happens(at, author, items, **values)


def cycle_days(project: str, month: float) -> float:
    """Mean days from start to done: the story of SHOP's smaller batches."""
    if project != "SHOP":
        return 6.0 if project == "PAY" else 4.0
    return 9.0 if month < BATCHES_START else 5 + 4 * math.exp(-(month - BATCHES_START) / 1.2)


def escaped_a_day(project: str, month: float) -> float:
    """Bugs found in production: they drift upwards in SHOP."""
    return (3 + 9 * math.pow(course(month), 1.5)) / 30 if project == "SHOP" else 0.06


def lives(
    history: History, people: Sequence[str], sprints: Mapping[str, list[Sprint]]
) -> Iterator[tuple[str, list[Step]]]:
    """Every issue with all that happens to it."""
    for team in TEAMS:
        number = 0
        for day, month, _ in history.days():
            rng = chance(history.seed, f"{team.project}:{day}")
            for at, escaped in _created(team, day, month, rng):
                number += 1
                life = Life(str(team.start + number))
                author = rng.choice(people[team.people])
                _begin(life, team, number, at, month, escaped, author, rng)
                if life.values["issuekey"] != EPIC:
                    _work(life, team, month, author, sprints.get(team.project, []), rng)
                yield life.id, life.steps


def _created(team: Team, day: date, month: float, rng: random.Random) -> list[tuple[datetime, bool]]:
    """When issues are created on a day, and which of them are bugs found in production."""
    usual = sum(rng.random() < team.a_day / 4 for _ in range(4)) if weekday(day) else 0
    escaped = sum(rng.random() < escaped_a_day(team.project, month) / 2 for _ in range(2))
    return sorted((moment(day, rng), n >= usual) for n in range(usual + escaped))


def _begin(
    life: Life, team: Team, number: int, at: datetime, month: float, escaped: bool, author: str, rng: random.Random
) -> None:
    kind = _BUG if escaped or rng.random() < 0.15 else rng.choice((_STORY, _STORY, _TASK))
    epic = team.project == "OPS" and number == _EPIC_NUMBER
    values: dict[str, Any] = {
        "issuekey": f"{team.project}-{number}", "project": team.project, "status": team.status(0), "reporter": author,
        "issuetype": _EPIC_TYPE if epic else kind, "statuscategorychangedate": at, "assignee": None, "parent": None,
        "priority": rng.choices(("Highest", "High", "Medium", "Low"), (4, 18, 60, 18))[0],
        "summary": "Automate recovery" if epic else f"{rng.choice(_VERBS)} {rng.choice(_WORK)}",
        "labels": [rng.choice(("frontend", "backend", "data"))] if rng.random() < 0.6 else [],
        "components": [rng.choice(("web", "api", "batch"))], "resolution": None, "resolutiondate": None, SPRINT: [],
        POINTS: None if epic else float(rng.choice((1, 2, 3, 3, 5, 5, 8))),
        FOUND_IN: None if kind != _BUG or epic else "Production" if escaped else "Test",
    }  # fmt: skip
    if team.project == "OPS" and _EPIC_PLANNED[0] <= month < _EPIC_PLANNED[1] and number % 2:
        values |= {"parent": str(team.start + _EPIC_NUMBER), EPIC_LINK: str(team.start + _EPIC_NUMBER)}
    life.happens(at, author, (), **values)


def _work(life: Life, team: Team, month: float, author: str, sprints: list[Sprint], rng: random.Random) -> None:
    created = life.steps[0].at
    ready = created + timedelta(days=rng.expovariate(1 / 4) + (rng.uniform(0, 240) if life.values["parent"] else 0))
    sprint = _planned(life, ready, author, sprints, rng)
    start = at_work(ready if sprint is None else max(ready, sprint.start) + timedelta(days=rng.uniform(0.1, 8)), rng)
    if rng.random() < 0.012 and team.project == "OPS":
        _moved(life, created + (start - created) / 2, author)
        team = TEAMS[1]
    finish = at_work(start + timedelta(days=around(rng, cycle_days(team.project, month), 0.5)), rng)
    who = author
    if rng.random() >= 0.05:  # the others skip "in progress"
        life.happens(start, who, [Item("assignee", None, who)], assignee=who)
        life.status(start + timedelta(seconds=2), who, team.status(1))
        if rng.random() < 0.8:
            life.status(at_work(start + (finish - start) * 0.7, rng, latest=finish), who, team.status(2))
    life.status(finish, who, team.status(3), done=True)
    if rng.random() < 0.06:
        again = at_work(finish + timedelta(days=rng.uniform(0.5, 3)), rng)
        life.status(again, who, team.status(1))
        finish = at_work(again + timedelta(days=around(rng, 2, 0.4)), rng)
        life.status(finish, who, team.status(3), done=True)
    _carried(life, finish, sprint, sprints, author)
    life.steps.sort(key=lambda step: step.at)


def _planned(life: Life, ready: datetime, author: str, sprints: list[Sprint], rng: random.Random) -> Sprint | None:
    """Put the issue into a sprint: most at its planning, some while it runs."""
    added = rng.random() < 0.12
    sprint = next((s for s in sprints if (s.complete if added else s.start) > ready), None)
    if sprint is None:
        return None
    at = max(ready, sprint.start + timedelta(hours=1)) if added else max(ready, sprint.start - timedelta(hours=2))
    life.happens(at, author, [Item(SPRINT, "", str(sprint.id), "", sprint.name)], **{SPRINT: [sprint.id]})
    return sprint


def _carried(life: Life, finish: datetime, sprint: Sprint | None, sprints: list[Sprint], author: str) -> None:
    """What is not done when a sprint is completed goes on to the next, and the ended one stays in the field."""
    if sprint is None:
        return
    held = [sprint]
    for following in sprints[sprints.index(sprint) + 1 :]:
        if finish <= held[-1].complete:
            return
        at = held[-1].complete
        old, new = _listed(held), _listed([*held, following])
        held.append(following)
        life.happens(
            at, author, [Item(SPRINT, *old[:1], *new[:1], *old[1:], *new[1:])], **{SPRINT: [s.id for s in held]}
        )


def _listed(sprints: list[Sprint]) -> tuple[str, str]:
    return ", ".join(str(s.id) for s in sprints), ", ".join(s.name for s in sprints)


def _moved(life: Life, at: datetime, author: str) -> None:
    """Move an issue that waits from OPS to PAY: another key, another workflow."""
    old = life.values["issuekey"]
    new, status = f"PAY-{9000 + int(old.partition('-')[2])}", TEAMS[1].status(0)
    items = [
        Item("project", "OPS", "PAY", "Platform operations", "Payments"), Item("issuekey", old, new, old, new),
        Item("status", life.values["status"], status, _NAMES[life.values["status"]], _NAMES[status]),
    ]  # fmt: skip
    life.happens(at, author, items, project="PAY", issuekey=new, status=status)


def at_work(at: datetime, rng: random.Random, latest: datetime | None = None) -> datetime:
    """The next moment at which somebody works: on weekdays, between 8 and 18 o'clock."""
    if at.weekday() > 4:
        at = at.replace(hour=8) + timedelta(days=7 - at.weekday())
    if not 8 <= at.hour < 18:
        at = at.replace(hour=rng.randrange(8, 18), minute=rng.randrange(60)) + timedelta(days=at.hour >= 18)
        at += timedelta(days=(7 - at.weekday()) if at.weekday() > 4 else 0)
    return at if latest is None else min(at, latest - timedelta(minutes=5))
