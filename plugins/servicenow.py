"""ServiceNow: incidents, SLAs, changes, problems, requests, surveys and outages, by Table and Aggregate API.

Every measure is taken for a period ``[start, end)`` on the instance's own UTC fields, asked by plain UTC strings, so that
neither the calling user's time zone nor language matters. What a count or an average can answer is asked of the
Aggregate API; durations need the records (paged by offset in ``sys_id`` order up to ``X-Total-Count``). A list of more than
a page is kept in memory: the next run asks for what changed since (``sys_updated_on``, ten minutes overlapping) and for the
list's length, and walks it anew when the two do not fit (a record left it), once a day, and after a restart.

The vendor silently ignores query terms and fields that it does not understand, and would answer for the whole table: every
column used is therefore asked for by name first, and a column that does not come back is an error.
Breakdowns (``by``) are columns of the measured table, or dot-walks (``assignment_group.name``); each dimension apart.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from pydantic import Field, model_validator

from bsc_monitor.kit.servicenow import ServiceNowClient
from bsc_monitor.kit.servicenow_answers import Labels, Row, instant, number, split
from bsc_monitor.kit.servicenow_params import (
    Age,
    Aggregate,
    Change,
    Duration,
    Major,
    Resolution,
    Scope,
    Sla,
    Survey,
)
from bsc_monitor.kit.servicenow_query import both, during, utc, walked
from bsc_monitor.kit.spans import Clock, Span, uptime
from bsc_monitor.kit.statistics import Statistic, summarise
from bsc_monitor.plugin import (
    Collector,
    CollectorError,
    Completeness,
    Context,
    Reading,
    ReadingState,
    Secret,
    SourceConfig,
    SourceError,
    measure,
)

_INCIDENT = "task.ref_incident"  # how a table with a task reference reaches the columns of incident


class ServiceNow(Collector):
    """One ServiceNow instance. The user needs read access to the tables of the measures in use (role ``itil``, as a rule)."""

    name = "servicenow"

    class Config(SourceConfig):
        """How to reach the instance."""

        url: str = Field(
            pattern=r"^https?://", description="the instance's root", examples=["https://acme.service-now.com"]
        )
        username: str = Field("", description="with password; a token needs none", examples=["bsc.monitor"])
        password: Secret | None = Field(None, examples=[{"env": "SNOW_PASSWORD"}])
        token: Secret | None = Field(None, description="OAuth bearer token, in place of username and password")
        page_size: int = Field(1000, ge=1, le=10_000, description="records asked for at once")
        open_states: str = Field("1,2,3", description="states before resolution: New, In Progress, On Hold")

        @model_validator(mode="after")
        def _complete(self) -> "ServiceNow.Config":
            if self.token is None and (not self.username or self.password is None):
                raise ValueError("give username and password, or token")
            return self

    config: Config

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.client = ServiceNowClient(config.url, config.username, config.password, config.token, config.page_size)

    async def check(self, ctx: Context) -> None:
        """Read one incident."""
        await self.client.prove(ctx, "incident", "", ["sys_id", "opened_at", "resolved_at", "state"])

    # ---- incidents: how many

    @measure(unit="count", better="lower", title="Incidents opened")
    async def opened(self, ctx: Context, p: Scope) -> list[Reading]:
        """Incidents whose opened_at lies in the period."""
        return await self._count(ctx, "incident", both(during(ctx.window, "opened_at"), p.query))

    @measure(unit="count", better="higher", title="Incidents resolved")
    async def resolved(self, ctx: Context, p: Scope) -> list[Reading]:
        """Incidents whose (last) resolved_at lies in the period and that are not open again."""
        return await self._count(ctx, "incident", both(self._resolved(ctx), p.query))

    @measure(unit="count", better="lower", title="Incident backlog")
    async def backlog(self, ctx: Context, p: Scope) -> list[Reading]:
        """Incidents open at the period's end: opened before it, neither resolved nor closed before it.

        Closed incidents without a resolved_at are taken as open until closed_at.
        """
        return await self._count(ctx, "incident", both(self._backlog(ctx), p.query))

    @measure(unit="count", better="lower", title="Major incidents")
    async def major_incidents(self, ctx: Context, p: Major) -> list[Reading]:
        """Incidents opened in the period that meet ``definition``."""
        return await self._count(ctx, "incident", both(both(during(ctx.window, "opened_at"), p.definition), p.query))

    # ---- incidents: how long

    @measure(unit="h", better="lower", title="Mean time to resolve")
    async def mttr(self, ctx: Context, p: Resolution) -> list[Reading]:
        """Mean (or other statistic) of resolved_at − opened_at over incidents resolved in the period.

        With ``business = true``: of business_stc, the instance's business time to resolve. With ``by_calendar = true``: of the
        working hours between the two by the configured calendar. The reading says by which clock.
        """
        query = both(self._resolved(ctx), p.query)
        clock = None if p.business and not p.by_calendar else _clock(ctx, p.by_calendar)
        return await self._duration(ctx, "incident", query, "opened_at", "resolved_at", p.statistic, 3600, clock)

    @measure(unit="min", better="lower", title="Mean time to acknowledge")
    async def mtta(self, ctx: Context, p: Duration) -> list[Reading]:
        """From opened_at to the first assignment or the first state change out of New, of incidents opened in the period.

        Taken from sys_audit; where that cannot be read, from the response SLAs (task_sla of definitions with target
        "response") that started in the period and have ended; the reading says which. Where neither can be read the
        measure is not offered.
        """
        if await self.client.readable(ctx, "sys_audit"):
            return await self._acknowledged(ctx, p)
        if not await self.client.readable(ctx, "task_sla"):
            raise SourceError(
                "mtta needs sys_audit or the response records of task_sla; neither can be read here",
                CollectorError.PERMISSION,
                hint="give the user read access to one of them, or take the KPI out",
            )
        base = f"{during(ctx.window, 'start_time')}^end_timeISNOTEMPTY^stageNOT INcancelled^sla.target=response"
        query, notes = both(base, walked(p.query, _INCIDENT)), ["from response records: sys_audit cannot be read"]
        return await self._duration(
            ctx, "task_sla", query, "start_time", "end_time", p.statistic, 60, _clock(ctx, p.business),
            prefix=_INCIDENT, notes=notes,
        )  # fmt: skip

    async def _acknowledged(self, ctx: Context, p: Duration) -> list[Reading]:
        start = f"sys_created_on>={utc(ctx.window.start)}^" if ctx.window.start else ""
        changed = "^NQ".join(
            f"{start}tablename=incident^{what}"
            for what in ("fieldname=assigned_to^newvalueISNOTEMPTY", "fieldname=state^oldvalue=1")
        )
        audit = await self.client.records(ctx, "sys_audit", changed, ["documentkey", "sys_created_on"], by=False)
        first: dict[str, datetime] = {}
        for row in audit.rows:
            key, at = row["documentkey"][0], instant(row["sys_created_on"][0])
            if at and (key not in first or at < first[key]):
                first[key] = at
        query = both(during(ctx.window, "opened_at"), p.query)
        records = await self.client.records(ctx, "incident", query, ["opened_at"])
        clock = _clock(ctx, p.business)
        known = [
            (row, clock.seconds(opened, first[row["sys_id"][0]]) / 60)
            for row in records.rows
            if row["sys_id"][0] in first and (opened := instant(row["opened_at"][0]))
        ]
        waiting = len(records.rows) - len(known)
        notes = list(clock.notes)
        if waiting:
            notes.append(f"{waiting} incidents have no assignment or state change on record and were left out")
        return self._summaries(ctx, "incident", query, known, p.statistic, notes, records.lost + audit.lost)

    @measure(unit="d", better="lower", title="Age of the backlog")
    async def backlog_age(self, ctx: Context, p: Age) -> list[Reading]:
        """Statistic of the ages, at the period's end, of the incidents open then."""
        query = both(self._backlog(ctx), p.query)
        records = await self.client.records(ctx, "incident", query, ["opened_at"])
        end = ctx.window.end
        ages = [(r, (end - t).total_seconds() / 86400) for r in records.rows if (t := instant(r["opened_at"][0]))]
        return self._summaries(ctx, "incident", query, ages, p.statistic, lost=records.lost)

    @measure(unit="ratio", better="lower", title="Share of the backlog that is old")
    async def aged_backlog(self, ctx: Context, p: Age) -> list[Reading]:
        """Incidents open at the period's end that are older than ``days`` / all open then."""
        whole = both(self._backlog(ctx), p.query)
        return await self._ratio(ctx, "incident", f"opened_at<{utc(ctx.window.end - timedelta(days=p.days))}", whole)

    # ---- incidents: how well

    @measure(unit="ratio", better="lower", title="Reopened incidents")
    async def reopen_rate(self, ctx: Context, p: Scope) -> list[Reading]:
        """Incidents resolved in the period with reopen_count > 0 / resolved in the period."""
        return await self._ratio(ctx, "incident", "reopen_count>0", both(self._resolved(ctx), p.query))

    @measure(unit="ratio", title="First-contact resolution")
    async def first_contact_resolution(self, ctx: Context, p: Scope) -> list[Reading]:
        """Incidents resolved in the period that never changed hands (reassignment_count = 0) / resolved in the period."""
        return await self._ratio(ctx, "incident", "reassignment_count=0", both(self._resolved(ctx), p.query))

    @measure(unit="count", better="lower", title="Reassignments per incident")
    async def reassignments(self, ctx: Context, p: Scope) -> list[Reading]:
        """Mean reassignment_count of incidents resolved in the period."""
        query = both(self._resolved(ctx), p.query)
        found = await self.client.groups(ctx, "incident", query, "sum", "reassignment_count")  # avg comes rounded
        return [
            self._reading(
                ctx, "incident", g.query, None if g.value is None else g.value / g.count, labels,
                samples=g.count, part=g.value, whole=g.count,
            )
            for labels, g in found.items()
        ]  # fmt: skip

    @measure(unit="ratio", title="Service levels met")
    async def sla_met_ratio(self, ctx: Context, p: Sla) -> list[Reading]:
        """SLAs of incidents that ended in the period without breach / all that ended, stages achieved and cancelled left out (task_sla).

        Where task_sla cannot be read (or is empty): incidents resolved in the period with made_sla / resolved; the reading says so.
        """
        if await self.client.readable(ctx, "task_sla"):
            named = f"^sla.name={p.sla}" if p.sla else ""
            ended = f"{during(ctx.window, 'end_time')}^stageNOT INachieved,cancelled{named}"
            whole = both(ended, walked(p.query, _INCIDENT))
            return await self._ratio(ctx, "task_sla", "has_breached=false", whole, prefix=_INCIDENT)
        notes = ["task_sla cannot be read: taken from made_sla of incidents resolved in the period"]
        return await self._ratio(ctx, "incident", "made_sla=true", both(self._resolved(ctx), p.query), notes=notes)

    @measure(unit="ratio", title="Knowledge reuse")
    async def knowledge_reuse(self, ctx: Context, p: Scope) -> list[Reading]:
        """Incidents resolved in the period with a linked article (m2m_kb_task) / resolved in the period."""
        query = both(self._resolved(ctx), p.query)
        linked = await self.client.records(ctx, "m2m_kb_task", walked(query, _INCIDENT), ["task"], by=False)
        part = len({row["task"][0] for row in linked.rows})
        whole = await self.client.count(ctx, "incident", query)
        value = part / whole if whole else None
        return [self._reading(ctx, "incident", query, value, samples=whole, part=part, whole=whole, lost=linked.lost)]

    # ---- changes, problems, requests

    @measure(unit="ratio", title="Successful changes")
    async def change_success_rate(self, ctx: Context, p: Change) -> list[Reading]:
        """Changes closed in the period with close_code successful / closed with any code, cancelled ones left out."""
        codes = "successful,successful_issues" if p.with_issues else "successful"
        whole = both(f"{during(ctx.window, 'closed_at')}^close_codeISNOTEMPTY^state!=4", p.query)
        return await self._ratio(ctx, "change_request", f"close_codeIN{codes}", whole)

    @measure(unit="ratio", better="lower", title="Emergency changes")
    async def emergency_change_ratio(self, ctx: Context, p: Scope) -> list[Reading]:
        """Emergency changes closed in the period / changes closed in the period, cancelled ones left out."""
        whole = both(f"{during(ctx.window, 'closed_at')}^state!=4", p.query)
        return await self._ratio(ctx, "change_request", "type=emergency", whole)

    @measure(unit="ratio", better="lower", title="Incidents caused by changes")
    async def change_incident_ratio(self, ctx: Context, p: Scope) -> list[Reading]:
        """Incidents opened in the period with caused_by filled / changes closed in the period; ``query`` is on the incident."""
        query = both(f"{during(ctx.window, 'opened_at')}^caused_byISNOTEMPTY", p.query)
        part = await self.client.count(ctx, "incident", query)
        whole = await self.client.count(ctx, "change_request", f"{during(ctx.window, 'closed_at')}^state!=4")
        value = part / whole if whole else None
        return [self._reading(ctx, "incident", query, value, samples=whole, part=part, whole=whole)]

    @measure(unit="d", better="lower", title="Problem fix time")
    async def problem_fix_time(self, ctx: Context, p: Duration) -> list[Reading]:
        """Statistic of resolved_at − opened_at over problems resolved in the period."""
        query = both(during(ctx.window, "resolved_at"), p.query)
        return await self._duration(
            ctx, "problem", query, "opened_at", "resolved_at", p.statistic, 86400, _clock(ctx, p.business)
        )

    @measure(unit="h", better="lower", title="Request fulfilment time")
    async def request_fulfilment_time(self, ctx: Context, p: Duration) -> list[Reading]:
        """Statistic of closed_at − opened_at over requested items closed complete (state 3) in the period."""
        query = both(f"{during(ctx.window, 'closed_at')}^state=3", p.query)
        return await self._duration(
            ctx, "sc_req_item", query, "opened_at", "closed_at", p.statistic, 3600, _clock(ctx, p.business)
        )

    # ---- customers and services

    @measure(unit="points", title="Customer satisfaction")
    async def csat(self, ctx: Context, p: Survey) -> list[Reading]:
        """Mean actual_value of asmt_metric_result whose assessment was taken in the period, scaled from ``low``–``high`` to 0–100.

        The note gives the response rate: assessments taken / assessments sent in the period.
        """
        query = both(during(ctx.window, "instance.taken_on"), p.query)
        prefix = f"instance.task_id{_INCIDENT.removeprefix('task')}"
        found = await self.client.groups(ctx, "asmt_metric_result", query, "avg", "actual_value", prefix=prefix)
        created = during(ctx.window, "sys_created_on")
        sent = await self.client.count(ctx, "asmt_assessment_instance", created)
        answered = await self.client.count(ctx, "asmt_assessment_instance", both(created, "taken_onISNOTEMPTY"))
        notes = [f"response rate {answered / sent:.0%} ({answered} of {sent})"] if sent else []
        return [
            self._reading(
                ctx, "asmt_metric_result", g.query, None if g.value is None else (g.value - p.low) / (p.high - p.low) * 100,
                labels, samples=g.count, notes=notes,
            )
            for labels, g in found.items()
        ]  # fmt: skip

    @measure(unit="ratio", title="Availability")
    async def availability(self, ctx: Context, p: Scope) -> list[Reading]:
        """1 − outage / agreed time. Outages (cmdb_ci_outage of type outage) are cut to the period, and overlapping ones united.

        Planned outages are taken off both. ``query`` picks the services: the total is down whenever one of them is.
        A breakdown names the services that had an outage.
        """
        start, end = ctx.window.start or datetime(1970, 1, 1, tzinfo=UTC), ctx.window.end
        query = both(f"begin<{utc(end)}^end>{utc(start)}^ORendISEMPTY", p.query)
        records = await self.client.records(ctx, "cmdb_ci_outage", query, ["type", "begin", "end"])
        return [
            self._uptime(ctx, narrowed, labels, [row for row, _ in members], (start, end), records.lost)
            for labels, narrowed, members in split([(row, 0.0) for row in records.rows], query, ctx.by)
        ]

    def _uptime(self, ctx: Context, query: str, labels: Labels, rows: list[Row], span: Span, lost: int) -> Reading:
        spans: dict[str, list[Span]] = {"outage": [], "planned": []}
        for row in rows:
            begin, finish = instant(row["begin"][0]), instant(row["end"][0])
            if begin and row["type"][0] in spans:
                spans[row["type"][0]].append((begin, finish or span[1]))
        up, agreed = uptime(spans["outage"], spans["planned"], span)
        value = up / agreed if agreed > 0 else None
        return self._reading(ctx, "cmdb_ci_outage", query, value, labels, part=up, whole=agreed, lost=lost)

    @measure(unit="", title="Any aggregate")
    async def aggregate(self, ctx: Context, p: Aggregate) -> list[Reading]:
        """``function`` of ``field`` over the records of ``table`` that match ``query`` (and whose ``time_field`` lies in the period)."""
        if p.function != "count" and not p.field:
            raise SourceError(f"{p.function} of which field?", CollectorError.CONFIG, hint="give params.field")
        query = both(during(ctx.window, p.time_field) if p.time_field else "", p.query)
        if p.function == "count":
            return await self._count(ctx, p.table, query)
        found = await self.client.groups(ctx, p.table, query, p.function, p.field)
        return [self._reading(ctx, p.table, g.query, g.value, labels, samples=g.count) for labels, g in found.items()]

    # ---- from answers to readings

    def _resolved(self, ctx: Context) -> str:
        return f"{during(ctx.window, 'resolved_at')}^stateNOT IN{self.config.open_states}"

    def _backlog(self, ctx: Context) -> str:
        end = utc(ctx.window.end)
        return f"opened_at<{end}^resolved_at>={end}^ORresolved_atISEMPTY^closed_at>={end}^ORclosed_atISEMPTY"

    def _reading(
        self, ctx: Context, table: str, query: str, value: float | None, labels: Labels = (), *,
        samples: int | None = None, part: float | None = None, whole: float | None = None,
        notes: Iterable[str] = (), lost: int = 0,
    ) -> Reading:  # fmt: skip
        said = [*notes, f"{lost} records could not be read"] if lost else [*notes]
        state = ReadingState.NO_DATA if value is None else ReadingState.PARTIAL if lost else ReadingState.OK
        return Reading(
            value, labels=dict(labels), samples=samples, numerator=part, denominator=whole,
            period=ctx.period, note="; ".join(said) or None, state=state,
            completeness=Completeness.FINAL if ctx.window.end >= ctx.period.end else Completeness.PROVISIONAL,
            evidence=self.client.link(table, query),
        )  # fmt: skip

    async def _count(self, ctx: Context, table: str, query: str) -> list[Reading]:
        found = await self.client.groups(ctx, table, query)
        return [self._reading(ctx, table, g.query, g.count, labels, samples=g.count) for labels, g in found.items()]

    async def _ratio(
        self, ctx: Context, table: str, condition: str, whole: str, *, prefix: str = "", notes: Iterable[str] = ()
    ) -> list[Reading]:
        """Records of ``whole`` that meet ``condition`` / all of them."""
        parts = await self.client.groups(ctx, table, both(condition, whole), prefix=prefix)
        return [
            self._reading(
                ctx, table, g.query, part / g.count if g.count else None, labels,
                samples=g.count, part=part, whole=g.count, notes=notes,
            )
            for labels, g in (await self.client.groups(ctx, table, whole, prefix=prefix)).items()
            for part in [parts[labels].count if labels in parts else 0]
        ]  # fmt: skip

    async def _duration(
        self, ctx: Context, table: str, query: str, start: str, end: str, statistic: Statistic, unit: float,
        clock: Clock | None, *, prefix: str = "", notes: Iterable[str] = (),
    ) -> list[Reading]:  # fmt: skip
        """Statistic of ``end`` − ``start`` by a clock (None: of business_stc), in units of so many seconds."""
        fields = [start, end] if clock else ["business_stc"]
        records = await self.client.records(ctx, table, query, fields, prefix=prefix)
        known: list[tuple[Row, float]] = []
        for row in records.rows:
            if clock is None and row["business_stc"][0]:
                known.append((row, number(row["business_stc"][0]) / unit))
            elif clock and (begin := instant(row[start][0])) and (finish := instant(row[end][0])):
                known.append((row, clock.seconds(begin, finish) / unit))
        said = [*notes, *(clock.notes if clock else ["business time as the instance computed it (business_stc)"])]
        if len(known) < len(records.rows):
            said.append(f"{len(records.rows) - len(known)} records lack a time and were left out")
        return self._summaries(ctx, table, query, known, statistic, said, records.lost, prefix)

    def _summaries(
        self, ctx: Context, table: str, query: str, known: "list[tuple[Row, float]]", statistic: Statistic,
        notes: Iterable[str] = (), lost: int = 0, prefix: str = "",
    ) -> list[Reading]:  # fmt: skip
        return [
            self._reading(
                ctx, table, narrowed, summarise([value for _, value in members], statistic) if members else None, labels,
                samples=len(members), notes=notes, lost=lost,
            )
            for labels, narrowed, members in split(known, query, ctx.by, prefix)
        ]  # fmt: skip


def _clock(ctx: Context, business: bool) -> Clock:
    return Clock(ctx.calendar if business else None)
