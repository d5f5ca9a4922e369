"""What the service gives a run: the way out to the source, the window, the calendar, what is kept for the next run."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from pydantic import SecretStr

from bsc_monitor.model.period import Calendar, Period


class Secret(SecretStr):
    """A password or token: ``repr`` and ``str`` are ``***``; ``reveal()`` where it goes on the wire."""

    def reveal(self) -> str:
        """The secret itself. Hand it to the HTTP client, never to a message."""
        return self.get_secret_value()

    def _display(self) -> str:
        return "***"


@dataclass(frozen=True, slots=True)
class Window:
    """What to collect: ``[start, end)`` in UTC. ``start`` None: from the beginning."""

    start: datetime | None
    end: datetime


class Reply(Protocol):
    """An answer with a status below 400 (or one the caller allowed), its body read, capped and decompressed."""

    @property
    def status(self) -> int:
        """The HTTP status."""

    @property
    def url(self) -> str:
        """Where it came from, secrets masked."""

    @property
    def headers(self) -> Mapping[str, str]:
        """Case-insensitive."""

    @property
    def content(self) -> bytes:
        """The body."""

    def text(self) -> str:
        """The body as text, by its declared character set."""

    def json(self) -> Any:
        """The body as JSON. Raises SourceError(SCHEMA) in words on HTML, truncated, too deep or non-finite content."""


class Http(Protocol):
    """The one way out: total deadline, byte cap, retries honouring ``Retry-After``, per-host limits, no cross-host redirects.

    Raises SourceError with the class of the failure: 401 AUTH, 403 PERMISSION, 429 RATE_LIMIT, 404 and other 4xx CONFIG,
    5xx and network TRANSIENT, deadline TIMEOUT. ``allow`` names statuses to return instead.
    """

    async def get(
        self,
        url: str,
        *,
        params: Mapping[str, str | int | float | bool] | None = None,
        headers: Mapping[str, str] | None = None,
        bearer: Secret | None = None,
        basic: tuple[str, Secret] | None = None,
        allow: tuple[int, ...] = (),
        price: float = 0.0,
    ) -> Reply:
        """Ask. ``price`` is what the call costs, against the source's daily budget."""

    async def post(
        self,
        url: str,
        *,
        json: Any = None,
        data: bytes | str | Mapping[str, str] | None = None,
        params: Mapping[str, str | int | float | bool] | None = None,
        headers: Mapping[str, str] | None = None,
        bearer: Secret | None = None,
        basic: tuple[str, Secret] | None = None,
        allow: tuple[int, ...] = (),
        price: float = 0.0,
        retry: bool = True,
    ) -> Reply:
        """Ask with a body; ``retry=False`` where asking twice would do harm."""


class Log(Protocol):
    """Structured log; secrets are masked. ``ctx.log.info("page", rows=100)``."""

    def debug(self, event: str, **values: Any) -> None:
        """What helps to find a fault; shown by ``--verbose``."""

    def info(self, event: str, **values: Any) -> None:
        """What went as it should."""

    def warning(self, event: str, **values: Any) -> None:
        """What did not, while the run goes on."""


class Context(Protocol):
    """What the service gives a run, so that no plugin writes it again."""

    @property
    def http(self) -> Http:
        """The one way out."""

    @property
    def log(self) -> Log:
        """Structured log; secrets are masked."""

    @property
    def window(self) -> Window:
        """``[period start, min(now, period end))``, what a measure is taken over.

        A reading without ``at`` of a measure that looked at ``window`` or ``period`` was observed at the period's end, if
        that is past. One that looked at neither answers of now, whatever period it was asked about.
        """

    @property
    def period(self) -> Period:
        """The whole reporting period asked for."""

    now: datetime  #: the run's as-of instant, UTC
    by: tuple[str, ...]  #: breakdown dimensions that the KPIs of this run want
    calendar: Calendar
    checkpoint: dict[str, Any]  #: small JSON of (source, measure, params) or of a stream and scope; committed with them

    def progress(self, done: int, total: int | None = None) -> None:
        """Tell people how far a long run is."""

    def pages(
        self,
        fetch: Callable[[Any], Awaitable[tuple[list[Any], Any]]],
        *,
        first: Any = None,
        max_pages: int = 10_000,
        until_empty: bool = False,
    ) -> AsyncIterator[list[Any]]:
        """Pages of ``fetch(token) -> (items, next token or None)``.

        Stops at a None token, and at an empty page when ``until_empty``. Raises SourceError(SCHEMA) on a repeated
        token, and SourceError(CONFIG) beyond ``max_pages``, so that no vendor's bug becomes an endless loop.
        """
