"""What a page shows: the present with live pieces, or a past period without."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from aiohttp import web

from bsc_monitor.model.judgement import NodeKind
from bsc_monitor.web.board import BOARD
from bsc_monitor.web.live.hub import HUB
from bsc_monitor.web.live.pieces import KINDS, Pieces
from bsc_monitor.web.operations import Unknown
from bsc_monitor.web.view.past import NoSuchPeriod, asked_period, past_scene
from bsc_monitor.web.view.scene import Scene


@dataclass(frozen=True, slots=True)
class Showing:
    """A scene and how its pieces are made."""

    scene: Scene
    piece: Callable[..., str]
    since: str
    pieces: Pieces

    def channel(self, name: str) -> str:
        """Where the page listens; the past does not change."""
        return "" if self.scene.past else name

    async def load(self, kpis: Iterable[str] = (), nodes: Iterable[tuple[NodeKind, str]] = ()) -> None:
        """Have the recent course of these at hand."""
        if self.scene.past:
            await self.scene.trails.load(kpis, nodes)
        else:
            await self.pieces.load(kpis, nodes)


async def showing(request: web.Request) -> Showing:
    """The scene that a request asks for by ``?at=``. Raises ``Unknown`` for a period that cannot be shown."""
    board, hub = request.app[BOARD], request.app[HUB]
    try:
        period = asked_period(request.query.get("at", ""), board)
    except NoSuchPeriod as error:
        raise Unknown(f"{error}.") from None
    if period is None:
        await hub.controls()
        since = hub.stamp()
        return Showing(hub.pieces.scene(), hub.pieces.get, since, hub.pieces)
    scene = await past_scene(board, period)

    def piece(kind: str, name: str = "") -> str:
        return KINDS[kind].render(scene, name)

    return Showing(scene, piece, "", hub.pieces)
