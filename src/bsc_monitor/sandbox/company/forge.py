"""Software delivery of the generated company: pull requests, builds, deployments and their failures.

What there is to find here (months as in ``story``), in ``acme/shop`` and ``acme/payments`` on GitHub:

- **an initiative that works**: smaller, more frequent deployments: ``deployment_frequency`` rises from about 0.2 to 0.9 a day
  and repository, and ``change_lead_time`` falls from about 90 to 30 hours with it;
- **without harm**: ``change_fail_rate`` stays around 15 %, ``failed_deployment_recovery_time`` around 4 hours;
- **drifting to breach**: ``build_time`` creeps from 9 to 24 minutes;
- **quiet**: ``review_time`` around 5 hours, ``build_success_rate`` around 90 %.

``acme/warehouse`` on GitLab deploys twice a week all the time, with the same share of failures.
"""

import math
import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from functools import lru_cache
from hashlib import sha1
from itertools import count

from bsc_monitor.sandbox.company.story import History, around, course, moment
from bsc_monitor.sandbox.seed import chance

GITHUB = ("acme/shop", "acme/payments")
GITLAB = ("acme/warehouse",)
DEVELOPERS = ("ada", "ben", "chen", "dara", "eva", "femi")
_FAIL, _REPEAT, _BROKEN = 0.15, 0.04, 0.04  #: shares of deployments that fail, are repeated, never go live


@dataclass(frozen=True, slots=True)
class Change:
    """A pull request."""

    number: int
    title: str
    branch: str
    author: str
    commits: tuple[tuple[str, datetime], ...]  #: sha and authoring, oldest first
    opened: datetime
    reviewer: str
    reviewed: datetime | None
    merged: datetime | None
    closed: datetime
    merge: str  #: sha of the merge commit


@dataclass(frozen=True, slots=True)
class Deployment:
    """An attempt to go live."""

    number: int
    sha: str
    created: datetime
    ended: datetime
    ok: bool
    description: str


@dataclass(frozen=True, slots=True)
class Incident:
    """An issue that users suffer from."""

    number: int
    title: str
    body: str
    opened: datetime
    closed: datetime


@dataclass(frozen=True, slots=True)
class Build:
    """A run of the pipeline for a change."""

    number: int
    sha: str
    branch: str
    began: datetime
    ended: datetime
    outcome: str  #: success, failure, cancelled


@dataclass(slots=True)
class Project:
    """All that happened to one repository, each kind in the order of its numbers."""

    name: str
    changes: list[Change] = field(default_factory=list)
    deployments: list[Deployment] = field(default_factory=list)
    incidents: list[Incident] = field(default_factory=list)
    builds: list[Build] = field(default_factory=list)

    def merged(self) -> list[Change]:
        """The changes on the main branch, in the order in which they came there."""
        return sorted((c for c in self.changes if c.merged), key=lambda c: c.merged or c.closed)


def deploys(name: str, month: float) -> float:
    """Deployments a working day."""
    if name in GITLAB:
        return 0.4
    return 0.28 + 0.95 * math.pow(course(month), 1.2)


def build_minutes(month: float) -> float:
    """Mean duration of a build."""
    return 9 + 15 * math.pow(course(month), 1.5)


@lru_cache(maxsize=8)
def project(history: History, name: str) -> Project:
    """The life of one repository."""
    life = _Life(history, name)
    for day, month, _ in history.days():
        life.live(datetime.combine(day, time(), UTC), month)
    return life.project


class _Life:
    def __init__(self, history: History, name: str) -> None:
        self.seed = history.seed
        self.project = Project(name)
        self.numbers, self.runs, self.attempts = count(1), count(9001), count(501)  # issues and pulls share theirs
        self.deployed = ""

    def live(self, midnight: datetime, month: float) -> None:
        """One day."""
        if midnight.weekday() > 4:
            return
        rng = chance(self.seed, f"{self.project.name}:{midnight.date()}")
        for _ in range(rng.choice((0, 1, 1, 2, 2))):
            self._change(rng, moment(midnight.date(), rng), month)
        if rng.random() < deploys(self.project.name, month):
            self._release(rng, moment(midnight.date(), rng))

    def _change(self, rng: random.Random, opened: datetime, month: float) -> None:
        number, author = next(self.numbers), rng.choice(DEVELOPERS)
        began = opened - timedelta(hours=around(rng, 9))
        commits = tuple(
            (self._sha(f"{number}:{n}"), began + (opened - began) * n / 4) for n in range(rng.randint(1, 3))
        )
        reviewed = opened + timedelta(hours=around(rng, 7)) if rng.random() < 0.93 else None
        closed = (reviewed or opened) + timedelta(hours=around(rng, 3))
        merged = closed if rng.random() < 0.94 else None
        reviewer = rng.choice([name for name in DEVELOPERS if name != author])
        title = f"{rng.choice(('Add', 'Improve', 'Simplify'))} {rng.choice(('checkout', 'search', 'login', 'reports'))} #{number}"
        self.project.changes.append(
            Change(number, title, f"feature/{number}", author, commits, opened, reviewer, reviewed, merged, closed,
                   self._sha(f"merge:{number}"))
        )  # fmt: skip
        for sha, _ in commits:
            self._build(rng, sha, f"feature/{number}", opened, month)
        if merged:
            self._build(rng, self._sha(f"merge:{number}"), "main", merged, month)

    def _build(self, rng: random.Random, sha: str, branch: str, began: datetime, month: float) -> None:
        outcome = rng.choices(("success", "failure", "cancelled"), (0.88, 0.095, 0.025))[0]
        minutes = around(rng, build_minutes(month), 0.25) * (1 if outcome == "success" else 0.5)
        ended = began + timedelta(seconds=round(minutes * 60))
        self.project.builds.append(Build(next(self.runs), sha, branch, began, ended, outcome))

    def _release(self, rng: random.Random, at: datetime) -> None:
        waiting = [change for change in self.project.merged() if change.merged and change.merged <= at]
        if not waiting or waiting[-1].merge == self.deployed:
            return
        sha, before = waiting[-1].merge, self.deployed
        if rng.random() < _BROKEN:
            self._deploy(sha, at, "Release", ok=False)
            at += timedelta(minutes=40)
        live = self._deploy(sha, at, "Release")
        if rng.random() < _REPEAT:
            self._deploy(sha, live + timedelta(minutes=30), "Release again")
        if rng.random() < _FAIL:
            self._fail(rng, sha, before, live)

    def _fail(self, rng: random.Random, sha: str, before: str, live: datetime) -> None:
        """A failure: an incident repaired by a hotfix (or without a deployment), or a rollback that needed no incident."""
        noticed = live + timedelta(hours=around(rng, 1))
        repaired = noticed + timedelta(hours=around(rng, 4))
        kind = rng.random()
        if kind < 0.25 and before:
            self._deploy(before, live + timedelta(hours=around(rng, 1.5)), "Rollback")
            return
        number = next(self.numbers)
        body = f"Since the deployment of {sha[:10]} users see errors." if rng.random() < 0.5 else "Users see errors."
        self.project.incidents.append(
            Incident(number, "Checkout fails", body, noticed, repaired + timedelta(minutes=20))
        )
        if kind < 0.85:
            fix = next(self.numbers)
            opened = noticed + (repaired - noticed) * 0.5
            commit = (self._sha(f"{fix}:0"), opened - timedelta(minutes=15))
            self.project.changes.append(
                Change(fix, "Hotfix: repair checkout", f"hotfix/{fix}", "ada", (commit,), opened, "ben", None, repaired,
                       repaired, self._sha(f"merge:{fix}"))
            )  # fmt: skip
            self._deploy(self._sha(f"merge:{fix}"), repaired + timedelta(minutes=10), "Hotfix")

    def _deploy(self, sha: str, at: datetime, description: str, *, ok: bool = True) -> datetime:
        ended = at + timedelta(minutes=6)
        self.project.deployments.append(Deployment(next(self.attempts), sha, at, ended, ok, description))
        if ok:
            self.deployed = sha
        return ended

    def _sha(self, name: str) -> str:
        return sha1(f"{self.project.name}:{name}".encode(), usedforsecurity=False).hexdigest()
