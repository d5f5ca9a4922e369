"""The DORA measures (2024 report's names) over deployments and incidents. Pure.

Terms, per repository: a deployment that went live with a commit for the first time is a **rollout**. One of a commit that was
live before the present one is a **rollback**; any other of a commit seen before is a *redeployment* and counts nowhere. A
rollout whose ref, description or last subject matches ``hotfix`` is a **hotfix**.

A rollout **failed** when the very next change of production is a hotfix or rollback within ``hours``, or an incident is its
own: one that names its commit, or (``link = "latest"``) one that names no commit of a rollout and began within ``hours`` after
it, before production changed again. So a fault weeks later is nobody's failure. It failed at the start of its first incident,
else when it went live, and is **restored** by the end of that incident or by the next hotfix or rollback after it failed,
whichever comes first.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from bsc_monitor.kit.delivery import Delivery, FailureRule
from bsc_monitor.kit.statistics import Statistic, summarise
from bsc_monitor.plugin import Reading, ReadingState, Window

_HOUR = timedelta(hours=1)


@dataclass(slots=True)
class Step:
    """What changed in production: a rollout or a rollback, and how it went."""

    deployment: Delivery
    at: datetime
    kind: Literal["rollout", "hotfix", "rollback"]
    failed: datetime | None = None
    restored: datetime | None = None
    incidents: list[Delivery] = field(default_factory=list)

    @property
    def repairs(self) -> bool:
        """Whether it was there to repair another one."""
        return self.kind != "rollout"


def steps(records: Iterable[Delivery], hotfix: str) -> list[list[Step]]:
    """Of each repository, what changed in production, oldest first; redeployments left out."""
    pattern = re.compile(hotfix)
    by_repository: dict[str, list[tuple[datetime, Delivery]]] = {}
    for record in records:
        if record.kind == "deployment" and record.at is not None:
            by_repository.setdefault(record.repository, []).append((record.at, record))
    found = []
    for live in by_repository.values():
        line: list[Step] = []
        order: dict[str, int] = {}  # commits by the order in which they first went live
        current = ""
        for at, deployment in sorted(live, key=lambda pair: (pair[0], pair[1].key)):
            sha = deployment.sha
            if sha not in order:
                order[sha] = len(order)
                line.append(Step(deployment, at, "hotfix" if pattern.search(deployment.text) else "rollout"))
            elif order[sha] < order[current]:
                line.append(Step(deployment, at, "rollback"))
            current = sha
        found.append(line)
    return found


def judged(records: Iterable[Delivery], rule: FailureRule) -> list[Step]:
    """All rollouts and rollbacks with their failures."""
    records = list(records)
    lines = steps(records, rule.hotfix)
    limit = timedelta(hours=rule.hours)
    incidents: dict[str, list[Delivery]] = {}
    for record in records:
        if record.kind == "incident" and record.at is not None:
            incidents.setdefault(record.repository, []).append(record)
    for line in lines:
        for incident in incidents.get(line[0].deployment.repository, []):
            own = _owner(line, incident, limit, rule.link)
            if own is not None:
                own.incidents.append(incident)
        for place, step in enumerate(line):
            if step.kind != "rollback":
                _judge(step, line[place + 1 :], limit)
    return [step for line in lines for step in line]


def _owner(line: list[Step], incident: Delivery, limit: timedelta, link: str) -> Step | None:
    """The rollout that an incident belongs to."""
    rollouts = [step for step in line if step.kind != "rollback"]
    for step in reversed(rollouts):
        if any(step.deployment.sha.startswith(name) for name in incident.names):
            return step
    began = incident.at
    if link == "named" or began is None:
        return None
    before = [step for step in line if step.at <= began]
    if not before or before[-1].kind == "rollback" or began - before[-1].at > limit:
        return None
    return before[-1]


def _judge(step: Step, following: list[Step], limit: timedelta) -> None:
    if step.incidents:
        first = min(step.incidents, key=lambda incident: incident.at or step.at)
        step.failed = max(step.at, first.at or step.at)
        ends = [first.ended] if first.ended else []
    elif following and following[0].repairs and following[0].at - step.at <= limit:
        step.failed, ends = step.at, []
    else:
        return
    failed = step.failed
    ends += [later.at for later in following if later.repairs and later.at >= failed][:1]
    step.restored = max(failed, min(ends)) if ends else None


def frequency(records: Iterable[Delivery], period: Window, hotfix: str) -> Reading:
    """Rollouts (hotfixes included) a day."""
    days = (period.end - (period.start or period.end)) / timedelta(days=1)
    if days <= 0:
        return Reading(None, state=ReadingState.NO_DATA)
    count = sum(1 for step in _during(steps(records, hotfix), period) if step.kind != "rollback")
    return Reading(count / days, numerator=float(count), denominator=days, samples=count)


def lead_time(records: Iterable[Delivery], period: Window, hotfix: str, statistic: Statistic) -> Reading:
    """Hours from a commit's authoring to its first rollout, over the commits rolled out in the period."""
    hours: list[float] = []
    unknown = 0
    for line in steps(records, hotfix):
        seen: set[str] = set()
        for step in line:
            inside = _inside(step.at, period)
            if step.deployment.commits is None:
                unknown += inside and step.kind != "rollback"
                continue
            new = [commit for commit in step.deployment.commits if commit.sha not in seen]
            seen |= {commit.sha for commit in new}
            if inside:
                hours += [max(0.0, (step.at - (commit.started or commit.authored)) / _HOUR) for commit in new]
    note = f"the changes of {unknown} deployments are not known and were left out" if unknown else None
    return _summary(hours, statistic, note)


def fail_rate(records: Iterable[Delivery], period: Window, rule: FailureRule) -> Reading:
    """Failed rollouts / rollouts of the period."""
    rollouts = [s for s in judged(records, rule) if s.kind != "rollback" and _inside(s.at, period)]
    return _share(sum(step.failed is not None for step in rollouts), len(rollouts))


def recovery_time(records: Iterable[Delivery], period: Window, rule: FailureRule, statistic: Statistic) -> Reading:
    """Hours from failure to restoration, over the failed rollouts restored in the period."""
    failed = [(s.failed, s.restored) for s in judged(records, rule) if s.failed]
    hours = [(end - start) / _HOUR for start, end in failed if end and _inside(end, period)]
    waiting = sum(1 for start, end in failed if start < period.end and (end is None or end >= period.end))
    return _summary(hours, statistic, f"{waiting} failures were not restored at the period's end" if waiting else None)


def rework_rate(records: Iterable[Delivery], period: Window, hotfix: str) -> Reading:
    """Hotfixes and rollbacks / rollouts and rollbacks of the period."""
    made = list(_during(steps(records, hotfix), period))
    return _share(sum(step.repairs for step in made), len(made))


def _share(part: int, whole: int) -> Reading:
    if not whole:
        return Reading(None, samples=0, state=ReadingState.NO_DATA)
    return Reading(part / whole, numerator=float(part), denominator=float(whole), samples=whole)


def _summary(values: list[float], statistic: Statistic, note: str | None) -> Reading:
    if not values:
        return Reading(None, samples=0, state=ReadingState.NO_DATA, note=note)
    return Reading(summarise(values, statistic), samples=len(values), note=note)


def _during(lines: list[list[Step]], period: Window) -> Iterator[Step]:
    return (step for line in lines for step in line if _inside(step.at, period))


def _inside(at: datetime, period: Window) -> bool:
    return (period.start or at) <= at < period.end
