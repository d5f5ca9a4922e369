"""Reports: those that are kept. A report itself is at ``/reports/SCORECARD/PERIOD.FORMAT``."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from bsc_monitor.store.reports import kept_reports
from bsc_monitor.web.api.endpoint import Api, Call
from bsc_monitor.web.api.kpis import Id, Query
from bsc_monitor.web.api.models import Answer
from bsc_monitor.web.pages.reports import address

API = Api("Reports")
ROUTES = API.table


class ReportQuery(Query):
    """Which reports."""

    scorecard: Id | None = None
    limit: Annotated[int, Field(ge=1, le=1000)] = 200


class ReportModel(Answer):
    """A report, frozen with its period."""

    scorecard: str
    period: str
    owner: Annotated[str, Field(description="Whose detail it is; empty: the executives' page.")]
    made_at: datetime
    links: Annotated[dict[str, str], Field(description="By format.")]


class Reports(Answer):
    """Reports."""

    items: list[ReportModel]


@API.get("/reports")
async def reports(call: Call, query: ReportQuery) -> Reports:
    """List the reports that are kept, newest period first."""
    found = await call.board.store.read(lambda connection: kept_reports(connection, limit=query.limit))
    return Reports(
        items=[
            ReportModel(
                scorecard=each.scorecard, period=each.label, owner=each.owner, made_at=each.made_at,
                links={form: address(each.scorecard, each.label, form, each.owner) for form in ("html", "pdf", "xlsx", "csv", "json")},
            )
            for each in found
            if query.scorecard in (None, each.scorecard)
        ]
    )  # fmt: skip
