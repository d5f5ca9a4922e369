"""Jira: flow of work, quality, sprints, epics and Service Management, on Cloud (REST v3) and Data Center (REST v2).

Most measures are pure functions over *issues with their status history*, fetched once for all KPIs of the same scope and
then incrementally by ``updated``. An issue's history is read from its changelog by status ids: the first status is the
``from`` of the first change, not today's. What a status means is its *category* (new, indeterminate, done), because names
are localised. Jira tells only today's names and categories, so a dated map of them is kept with the issues: a move means what its
status meant on that day, as far back as this source has looked. A status that is put into another category finishes and
reopens nothing, from that day on its issues count by what it means now, and what was before stays as it was. Statuses may
be named in parameters by any name they ever had.

- **Done**: in a status of category done (or in one of ``done``). **Finished**: the last entry into done before the period's
  end, of an issue that is done at the period's end. **Started**: the first entry into category indeterminate (or ``started``).
- **Reopened**: it left done. The clock of lead and cycle time does not run while an issue is done.
- An issue belongs to the project in which it is today; what moved away or was deleted is found by a daily comparison of ids.
- ``resolutiondate`` is not used: bulk edits and missing screens break it. Sub-tasks are left out unless asked for.

JQL reads dates in the calling user's time zone and to the minute, so windows are written in that zone, overlap, and leave
their upper end open. A search with wrong credentials can answer 200 and nothing: every run asks first who it is. A 429 names
its reason (``RateLimit-Reason``): a burst is waited for; a quota that is used up ends the run, and nothing of the source is asked
before it is renewed.
"""

import re
import statistics
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from urllib.parse import quote
from zoneinfo import ZoneInfo

from pydantic import Field, model_validator

from bsc_monitor.kit.flow import Move, Past, past, running
from bsc_monitor.kit.issues import (
    Change,
    Cycle,
    Issue,
    Site,
    expect,
    instant,
    issue_of,
    refused,
    shown,
    told,
    values_of,
    zone,
)
from bsc_monitor.kit.sprints import ClosedSprint, Planned, Tracked, planned, tracked
from bsc_monitor.kit.statistics import Statistic, summarise
from bsc_monitor.kit.statuses import Statuses
from bsc_monitor.plugin import (
    Calendar,
    Collector,
    CollectorError,
    Completeness,
    Context,
    Params,
    Reading,
    ReadingState,
    Secret,
    SourceConfig,
    SourceError,
    Window,
    measure,
    stream,
)

_PAGE, _IDS_PAGE, _BULK = 100, 5000, 1000  # as the vendor caps them
_SHOWN_KEYS = 100  # an evidence link names so many issues; beyond it, the condition that finds them
_KNOWN_FOR = timedelta(minutes=1)  # who we are, statuses and fields are asked again after this
_ORDER = re.compile(r"\s*\border\s+by\b[^\"']*$", re.IGNORECASE)


class Scope(Params):
    """Which issues are fetched; KPIs with the same scope share one fetch."""

    project: str = Field("", description="key of a project, or several with commas")
    jql: str = Field("", description="JQL that narrows the issues, e.g. labels = customer")
    epic: str = Field("", description="key of an epic: its children only")

    @model_validator(mode="after")
    def _bounded(self) -> "Scope":
        if not (self.project.strip() or self.jql.strip() or self.epic.strip()):
            raise ValueError("give project, jql or epic: Jira refuses a search without a restriction")
        return self


class Flow(Scope):
    """Which issues, and which statuses mean that they are started and done."""

    types: list[str] = Field([], description="issue types, by name or id; empty: all")
    subtasks: bool = Field(False, description="count sub-tasks too")
    done: list[str] = Field([], description="statuses that mean done, by name or id; empty: those of category done")
    started: list[str] = Field([], description="statuses that mean started; empty: those of category indeterminate")

    def is_done(self, move: "Move") -> bool:
        """Whether a status means done."""
        return _named(move, self.done) if self.done else move.category == "done"

    def is_started(self, move: "Move") -> bool:
        """Whether a status means that work goes on."""
        return _named(move, self.started) if self.started else move.category == "indeterminate"


class Duration(Flow):
    """Which issues, by which clock, and how their durations become one number."""

    statistic: Statistic = "median"
    business: bool = Field(False, description="only working hours of the configured calendar")


class CycleTime(Duration):
    """Which issues, and what of those that never were in progress."""

    include_skipped: bool = Field(False, description="count issues that never were in progress as 0")


class Efficiency(Flow):
    """Which statuses are waiting and which are work."""

    waiting: list[str] = Field(min_length=1, description="statuses in which an issue waits, by name or id")
    active: list[str] = Field([], description="statuses in which it is worked on; empty: all others that mean started")
    business: bool = Field(False, description="only working hours of the configured calendar")


class Defects(Flow):
    """Which issues are defects."""

    bugs: list[str] = Field(["Bug"], description="issue types that are defects, by name or id")


class Progress(Flow):
    """How progress is counted."""

    points: bool = Field(False, description="count points instead of issues")


class SprintScope(Params):
    """Whose sprints."""

    project: str = Field(description="key of a project with a scrum board")
    board: int = Field(0, description="id of one board; 0: all boards of the project")


class Commitment(SprintScope):
    """How commitment is counted."""

    points: bool = Field(False, description="count points instead of issues")


class Sla(Scope):
    """Which service level; empty: all."""

    sla: str = Field("", description="name of the SLA, e.g. Time to resolution")


class Response(Scope):
    """Which service level tells the first response, by which clock, and how it becomes one number."""

    sla: str = "Time to first response"
    statistic: Statistic = "mean"
    business: bool = Field(False, description="the service level's own clock instead of elapsed time")


class Count(Params):
    """Any JQL."""

    jql: str
    time_field: str = Field(
        "", description="date field that must lie in the period, e.g. created; empty: as the JQL says"
    )


class Sum(Count):
    """Any JQL and a numeric field."""

    field: str = Field(description="a numeric field, by name or id")


# ---- pure: from issues to numbers


def _past(issue: Issue, p: Flow, end: datetime) -> Past:
    return past(issue.history, end, done=p.is_done, started=p.is_started)


def chosen(issues: Iterable[Issue], p: Flow) -> list[Issue]:
    """The issues that the parameters mean."""
    return [i for i in issues if (p.subtasks or not i.subtask) and (not p.types or _is_type(i, p.types))]


def finished(issues: Iterable[Issue], p: Flow, period: Window) -> list[tuple[Issue, Past]]:
    """The issues finished in the period, with what they had been through at its end."""
    lives = [(issue, _past(issue, p, period.end)) for issue in chosen(issues, p)]
    return [(i, life) for i, life in lives if life.finished and _within(life.finished, period)]


def _named(move: Move, names: list[str]) -> bool:
    return move.status in names or move.name in names or any(name in names for name in move.names)


def _statuses(ctx: Context, site: Site) -> Statuses:
    """What statuses meant and mean, kept with the stream's records."""
    seen = ctx.now - timedelta(milliseconds=1)  # so that it counts in this run, whose window ends now
    found = Statuses(site.statuses, ctx.checkpoint.get("statuses"), seen)
    ctx.checkpoint["statuses"] = found.plain()
    return found


def _is_type(issue: Issue, names: list[str]) -> bool:
    return issue.type in names or issue.type_id in names


def _within(at: datetime, period: Window) -> bool:
    return (period.start is None or at >= period.start) and at < period.end


def _plural(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


# ---- JQL


def quoted(value: str) -> str:
    """A value as a JQL string."""
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def literal(at: datetime, zone: ZoneInfo) -> str:
    """A JQL date at or before an instant. An hour that the clocks repeat is ambiguous, so the time before it is taken."""
    local = at.astimezone(zone)
    while local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset():
        local = (local.astimezone(UTC) - timedelta(minutes=30)).astimezone(zone)
    return f'"{local:%Y-%m-%d %H:%M}"'


def scoped(p: Scope, cloud: bool) -> str:
    """The JQL of a scope."""
    parts = []
    if p.project.strip():
        keys = [quoted(key.strip()) for key in p.project.split(",") if key.strip()]
        parts.append(f"project = {keys[0]}" if len(keys) == 1 else f"project in ({', '.join(keys)})")
    if p.epic.strip():
        parts.append(f"{'parent' if cloud else quoted('Epic Link')} = {quoted(p.epic.strip())}")
    if p.jql.strip():
        parts.append(bare(p.jql))
    return " AND ".join(f"({part})" for part in parts) if len(parts) > 1 else parts[0]


def bare(jql: str) -> str:
    """JQL without its ORDER BY."""
    return _ORDER.sub("", jql.strip())


class Jira(Collector):
    """One Jira site. The user needs to browse the projects; service levels need the agent role."""

    name = "jira"

    class Config(SourceConfig):
        """How to reach the site."""

        url: str = Field(pattern=r"^https?://", description="the site's root", examples=["https://acme.atlassian.net"])
        deployment: Literal["cloud", "server"] | None = Field(None, description="empty: the site is asked what it is")
        email: str = Field(
            "", description="Cloud: address of the account that the API token belongs to", examples=["bsc@example.com"]
        )
        username: str = Field("", description="Data Center with a password; a personal access token needs none")
        token: Secret = Field(
            description="API token (Cloud), personal access token or password (Data Center)",
            examples=[{"env": "JIRA_TOKEN"}],
        )
        points_field: str = Field(
            "", description="field that holds points; empty: Story Points or Story point estimate"
        )

    config: Config

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.url = config.url.rstrip("/")
        self._known: Site | None = None

    async def check(self, ctx: Context) -> None:
        """Say who we are, then see at least one project."""
        site = await self._site(ctx)
        path = f"{site.api}/project/search" if site.cloud else f"{site.api}/project"
        found = await self._ask(ctx, path, params={"maxResults": 1} if site.cloud else {})
        if not (found.get("values") if isinstance(found, dict) else found):
            raise SourceError(
                "the user may browse no project",
                CollectorError.PERMISSION,
                hint="give the user the permission Browse projects",
            )

    # ---- streams

    @stream(key="id", cursor="updated", record=Issue, overlap="10m", ids="existing")
    async def issues(self, ctx: Context, scope: Scope, window: Window) -> AsyncIterator[Issue]:
        """Issues of a scope that changed since the window's start, with the whole history of their status."""
        site = await self._site(ctx)
        points, rated = self._points(site), site.custom(":sd-request-feedback-date")
        meant = _statuses(ctx, site)
        jql = scoped(scope, site.cloud)
        if window.start is not None:
            since = literal(window.start, site.zone)
            also = "".join(f" OR cf[{f.rpartition('_')[2]}] >= {since}" for f in rated)  # ratings leave updated alone
            if meant.changed:  # so does what an admin does to statuses
                also += f" OR status WAS IN ({', '.join(sorted(meant.changed))})"
            jql = f"({jql}) AND (updated >= {since}{also})"
        fields = [
            "project", "issuetype", "status", "priority", "assignee", "components", "labels", "created", "updated",
            *([points] if points else []), *site.custom(":sd-sla-field"), *site.custom(":sd-request-feedback"), *rated,
        ]  # fmt: skip
        async for page in self._search(ctx, site, f"{jql} ORDER BY key", fields, changelog=True):
            changes = await self._changes(ctx, site, page, ["status"])
            for raw in page:
                yield issue_of(raw, changes[raw["id"]], site, meant, points)

    async def existing(self, ctx: Context, scope: Scope) -> AsyncIterator[str]:
        """Ids of the issues that are in the scope today."""
        site = await self._site(ctx)
        async for page in self._search(ctx, site, f"{scoped(scope, site.cloud)} ORDER BY key", ["id"]):
            for raw in page:
                yield str(raw["id"])

    @stream(key="id", cursor="completed", record=ClosedSprint, overlap="1d")
    async def sprints(self, ctx: Context, scope: SprintScope, window: Window) -> AsyncIterator[ClosedSprint]:
        """Sprints closed since the window's start, with what was in them by the changelog of the project's issues."""
        site = await self._site(ctx)
        closed = [s for s in await self._closed(ctx, scope) if window.start is None or s["completed"] >= window.start]
        if not closed:
            return
        membership = next(iter(site.custom(":gh-sprint")), None)
        if membership is None:
            raise SourceError(
                "this Jira has no Sprint field", CollectorError.CONFIG, hint="is Jira Software installed?"
            )
        points, meant = self._points(site), _statuses(ctx, site)
        first = literal(min(sprint["start"] for sprint in closed), site.zone)
        members = ", ".join(sprint["id"] for sprint in closed)  # untouched since planning, or taken out since
        jql = f"project = {quoted(scope.project)} AND (sprint in ({members}) OR updated >= {first}) ORDER BY key"
        touched = ["status", membership, *([points] if points else [])]
        wanted = ["status", "created", "issuetype", membership, *([points] if points else [])]
        lives: list[Tracked] = []
        async for page in self._search(ctx, site, jql, wanted, changelog=True):
            changes = await self._changes(ctx, site, page, touched)
            lives += [tracked(raw, changes[raw["id"]], meant, membership, points) for raw in page]
        for sprint in closed:
            found = (planned(life, sprint["id"], sprint["start"], sprint["completed"]) for life in lives)
            yield ClosedSprint(**sprint, issues=tuple(each for each in found if each))

    async def _closed(self, ctx: Context, scope: SprintScope) -> list[dict[str, Any]]:
        """The closed sprints of the scope's boards."""
        asked = {"projectKeyOrId": scope.project, "type": "scrum"}
        boards = [scope.board] if scope.board else [b["id"] for b in await self._listed(ctx, "board", asked)]
        if not boards:
            raise SourceError(f"{scope.project} has no scrum board that the user may see", CollectorError.CONFIG)
        found: dict[str, dict[str, Any]] = {}
        for board in boards:
            for raw in await self._listed(ctx, f"board/{board}/sprint", {"state": "closed"}):
                start = instant(raw.get("activatedDate") or raw.get("startDate"))
                completed = instant(raw.get("completeDate") or raw.get("endDate"))
                if start and completed:
                    found[str(raw["id"])] = {
                        "id": str(raw["id"]), "name": str(raw.get("name", "")), "board": str(board),
                        "start": start, "completed": completed,
                    }  # fmt: skip
        return list(found.values())

    # ---- flow

    @measure(over="issues", unit="count", title="Throughput")
    def throughput(self, issues: Iterable[Issue], p: Flow, period: Window, calendar: Calendar) -> Reading:
        """Issues finished in the period."""
        found = finished(issues, p, period)
        return self._finished(found, p, period, calendar, len(found))

    @measure(over="issues", unit="count", better="lower", title="Work in progress")
    def wip(self, issues: Iterable[Issue], p: Flow, period: Window, calendar: Calendar) -> Reading:
        """Issues started and not finished at the period's end."""
        found = self._in_progress(issues, p, period)
        return self._held([i for i, _ in found], p, period, calendar, len(found))

    @measure(over="issues", unit="d", better="lower", title="Age of work in progress")
    def wip_age(self, issues: Iterable[Issue], p: Duration, period: Window, calendar: Calendar) -> Reading:
        """Statistic of the ages, since their start, of the issues in progress at the period's end."""
        found = self._in_progress(issues, p, period)
        ages = [
            running(life.started, period.end, life.pauses, calendar, p.business) / 86_400
            for _, life in found
            if life.started
        ]
        return self._held(
            [i for i, _ in found], p, period, calendar, summarise(ages, p.statistic) if ages else None, p.business
        )

    @measure(over="issues", unit="count", better="lower", title="Backlog")
    def backlog(self, issues: Iterable[Issue], p: Flow, period: Window, calendar: Calendar) -> Reading:
        """Issues not yet started, and not done, at the period's end."""
        lives = [(issue, _past(issue, p, period.end)) for issue in chosen(issues, p)]
        found = [i for i, life in lives if life.last and not life.started and not life.finished]
        return self._held(found, p, period, calendar, len(found))

    @measure(over="issues", unit="h", better="lower", title="Lead time")
    def lead_time(self, issues: Iterable[Issue], p: Duration, period: Window, calendar: Calendar) -> Reading:
        """Statistic of created → finished, without the time spent done, of issues finished in the period."""
        found = finished(issues, p, period)
        hours = [
            running(i.created, life.finished, life.pauses, calendar, p.business) / 3600
            for i, life in found
            if life.finished
        ]
        value = summarise(hours, p.statistic) if hours else None
        return self._finished(found, p, period, calendar, value, business=p.business)

    @measure(over="issues", unit="h", better="lower", title="Cycle time")
    def cycle_time(self, issues: Iterable[Issue], p: CycleTime, period: Window, calendar: Calendar) -> Reading:
        """Statistic of started → finished, without the time spent done, of issues finished in the period.

        Issues that never were in progress are left out and counted in the note; with ``include_skipped`` they count as 0.
        """
        every = finished(issues, p, period)
        found = every if p.include_skipped else [(i, life) for i, life in every if life.took_time]
        hours = [
            running(life.started, life.finished, life.pauses, calendar, p.business) / 3600
            if life.started and life.finished and life.took_time
            else 0.0
            for _, life in found
        ]
        skipped = sum(not life.took_time for _, life in every)
        notes = (
            [f"{_plural(skipped, 'issue')} never in progress {'counted as 0' if p.include_skipped else 'left out'}"]
            if skipped
            else []
        )
        value = summarise(hours, p.statistic) if hours else None
        return self._finished(found, p, period, calendar, value, notes=notes, business=p.business)

    @measure(over="issues", unit="ratio", title="Flow efficiency")
    def flow_efficiency(self, issues: Iterable[Issue], p: Efficiency, period: Window, calendar: Calendar) -> Reading:
        """Time in active statuses / time in active and waiting ones, over issues finished in the period."""
        found, active, waiting = finished(issues, p, period), 0.0, 0.0
        for issue, life in found:
            ends = [*(move.at for move in issue.history[1:]), life.finished]
            for move, until in zip(issue.history, ends, strict=True):
                if life.finished is None or until is None or move.at >= life.finished:
                    break
                spent = running(move.at, until, (), calendar, p.business)
                if _named(move, p.waiting):
                    waiting += spent
                elif _named(move, p.active) if p.active else p.is_started(move) and not p.is_done(move):
                    active += spent
        whole = active + waiting
        value = active / whole if whole else None
        return self._finished(found, p, period, calendar, value, part=active, whole=whole, business=p.business)

    # ---- quality

    @measure(over="issues", unit="ratio", better="lower", title="Reopened issues")
    def reopened_rate(self, issues: Iterable[Issue], p: Flow, period: Window, _calendar: Calendar) -> Reading:
        """Issues that left done in the period / issues finished in the period."""
        issues = list(issues)
        whole = finished(issues, p, period)
        back = [
            i for i in chosen(issues, p) if any(_within(at, period) for at in _past(i, p, period.end).reopened)
        ]  # fmt: skip
        value = len(back) / len(whole) if whole else None
        return self._reading(
            p, value, back or [i for i, _ in whole], part=len(back), whole=len(whole), samples=len(whole)
        )

    @measure(over="issues", unit="count", better="lower", title="Escaped defects")
    def escaped_defects(self, issues: Iterable[Issue], p: Defects, period: Window, calendar: Calendar) -> Reading:
        """Defects created in the period; ``jql`` says which were found in production, e.g. "Found in" = Production."""
        found = [i for i in chosen(issues, p) if _is_type(i, p.bugs) and _within(i.created, period)]
        bugs = ", ".join(quoted(bug) for bug in p.bugs)
        where = f"issuetype in ({bugs}) AND created >= {self._start(period, calendar)} AND created < {self._end(period, calendar)}"
        return self._reading(p, len(found), found, where=where, samples=len(found))

    @measure(over="issues", unit="ratio", better="lower", title="Share of defects")
    def defect_ratio(self, issues: Iterable[Issue], p: Defects, period: Window, calendar: Calendar) -> Reading:
        """Defects finished in the period / all issues finished in it."""
        found = finished(issues, p, period)
        bugs = sum(_is_type(issue, p.bugs) for issue, _ in found)
        return self._finished(
            found, p, period, calendar, bugs / len(found) if found else None, part=bugs, whole=len(found)
        )

    # ---- epics

    @measure(over="issues", unit="ratio", title="Progress of an epic")
    def epic_progress(self, issues: Iterable[Issue], p: Progress, period: Window, calendar: Calendar) -> Reading:
        """Children done at the period's end / all children that existed then, by count or by points.

        ``epic`` names the epic; ``project`` or ``jql`` in its place take all their issues as the whole.
        """
        lives = [(issue, _past(issue, p, period.end)) for issue in chosen(issues, p)]
        there = [(issue, life) for issue, life in lives if life.last]
        sizes = [(issue.points or 0.0) if p.points else 1.0 for issue, _ in there]
        whole = sum(sizes)
        part = sum(size for size, (_, life) in zip(sizes, there, strict=True) if life.finished)
        notes = _unestimated([i for i, _ in there]) if p.points else []
        value = part / whole if whole else None
        return self._reading(
            p, value, [i for i, _ in there], part=part, whole=whole, samples=len(there), notes=notes,
            where=f"created < {self._end(period, calendar)}",
        )  # fmt: skip

    # ---- sprints

    @measure(over="sprints", unit="ratio", title="Predictability of sprints")
    def sprint_predictability(
        self, sprints: Iterable[ClosedSprint], p: Commitment, period: Window, _calendar: Calendar
    ) -> Reading:
        """Completed of what was committed at the sprint's start / committed, over sprints closed in the period.

        What is done at the end but was taken out of the sprint before does not count as completed.
        """
        return self._sprints(sprints, p, period, lambda i: i.committed and i.done)

    @measure(over="sprints", unit="ratio", better="lower", title="Change of sprint scope")
    def scope_change(
        self, sprints: Iterable[ClosedSprint], p: Commitment, period: Window, _calendar: Calendar
    ) -> Reading:
        """What was added after the sprint's start / committed at it, over sprints closed in the period."""
        return self._sprints(sprints, p, period, lambda i: i.added)

    # ---- service management

    @measure(over="issues", unit="ratio", title="Service levels met")
    def sla_met_ratio(self, issues: Iterable[Issue], p: Sla, period: Window, _calendar: Calendar) -> Reading:
        """Service level cycles completed in the period and not breached / all completed in it."""
        cycles, notes = _cycles(issues, p.sla, period)
        met = sum(not cycle.breached for _, cycle in cycles)
        value = met / len(cycles) if cycles else None
        return self._reading(
            p, value, [i for i, _ in cycles], part=met, whole=len(cycles), samples=len(cycles), notes=notes
        )

    @measure(over="issues", unit="min", better="lower", title="Time to first response")
    def first_response_time(self, issues: Iterable[Issue], p: Response, period: Window, _calendar: Calendar) -> Reading:
        """Statistic of the service level's start → stop (or of its own clock), of first responses in the period."""
        cycles, notes = _cycles(issues, p.sla, period)
        minutes = [
            (cycle.elapsed if p.business and cycle.elapsed is not None else (cycle.stop - cycle.start).total_seconds())
            / 60
            for _, cycle in cycles
        ]
        if p.business:
            notes.append("by the service level's own calendar")
        value = summarise(minutes, p.statistic) if minutes else None
        return self._reading(p, value, [i for i, _ in cycles], samples=len(minutes), notes=notes)

    @measure(over="issues", unit="points", title="Customer satisfaction")
    def csat(self, issues: Iterable[Issue], p: Scope, period: Window, calendar: Calendar) -> Reading:
        """Mean of the ratings (1 to 5) that customers gave in the period."""
        found = [(i, i.rating) for i in issues if i.rating is not None and i.rated and _within(i.rated, period)]
        value = statistics.fmean(rating for _, rating in found) if found else None
        where = f'"Satisfaction date" >= {self._start(period, calendar)} AND "Satisfaction date" < {self._end(period, calendar)}'
        return self._reading(p, value, [i for i, _ in found], where=where, samples=len(found))

    # ---- any JQL

    @measure(unit="count", title="Any count")
    async def count(self, ctx: Context, p: Count) -> list[Reading]:
        """Issues that match ``jql`` (and whose ``time_field`` lies in the period). On Cloud the vendor's estimate."""
        site = await self._site(ctx)
        jql = self._during(ctx, site, p)
        if ctx.by:
            found = await self._by(ctx, site, jql, None)
            return [self._answer(ctx, where, len(values), labels, len(values)) for labels, where, values in found]
        if site.cloud:
            body = await self._ask(ctx, f"{site.api}/search/approximate-count", body={"jql": jql})
            total = expect(body, "count", int)
        else:
            body = await self._ask(ctx, f"{site.api}/search", params={"jql": jql, "maxResults": 0})
            total = expect(body, "total", int)
        return [self._answer(ctx, jql, total, {}, total)]

    @measure(unit="", title="Any sum")
    async def sum(self, ctx: Context, p: Sum) -> list[Reading]:
        """Sum of a numeric ``field`` over issues that match ``jql`` (and whose ``time_field`` lies in the period)."""
        site = await self._site(ctx)
        found = await self._by(ctx, site, self._during(ctx, site, p), self._field(site, p.field))
        return [self._answer(ctx, where, sum(values), labels, len(values)) for labels, where, values in found]

    # ---- from numbers to readings

    def _in_progress(self, issues: Iterable[Issue], p: Flow, period: Window) -> list[tuple[Issue, Past]]:
        lives = [(issue, _past(issue, p, period.end)) for issue in chosen(issues, p)]
        return [(i, life) for i, life in lives if life.started and not life.finished]

    def _finished(
        self, found: Sequence[tuple[Issue, Past]], p: Flow, period: Window, calendar: Calendar, value: float | None, *,
        part: float | None = None, whole: float | None = None, notes: Iterable[str] = (), business: bool = False,
    ) -> Reading:  # fmt: skip
        """A reading over issues finished in the period."""
        done = sorted({m.status for i, _ in found for m in i.history if p.is_done(m)})
        span = f"{self._start(period, calendar)}, {self._end(period, calendar)}"
        where = f"status CHANGED TO ({', '.join(done)}) DURING ({span})" if done else ""
        clock = ["in working hours"] if business else []
        return self._reading(
            p, value, [i for i, _ in found], where=where, samples=len(found), part=part, whole=whole,
            notes=[*notes, *clock],
        )  # fmt: skip

    def _held(
        self,
        found: Sequence[Issue],
        p: Flow,
        period: Window,
        calendar: Calendar,
        value: float | None,
        business: bool = False,
    ) -> Reading:
        """A reading over issues that were in some state at the period's end."""
        lasts = (_past(issue, p, period.end).last for issue in found)
        states = sorted({move.status for move in lasts if move})
        end = self._end(period, calendar)
        where = f"status WAS IN ({', '.join(states)}) DURING ({end}, {end})" if states else ""
        return self._reading(
            p, value, found, where=where, samples=len(found), notes=["in working hours"] if business else []
        )

    def _sprints(self, sprints: Iterable[ClosedSprint], p: Commitment, period: Window, part_of: Any) -> Reading:
        closed = [sprint for sprint in sprints if _within(sprint.completed, period)]
        members = [issue for sprint in closed for issue in sprint.issues]

        def size(issue: Planned) -> float:
            return (issue.points or 0.0) if p.points else 1.0

        whole = sum(size(i) for i in members if i.committed)
        part = sum(size(i) for i in members if part_of(i))
        removed = sum(size(i) for i in members if i.committed and i.removed)
        notes = [", ".join(sprint.name for sprint in closed)] if closed else []
        notes += [f"{removed:g} taken out before the end"] if removed else []
        jql = f"sprint in ({', '.join(sprint.id for sprint in closed)})" if closed else f"project = {quoted(p.project)}"
        state = ReadingState.OK if whole else ReadingState.NO_DATA
        return Reading(
            part / whole if whole else None, samples=len(closed), numerator=part, denominator=whole, state=state,
            note="; ".join(notes) or None, evidence=self._link(jql),
        )  # fmt: skip

    def _reading(
        self, p: Scope, value: float | None, issues: Sequence[Issue], *, where: str = "", samples: int | None = None,
        part: float | None = None, whole: float | None = None, notes: Iterable[str] = (),
    ) -> Reading:  # fmt: skip
        """A reading with the JQL that shows the issues behind it."""
        lost = sum(any(not move.category for move in issue.history) for issue in issues)
        said = [*notes, *([f"{_plural(lost, 'issue')} went through statuses that no longer exist"] if lost else [])]
        keys = sorted({issue.key for issue in issues})
        scope = scoped(p, self._known is None or self._known.cloud)
        if 0 < len(keys) <= _SHOWN_KEYS:
            jql = f"key in ({', '.join(keys)})"
        else:
            jql = f"({scope}) AND {where}" if where else scope
        return Reading(
            value, samples=samples, numerator=part, denominator=whole, note="; ".join(said) or None,
            state=ReadingState.NO_DATA if value is None else ReadingState.OK, evidence=self._link(jql),
        )  # fmt: skip

    def _answer(self, ctx: Context, jql: str, value: float, labels: Mapping[str, str], samples: int) -> Reading:
        final = ctx.window.end >= ctx.period.end
        return Reading(
            value, labels=labels, samples=samples, period=ctx.period, evidence=self._link(jql),
            completeness=Completeness.FINAL if final else Completeness.PROVISIONAL,
        )  # fmt: skip

    def _link(self, jql: str) -> str:
        return f"{self.url}/issues/?jql={quote(jql, safe='')}"

    def _start(self, period: Window, calendar: Calendar) -> str:
        return literal(period.start or datetime(1970, 1, 2, tzinfo=UTC), ZoneInfo(calendar.timezone))

    def _end(self, period: Window, calendar: Calendar) -> str:
        return literal(period.end, ZoneInfo(calendar.timezone))

    # ---- from questions to answers

    def _during(self, ctx: Context, site: Site, p: Count) -> str:
        """The JQL of a count or sum, with its time field in the period."""
        jql = bare(p.jql)
        if not p.time_field:
            return jql
        name = p.time_field if re.fullmatch(r"\w+|cf\[\d+\]", p.time_field) else quoted(p.time_field)
        after = f" AND {name} >= {literal(ctx.window.start, site.zone)}" if ctx.window.start else ""
        return f"({jql}){after} AND {name} < {literal(ctx.window.end, site.zone)}"

    async def _by(
        self, ctx: Context, site: Site, jql: str, number: str | None
    ) -> list[tuple[dict[str, str], str, list[float]]]:
        """Values of a field (1 where none is asked) of all issues and of each value of each dimension, with their JQL."""
        ids = {name: self._field(site, name) for name in ctx.by}
        groups: dict[tuple[str, str], list[float]] = {}
        every: list[float] = []
        async for page in self._search(ctx, site, jql, [*([number] if number else []), *ids.values()] or ["id"]):
            for raw in page:
                fields = raw.get("fields") or {}
                value = 1.0 if number is None else fields.get(number)
                if value is None:
                    continue
                if isinstance(value, bool) or not isinstance(value, (int, float)):
                    raise SourceError(
                        f"the field {number} holds {str(value)[:40]!r}, not a number", CollectorError.CONFIG
                    )
                every.append(float(value))
                for name, field_id in ids.items():
                    for label in values_of(fields.get(field_id)):
                        groups.setdefault((name, label), []).append(float(value))
        found: list[tuple[dict[str, str], str, list[float]]] = [({}, jql, every)]
        for (name, label), values in groups.items():
            found.append(({name: label}, f"({jql}) AND {_condition(name, label)}", values))
        return found

    def _field(self, site: Site, name: str) -> str:
        """Id of a field. Raises SourceError(CONFIG) where there is none."""
        found = site.named(name)
        if found is None:
            raise SourceError(
                f"Jira has no field {name!r} that this user may see",
                CollectorError.CONFIG,
                hint="fields are named as on the issue, or by id (customfield_10016)",
            )
        return found

    def _points(self, site: Site) -> str | None:
        """Id of the field that holds points."""
        if self.config.points_field:
            return self._field(site, self.config.points_field)
        return site.named("Story Points") or site.named("Story point estimate")

    async def _site(self, ctx: Context) -> Site:
        """Who we are, and what this site has. Raises SourceError(AUTH) before any search could answer nothing."""
        if self._known is not None and timedelta(0) <= ctx.now - self._known.at < _KNOWN_FOR:
            return self._known
        cloud = self.config.deployment == "cloud"
        if self.config.deployment is None:
            info = await self._ask(ctx, "api/2/serverInfo")
            cloud = isinstance(info, dict) and info.get("deploymentType") == "Cloud"
        api = "api/3" if cloud else "api/2"
        me = await self._ask(ctx, f"{api}/myself")
        if not isinstance(me, dict) or not (me.get("accountId") or me.get("name") or me.get("key")):
            raise SourceError(
                "Jira does not say who we are", CollectorError.AUTH, hint="check email and token of the source"
            )
        statuses = {
            str(status["id"]): (shown(status, "name"), shown(status.get("statusCategory"), "key"))
            for status in await self._ask(ctx, f"{api}/status")
        }
        fields = await self._ask(ctx, f"{api}/field")
        self._known = Site(ctx.now, cloud, api, zone(me.get("timeZone")), statuses, fields)
        return self._known

    async def _search(
        self, ctx: Context, site: Site, jql: str, fields: Sequence[str], *, changelog: bool = False
    ) -> AsyncIterator[list[dict[str, Any]]]:
        """Pages of a search: by token on Cloud, where a short page is not the end; by offset on Data Center."""
        size = _IDS_PAGE if list(fields) == ["id"] else _PAGE
        asked = {"jql": jql, "fields": list(fields), "maxResults": size}
        total = 0

        async def by_token(token: str | None) -> tuple[list[Any], str | None]:
            more = {"nextPageToken": token} if token else {}
            body = await self._ask(ctx, f"{site.api}/search/jql", body=asked | more)
            return expect(body, "issues", list), None if body.get("isLast") is True else body.get("nextPageToken")

        async def by_offset(start: int) -> tuple[list[Any], int | None]:
            nonlocal total
            params = {
                **asked,
                "fields": ",".join(fields),
                "startAt": start,
                **({"expand": "changelog"} if changelog else {}),
            }
            body = await self._ask(ctx, f"{site.api}/search", params=params)
            found, before = expect(body, "issues", list), total
            total = expect(body, "total", int)
            ctx.progress(min(start + len(found), total), total)
            following = start + len(found) - max(0, before - total)  # step back over what left the result meanwhile
            return found, following if found and following < total else None

        pages = ctx.pages(by_token) if site.cloud else ctx.pages(by_offset, first=0)
        async for page in pages:
            yield page

    async def _changes(
        self, ctx: Context, site: Site, page: Sequence[Mapping[str, Any]], fields: list[str]
    ) -> dict[str, list[Change]]:
        """Changes of some fields of a page's issues, oldest first: one request for many issues on Cloud."""
        names = {f["id"]: f["id"] for f in site.fields} | {str(f.get("name", "")).lower(): f["id"] for f in site.fields}
        found: dict[str, list[Change]] = {str(raw["id"]): [] for raw in page}
        logs = self._bulk(ctx, site, list(found), fields) if site.cloud else self._expanded(ctx, site, page)
        async for key, histories in logs:
            found.setdefault(key, []).extend(told(histories, names, set(fields)))
        for changes in found.values():
            changes.sort(key=lambda change: (change.at, change.order))
        return found

    async def _bulk(
        self, ctx: Context, site: Site, ids: list[str], fields: list[str]
    ) -> AsyncIterator[tuple[str, list[Any]]]:
        """Cloud: changelogs of many issues, some split over two pages."""
        asked = {"issueIdsOrKeys": ids, "fieldIds": fields, "maxResults": _BULK}

        async def fetch(token: str | None) -> tuple[list[Any], str | None]:
            more = {"nextPageToken": token} if token else {}
            body = await self._ask(ctx, f"{site.api}/changelog/bulkfetch", body=asked | more)
            return expect(body, "issueChangeLogs", list), body.get("nextPageToken")

        if ids:
            async for logs in ctx.pages(fetch):
                for log in logs:
                    yield str(log["issueId"]), log.get("changeHistories") or []

    async def _expanded(
        self, ctx: Context, site: Site, page: Sequence[Mapping[str, Any]]
    ) -> AsyncIterator[tuple[str, list[Any]]]:
        """Data Center: the changelog came with the issue; where it is cut off or missing the issue is asked for it."""
        for raw in page:
            log = raw.get("changelog")
            if log is None or len(log.get("histories") or []) < int(log.get("total") or 0):
                params = {"expand": "changelog", "fields": "id"}
                log = (await self._ask(ctx, f"{site.api}/issue/{raw['key']}", params=params)).get("changelog") or {}
            yield str(raw["id"]), log.get("histories") or []

    async def _listed(self, ctx: Context, path: str, params: Mapping[str, str | int]) -> list[dict[str, Any]]:
        """All of an agile list."""

        async def fetch(start: int) -> tuple[list[Any], int | None]:
            body = await self._ask(ctx, f"agile/1.0/{path}", params={**params, "startAt": start, "maxResults": 50})
            found = expect(body, "values", list)
            return found, start + len(found) if found and body.get("isLast") is False else None

        return [each async for page in ctx.pages(fetch, first=0) for each in page]

    async def _ask(
        self, ctx: Context, path: str, *, body: Mapping[str, Any] | None = None,
        params: Mapping[str, str | int] | None = None,
    ) -> Any:  # fmt: skip
        """One answer. What Jira says of a 400 or 404 is quoted."""
        url, user = f"{self.url}/rest/{path}", self.config.email or self.config.username
        how: dict[str, Any] = {"basic": (user, self.config.token)} if user else {"bearer": self.config.token}
        if body is None:
            reply = await ctx.http.get(url, params=params, allow=(400, 404), **how)
        else:
            reply = await ctx.http.post(url, json=body, allow=(400, 404), **how)
        answer = reply.json()
        if reply.status in (400, 404):
            raise refused(path, reply.status, answer, (body or params or {}).get("jql"))
        return answer


def _condition(name: str, label: str) -> str:
    field = name if re.fullmatch(r"\w+", name) else quoted(name)
    return f"{field} IS EMPTY" if label == "none" else f"{field} = {quoted(label)}"


def _cycles(issues: Iterable[Issue], name: str, period: Window) -> tuple[list[tuple[Issue, Cycle]], list[str]]:
    """Cycles of a service level completed in the period, and what is to be said. Raises SourceError on an unknown name."""
    every = [(issue, cycle) for issue in issues for cycle in issue.cycles]
    names = sorted({cycle.sla for _, cycle in every})
    if not every:
        return [], ["no issue here shows a completed service level: the user needs the agent role to see them"]
    if name and name not in names:
        raise SourceError(
            f"there is no service level {name!r} here; there is {', '.join(names)}", CollectorError.CONFIG
        )
    return [(i, c) for i, c in every if (not name or c.sla == name) and _within(c.stop, period)], []


def _unestimated(issues: Iterable[Issue]) -> list[str]:
    count = sum(issue.points is None for issue in issues)
    return [f"{_plural(count, 'issue')} without points"] if count else []
