"""The exposition: each item's lines are rendered when it changes, and a scrape only joins cached bytes.

Lines stand in chunks. A change makes its chunk dirty; a scrape joins dirty chunks anew and takes the others as they
are. Compressed chunks are cached too: each is deflated on its own and flushed to a byte border, so that their
concatenation is the body of *one* gzip member, which every client reads (several members many clients cut off).
"""

import asyncio
import re
import zlib
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import structlog

from bsc_monitor.export.families import Family
from bsc_monitor.export.text import header

CHUNK = 64  #: items; small enough that one change recompresses little, large enough to compress well
TEXT = "text/plain; version=0.0.4; charset=utf-8"
OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"
_GZIP_HEAD = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
_GZIP_END = b"\x03\x00"  # an empty final block of fixed Huffman codes
_MEDIA = re.compile(r"([^\s;,]+)((?:\s*;[^,]*)?)")
_QUALITY = re.compile(r";\s*q=([0-9.]+)")

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Chunk:
    texts: list[bytes] = field(default_factory=list)
    plain: bytes | None = None  #: None: dirty
    packed: tuple[bytes | None, bytes] = (None, b"")  #: (the very ``plain`` it was made of, deflated): one store


class _Block:
    """The items of one family, in chunks; a removed item leaves a place that the next new one takes."""

    def __init__(self) -> None:
        self.places: dict[Hashable, int] = {}
        self.free: list[int] = []
        self.chunks: list[_Chunk] = []

    def set(self, key: Hashable, text: bytes) -> bool:
        place = self.places.get(key)
        if place is None:
            if not text:
                return False
            place = self._place()
            self.places[key] = place
        chunk = self.chunks[place // CHUNK]
        if chunk.texts[place % CHUNK] == text:
            return False
        chunk.texts[place % CHUNK] = text
        chunk.plain = None
        if not text:
            del self.places[key]
            self.free.append(place)
        return True

    def _place(self) -> int:
        if self.free:
            return self.free.pop()
        if not self.chunks or len(self.chunks[-1].texts) == CHUNK:
            self.chunks.append(_Chunk())
        self.chunks[-1].texts.append(b"")
        return (len(self.chunks) - 1) * CHUNK + len(self.chunks[-1].texts) - 1


class Exposition:
    """The families of one ``/metrics`` address. All methods belong to the event loop's thread."""

    def __init__(
        self,
        families: Sequence[Family],
        tail: Callable[[bool], bytes] | None = None,
        prepare: Callable[[], None] | None = None,
    ) -> None:
        """``tail(openmetrics)`` renders what is appended at every scrape (process metrics), without ``# EOF``.

        ``prepare()`` is called at the start of every scrape: what changes often may set its lines there.
        """
        self.failures = 0  #: items that ``show`` left out, since start
        self._prepare = prepare
        self._families = families
        self._blocks = {family.name: _Block() for family in families}
        self._tail = tail
        self._version = 0
        self._joined: dict[bool, tuple[int, bytes]] = {}

    def set(self, family: str, key: Hashable, text: bytes) -> None:
        """Set the lines of an item (as of ``text.line``); empty text removes it. Raises KeyError: unknown family."""
        if self._blocks[family].set(key, text):
            self._version += 1

    def show(self, key: Hashable, lines: Callable[[], Mapping[str, bytes]]) -> None:
        """Set an item's lines in each family that ``lines()`` names.

        Where that raises, the item is removed, logged and counted in ``failures``: it never hides the others, and its
        old numbers do not stand for new ones.
        """
        try:
            for family, text in lines().items():
                self.set(family, key, text)
        except Exception as error:  # noqa: BLE001 - an item may hold anything
            self.failures += 1
            self.remove(key)
            _log.warning("an item cannot be shown on /metrics", key=repr(key)[:200], error=repr(error)[:200])

    def remove(self, key: Hashable) -> None:
        """Remove an item from every family: its series are gone at the next scrape."""
        for block in self._blocks.values():
            if block.set(key, b""):
                self._version += 1

    def keys(self, family: str) -> tuple[Hashable, ...]:
        """The items that have lines in a family."""
        return tuple(self._blocks[family].places)

    def render(self, accept: str = "", accept_encoding: str = "") -> tuple[bytes, str, str | None]:
        """Body, content type and content encoding for a request's ``Accept`` and ``Accept-Encoding``."""
        if self._prepare:
            self._prepare()
        openmetrics = wants_openmetrics(accept)
        if wants_gzip(accept_encoding):
            parts = self._parts(openmetrics=openmetrics)
            return _gzip(parts), _type(openmetrics), "gzip"
        return self._plain(openmetrics=openmetrics), _type(openmetrics), None

    async def answer(self, accept: str = "", accept_encoding: str = "") -> tuple[bytes, str, str | None]:
        """As ``render``, compressing in a thread: the lines are of one moment and the loop is not held up."""
        if not wants_gzip(accept_encoding):
            return self.render(accept, accept_encoding)
        if self._prepare:
            self._prepare()
        openmetrics = wants_openmetrics(accept)
        parts = self._parts(openmetrics=openmetrics)
        return await asyncio.to_thread(_gzip, parts), _type(openmetrics), "gzip"

    def _plain(self, *, openmetrics: bool) -> bytes:
        version, joined = self._joined.get(openmetrics, (-1, b""))
        if version != self._version:
            joined = b"".join(plain for _, plain in self._cached(openmetrics=openmetrics))
            self._joined = {openmetrics: (self._version, joined)}  # one format: memory is worth more than the other
        end = self._end(openmetrics=openmetrics)
        return joined + end if end else joined

    def _parts(self, *, openmetrics: bool) -> list[tuple[_Chunk | None, bytes]]:
        return [*self._cached(openmetrics=openmetrics), (None, self._end(openmetrics=openmetrics))]

    def _cached(self, *, openmetrics: bool) -> Iterable[tuple[_Chunk | None, bytes]]:
        for family in self._families:
            block = self._blocks[family.name]
            if not block.places:
                continue
            yield None, header(family, openmetrics=openmetrics)
            for chunk in block.chunks:
                if chunk.plain is None:
                    chunk.plain = b"".join(chunk.texts)
                yield chunk, chunk.plain

    def _end(self, *, openmetrics: bool) -> bytes:
        tail = self._tail(openmetrics) if self._tail else b""
        return tail + b"# EOF\n" if openmetrics else tail


def wants_openmetrics(accept: str) -> bool:
    """Whether OpenMetrics is asked for at least as much as plain text."""
    wanted = {"application/openmetrics-text": 0.0, "text/plain": 0.0}
    for media, rest in _MEDIA.findall(accept.lower()):
        if media in wanted:
            wanted[media] = max(wanted[media], _quality(rest))
    return wanted["application/openmetrics-text"] > 0 and wanted["application/openmetrics-text"] >= wanted["text/plain"]


def wants_gzip(accept_encoding: str) -> bool:
    """Whether gzip may be answered."""
    return any(name == "gzip" and _quality(rest) > 0 for name, rest in _MEDIA.findall(accept_encoding.lower()))


def _quality(rest: str) -> float:
    found = _QUALITY.search(rest)
    try:
        return float(found[1]) if found else 1.0
    except ValueError:
        return 0.0


def _type(openmetrics: bool) -> str:
    return OPENMETRICS if openmetrics else TEXT


def _gzip(parts: Sequence[tuple[_Chunk | None, bytes]]) -> bytes:
    """One gzip member of the parts. Safe in a thread: a chunk's cache is only taken for the very bytes it is of."""
    out, crc, size = [_GZIP_HEAD], 0, 0
    for chunk, plain in parts:
        if chunk is None:
            out.append(_deflate(plain))
        else:
            of, packed = chunk.packed
            if of is not plain:
                packed = _deflate(plain)
                chunk.packed = (plain, packed)
            out.append(packed)
        crc = zlib.crc32(plain, crc)
        size += len(plain)
    out += [_GZIP_END, crc.to_bytes(4, "little"), (size & 0xFFFFFFFF).to_bytes(4, "little")]
    return b"".join(out)


def _deflate(plain: bytes) -> bytes:
    """Raw deflate blocks up to a byte border, needing nothing that stands before them."""
    packer = zlib.compressobj(1, zlib.DEFLATED, -zlib.MAX_WBITS)
    return packer.compress(plain) + packer.flush(zlib.Z_FULL_FLUSH)
