"""Improvement: what was found, what is done about it, and what is red while nobody acts."""

from datetime import date

from aiohttp import web

from bsc_monitor.model.insight import InitiativePhase
from bsc_monitor.model.organisation import Expectation, Initiative
from bsc_monitor.web import forms
from bsc_monitor.web.board import BOARD, Board
from bsc_monitor.web.guard import IDENTITY
from bsc_monitor.web.improvement import Improvement
from bsc_monitor.web.operations import Rejected, Unknown
from bsc_monitor.web.pages.showing import showing
from bsc_monitor.web.routes import Policy, Routes
from bsc_monitor.web.templating import page

ROUTES: Routes = Routes()


@ROUTES.get("/improvement", Policy.VIEWER)
async def show(request: web.Request) -> web.Response:
    """Everything about improvement."""
    shown = await showing(request)
    await shown.pieces.look_back()
    return page(
        request, "improvement.html", scene=shown.scene, piece=shown.piece, channel=shown.channel("improvement"),
        since=shown.since,
    )  # fmt: skip


@ROUTES.post("/improvement/initiatives", Policy.OPERATOR)
async def start(request: web.Request) -> web.Response:
    """Start an initiative, from an insight or from nothing."""
    given = await forms.fields(request)
    change = given.get("change", "")
    kpi, due = given.get("kpi", ""), _day(given.get("due", ""))
    draft = Initiative(
        id="", title=given.get("title", "").strip(), targets=tuple(filter(None, [given.get("for", "") or kpi])),
        owner=given.get("owner", "").strip(), start=_day(given.get("start", "")), due=due,
        expect=Expectation(kpi, forms.number(change), _day(given.get("by", "")) or None) if kpi and change else None,
    )  # fmt: skip
    desk = _desk(request.app[BOARD])
    await desk.start_initiative(draft, given.get("insight", ""), request[IDENTITY].name)
    return forms.back("/improvement", "initiative")


@ROUTES.post("/improvement/initiatives/{initiative}", Policy.OPERATOR)
async def change(request: web.Request) -> web.Response:
    """Say where an initiative is."""
    given = await forms.fields(request)
    changes: dict[str, object] = {}
    if "state" in given:
        if given["state"] and given["state"] not in set(InitiativePhase):
            raise Rejected(f"{given['state'][:40]!r} is no state")
        changes["state"] = given["state"] or None
    if given.get("progress"):
        changes["progress"] = forms.number(given["progress"]) / 100
    await _desk(request.app[BOARD]).change_initiative(
        request.match_info["initiative"], changes, given.get("note", ""), request[IDENTITY].name
    )
    return forms.back("/improvement", "changed")


@ROUTES.post("/improvement/tickets", Policy.OPERATOR)
async def ticket(request: web.Request) -> web.Response:
    """Open a ticket from an insight."""
    given = await forms.fields(request)
    desk = _desk(request.app[BOARD])
    await desk.open_ticket(given.get("insight", ""), given.get("action", ""), request[IDENTITY].name)
    return forms.back("/improvement", "ticket")


def _desk(board: Board) -> Improvement:
    if board.improvement is None:
        raise Unknown("Nobody can act on insights here.")
    return board.improvement


def _day(text: str) -> date | None:
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Rejected(f"{text[:40]!r} is not a date") from None
