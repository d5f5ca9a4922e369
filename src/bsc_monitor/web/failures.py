"""Errors in words: as a page for people, as a problem document (RFC 9457) for programs."""

import asyncio
import json
import queue

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

from bsc_monitor.store import Taken, is_away
from bsc_monitor.web.operations import Rejected, Unknown
from bsc_monitor.web.templating import page

_log = structlog.get_logger(__name__)
_PROGRAMS = ("/api/", "/webhooks/", "/-/", "/metrics", "/badge/", "/events")
_AWAY = "The database cannot be used just now. What was sent may not be stored: ask again in a moment."
_AGAIN = "5"  #: seconds
_ALERTMANAGER = "/api/v2/"  #: its tools read a JSON string, and no problem document
_WORDS = {
    400: "That request cannot be read",
    401: "Please sign in",
    403: "Not allowed",
    404: "There is nothing here",
    405: "Not possible here",
    408: "The request took too long",
    409: "That cannot be done",
    413: "That is too much",
    415: "That kind of content is not taken",
    421: "Not this board's address",
    422: "That cannot be read",
    500: "Something went wrong here",
    503: "Not possible just now",
}


@web.middleware
async def tell_failures(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn whatever a handler raises into an answer that says what happened, and nothing of the service's inside."""
    try:
        return await handler(request)
    except web.HTTPException as error:
        if error.status < 400 or error.content_type == "application/problem+json":
            raise
        detail = error.text or ""
        standard = f"{error.status}: {error.reason}"
        kept = {name: value for name, value in error.headers.items() if name in ("WWW-Authenticate", "Allow")}
        return failure(request, error.status, "" if detail == standard else detail, kept)
    except Unknown as error:
        return failure(request, 404, str(error))
    except Rejected as error:
        return failure(request, 409, str(error))
    except TimeoutError:
        return failure(request, 408, "")
    except (asyncio.CancelledError, ConnectionError):
        raise
    except Exception as error:  # noqa: BLE001 - whatever a handler did wrong, the asker gets an answer
        if isinstance(error, Taken | queue.Full) or is_away(error):
            why = repr(getattr(error, "orig", None) or error)[:200]
            _log.warning("a request needs the database, which is away", path=request.path, why=why)
            return failure(request, 503, _AWAY, {"Retry-After": _AGAIN})
        _log.exception("a request failed", method=request.method, path=request.path)
        return failure(request, 500, "The service wrote the reason into its log.")


def failure(
    request: web.Request, status: int, detail: str, headers: dict[str, str] | None = None
) -> web.StreamResponse:
    """An error as the asker can read it."""
    title = _WORDS.get(status, "That did not work")
    if wants_page(request):
        return page(request, "error.html", status=status, code=status, heading=title, detail=detail, headers=headers)
    if request.path.startswith(_ALERTMANAGER):
        return web.json_response(detail or title, status=status, headers=headers)
    problem = {"type": "about:blank", "title": title, "status": status, "detail": detail or title}
    return web.Response(
        text=json.dumps(problem), status=status, headers=headers, content_type="application/problem+json"
    )


def wants_page(request: web.Request) -> bool:
    """Whether a person's browser asks, for an address that is a page."""
    accept = request.headers.get("Accept", "")
    return "text/html" in accept and not request.path.startswith(_PROGRAMS)
