"""The recent course of KPIs and nodes: what sparklines and movements are drawn from.

Kept in memory for what was looked at lately, so that a changed row can be rendered without asking the store.
"""

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection

from bsc_monitor.model.judgement import Judgement, NodeKind
from bsc_monitor.model.period_value import NodePeriod, PeriodValue
from bsc_monitor.model.status import Status
from bsc_monitor.store import history
from bsc_monitor.web.board import Reader

LENGTH = 13  #: a year of months and the running one
_KEPT = 20_000


@dataclass(frozen=True, slots=True)
class Point:
    """A KPI in one period."""

    label: str
    value: float | None
    score: float | None
    status: Status


class Trails:
    """A bounded cache over the store. ``load`` before a page; ``judged`` keeps what is loaded in step."""

    def __init__(self, store: Reader) -> None:
        self.begun = False  #: whether a period has ever closed, as far as ``look_back`` found
        self._store = store
        self._kpis: OrderedDict[str, tuple[Point, ...]] = OrderedDict()
        self._nodes: OrderedDict[tuple[NodeKind, str], tuple[NodePeriod, ...]] = OrderedDict()
        self._outdated: set[str] = set()  #: shown as they are until they are read again

    async def load(self, kpis: Iterable[str] = (), nodes: Iterable[tuple[NodeKind, str]] = ()) -> list[str]:
        """Read what is not known yet, or no longer; the names of what was read."""
        wanted_kpis = [name for name in kpis if name not in self._kpis or name in self._outdated]
        wanted_nodes = [key for key in nodes if key not in self._nodes]
        if not wanted_kpis and not wanted_nodes:
            return []

        def read(connection: Connection) -> tuple[list[list[PeriodValue]], list[list[NodePeriod]]]:
            return (
                [history.period_values(connection, name, limit=LENGTH) for name in wanted_kpis],
                [history.node_periods(connection, kind, name, limit=2) for kind, name in wanted_nodes],
            )

        values, periods = await self._store.read(read)
        for name, found in zip(wanted_kpis, values, strict=True):
            self._kpis[name] = tuple(Point(each.period.label, each.value, each.score, each.status) for each in found)
        for key, frozen in zip(wanted_nodes, periods, strict=True):
            self._nodes[key] = tuple(frozen)
        self._outdated.difference_update(wanted_kpis)
        _trim(self._kpis)
        _trim(self._nodes)
        return [*wanted_kpis, *(name for _, name in wanted_nodes)]

    async def look_back(self) -> bool:
        """Find out whether a period has closed; whether that is news."""
        if self.begun:
            return False
        self.begun = await self._store.read(history.has_closed)
        return self.begun

    def of(self, kpi: str) -> tuple[Point, ...]:
        """What is known of a KPI's course, oldest first."""
        return self._kpis.get(kpi, ())

    def before(self, kind: NodeKind, name: str) -> NodePeriod | None:
        """The last frozen form of a node."""
        periods = self._nodes.get((kind, name), ())
        return periods[-1] if periods else None

    def judged(self, judgement: Judgement) -> None:
        """A KPI was judged: put its open period's point in place."""
        points = self._kpis.get(judgement.kpi)
        if points is None or judgement.period is None or not judgement.period.label or judgement.previous_period:
            return
        point = Point(judgement.period.label, judgement.value, judgement.score, judgement.status)
        kept = points[:-1] if points and points[-1].label == point.label else points
        self._kpis[judgement.kpi] = (*kept, point)[-LENGTH:]

    def closed(self, kpi: str) -> None:
        """A period was frozen or reopened: read again when asked for."""
        if kpi in self._kpis:
            self._outdated.add(kpi)
        self._nodes.clear()

    def clear(self) -> None:
        """Forget all."""
        self._kpis.clear()
        self._nodes.clear()
        self._outdated.clear()


def _trim(
    cache: OrderedDict[str, tuple[Point, ...]] | OrderedDict[tuple[NodeKind, str], tuple[NodePeriod, ...]],
) -> None:
    while len(cache) > _KEPT:
        cache.popitem(last=False)
