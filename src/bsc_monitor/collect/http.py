"""The one way out to a source: ``plugin.Http`` over aiohttp, with every limit that a hostile or sick server needs.

What aiohttp does not do by itself and this does: a deadline over the whole exchange, a drip feed included; a cap on
the bytes *after* decompression; redirects only to hosts of the source, credentials never sent along; addresses checked
at connect, after name resolution; errors in words without secrets.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import aiohttp
from yarl import URL

from bsc_monitor.collect.answer import Answer, Exchange, read_body, refusal
from bsc_monitor.collect.connect import connector, network_error
from bsc_monitor.collect.limits import Breaker, Budget, Gate, NotInThisRun
from bsc_monitor.collect.redact import Redactor, secrets_of
from bsc_monitor.collect.request import Query, Request, encode, prepare
from bsc_monitor.collect.tape import Tape
from bsc_monitor.model.source import Source
from bsc_monitor.plugin import CollectorError, Secret, SourceError

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_HOPS, _ATTEMPTS, _TRACED, _HOSTS = 5, 4, 1000, 64
_BACKOFF, _LONGEST_BACKOFF, _LONGEST_RUN = 0.5, 30.0, 3600.0  #: seconds


class SourceClient:
    """What all runs of one source share: connections, per-host gates, circuit breaker, budget, known secrets.

    ``sleep`` and ``clock`` are parameters so that tests need not wait. Close it with ``await close()``.
    """

    def __init__(
        self,
        source: Source,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        sleep: Callable[[float], Awaitable[Any]] = asyncio.sleep,
        tape: Tape | None = None,
    ) -> None:
        self.source = source
        self.redactor = Redactor([*secrets_of(source.config), *secrets_of(source.webhook_secrets)])
        self.breaker = Breaker()
        self.budget = Budget(source.daily_budget)
        self.tape = tape
        self.clock = clock
        self.sleep = sleep
        self._gates: dict[str, Gate] = {}
        self._session: aiohttp.ClientSession | None = None

    def __repr__(self) -> str:
        return f"SourceClient({self.source.id!r})"

    def run(self, seconds: float | None = None) -> RunHttp:
        """The client of one run, which may take ``seconds`` in all (the source's timeout by default)."""
        return RunHttp(self, self.source.timeout if seconds is None else seconds)

    async def close(self) -> None:
        """Close all connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    def session(self) -> aiohttp.ClientSession:
        """The connection pool, opened at the first request."""
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=connector(self.source),
                auto_decompress=False,
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=20),  # the deadline is the run's
            )
        return self._session

    def gate(self, host: str) -> Gate:
        """The rate limit of a host."""
        if host not in self._gates:
            if len(self._gates) >= _HOSTS:
                self._gates.pop(next(iter(self._gates)))
            self._gates[host] = Gate(self.source.requests_per_second, self.source.concurrency)
        return self._gates[host]


class RunHttp:
    """``plugin.Http`` for one run: counts and traces its requests, masked, and ends with the run's deadline."""

    def __init__(self, client: SourceClient, seconds: float) -> None:
        self._client = client
        self._seconds = seconds
        self._started = asyncio.get_running_loop().time()
        self.deadline = self._started + seconds  #: loop time
        self.requests = 0  #: sent, retries included
        self.trace: list[Exchange] = []  #: the first 1,000

    def extend(self) -> None:
        """Start the deadline anew, for an hour at most: a long stream that makes progress is no hanging one."""
        self.deadline = min(asyncio.get_running_loop().time() + self._seconds, self._started + _LONGEST_RUN)

    async def get(
        self,
        url: str,
        *,
        params: Query | None = None,
        headers: Mapping[str, str] | None = None,
        bearer: Secret | None = None,
        basic: tuple[str, Secret] | None = None,
        allow: tuple[int, ...] = (),
        price: float = 0.0,
    ) -> Answer:
        """See ``plugin.Http.get``."""
        redactor = self._client.redactor
        return await self._ask(
            prepare(
                redactor, "GET", url, params=params, headers=headers, bearer=bearer, basic=basic, allow=allow,
                price=price,
            )
        )  # fmt: skip

    async def post(
        self,
        url: str,
        *,
        json: Any = None,
        data: bytes | str | Mapping[str, str] | None = None,
        params: Query | None = None,
        headers: Mapping[str, str] | None = None,
        bearer: Secret | None = None,
        basic: tuple[str, Secret] | None = None,
        allow: tuple[int, ...] = (),
        price: float = 0.0,
        retry: bool = True,
    ) -> Answer:
        """See ``plugin.Http.post``."""
        body, kind = encode(json, data)
        headers = {"Content-Type": kind, **(headers or {})}
        redactor = self._client.redactor
        return await self._ask(
            prepare(
                redactor, "POST", url, params=params, headers=headers, bearer=bearer, basic=basic, body=body,
                allow=allow, price=price, retry=retry,
            )
        )  # fmt: skip

    async def _ask(self, request: Request) -> Answer:
        client = self._client
        client.breaker.check()
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                answer = await self._follow(request)
            except SourceError as error:
                wait = self._wait(request, error, attempt)
                if wait is None:
                    down = error.reason in (CollectorError.TRANSIENT, CollectorError.TIMEOUT)
                    client.breaker.record(error.message if down else None)
                    raise
                await client.sleep(wait)
            else:
                client.breaker.record(None)
                return answer
        raise AssertionError("the last attempt returns or raises")

    def _wait(self, request: Request, error: SourceError, attempt: int) -> float | None:
        """Seconds to wait before the next attempt; None to give up now."""
        again = error.reason in (CollectorError.TRANSIENT, CollectorError.RATE_LIMIT) and request.retry
        if not again or attempt == _ATTEMPTS or isinstance(error, NotInThisRun):
            return None
        backoff = min(_BACKOFF * 2**attempt, _LONGEST_BACKOFF) * random.uniform(0.5, 1.0)  # noqa: S311
        wait = backoff if error.retry_after is None else max(error.retry_after, 0.05)
        left = self.deadline - asyncio.get_running_loop().time()
        return wait if wait < left else None  # the schedule, not this run, sits out a long wait

    async def _follow(self, request: Request) -> Answer:
        """One attempt: the request and the redirects that the source may make."""
        for _ in range(_HOPS):
            answer = await self._exchange(request)
            target = answer.headers.get("Location")
            if answer.status not in _REDIRECTS or answer.status in request.allow or not target:
                break
            request = self._redirected(request, answer.status, target)
        else:
            raise self._error(request, f"redirects more than {_HOPS} times", CollectorError.CONFIG)
        if answer.status < 300 or answer.status in request.allow:
            return answer
        error = refusal(request.method, answer, self._client.clock(), self._mask)
        if isinstance(error, NotInThisRun):
            self._client.breaker.pause(error.retry_after or 0.0, "its quota is used up")
        raise error

    def _redirected(self, request: Request, status: int, location: str) -> Request:
        target = request.url.join(URL(location))
        if request.method != "GET" and status not in (307, 308):
            raise self._error(request, f"redirects to {self._mask(target)}", CollectorError.CONFIG, _MOVED)
        if target.scheme not in ("http", "https") or (request.url.scheme == "https" and target.scheme != "https"):
            raise self._error(request, f"redirects to {self._mask(target)}, which is not safe", CollectorError.CONFIG)
        if target.origin() == request.url.origin():
            return replace(request, url=target)
        if target.host not in self._client.source.hosts or request.method != "GET":
            raise self._error(
                request, f"redirects to another host, {self._mask(target.host)}", CollectorError.CONFIG, _OTHER_HOST
            )
        kept = {k: v for k, v in request.headers.items() if k.lower() in ("accept", "user-agent", "accept-encoding")}
        return replace(request, url=target, headers=kept)

    async def _exchange(self, request: Request) -> Answer:
        """One request and its answer, within the deadline; counted, traced, and kept on the tape if there is one."""
        client, loop = self._client, asyncio.get_running_loop()
        client.budget.spend(request.price, client.clock())
        started, shown = loop.time(), self._mask(request.url)
        self.requests += 1
        key = (request.method, shown, self._mask((request.body or b"").decode("utf-8", "replace")))
        status, size, note = 0, 0, ""
        try:
            if client.tape is not None and (known := client.tape.replay(key)) is not None:
                status, size = known.status, len(known.content)
                return known
            async with asyncio.timeout_at(self.deadline):
                answer = await self._send(request, shown)
            status, size = answer.status, len(answer.content)
            if client.tape is not None:
                client.tape.record(key, answer, self._mask)
        except TimeoutError:
            note = "no complete answer in time"
            raise self._error(
                request, f"no complete answer within {loop.time() - started:.1f} s", CollectorError.TIMEOUT, _SLOW
            ) from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            reason, what, hint = network_error(error)
            note = self._mask(what)
            raise self._error(request, what, reason, hint) from None
        except SourceError as error:
            note = error.message
            raise
        else:
            return answer
        finally:
            if len(self.trace) < _TRACED:
                self.trace.append(Exchange(request.method, shown, status, size, loop.time() - started, note))

    async def _send(self, request: Request, shown: str) -> Answer:
        client = self._client
        async with (
            client.gate(request.url.host or ""),
            client.session().request(
                request.method, request.url, headers=request.headers, data=request.body, allow_redirects=False
            ) as response,
        ):
            content = await read_body(response, client.source.max_bytes, shown)
            return Answer(response.status, shown, response.headers, content)

    def _mask(self, value: object) -> str:
        return self._client.redactor.text(value)

    def _error(self, request: Request, what: str, reason: CollectorError, hint: str = "") -> SourceError:
        return SourceError(self._mask(f"{request.method} {request.url}: {what}"), reason, hint=hint)


_SLOW = "Raise timeout of the source, or ask for less at once."
_MOVED = "The address of the source is probably a page for people: use the address of its API."
_OTHER_HOST = "If the source has moved, correct its url; if this host belongs to it, name it in hosts."
