"""The IT staff of the generated company: who comes and goes, what they learn, and what surveys say.

What there is to find here (months as in ``story``):

- **a bad turn with a cause**: a hiring stop from month 9 wears the staff down: their net promoter score falls from about
  +25 to about −15, and two or three months later people begin to leave (``enps`` drives ``turnover``);
- **an initiative that works**: the certification programme from month 8 lifts ``certification_coverage`` from about 55 % to 90 %;
- **a leading sign ignored**: training hours fall from about 3 to 1.2 hours a head and month from month 10 on (``training_hours``);
- **a thin spot**: of six critical skills, Mainframe loses its second holder in month 14 (``skill_coverage`` from 1 to 5/6);
- **a slow gain**: the customers' net promoter score climbs from about 15 to 35 (``nps``); **a quiet one**: ``csat`` at 82 %.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

from bsc_monitor.sandbox.company.story import History
from bsc_monitor.sandbox.seed import chance

Row = dict[str, Any]
TEAMS = ("Service Desk", "Applications", "Platform", "Data")
CRITICAL_SKILLS = ("Kubernetes", "Mainframe", "Payments", "Network", "Identity", "Backup")
CERTIFICATES = ("Cloud practitioner", "Security basics")
_COURSES = ("Cloud foundations", "Incident command", "Secure coding", "ITIL 4", "Kubernetes")
_STAFF = 64
_HOLDERS = (*range(6), *range(20, 26))  # of the critical skills, two each
_PROGRAMME, _STOP, _CUT, _LOSS = 8, 9, 10, 14  #: months in which things begin


@dataclass(frozen=True, slots=True)
class Member:
    """Someone of the staff."""

    person: str
    team: str
    joined: date
    left: date | None


def happiness(month: float) -> float:
    """The staff's net promoter score."""
    return 25 - 40 * _ramp(month, _STOP, 5)


def leaving(month: float) -> float:
    """The chance that a member leaves within a month: happiness, with a delay of two and a half months."""
    return 0.004 + 0.024 * _ramp(month - 2.5, _STOP, 5)


def _ramp(month: float, begin: float, length: float) -> float:
    return min(1.0, max(0.0, (month - begin) / length))


def _month_starts(history: History) -> Iterator[tuple[date, float]]:
    return ((day, month) for day, month, _ in history.days() if day.day == 1)


@lru_cache(maxsize=4)
def members(history: History) -> list[Member]:
    """Everyone who ever worked there. Leavers are replaced after a month, since the stop only every second one."""
    rng = chance(history.seed, "staff")
    found = [
        Member(f"P{n:03d}", TEAMS[n % len(TEAMS)], history.start - timedelta(days=rng.randint(200, 3000)), None)
        for n in range(_STAFF)
    ]
    for day, month in _month_starts(history):
        rng = chance(history.seed, f"leavers:{day}")
        for index, member in enumerate(list(found)):
            if member.left is not None or member.joined > day or index in _HOLDERS:
                continue  # the holders of critical skills stay: the story says who goes
            if rng.random() < leaving(month):
                last = day + timedelta(days=rng.randint(0, 26))
                found[index] = Member(member.person, member.team, member.joined, last)
                if month < _STOP or rng.random() < 0.5:
                    found.append(Member(f"P{len(found):03d}", member.team, last + timedelta(days=30), None))
        if int(month) == _LOSS:
            gone = found[_HOLDERS[7]]  # the second holder of Mainframe
            found[_HOLDERS[7]] = Member(gone.person, gone.team, gone.joined, day + timedelta(days=10))
    return found


def people(history: History) -> list[Row]:
    """The table of people."""
    return [
        {
            "person": m.person,
            "team": m.team,
            "joined": m.joined,
            "left": m.left,
            "reason": "resigned" if m.left else None,
        }
        for m in members(history)
    ]


def trainings(history: History) -> list[Row]:
    """Courses taken."""
    found = []
    for day, month, _ in history.days():
        rng = chance(history.seed, f"courses:{day}")
        hours_a_month = 3.0 - 1.8 * _ramp(month, _CUT, 4)
        if day.weekday() > 4:
            continue
        working = [m for m in members(history) if m.joined <= day and (m.left is None or day <= m.left)]
        # courses take 6 hours on average, and a month has 21 working days
        learners = [member for member in working if rng.random() < hours_a_month / 6 / 21]
        found += [
            {"person": m.person, "date": day, "hours": rng.choice((2, 4, 8, 10)), "course": rng.choice(_COURSES)}
            for m in learners
        ]
    return found


def requirements(history: History) -> list[Row]:
    """Who has to hold which certificate."""
    return [{"person": m.person, "certificate": name} for m in members(history) for name in CERTIFICATES]


def certificates(history: History) -> list[Row]:
    """Certificates issued; they run for three years."""
    found = []
    for member in members(history):
        rng = chance(history.seed, f"certificates:{member.person}")
        for name in CERTIFICATES:
            draw, delay = rng.random(), rng.random()
            if draw < 0.55:
                issued = member.joined if member.joined > history.start else history.start - timedelta(days=60)
            elif draw < 0.92:
                programme = history.start + timedelta(days=int((_PROGRAMME + 7 * delay) * 30.4))
                issued = max(programme, member.joined + timedelta(days=60))
            else:
                continue
            found.append(
                {
                    "person": member.person,
                    "certificate": name,
                    "issued": issued,
                    "expires": issued + timedelta(days=1095),
                }
            )
    return found


def skills(history: History) -> list[Row]:
    """Who can do what: two people for each critical skill, and the second of Mainframe leaves."""
    return [
        {"person": f"P{holder:03d}", "skill": skill, "level": 3, "since": history.start - timedelta(days=90)}
        for n, skill in enumerate(CRITICAL_SKILLS)
        for holder in (_HOLDERS[n], _HOLDERS[n + 6])
    ]


def answers(history: History) -> list[Row]:
    """Invitations to surveys, and answers: ``csat`` (1–5), ``nps`` and ``enps`` (0–10)."""
    found: list[Row] = []
    for day, month, _ in history.days():
        rng = chance(history.seed, f"surveys:{day}")
        found += [_asked(rng, day, "csat", 0.4, _satisfied(rng)) for _ in range(rng.randint(4, 8))]
        found += [_asked(rng, day, "nps", 0.5, _promoter(rng, 15 + 20 * month / 18)) for _ in range(rng.randint(3, 6))]
        if day.day == 3:  # once a month everybody is asked
            working = [m for m in members(history) if m.joined <= day and (m.left is None or day <= m.left)]
            found += [_asked(rng, day, "enps", 0.75, _promoter(rng, happiness(month)), m.team) for m in working]
    return found


def _asked(rng: random.Random, day: date, survey: str, response: float, score: int, team: str = "") -> Row:
    row: Row = {"survey": survey, "sent": day, "answered": None, "score": None, "team": team or None}
    if rng.random() < response:
        row |= {"answered": day + timedelta(days=rng.randint(0, 6)), "score": score}
    return row


def _satisfied(rng: random.Random) -> int:
    return rng.choices((5, 4, 3, 2, 1), (0.44, 0.38, 0.1, 0.05, 0.03))[0]


def _promoter(rng: random.Random, mean: float) -> int:
    """A score 0–10 such that promoters minus detractors make ``mean`` per cent, with three in ten in between."""
    promoters = (0.7 + mean / 100) / 2
    draw = rng.random()
    return (
        rng.choice((9, 10)) if draw < promoters else rng.choice((7, 8)) if draw < promoters + 0.3 else rng.randint(2, 6)
    )


TABLES: dict[str, Callable[[History], list[Row]]] = {
    "people": people, "trainings": trainings, "certificates": certificates, "requirements": requirements,
    "skills": skills, "answers": answers,
}  # fmt: skip
#: the column that says when a row comes to be known, and those that come later
SINCE = {"people": "joined", "trainings": "date", "certificates": "issued", "skills": "since", "answers": "sent"}
LATER = {"people": {"left": ("left", "reason")}, "answers": {"answered": ("answered", "score")}}


@lru_cache(maxsize=16)
def rows(history: History, table: str, today: date) -> list[Row]:
    """A table as it is known today: nothing of the future in it."""
    since, later = SINCE.get(table), LATER.get(table, {})
    found = []
    for row in _table(history, table):
        if since and row[since] > today:
            continue
        hidden = {
            name: None for column, names in later.items() if row[column] and row[column] > today for name in names
        }
        found.append({**row, **hidden})
    return found


@lru_cache(maxsize=16)
def _table(history: History, table: str) -> list[Row]:
    return TABLES[table](history)
