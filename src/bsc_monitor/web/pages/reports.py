"""Reports: those kept, the making of others, view and download."""

from datetime import UTC
from urllib.parse import quote

from aiohttp import web
from sqlalchemy import Connection

from bsc_monitor.score.periods import parse_period
from bsc_monitor.store.reports import Kept, Sending, kept_reports, sendings
from bsc_monitor.web.board import BOARD, Board
from bsc_monitor.web.live.hub import HUB
from bsc_monitor.web.operations import Unknown
from bsc_monitor.web.routes import Policy, Routes
from bsc_monitor.web.templating import page

ROUTES: Routes = Routes()
FORMATS = ("html", "pdf", "xlsx", "csv", "json")
#: A report carries its own styles and nothing else: it runs no script and loads nothing.
_CSP = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:; sandbox allow-popups"


@ROUTES.get("/reports", Policy.VIEWER)
async def show(request: web.Request) -> web.Response:
    """The reports."""
    return await _show(request)


@ROUTES.get("/reports/make", Policy.VIEWER)
async def make(request: web.Request) -> web.Response:
    """Where the form leads; back to it with words where its period is none."""
    asked, board = request.query, request.app[BOARD]
    scorecard, period = asked.get("scorecard", ""), asked.get("period", "").strip() or _last_month(board)
    card = board.organisation.scorecards.get(scorecard)
    if card is None:
        return await _show(request, wrong=f"There is no scorecard {scorecard[:40]!r}.")
    try:
        found = parse_period(period, card.calendar)
    except ValueError as error:
        return await _show(request, wrong=f"{error}.")
    if found.start > board.clock():
        return await _show(request, wrong=f"{found.label} has not begun.")
    where = address(scorecard, found.label, asked.get("format", "html"), asked.get("owner", ""))
    return web.Response(status=303, headers={"Location": where})


async def _show(request: web.Request, wrong: str = "") -> web.Response:
    board, asked = request.app[BOARD], request.query
    kept, sent = await board.store.read(_read)
    scene = request.app[HUB].pieces.scene()
    owners = sorted({scene.owner(kpi) for kpi in scene.organisation.kpis.values()} - {""})
    chosen = {name: asked.get(name, "") for name in ("scorecard", "period", "owner", "format")}
    chosen["period"] = chosen["period"] or _last_month(board)
    return page(
        request, "reports.html", status=400 if wrong else 200, scene=scene, kept=kept, sent=sent, owners=owners,
        address=address, chosen=chosen, wrong=wrong,
    )  # fmt: skip


def _last_month(board: Board) -> str:
    month = board.clock().astimezone(UTC).date().replace(day=1)
    return f"{month.year - (month.month == 1):04d}-{(month.month - 2) % 12 + 1:02d}"


@ROUTES.get("/reports/{scorecard}/{period}.{format}", Policy.VIEWER)
async def report(request: web.Request) -> web.Response:
    """One report."""
    board, asked = request.app[BOARD], request.match_info
    if board.improvement is None or asked["format"] not in FORMATS:
        raise Unknown("There is no such report.")
    owner = request.query.get("owner", "")
    made = await board.improvement.report(asked["scorecard"], asked["period"], asked["format"], owner)
    how = "inline" if asked["format"] in ("html", "pdf") and "download" not in request.query else "attachment"
    headers = {
        "Content-Type": made.content_type, "Content-Disposition": f"{how}; filename*=UTF-8''{quote(made.name)}",
        "Content-Security-Policy": _CSP, "X-Bsc-Final": "yes" if made.final else "no",
    }  # fmt: skip
    return web.Response(body=made.content, headers=headers)


def address(scorecard: str, period: str, form: str, owner: str = "") -> str:
    """Where a report is."""
    where = f"/reports/{quote(scorecard, safe='')}/{quote(period, safe='')}.{quote(form, safe='')}"
    return f"{where}?owner={quote(owner, safe='')}" if owner else where


def _read(connection: Connection) -> tuple[list[Kept], list[Sending]]:
    return kept_reports(connection, limit=100), sendings(connection, limit=20)
