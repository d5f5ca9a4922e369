"""What stands before every handler: who asks, from where, and the headers that keep pages harmless."""

import hmac
from collections.abc import Mapping
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler

from bsc_monitor.config.build_service import is_local
from bsc_monitor.web.auth.access import LOCAL, Auth, Identity
from bsc_monitor.web.board import BOARD
from bsc_monitor.web.routes import Policies, Policy

IDENTITY = web.RequestKey("IDENTITY", Identity)
POLICIES = web.AppKey("POLICIES", Policies)

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; font-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Security headers on every answer, whatever made it; nothing is kept by shared caches."""
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers.setdefault("Cache-Control", "no-cache, private")
    if request.secure:
        response.headers.setdefault("Strict-Transport-Security", "max-age=31536000")


@web.middleware
async def check_access(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Let through who may use the route. Raises HTTPUnauthorized, HTTPForbidden, HTTPMisdirectedRequest."""
    board = request.app[BOARD]
    policy = request.app[POLICIES].of(request)
    request[IDENTITY] = await _identify(request, board.auth, board.url)
    demand(request, policy)
    return await handler(request)


def demand(request: web.Request, policy: Policy | None) -> None:
    """Let through who has the role, from where it may be asked. Raises HTTPUnauthorized, HTTPForbidden."""
    identity = request[IDENTITY]
    if policy is not None and not identity.may(policy):
        if identity.role is Policy.PUBLIC:
            challenge = {"WWW-Authenticate": 'Basic realm="bsc-monitor", charset="UTF-8"'}
            raise web.HTTPUnauthorized(text="Sign in to see this.", headers=challenge)
        needed = policy.name.lower()
        raise web.HTTPForbidden(text=f"This needs the role {needed}; {identity.name} is {identity.role.name.lower()}.")
    if policy is not Policy.PUBLIC:
        _check_origin(request, request.app[BOARD].url)


async def _identify(request: web.Request, auth: Auth | None, url: str | None) -> Identity:
    if auth is not None:
        return await auth.identify(request)
    # Without sign-in any web page could reach this machine's port under a name of its own (DNS rebinding).
    if not is_local(_name(request.host)) and not _same(request.host, url):
        raise web.HTTPMisdirectedRequest(
            text="This board has no sign-in and answers to this machine's own names alone. "
            "Set service.auth, or service.url to the address that a proxy serves it under."
        )
    return LOCAL


def _check_origin(request: web.Request, url: str | None) -> None:
    """Refuse changes that another site's page asks for. Programs send neither header and may pass."""
    if request.method in _SAFE:
        return
    site = request.headers.get("Sec-Fetch-Site")
    origin = request.headers.get("Origin")
    if site is not None:
        good = site in ("same-origin", "none")
    else:
        good = (
            origin is None or _same(request.host, origin) or (url is not None and _same(urlsplit(url).netloc, origin))
        )
    if not good:
        raise web.HTTPForbidden(text="Another site's page asked for this change; it was refused.")


def _name(host: str) -> str:
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _same(host: str, origin: str | None) -> bool:
    try:
        netloc = urlsplit(origin).netloc if origin else ""
    except ValueError:
        return False
    return bool(netloc) and hmac.compare_digest(netloc.lower().encode(), host.lower().encode())
