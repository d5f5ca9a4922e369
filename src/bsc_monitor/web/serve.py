"""Listening: on this machine alone unless there is sign-in, and never for long on a client that says nothing."""

import asyncio
import ssl
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from aiohttp import web
from aiohttp.typedefs import Handler

from bsc_monitor.config.build_service import NO_SIGN_IN, is_local
from bsc_monitor.web.board import BOARD

HEADERS_WITHIN = 8.0  #: seconds for the first request's head to arrive
_IDLE = 10.0  #: seconds between requests on one connection; longer than any scraper's pause is not needed
_SWEEP = 0.5
_BACKLOG = 1024

SERVED = web.AppKey("SERVED", WeakKeyDictionary[asyncio.BaseTransport, bool])


class ServeError(OSError):
    """It cannot listen there; ``hint`` says what to do."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


@dataclass(slots=True)
class Served:
    """A listening application."""

    host: str
    port: int
    secure: bool
    _runner: web.AppRunner
    _server: asyncio.Server
    _sweeper: asyncio.Task[None]

    @property
    def url(self) -> str:
        """The address on this machine."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.secure else 'http'}://{host}:{self.port}"

    async def stop(self) -> None:
        """Stop listening, end open streams, let running requests finish for a moment."""
        self._server.close()
        self._sweeper.cancel()
        await self._runner.cleanup()


async def serve(
    app: web.Application, host: str = "127.0.0.1", port: int = 9877, tls: ssl.SSLContext | None = None
) -> Served:
    """Listen (port 0: any free one). Raises ServeError for a public address without sign-in, or a taken port."""
    if app[BOARD].auth is None and not is_local(host):
        raise ServeError(f"{host} can be reached from other machines, and there is no sign-in", NO_SIGN_IN)
    # Bodies stay as they were sent: signatures are over the raw bytes, and nothing is inflated unasked.
    runner = web.AppRunner(
        app, access_log=None, keepalive_timeout=_IDLE, auto_decompress=False, shutdown_timeout=2.0, tcp_keepalive=True
    )
    await runner.setup()
    try:
        loop = asyncio.get_running_loop()
        handshake = HEADERS_WITHIN if tls else None
        assert runner.server is not None  # noqa: S101 - set up above
        server = await loop.create_server(
            runner.server, host, port, ssl=tls, backlog=_BACKLOG, ssl_handshake_timeout=handshake
        )
    except OSError as error:
        await runner.cleanup()
        raise ServeError(
            f"cannot listen on {host}:{port}: {error.strerror or error}", "is another one running? choose another port"
        ) from None
    sweeper = asyncio.create_task(_sweep(runner.server, app[SERVED]))
    bound: int = server.sockets[0].getsockname()[1]
    return Served(host, bound, tls is not None, runner, server, sweeper)


@web.middleware
async def note_served(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Remember that a connection has sent a whole head: it is not a slow client."""
    if request.transport is not None:
        request.app[SERVED][request.transport] = True
    return await handler(request)


async def _sweep(server: web.Server, served: WeakKeyDictionary[asyncio.BaseTransport, bool]) -> None:
    """Close connections whose first request's head is not there in time; aiohttp would wait for ever."""
    loop = asyncio.get_running_loop()
    since: WeakKeyDictionary[asyncio.BaseTransport, float] = WeakKeyDictionary()
    while True:
        await asyncio.sleep(_SWEEP)
        for connection in server.connections:
            transport = connection.transport
            if transport is None or transport in served:
                continue
            if loop.time() - since.setdefault(transport, loop.time()) > HEADERS_WITHIN:
                transport.abort()
