"""Maintenance windows."""

from datetime import datetime

from bsc_monitor.alert.maintenance import next_opening, window
from bsc_monitor.config.durations import format_duration, parse_duration
from bsc_monitor.model.alert import Maintenance
from bsc_monitor.web.api import alert_models, shapes
from bsc_monitor.web.api.alert_models import sane
from bsc_monitor.web.api.alerts import matcher_of
from bsc_monitor.web.api.endpoint import Api, Call
from bsc_monitor.web.matching import unmet_now
from bsc_monitor.web.operations import Rejected
from bsc_monitor.web.routes import Policy

API = Api("Alerts")
ROUTES = API.table


@API.get("/maintenance")
async def windows(call: Call) -> alert_models.MaintenanceWindows:
    """List maintenance windows: the configuration's, and those that people opened and nobody ended."""
    controls, now = await call.hub.controls(), call.board.clock()
    return alert_models.MaintenanceWindows(
        items=[_shape(each, now) for each in controls.windows if each.until is None or each.until > now]
    )


@API.post("/maintenance", Policy.OPERATOR)
async def maintain(call: Call, body: alert_models.NewMaintenance) -> alert_models.MaintenanceDone:
    """Open a maintenance window that comes again, from now on."""
    try:
        lasts = parse_duration(body.lasts)
    except ValueError as error:
        raise Rejected(str(error)) from None
    wanted = Maintenance(
        body.id, body.cron, lasts, tuple(matcher_of(each) for each in body.matchers),
        body.timezone or call.board.timezone(), author=call.identity.name, comment=body.comment, until=sane(body.endsAt),
    )  # fmt: skip
    await call.board.operations.maintain(wanted)
    await call.hub.reread()
    warnings = await unmet_now(call.board, [wanted.match])
    return alert_models.MaintenanceDone(warnings=warnings[wanted.match])


@API.delete("/maintenance/{window}", Policy.OPERATOR)
async def end(call: Call) -> None:
    """End a person's maintenance window for good, now."""
    await call.board.operations.end_maintenance(call.path("window"), call.identity.name)
    await call.hub.reread()


def _shape(of: Maintenance, now: datetime) -> alert_models.Maintenance:
    open_now = window(of, now)
    return alert_models.Maintenance(
        id=of.id, origin="person" if of.author else "configuration", cron=of.cron, timezone=of.timezone,
        lasts=format_duration(of.lasts), matchers=[shapes.matcher(each) for each in of.match],
        opensAt=open_now[0] if open_now else next_opening(of, now), openUntil=open_now[1] if open_now else None,
        startsAt=of.since, endsAt=of.until, createdBy=of.author, comment=of.comment,
    )  # fmt: skip
