"""Badges: a scorecard's or a KPI's state as a small picture, to be embedded in other pages."""

import hashlib
import unicodedata

from aiohttp import web
from markupsafe import escape

from bsc_monitor.model.status import Freshness, Status
from bsc_monitor.web import words
from bsc_monitor.web.live.hub import HUB
from bsc_monitor.web.routes import Policy, Routes

ROUTES: Routes = Routes()
_COLOURS = {Status.GREEN: "#14743f", Status.AMBER: "#a75405", Status.RED: "#b8202f", Status.UNKNOWN: "#5d6875"}
_SIGN, _PAD, _LONGEST = 6.6, 8, 60


@ROUTES.get("/badge/{scorecard}.svg", Policy.VIEWER)
async def scorecard(request: web.Request) -> web.Response:
    """A scorecard's score and status."""
    scene, name = request.app[HUB].pieces.scene(), request.match_info["scorecard"]
    card = scene.organisation.scorecards.get(name)
    if card is None:
        raise web.HTTPNotFound(text=f"There is no scorecard {name!r}.")
    node = scene.node("scorecard", name)
    return _answer(request, card.title, f"{words.score(node.score)} · {words.status_word(node.status)}", node.status)


@ROUTES.get("/badge/{scorecard}/{kpi}.svg", Policy.VIEWER)
async def kpi(request: web.Request) -> web.Response:
    """A KPI's value and status."""
    name = f"{request.match_info['scorecard']}/{request.match_info['kpi']}"
    scene = request.app[HUB].pieces.scene()
    found = scene.organisation.kpis.get(name)
    if found is None:
        raise web.HTTPNotFound(text=f"There is no KPI {name!r}.")
    it = scene.judgement(name)
    status = it.status if it.freshness is Freshness.FRESH else Status.UNKNOWN
    word = words.status_word(it.status) if it.freshness is Freshness.FRESH else words.freshness_word(it.freshness)
    return _answer(request, found.title, f"{words.amount(it.value, found.unit)} · {word}", status)


def badge(label: str, text: str, status: Status) -> str:
    """The picture as SVG. Texts come from the configuration and are escaped."""
    label, text = _short(label), _short(text)
    left, right = len(label) * _SIGN + 2 * _PAD, len(text) * _SIGN + 2 * _PAD
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + right:.0f}" height="22" role="img" '
        f'aria-label="{escape(label)}: {escape(text)}"><title>{escape(label)}: {escape(text)}</title>'
        f'<rect width="{left + right:.0f}" height="22" rx="4" fill="{_COLOURS[status]}"/>'
        f'<path d="M4 0h{left - 4:.0f}v22H4a4 4 0 0 1-4-4V4a4 4 0 0 1 4-4z" fill="#2b3642"/>'
        f'<g fill="#fff" font-family="Inter,Verdana,DejaVu Sans,sans-serif" font-size="11.5">'
        f'<text x="{_PAD}" y="15" textLength="{left - 2 * _PAD:.0f}" lengthAdjust="spacingAndGlyphs">{escape(label)}</text>'
        f'<text x="{left + _PAD:.0f}" y="15" textLength="{right - 2 * _PAD:.0f}" lengthAdjust="spacingAndGlyphs" '
        f'font-weight="600">{escape(text)}</text></g></svg>'
    )


def _short(text: str) -> str:
    plain = "".join(" " if unicodedata.category(sign)[0] == "C" else sign for sign in text)
    return plain if len(plain) <= _LONGEST else plain[: _LONGEST - 1] + "…"


def _answer(request: web.Request, label: str, text: str, status: Status) -> web.Response:
    made = badge(label, text, status)
    etag = f'"{hashlib.sha256(made.encode()).hexdigest()[:16]}"'
    headers = {"ETag": etag, "Cache-Control": "no-cache", "Cross-Origin-Resource-Policy": "cross-origin"}
    if request.headers.get("If-None-Match") == etag:
        return web.Response(status=304, headers=headers)
    return web.Response(text=made, content_type="image/svg+xml", headers=headers)
