"""A KPI: its course, why it is scored so, what is being done, its readings."""

from dataclasses import dataclass
from typing import Any

from aiohttp import web
from sqlalchemy import Connection

from bsc_monitor.improve.initiatives import process_changes
from bsc_monitor.model.organisation import Kpi
from bsc_monitor.model.period import Period
from bsc_monitor.model.period_value import PeriodValue
from bsc_monitor.model.reading import KpiReading
from bsc_monitor.store import history
from bsc_monitor.store.controls import Comment, load_comments
from bsc_monitor.store.insights import Accuracy
from bsc_monitor.web import forms
from bsc_monitor.web.board import BOARD
from bsc_monitor.web.guard import IDENTITY
from bsc_monitor.web.live.hub import HUB
from bsc_monitor.web.operations import Rejected
from bsc_monitor.web.pages.showing import showing
from bsc_monitor.web.routes import Policy, Routes
from bsc_monitor.web.templating import page
from bsc_monitor.web.view.improvement import findings
from bsc_monitor.web.view.scene import Scene
from bsc_monitor.web.view.statistics import accuracy_of, icon, statistics

ROUTES: Routes = Routes()
_READINGS = 20
_PERIODS = 36


@dataclass(frozen=True, slots=True)
class Record:
    """What the store knows of a KPI, for its page."""

    periods: list[PeriodValue]
    segments: list[PeriodValue]
    readings: list[KpiReading]
    comments: list[Comment]
    accuracy: Accuracy | None  #: of past forecasts


@ROUTES.get("/kpis/{scorecard}/{kpi}", Policy.VIEWER)
async def show(request: web.Request) -> web.Response:
    """One KPI."""
    shown = await showing(request)
    scene = shown.scene
    kpi = _asked(scene, request)
    await shown.load([kpi.name])
    period = scene.judgement(kpi.name).period
    board = request.app[BOARD]
    record = await board.store.read(lambda connection: _record(connection, kpi, period, scene))
    changes = process_changes(kpi, board.organisation.initiatives.values(), board.current.initiatives)
    return page(
        request, "kpi.html", scene=scene, kpi=kpi, record=record, piece=shown.piece, since=shown.since,
        channel=shown.channel(f"kpi/{kpi.name}"), dimensions=_dimensions(record.segments), **_around(scene, kpi),
        found=findings(scene, kpi.name), icon=icon,
        said=statistics(kpi, record.periods, scene.zone(kpi.scorecard), record.accuracy, changes),
    )  # fmt: skip


@ROUTES.post("/kpis/{scorecard}/{kpi}/value", Policy.OPERATOR)
async def enter(request: web.Request) -> web.Response:
    """A value entered by hand."""
    board = request.app[BOARD]
    scene = request.app[HUB].pieces.scene()
    kpi = _asked(scene, request)
    given = await forms.fields(request)
    at = forms.instant(given.get("at", ""), scene.zone(kpi.scorecard)) or board.clock()
    value = forms.number(given.get("value", ""))
    await board.operations.set_value(kpi.name, value, at, given.get("note", ""), request[IDENTITY].name)
    return forms.back(f"/kpis/{kpi.name}", "value")


@ROUTES.post("/kpis/{scorecard}/{kpi}/comment", Policy.OPERATOR)
async def comment(request: web.Request) -> web.Response:
    """A comment on a KPI."""
    kpi = _asked(request.app[HUB].pieces.scene(), request)
    text = (await forms.fields(request)).get("text", "")
    if not text:
        raise Rejected("The comment says nothing.")
    await request.app[BOARD].operations.comment(f"kpi:{kpi.name}", text, request[IDENTITY].name)
    return forms.back(f"/kpis/{kpi.name}", "comment")


def _asked(scene: Scene, request: web.Request) -> Kpi:
    name = f"{request.match_info['scorecard']}/{request.match_info['kpi']}"
    kpi = scene.organisation.kpis.get(name)
    if kpi is None:
        raise web.HTTPNotFound(text=f"There is no KPI {name!r}.")
    return kpi


def _record(connection: Connection, kpi: Kpi, period: Period | None, scene: Scene) -> Record:
    until = scene.now if scene.past else None
    return Record(
        history.period_values(connection, kpi.name, until=until, limit=_PERIODS),
        history.segment_values(connection, kpi.name, period) if period else [],
        history.readings(connection, kpi.name, before=until, limit=_READINGS),
        load_comments(connection, f"kpi:{kpi.name}", 50),
        accuracy_of(connection, kpi),
    )


def _dimensions(segments: list[PeriodValue]) -> dict[str, list[PeriodValue]]:
    """Breakdowns by what they break down by, worst first."""
    found: dict[str, list[PeriodValue]] = {}
    for each in segments:
        found.setdefault(" × ".join(name for name, _ in each.labels), []).append(each)
    for parts in found.values():
        parts.sort(key=lambda each: (each.score is None, each.score or 0.0, each.labels))
    return found


def _around(scene: Scene, kpi: Kpi) -> dict[str, Any]:
    card = scene.organisation.scorecards.get(kpi.scorecard)
    views = card.perspectives if card else ()
    return {
        "card": card, "objective": scene.organisation.objectives.get(kpi.objective),
        "perspective": next((each.title for each in views if each.id == kpi.perspective), kpi.perspective),
        "zone": scene.zone(kpi.scorecard),
        "initiatives": [
            each for each in scene.initiatives.values() if kpi.name in each.targets or kpi.objective in each.targets
        ],
    }  # fmt: skip
