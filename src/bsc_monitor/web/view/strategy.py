"""The strategy map: objectives in their perspectives' lanes, and what drives what."""

from dataclasses import dataclass

from bsc_monitor.model.insight import InsightKind
from bsc_monitor.model.judgement import NodeScore
from bsc_monitor.model.organisation import Objective, Perspective, Scorecard
from bsc_monitor.web.view.scene import Scene

WIDTH, BOX, HIGH, LANE, HEAD = 1200, 216, 76, 132, 132
_LINE = 25  #: signs of a title on one line


@dataclass(frozen=True, slots=True)
class Box:
    """An objective at a place; ``x``, ``y`` of its upper left corner."""

    objective: Objective
    node: NodeScore
    x: float
    y: float
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Arrow:
    """A cause-and-effect link as an SVG path."""

    cause: str
    effect: str
    path: str
    title: str
    verdict: str = ""  #: what the data say of the link: supported, contradicted; empty: no evidence yet


@dataclass(frozen=True, slots=True)
class Lane:
    """A perspective's stripe."""

    perspective: Perspective
    node: NodeScore
    y: float


@dataclass(frozen=True, slots=True)
class Map:
    """All of it, with its size."""

    width: int
    height: int
    lanes: tuple[Lane, ...]
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]


def layout(scene: Scene, card: Scorecard) -> Map:
    """Place a scorecard's objectives: one lane per perspective, evenly spread in it."""
    objectives = scene.objectives_of(card)
    most = max((sum(o.perspective == p.id for o in objectives) for p in card.perspectives), default=1)
    width = max(WIDTH, HEAD + most * (BOX + 28))
    lanes, boxes = [], dict[str, Box]()
    for number, view in enumerate(card.perspectives):
        y = number * LANE
        lanes.append(Lane(view, scene.node("perspective", view.name), y))
        here = [each for each in objectives if each.perspective == view.id]
        step = (width - HEAD) / max(1, len(here))
        for place, each in enumerate(here):
            x = HEAD + step * (place + 0.5) - BOX / 2
            node = scene.node("objective", each.name)
            boxes[each.name] = Box(each, node, x, y + (LANE - HIGH) / 2, _lines(each.title))
    verdicts = _verdicts(scene)
    arrows = [
        _arrow(boxes[cause.name], boxes[effect], verdicts.get(f"{cause.name} → {effect}", ""))
        for cause in objectives
        for effect in cause.drives
        if cause.name in boxes and effect in boxes
    ]
    return Map(width, len(card.perspectives) * LANE, tuple(lanes), tuple(boxes.values()), tuple(arrows))


def _verdicts(scene: Scene) -> dict[str, str]:
    """What open insights say of links, by ``cause → effect``."""
    return {each.subject: each.aspect for each in scene.insights.values() if each.kind is InsightKind.DRIVER}


def _arrow(cause: Box, effect: Box, verdict: str) -> Arrow:
    said = {"supported": "; the data support it", "contradicted": "; the data contradict it"}.get(verdict, "")
    title = f"{cause.objective.title} drives {effect.objective.title}{said}"
    if cause.y == effect.y:
        sign = 1 if effect.x > cause.x else -1
        x1, x2, y = cause.x + (BOX if sign > 0 else 0), effect.x + (0 if sign > 0 else BOX), cause.y + HIGH / 2
        path = f"M{x1:.0f} {y:.0f}C{x1 + 20 * sign:.0f} {y - 30:.0f} {x2 - 26 * sign:.0f} {y - 30:.0f} {x2 - 5 * sign:.0f} {y - 3:.0f}"
        return Arrow(cause.objective.name, effect.objective.name, path, title, verdict)
    up = cause.y > effect.y
    lean = max(-0.36, min(0.36, (effect.x - cause.x) / 900)) * BOX
    x1, x2 = cause.x + BOX / 2 + lean, effect.x + BOX / 2 - lean
    y1 = cause.y if up else cause.y + HIGH
    y2 = effect.y + HIGH + 6 if up else effect.y - 6
    half = (y1 - y2) * 0.45
    path = f"M{x1:.0f} {y1:.0f}C{x1:.0f} {y1 - half:.0f} {x2:.0f} {y2 + half:.0f} {x2:.0f} {y2:.0f}"
    return Arrow(cause.objective.name, effect.objective.name, path, title, verdict)


def _lines(title: str) -> tuple[str, ...]:
    """A title on two lines at most."""
    lines, rest = [""], title.split()
    while rest:
        word = rest.pop(0)[: _LINE + 1]
        if len(lines[-1]) + len(word) < _LINE:
            lines[-1] = f"{lines[-1]} {word}".strip()
        elif len(lines) < 2:
            lines.append(word)
        else:
            lines[-1] = lines[-1][: _LINE - 1] + "…"
            break
    return tuple(line for line in lines if line)
