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
- A sprint's scope is that of its own time, by the changelogs. A closed sprint is read again once a day for thirty days, for what is
  corrected afterwards (its name and dates, an issue that is deleted or moves away); then it stays as it is.
- ``resolutiondate`` is not used: bulk edits and missing screens break it. Sub-tasks are left out unless asked for.

JQL reads dates in the calling user's time zone and to the minute, so windows are written in that zone, overlap, and leave
their upper end open. A search with wrong credentials can answer 200 and nothing: every run asks first who it is. A 429 names
its reason (``RateLimit-Reason``): a burst is waited for; a quota that is used up ends the run, and nothing of the source is asked
before it is renewed.
"""

import statistics
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from typing import Literal

from pydantic import Field

from bsc_monitor.kit.flow import running
from bsc_monitor.kit.issues import Issue
from bsc_monitor.kit.jira import JiraClient
from bsc_monitor.kit.jira_flow import Lived, chosen, cycles_of, finished, in_progress, is_type, lives, spent, within
from bsc_monitor.kit.jira_params import (
    Commitment,
    Count,
    CycleTime,
    Defects,
    Duration,
    Efficiency,
    Flow,
    Progress,
    Response,
    Scope,
    Sla,
    SprintScope,
    Sum,
)
from bsc_monitor.kit.jira_query import before, between, during, ended_in, entered, quoted, showing
from bsc_monitor.kit.jira_records import changed_issues, closed_sprints
from bsc_monitor.kit.sprints import ClosedSprint, Planned, scope_of
from bsc_monitor.kit.statistics import summarise
from bsc_monitor.plugin import (
    Calendar,
    Collector,
    Completeness,
    Context,
    Reading,
    ReadingState,
    Secret,
    SourceConfig,
    Window,
    measure,
    stream,
)

_IN_WORKING_HOURS = "in working hours"  # what is said of a clock


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
        self.client = JiraClient(
            config.url, config.email or config.username, config.token, config.deployment, config.points_field
        )

    async def check(self, ctx: Context) -> None:
        """Say who we are, then see at least one project."""
        await self.client.check(ctx)

    # ---- streams

    @stream(key="id", cursor="updated", record=Issue, overlap="10m", ids="existing")
    async def issues(self, ctx: Context, scope: Scope, window: Window) -> AsyncIterator[Issue]:
        """Issues of a scope that changed since the window's start, with the whole history of their status."""
        site = await self.client.site(ctx)
        async for issue in changed_issues(ctx, self.client, site, scope.query(cloud=site.cloud), window.start):
            yield issue

    async def existing(self, ctx: Context, scope: Scope) -> AsyncIterator[str]:
        """Ids of the issues that are in the scope today."""
        site = await self.client.site(ctx)
        async for page in self.client.search(ctx, site, f"{scope.query(cloud=site.cloud)} ORDER BY key", ["id"]):
            for raw in page:
                yield str(raw["id"])

    @stream(key="id", cursor="completed", record=ClosedSprint, overlap="1d")
    async def sprints(self, ctx: Context, scope: SprintScope, window: Window) -> AsyncIterator[ClosedSprint]:
        """Sprints closed since the window's start, with what was in them by the changelog of the project's issues."""
        async for sprint in closed_sprints(ctx, self.client, scope.project, scope.board, window.start):
            yield sprint

    # ---- flow

    @measure(over="issues", unit="count", title="Throughput")
    def throughput(self, issues: Iterable[Issue], p: Flow, period: Window, calendar: Calendar) -> Reading:
        """Issues finished in the period."""
        found = finished(issues, p, period)
        return self._finished(found, p, period, calendar, len(found))

    @measure(over="issues", unit="count", better="lower", title="Work in progress")
    def wip(self, issues: Iterable[Issue], p: Flow, period: Window, calendar: Calendar) -> Reading:
        """Issues started and not finished at the period's end."""
        found = in_progress(issues, p, period)
        return self._held(found, p, period, calendar, len(found))

    @measure(over="issues", unit="d", better="lower", title="Age of work in progress")
    def wip_age(self, issues: Iterable[Issue], p: Duration, period: Window, calendar: Calendar) -> Reading:
        """Statistic of the ages, since their start, of the issues in progress at the period's end."""
        found = in_progress(issues, p, period)
        starts = [(life.started, life.pauses) for _, life in found if life.started]
        ages = [running(start, period.end, pauses, calendar, p.business) / 86_400 for start, pauses in starts]
        value = summarise(ages, p.statistic) if ages else None
        return self._held(found, p, period, calendar, value, business=p.business)

    @measure(over="issues", unit="count", better="lower", title="Backlog")
    def backlog(self, issues: Iterable[Issue], p: Flow, period: Window, calendar: Calendar) -> Reading:
        """Issues not yet started, and not done, at the period's end."""
        every = lives(issues, p, period.end)
        found = [(i, life) for i, life in every if life.last and not life.started and not life.finished]
        return self._held(found, p, period, calendar, len(found))

    @measure(over="issues", unit="h", better="lower", title="Lead time")
    def lead_time(self, issues: Iterable[Issue], p: Duration, period: Window, calendar: Calendar) -> Reading:
        """Statistic of created → finished, without the time spent done, of issues finished in the period."""
        found = finished(issues, p, period)
        spans = [(i.created, life.finished, life.pauses) for i, life in found if life.finished]
        hours = [running(*span, calendar, p.business) / 3600 for span in spans]
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
        fate = "counted as 0" if p.include_skipped else "left out"
        notes = [f"{_plural(skipped, 'issue')} never in progress {fate}"] if skipped else []
        value = summarise(hours, p.statistic) if hours else None
        return self._finished(found, p, period, calendar, value, notes=notes, business=p.business)

    @measure(over="issues", unit="ratio", title="Flow efficiency")
    def flow_efficiency(self, issues: Iterable[Issue], p: Efficiency, period: Window, calendar: Calendar) -> Reading:
        """Time in active statuses / time in active and waiting ones, over issues finished in the period."""
        found = finished(issues, p, period)
        active, waiting = spent(found, p, calendar)
        whole = active + waiting
        value = active / whole if whole else None
        return self._finished(found, p, period, calendar, value, part=active, whole=whole, business=p.business)

    # ---- quality

    @measure(over="issues", unit="ratio", better="lower", title="Reopened issues")
    def reopened_rate(self, issues: Iterable[Issue], p: Flow, period: Window, _calendar: Calendar) -> Reading:
        """Issues that left done in the period / issues finished in the period."""
        every = lives(issues, p, period.end)
        whole = [i for i, life in every if life.finished and within(life.finished, period)]
        back = [i for i, life in every if any(within(at, period) for at in life.reopened)]
        value = len(back) / len(whole) if whole else None
        return self._reading(p, value, back or whole, part=len(back), whole=len(whole), samples=len(whole))

    @measure(over="issues", unit="count", better="lower", title="Escaped defects")
    def escaped_defects(self, issues: Iterable[Issue], p: Defects, period: Window, calendar: Calendar) -> Reading:
        """Defects created in the period; ``jql`` says which were found in production, e.g. "Found in" = Production."""
        found = [i for i in chosen(issues, p) if is_type(i, p.bugs) and within(i.created, period)]
        bugs = ", ".join(quoted(bug) for bug in p.bugs)
        where = f"issuetype in ({bugs}) AND {between('created', period, calendar)}"
        return self._reading(p, len(found), found, where=where)

    @measure(over="issues", unit="ratio", better="lower", title="Share of defects")
    def defect_ratio(self, issues: Iterable[Issue], p: Defects, period: Window, calendar: Calendar) -> Reading:
        """Defects finished in the period / all issues finished in it."""
        found = finished(issues, p, period)
        bugs = sum(is_type(issue, p.bugs) for issue, _ in found)
        return self._finished(
            found, p, period, calendar, bugs / len(found) if found else None, part=bugs, whole=len(found)
        )

    # ---- epics

    @measure(over="issues", unit="ratio", title="Progress of an epic")
    def epic_progress(self, issues: Iterable[Issue], p: Progress, period: Window, calendar: Calendar) -> Reading:
        """Children done at the period's end / all children that existed then, by count or by points.

        ``epic`` names the epic; ``project`` or ``jql`` in its place take all their issues as the whole.
        """
        there = [(issue, life) for issue, life in lives(issues, p, period.end) if life.last]
        sizes = [(issue.points or 0.0) if p.points else 1.0 for issue, _ in there]
        whole = sum(sizes)
        part = sum(size for size, (_, life) in zip(sizes, there, strict=True) if life.finished)
        unestimated = sum(issue.points is None for issue, _ in there) if p.points else 0
        notes = [f"{_plural(unestimated, 'issue')} without points"] if unestimated else []
        value, where = part / whole if whole else None, before("created", period, calendar)
        return self._reading(p, value, [i for i, _ in there], where=where, part=part, whole=whole, notes=notes)

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
        cycles, notes = cycles_of(issues, p.sla, period)
        met = sum(not cycle.breached for _, cycle in cycles)
        value = met / len(cycles) if cycles else None
        return self._reading(p, value, [i for i, _ in cycles], part=met, whole=len(cycles), notes=notes)

    @measure(over="issues", unit="min", better="lower", title="Time to first response")
    def first_response_time(self, issues: Iterable[Issue], p: Response, period: Window, _calendar: Calendar) -> Reading:
        """Statistic of the service level's start → stop (or of its own clock), of first responses in the period."""
        cycles, notes = cycles_of(issues, p.sla, period)
        seconds = [
            cycle.elapsed if p.business and cycle.elapsed is not None else (cycle.stop - cycle.start).total_seconds()
            for _, cycle in cycles
        ]
        if p.business:
            notes.append("by the service level's own calendar")
        value = summarise([each / 60 for each in seconds], p.statistic) if seconds else None
        return self._reading(p, value, [i for i, _ in cycles], notes=notes)

    @measure(over="issues", unit="points", title="Customer satisfaction")
    def csat(self, issues: Iterable[Issue], p: Scope, period: Window, calendar: Calendar) -> Reading:
        """Mean of the ratings (1 to 5) that customers gave in the period."""
        found = [(i, i.rating) for i in issues if i.rating is not None and i.rated and within(i.rated, period)]
        value = statistics.fmean(rating for _, rating in found) if found else None
        where = between('"Satisfaction date"', period, calendar)
        return self._reading(p, value, [i for i, _ in found], where=where)

    # ---- any JQL

    @measure(unit="count", title="Any count")
    async def count(self, ctx: Context, p: Count) -> list[Reading]:
        """Issues that match ``jql`` (and whose ``time_field`` lies in the period). On Cloud the vendor's estimate."""
        site = await self.client.site(ctx)
        jql = during(p.jql, p.time_field, ctx.window, site.zone)
        if ctx.by:
            found = await self.client.values(ctx, site, jql)
            return [self._answer(ctx, where, len(values), labels, len(values)) for labels, where, values in found]
        total = await self.client.count(ctx, site, jql)
        return [self._answer(ctx, jql, total, {}, total)]

    @measure(unit="", title="Any sum")
    async def sum(self, ctx: Context, p: Sum) -> list[Reading]:
        """Sum of a numeric ``field`` over issues that match ``jql`` (and whose ``time_field`` lies in the period)."""
        site = await self.client.site(ctx)
        jql = during(p.jql, p.time_field, ctx.window, site.zone)
        found = await self.client.values(ctx, site, jql, site.field(p.field))
        return [self._answer(ctx, where, sum(values), labels, len(values)) for labels, where, values in found]

    # ---- from numbers to readings

    def _finished(
        self, found: Sequence[Lived], p: Flow, period: Window, calendar: Calendar, value: float | None, *,
        part: float | None = None, whole: float | None = None, notes: Iterable[str] = (), business: bool = False,
    ) -> Reading:  # fmt: skip
        """A reading over issues finished in the period."""
        issues = [issue for issue, _ in found]
        where = entered({m.status for i in issues for m in i.history if p.is_done(m)}, period, calendar)
        notes = [*notes, _IN_WORKING_HOURS] if business else notes
        return self._reading(p, value, issues, where=where, part=part, whole=whole, notes=notes)

    def _held(
        self, found: Sequence[Lived], p: Flow, period: Window, calendar: Calendar, value: float | None, *,
        business: bool = False,
    ) -> Reading:  # fmt: skip
        """A reading over issues that were in some state at the period's end."""
        where = ended_in({life.last.status for _, life in found if life.last}, period, calendar)
        notes = [_IN_WORKING_HOURS] if business else []
        return self._reading(p, value, [i for i, _ in found], where=where, notes=notes)

    def _sprints(
        self, sprints: Iterable[ClosedSprint], p: Commitment, period: Window, part_of: Callable[[Planned], bool]
    ) -> Reading:
        closed = [sprint for sprint in sprints if within(sprint.completed, period)]
        part = scope_of(closed, part_of, points=p.points)
        whole = scope_of(closed, lambda i: i.committed, points=p.points)
        removed = scope_of(closed, lambda i: i.committed and i.removed, points=p.points)
        notes = [", ".join(sprint.name for sprint in closed)] if closed else []
        notes += [f"{removed:g} taken out before the end"] if removed else []
        jql = f"sprint in ({', '.join(sprint.id for sprint in closed)})" if closed else f"project = {quoted(p.project)}"
        state = ReadingState.OK if whole else ReadingState.NO_DATA
        return Reading(
            part / whole if whole else None, samples=len(closed), numerator=part, denominator=whole, state=state,
            note="; ".join(notes) or None, evidence=self.client.link(jql),
        )  # fmt: skip

    def _reading(
        self, p: Scope, value: float | None, issues: Sequence[Issue], *, where: str = "", samples: int | None = None,
        part: float | None = None, whole: float | None = None, notes: Iterable[str] = (),
    ) -> Reading:  # fmt: skip
        """A reading with the JQL that shows the issues behind it; ``samples``: where they are not what was counted."""
        lost = sum(any(not move.category for move in issue.history) for issue in issues)
        said = [*notes, *([f"{_plural(lost, 'issue')} went through statuses that no longer exist"] if lost else [])]
        jql = showing(sorted({issue.key for issue in issues}), p.query(cloud=self.client.cloud), where)
        return Reading(
            value, samples=len(issues) if samples is None else samples, numerator=part, denominator=whole,
            note="; ".join(said) or None, evidence=self.client.link(jql),
            state=ReadingState.NO_DATA if value is None else ReadingState.OK,
        )  # fmt: skip

    def _answer(self, ctx: Context, jql: str, value: float, labels: Mapping[str, str], samples: int) -> Reading:
        final = ctx.window.end >= ctx.period.end
        return Reading(
            value, labels=labels, samples=samples, period=ctx.period, evidence=self.client.link(jql),
            completeness=Completeness.FINAL if final else Completeness.PROVISIONAL,
        )  # fmt: skip


def _plural(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"
