"""Work on the past: collecting it, and judging it anew."""

from datetime import UTC, date, datetime, time

from pydantic import BaseModel, ConfigDict, Field

from bsc_monitor.web.api.alert_models import sane
from bsc_monitor.web.api.endpoint import Api, Call
from bsc_monitor.web.operations import Rejected
from bsc_monitor.web.routes import Policy

API = Api("Past")
ROUTES = API.table


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True)


class BackfillAsked(_Model):
    """What to collect, and from which day on."""

    subject: str = Field(max_length=300, description="id of a source, or full name of a KPI")
    start: str = Field(pattern=r"^\d{4}-\d{2}-\d{2}$", description="the first day, e.g. 2025-01-01")


class Backfill(_Model):
    """How far collecting the past is."""

    running: bool
    total: int = Field(description="runs: one question about one period each")
    done: int
    failed: int
    first_failure: str


class RescoreAsked(_Model):
    """Which KPIs' closed periods to judge by today's definitions."""

    kpis: list[str] = Field(min_length=1, max_length=10_000, description="full names")
    start: str = Field(pattern=r"^\d{4}-\d{2}-\d{2}$", description="periods that ended after this day")


class Rescored(_Model):
    """What came of it."""

    periods: int = Field(description="periods whose judgement changed")


def _instant(day: str) -> datetime:
    """Midnight of a day. Raises ``Rejected`` for a day that there is not; a pattern cannot say so."""
    try:
        at = datetime.combine(date.fromisoformat(day), time(), UTC)
    except ValueError:
        raise Rejected(f"there is no day {day}") from None
    return sane(at) or at


def _past(call: Call, day: str) -> datetime:
    """Midnight of a day that has begun. Raises ``Rejected``."""
    at = _instant(day)
    if at > call.board.clock():
        raise Rejected(f"{day} is still to come: name a day that has begun")
    return at


@API.post("/backfill", Policy.ADMIN, 202)
async def begin(call: Call, body: BackfillAsked) -> Backfill:
    """Collect past periods of a source or KPI that are wanting; what was done before is not done again."""
    await call.board.operations.backfill(body.subject, _past(call, body.start))
    return _progress(call)


@API.get("/backfill")
async def progress(call: Call) -> Backfill:
    """Say how far collecting the past is."""
    return _progress(call)


@API.post("/rescore", Policy.ADMIN, 200)
async def rescore(call: Call, body: RescoreAsked) -> Rescored:
    """Judge closed periods by today's definitions, on purpose and on record."""
    count = await call.board.operations.rescore(body.kpis, _past(call, body.start), call.identity.name)
    return Rescored(periods=count)


def _progress(call: Call) -> Backfill:
    known = call.board.operations.backfill_progress()
    return Backfill(
        running=known.running,
        total=known.total,
        done=known.done,
        failed=known.failed,
        first_failure=known.first_failure,
    )
