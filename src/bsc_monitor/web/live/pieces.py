"""The pieces of pages that change: each is rendered once per change and shared by all who look at it."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from bsc_monitor.model.judgement import NodeKind
from bsc_monitor.web.board import Board
from bsc_monitor.web.templating import fragment
from bsc_monitor.web.view import attention, feeds, improvement, rows, scene, strategy, tree, why
from bsc_monitor.web.view.controls import Controls
from bsc_monitor.web.view.scene import Scene
from bsc_monitor.web.view.trails import Trails

MOST_CONCERNS = 12  #: listed on the overview; the rest is a number and a link


class Key(NamedTuple):
    """Which piece: its kind, and the full name of what it shows."""

    kind: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Kind:
    """How a kind of piece is made, and on which channel its viewers listen."""

    render: Callable[[Scene, str], str]
    channel: Callable[[str], str]
    in_table: bool = False  #: it is a row, which a browser only takes where rows may stand


def _card_of(name: str) -> str:
    return f"scorecard/{name.partition('/')[0]}"


def _overview(_: str) -> str:
    return "overview"


def _tile(here: Scene, name: str) -> str:
    return fragment("pieces/overview.html", "tile", here, tree.tile(here, here.organisation.scorecards[name]))


def _glance(here: Scene, _: str) -> str:
    return fragment("pieces/overview.html", "glance", here, tree.glance(here))


def _concerns(here: Scene, name: str) -> str:
    found, total = attention.first_concerns(here, name, MOST_CONCERNS)
    dark = 0 if total else attention.without_data(here, name)
    return fragment("pieces/attention.html", "concerns", here, name, found, total, dark)


def _head(here: Scene, name: str) -> str:
    card = here.organisation.scorecards[name]
    return fragment("pieces/scorecard.html", "head", here, tree.tile(here, card))


def _perspective(here: Scene, name: str) -> str:
    return fragment("pieces/scorecard.html", "perspective", here.node("perspective", name))


def _objective(here: Scene, name: str) -> str:
    objective = here.organisation.objectives[name]
    return fragment("pieces/scorecard.html", "objective", here, objective, here.node("objective", name))


def _row(here: Scene, name: str) -> str:
    return fragment("pieces/scorecard.html", "row", here, rows.row(here, here.organisation.kpis[name]))


def _kpi(here: Scene, name: str) -> str:
    kpi = here.organisation.kpis[name]
    return fragment("pieces/kpi.html", "standing", here, rows.row(here, kpi))


def _why(here: Scene, name: str) -> str:
    kpi = here.organisation.kpis[name]
    return fragment("pieces/kpi.html", "why", here, kpi, why.steps(here, kpi))


def _kpi_alerts(here: Scene, name: str) -> str:
    kpi = here.organisation.kpis[name]
    return fragment("pieces/kpi.html", "doing", here, kpi, attention.actions(here, kpi))


def _map(here: Scene, name: str) -> str:
    card = here.organisation.scorecards[name]
    return fragment("pieces/map.html", "strategy", here, card, strategy.layout(here, card))


def _alerts(here: Scene, _: str) -> str:
    return fragment("pieces/alerts.html", "alerts", here, here.controls)


def _sources(here: Scene, _: str) -> str:
    return fragment("pieces/sources.html", "sources", feeds.feeds(here), feeds.faults, here.plugin_problems)


def _improvement(here: Scene, _: str) -> str:
    return fragment("pieces/improvement.html", "improvement", here, improvement.picture(here))


KINDS: Mapping[str, Kind] = {
    "glance": Kind(_glance, _overview),
    "concerns": Kind(_concerns, lambda name: f"scorecard/{name}" if name else "overview"),
    "tile": Kind(_tile, _overview),
    "head": Kind(_head, lambda name: f"scorecard/{name}"),
    "perspective": Kind(_perspective, _card_of),
    "objective": Kind(_objective, _card_of, in_table=True),
    "row": Kind(_row, _card_of, in_table=True),
    "kpi": Kind(_kpi, lambda name: f"kpi/{name}"),
    "why": Kind(_why, lambda name: f"kpi/{name}"),
    "doing": Kind(_kpi_alerts, lambda name: f"kpi/{name}"),
    "map": Kind(_map, lambda name: f"map/{name}"),
    "sources": Kind(_sources, lambda _: "sources"),
    "alerts": Kind(_alerts, lambda _: "alerts"),
    "improvement": Kind(_improvement, lambda _: "improvement"),
}


class Pieces:
    """The rendered pieces of the present, kept until what they show changes."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self.trails = Trails(board.store)
        self.controls = Controls()
        self._kept: dict[Key, str] = {}
        self._stale: set[Key] = set()

    def scene(self) -> Scene:
        """The present."""
        return scene.live(self._board, self.trails, self.controls)

    def get(self, kind: str, name: str = "") -> str:
        """The piece, made anew if it may have changed. Raises KeyError for what the organisation does not have."""
        key = Key(kind, name)
        text = self._kept.get(key)
        if text is None or key in self._stale:
            text = self._kept[key] = KINDS[kind].render(self.scene(), name)
            self._stale.discard(key)
        return text

    async def load(self, kpis: Iterable[str] = (), nodes: Iterable[tuple[NodeKind, str]] = ()) -> None:
        """Have the recent course of these at hand; pieces made without it are made anew."""
        for name in await self.trails.load(kpis, nodes):
            for kind in ("row", "tile", "head", "kpi"):
                self.forget(Key(kind, name))

    async def look_back(self) -> None:
        """Know whether there is anything to judge: that nothing gets worse is no news before a period has closed."""
        if await self.trails.look_back():
            self.forget(Key("improvement"))

    def forget(self, key: Key) -> None:
        """What the piece shows may have changed."""
        if key in self._kept:
            self._stale.add(key)

    def forget_all(self) -> None:
        """Another organisation is in force."""
        self._kept.clear()
        self._stale.clear()
        self.trails.clear()
