"""All that a plugin author imports.

A collector is one file in the ``plugins/`` folder with one class: its configuration and parameters are pydantic
models, its measures are decorated methods. The service finds it, validates its configuration with file:line errors,
schedules it, and owns retries, state, paging safety and isolation; the plugin owns query and meaning.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, TypeVar, overload

import pluggy
from pydantic import BaseModel, ConfigDict

from bsc_monitor.model.business_time import business_seconds
from bsc_monitor.model.event import AlertChanged, InsightFound, KpiJudged, ReadingStored, ScoreChanged
from bsc_monitor.model.page import Page, PageRequest, PageRoute
from bsc_monitor.model.period import Calendar, Period, PeriodKind
from bsc_monitor.model.reading import Reading
from bsc_monitor.model.status import CollectorError, Completeness, ReadingState
from bsc_monitor.plugin.context import Context, Http, Reply, Secret, Window
from bsc_monitor.plugin.context import Log as Log  # of ``Context.log``, for those who name its type

__all__ = [
    "API", "AlertChanged", "AsyncIterator", "Calendar", "Collector", "CollectorError", "Completeness", "Context", "Http",
    "InsightFound", "Iterable", "KpiJudged", "Measure", "Page", "PageRequest", "PageRoute", "Params", "Period",
    "PeriodKind", "Reading", "ReadingState", "ReadingStored", "Record", "Reply", "ScoreChanged", "Secret",
    "SourceConfig", "SourceError", "Stream", "TicketRequest", "Window", "business_seconds", "hookimpl", "hookspec", "measure",
    "stream",
]  # fmt: skip

API = 1  #: version of this interface; a plugin says ``api = 1`` on its collector class when it needs another

hookspec = pluggy.HookspecMarker("bsc_monitor")
hookimpl = pluggy.HookimplMarker("bsc_monitor")


class SourceConfig(BaseModel):
    """Base of a collector's configuration: the keys of ``[sources.ID]`` that are the plugin's own.

    The first example of a field (``Field(examples=[…])``) stands on the collector's page, and ``plugin check`` tries it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class Params(BaseModel):
    """Base of a measure's parameters: the ``params`` of a KPI.

    The first example of a field (``Field(examples=[…])``) is what ``plugin check`` asks the measure with; a required
    field without one gets a made-up value, which a pattern or a validator may refuse.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class Record(BaseModel):
    """Base of a stream's records: slim, only the fields that measures name. Unknown fields are dropped."""

    model_config = ConfigDict(extra="ignore", frozen=True, defer_build=True)


class SourceError(Exception):
    """A source could not answer. ``reason`` decides what the service does next (retry, back off, ask a person)."""

    def __init__(
        self,
        message: str,
        reason: CollectorError = CollectorError.TRANSIENT,
        *,
        hint: str = "",
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.reason = reason
        self.hint = hint  #: what to do next, for people
        self.retry_after = retry_after  #: seconds the source asked us to wait


@dataclass(frozen=True, slots=True)
class TicketRequest:
    """A ticket to open from an insight. It is asked again after a failure or a restart: look for ``key`` first."""

    key: str  #: a word that no other ticket carries; store it where it can be searched for
    title: str  #: one line
    paragraphs: tuple[str, ...]  #: plain text
    link: str = ""  #: to the insight on the board


@dataclass(frozen=True, slots=True)
class Measure:
    """A named number that a collector can deliver."""

    name: str
    title: str
    unit: str  #: s min h d, %, ratio, count, points, yes/no; "" where the KPI must say (PromQL, SQL)
    better: Literal["higher", "lower", "target"]
    params: type[Params]
    over: str | None  #: the stream whose records it is a pure function of; None: asked directly
    doc: str
    settle: str | None = None  #: how long after a period's end the source may restate it, e.g. "2d"


@dataclass(frozen=True, slots=True)
class Stream:
    """What a collector fetches incrementally, once for all KPIs that share its scope."""

    name: str
    key: str  #: field of the record that identifies it
    cursor: str  #: field that grows when a record changes (a UTC datetime)
    overlap: str  #: how far the next window reaches back, e.g. "10m"
    record: type[Record]
    scope: type[Params]  #: the parameters that decide what is fetched; measures over it inherit from this class
    ids: str | None  #: method yielding the keys that exist now, for reconciliation of deleted and moved records


_M = TypeVar("_M", bound=Callable[..., Any])


def measure(
    *,
    unit: str,
    better: Literal["higher", "lower", "target"] = "higher",
    title: str,
    over: str | None = None,
    settle: str | None = None,
) -> Callable[[_M], _M]:
    """Declare a measure.

    Direct: ``async def m(self, ctx, p: SomeParams) -> Reading | Iterable[Reading]`` (or an async generator; ``def`` runs in
    a thread; ``p`` may be left out). Over records: ``def m(self, records, p, period: Window, calendar: Calendar) -> Reading``:
    pure, so it can be recomputed for any period and broken down by any field of the record.
    """

    def declare(function: _M) -> _M:
        function.__bsc_measure__ = {  # type: ignore[attr-defined]
            "unit": unit, "better": better, "title": title, "over": over, "settle": settle,
        }  # fmt: skip
        return function

    return declare


def stream(
    *, key: str, cursor: str, record: type[Record], overlap: str = "10m", ids: str | None = None
) -> Callable[[_M], _M]:
    """Declare a stream: ``async def s(self, ctx, scope: SomeScope, window: Window) -> AsyncIterator[Record]``.

    The service starts the next window at the *start* of the last success minus ``overlap``, commits records and
    cursor together, drops duplicates by ``key``, and re-fetches when the stream's definition changes.
    """

    def declare(function: _M) -> _M:
        function.__bsc_stream__ = {  # type: ignore[attr-defined]
            "key": key, "cursor": cursor, "record": record, "overlap": overlap, "ids": ids,
        }  # fmt: skip
        return function

    return declare


class Collector:
    """Base of a collector plugin. One instance per configured source."""

    name: ClassVar[str]  #: as in ``plugin = "…"`` of a source
    api: ClassVar[int] = API
    Config: ClassVar[type[SourceConfig]] = SourceConfig
    config: Any  #: an instance of ``Config``

    def __init__(self, config: SourceConfig) -> None:
        self.config = config

    async def check(self, ctx: Context) -> None:
        """Try credentials and permissions; raise SourceError saying in words what is missing."""


@overload
def declared(cls: type[Collector], kind: Literal["measure"]) -> dict[str, Measure]: ...
@overload
def declared(cls: type[Collector], kind: Literal["stream"]) -> dict[str, Stream]: ...
def declared(cls: type[Collector], kind: Literal["measure", "stream"]) -> dict[str, Any]:
    """The measures or streams of a collector class, by name, read from its decorated methods and their annotations.

    Raises TypeError, naming class and method, where an annotation that the service needs is missing or wrong.
    """
    import inspect
    from typing import get_type_hints

    found: dict[str, Any] = {}
    for name, function in inspect.getmembers(cls, callable):
        spec = getattr(function, f"__bsc_{kind}__", None)
        if spec is None:
            continue
        namespace = {**vars(inspect.getmodule(function) or object), **vars(cls)}
        try:
            hints = get_type_hints(function, namespace)
        except NameError as error:
            raise TypeError(f"{cls.__name__}.{name}: annotation cannot be resolved: {error}") from error
        models = [h for h in hints.values() if isinstance(h, type) and issubclass(h, Params)]
        if len(models) > 1:
            raise TypeError(
                f"{cls.__name__}.{name}: at most one parameter annotated with a Params class, found {len(models)}"
            )
        model = models[0] if models else Params
        if kind == "measure":
            found[name] = Measure(name=name, params=model, doc=inspect.getdoc(function) or "", **spec)
        else:
            found[name] = Stream(name=name, scope=model, **spec)
    return found
