"""What came back: reading a body with a cap on what it unpacks to, and turning refusals into words."""

from __future__ import annotations

import asyncio
import re
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import aiohttp

from bsc_monitor.collect.limits import NotInThisRun, pause_of, retry_after, spent_quota
from bsc_monitor.collect.parse import parse_json
from bsc_monitor.plugin import CollectorError, SourceError

_STEP = 1 << 20  #: bytes unpacked before other tasks get a turn
_CHARSET = re.compile(r"charset=\"?([A-Za-z0-9._-]+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Exchange:
    """One line of the trace of a run; secrets masked. ``status`` 0: there was no answer, ``note`` says why."""

    method: str
    url: str
    status: int
    size: int
    seconds: float
    note: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """``plugin.Reply``: an answer with its body read, capped and decompressed. ``url`` is masked."""

    status: int
    url: str
    headers: Mapping[str, str]
    content: bytes

    def text(self) -> str:
        """The body as text, by its declared character set (UTF-8 by default); wrong bytes become �."""
        found = _CHARSET.search(self.headers.get("Content-Type", ""))
        try:
            return self.content.decode(found.group(1) if found else "utf-8", "replace")
        except LookupError:
            return self.content.decode("utf-8", "replace")

    def json(self) -> Any:
        """The body as JSON. Raises SourceError(SCHEMA) in words."""
        return parse_json(self.content, url=self.url, content_type=self.headers.get("Content-Type", ""))


class _Unpacker(Protocol):
    @property
    def unconsumed_tail(self) -> bytes: ...
    @property
    def unused_data(self) -> bytes: ...
    @property
    def eof(self) -> bool: ...
    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


async def read_body(response: aiohttp.ClientResponse, cap: int, shown: str) -> bytes:
    """The whole body, unpacked. Raises SourceError(SCHEMA) beyond ``cap`` bytes or when it cannot be unpacked."""
    encoding = response.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in ("", "identity", "gzip", "x-gzip", "deflate"):
        raise SourceError(f"{shown}: packed as {encoding!r}, which was not asked for", CollectorError.SCHEMA)
    body = bytearray()
    unpacker: _Unpacker | None = None
    async for chunk in response.content.iter_any():
        if encoding in ("", "identity"):
            body += chunk
        else:
            unpacker = await _unpack(chunk, unpacker, encoding, body, cap, shown)
        if len(body) > cap:
            raise _too_big(shown, cap)
    if unpacker is not None and not unpacker.eof:
        raise SourceError(f"{shown}: the packed answer ends too early", CollectorError.TRANSIENT)
    return bytes(body)


async def _unpack(
    chunk: bytes, unpacker: _Unpacker | None, encoding: str, body: bytearray, cap: int, shown: str
) -> _Unpacker:
    """Unpack one chunk in steps, so that 300 MB of zeros in 300 kB stop at the cap and never stall the loop."""
    if unpacker is None:
        raw_deflate = encoding == "deflate" and chunk[:1] and (chunk[0] & 0x0F) != 8
        unpacker = zlib.decompressobj(-zlib.MAX_WBITS if raw_deflate else zlib.MAX_WBITS | 32)
    try:
        while chunk and len(body) <= cap:
            if unpacker.eof:  # gzip may be several members in a row
                unpacker = zlib.decompressobj(zlib.MAX_WBITS | 32)
            body += unpacker.decompress(chunk, _STEP)
            chunk = unpacker.unused_data if unpacker.eof else unpacker.unconsumed_tail
            await asyncio.sleep(0)
    except zlib.error as error:
        raise SourceError(f"{shown}: the answer cannot be unpacked: {error}", CollectorError.SCHEMA) from None
    return unpacker


def _too_big(shown: str, cap: int) -> SourceError:
    return SourceError(
        f"{shown}: the answer is larger than {cap / 2**20:,.1f} MB",
        CollectorError.SCHEMA,
        hint="Ask for less at once, or raise max_bytes of the source.",
    )


def refusal(method: str, answer: Answer, now: datetime, mask: Callable[[object], str]) -> SourceError:
    """The error that a status of 300 and above stands for, with the source's own words; NotInThisRun for a spent quota."""
    status = answer.status
    reason, what, hint = _MEANINGS.get(status) or (_SERVER if status >= 500 else (CollectorError.CONFIG, "refused", ""))
    wait = retry_after(answer.headers, now) if status in (429, 503) else None
    said, quota = spent_quota(answer.headers) if status == 429 else ("", False)
    if quota:
        what, hint = _QUOTA
    if said:
        what += f" ({said})"
    if status == 429 and wait is None:
        what += " and did not say for how long"
    words = mask(_own_words(answer))
    message = f"{method} {answer.url}: {status} {what}" + (f": {words}" if words else "")
    if quota:
        return NotInThisRun(mask(message), reason, hint=hint, retry_after=pause_of(wait))
    return SourceError(mask(message), reason, hint=hint, retry_after=wait)


_SERVER = (CollectorError.TRANSIENT, "the source failed", "")
_MEANINGS: dict[int, tuple[CollectorError, str, str]] = {
    400: (CollectorError.CONFIG, "the source did not understand the request", "Check the parameters of the KPI."),
    401: (CollectorError.AUTH, "credentials were not accepted", "Check user and password or token of the source."),
    403: (CollectorError.PERMISSION, "not permitted", "Give the source's user the right to read this."),
    404: (CollectorError.CONFIG, "not found", "Check the url of the source and the parameters of the KPI."),
    407: (CollectorError.AUTH, "a proxy wants credentials", "Ask the network's administrators."),
    408: (CollectorError.TRANSIENT, "the source gave up waiting", ""),
    410: (CollectorError.CONFIG, "gone: the source no longer offers this", "Check for a newer version of the plugin."),
    425: (CollectorError.TRANSIENT, "too early", ""),
    429: (CollectorError.RATE_LIMIT, "asked too often: the source wants us to wait", "Ask less often (every)."),
}
_QUOTA = (
    "its quota is used up: nothing more is asked before that is renewed",
    "Ask less often (every), with fewer scopes, or see who else uses this account.",
)


def _own_words(answer: Answer) -> str:
    """What the source itself says is wrong: the usual fields of a JSON error, or the first words of a text."""
    try:
        found = _message(answer.json())
    except SourceError:
        kind = answer.headers.get("Content-Type", "")
        found = "" if "html" in kind or answer.content.lstrip()[:1] == b"<" else answer.text()
    return " ".join("".join(c if c.isprintable() else " " for c in found[:2000]).split())[:300]


def _message(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return "; ".join(filter(None, map(_message, value[:5])))
    if isinstance(value, dict):
        names = ("error", "message", "detail", "errorMessages", "errors", "error_description", "title")
        parts = [_message(value[name]) for name in names if value.get(name)]
        if not any(parts):  # {"field": "what is wrong with it"}
            parts = [f"{k}: {v}" for k, v in list(value.items())[:5] if isinstance(v, str)]
        return "; ".join(filter(None, parts))
    return ""
