"""``bsc-monitor status``: the scorecards as a coloured tree, now or as a past period was frozen."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.text import Text
from rich.tree import Tree

from bsc_monitor.cli.frame import DEFAULT_CONFIG, ConfigOption, JsonOption, check_scorecard, load_all
from bsc_monitor.config import Configuration
from bsc_monitor.improve.words import amount
from bsc_monitor.model.judgement import Judgement, NodeKind
from bsc_monitor.model.organisation import Kpi, Organisation
from bsc_monitor.model.status import Freshness, Status
from bsc_monitor.model.words import node_reason

if TYPE_CHECKING:
    from bsc_monitor.evaluate.picture import Picture

_MARKS = {
    Status.GREEN: ("● green", "green"), Status.AMBER: ("▲ amber", "dark_orange"),
    Status.RED: ("■ red", "red"),
}  # fmt: skip


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command()(status)


def status(
    scorecard: Annotated[str | None, typer.Argument(help="Id of one scorecard; all by default")] = None,
    at: Annotated[str | None, typer.Option(help="A past period, as it was frozen: 2026-06, 2026-Q2 …")] = None,
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Show the scorecards: perspectives, objectives and KPIs with status, score and value.

    Example: bsc-monitor status it --at 2026-06
    """
    configuration, _ = load_all(config)
    check_scorecard(configuration, scorecard)
    cards = _cards(configuration.organisation, _picture(configuration, at))
    shown = [card for card in cards if scorecard in (None, card["id"])]
    if as_json:
        typer.echo(json.dumps(shown, indent=2))
        return
    console = Console()
    for card in shown:
        console.print(_tree(card))


def _picture(configuration: Configuration, at: str | None) -> Picture:
    """What everything is worth now, or was worth in a past period. Raises typer.BadParameter for what is none."""
    from bsc_monitor.evaluate.picture import past, present
    from bsc_monitor.score.periods import asked_period
    from bsc_monitor.store import read_only

    now, period = datetime.now(UTC), None
    if at is not None:
        calendar = next(iter(configuration.organisation.scorecards.values())).calendar
        try:
            period = asked_period(at, calendar, now)
        except ValueError as error:
            raise typer.BadParameter(str(error)) from None
    return read_only(
        configuration.service.database,
        lambda read: past(read, period) if period else present(read, configuration, now),
    )


def _cards(organisation: Organisation, picture: Picture) -> Iterator[dict[str, Any]]:
    """Every scorecard as nested plain data: perspectives, objectives, KPIs."""
    for card in organisation.scorecards.values():
        views = []
        for view in card.perspectives:
            objectives = [
                _node(picture, "objective", each.name, each.title, kpis=_kpis(organisation, picture, each.name))
                for each in organisation.objectives.values()
                if (each.scorecard, each.perspective) == (card.id, view.id)
            ]
            views.append(_node(picture, "perspective", view.name, view.title, objectives=objectives))
        yield _node(picture, "scorecard", card.id, card.title, perspectives=views)


def _kpis(organisation: Organisation, picture: Picture, objective: str) -> list[dict[str, Any]]:
    found = (kpi for kpi in organisation.kpis.values() if kpi.objective == objective)
    return [_kpi(kpi, picture.judgements.get(kpi.name)) for kpi in found]


def _node(picture: Picture, kind: NodeKind, name: str, title: str, **below: list[dict[str, Any]]) -> dict[str, Any]:
    found = picture.nodes.get((kind, name))
    return {
        "id": name, "title": title, "status": str(found.status if found else Status.UNKNOWN),
        "score": found.score if found else None, "coverage": found.coverage if found else 0.0,
        "reason": found.reason if found else "", **below,
    }  # fmt: skip


def _kpi(kpi: Kpi, judged: Judgement | None) -> dict[str, Any]:
    return {
        "id": kpi.name, "title": kpi.title, "unit": kpi.unit, "value": judged.value if judged else None,
        "target": _level(judged.thresholds.target) if judged else None,
        "score": judged.score if judged else None, "status": str(judged.status if judged else Status.UNKNOWN),
        "scored": kpi.scored, "freshness": str(judged.freshness if judged else Freshness.MISSING),
    }  # fmt: skip


def _level(level: Any) -> Any:
    return list(level) if isinstance(level, tuple) else level


def _tree(card: dict[str, Any]) -> Tree:
    tree = Tree(_line(card, bold=True))
    for view in card["perspectives"]:
        branch = tree.add(_line(view, bold=True))
        for objective in view["objectives"]:
            twig = branch.add(_line(objective))
            for kpi in objective["kpis"]:
                twig.add(_kpi_line(kpi))
    return tree


def _line(node: dict[str, Any], *, bold: bool = False, unknown: str = "○ no data") -> Text:
    mark, colour = _MARKS.get(Status(node["status"]), (unknown, "bright_black"))
    score = "–" if node["score"] is None else f"{node['score']:.0f}"
    text = Text.assemble((f"{mark:<9}", colour), (f"{score:>4}  ", "bold"), (node["title"], "bold" if bold else ""))
    return text.append(f"  {node_reason(node['reason'])}", "bright_black") if node["reason"] else text


def _kpi_line(kpi: dict[str, Any]) -> Text:
    text = _line({**kpi, "reason": ""}, unknown="○ no data" if kpi["scored"] else "○ no score")
    value = "no data" if kpi["value"] is None else amount(kpi["value"], kpi["unit"])
    goal = kpi["target"]
    edges = goal if isinstance(goal, list) else [goal]
    target = "" if goal is None else f" (target {' to '.join(amount(edge, kpi['unit']) for edge in edges)})"
    text.append(f"  {value}{target}", "bright_black")
    return text.append(f"  {kpi['freshness']}", "dark_orange") if kpi["freshness"] == Freshness.STALE else text
