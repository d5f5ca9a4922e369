"""Board 4: the strategy map with what the data say of its arrows, and the cascade of scorecards."""

from typing import Any

from grafana.board import board
from grafana.looks import LINK, SCORE_COLUMN, STATUS_COLUMN, WORD_CELL, column
from grafana.panels import graph, lines, listing, over, rows
from grafana.queries import CARD, JOB, LEVELS, held, latest, score_now

OBJECTIVE = LEVELS["objective"]
_LOOKS = {0: ("#8e8e8e", "○ No data"), 1: ("#56a64b", "✔ Green"), 2: ("#ff780a", "▲ Amber"), 3: ("#e02f44", "✖ Red")}


def make() -> dict[str, Any]:
    """The board as Grafana's JSON."""
    return board(
        "strategy", "Balanced scorecard: strategy map and cascade",
        "What drives what, what the data say of it, and how scorecards support each other.",
        [_map(), *_links(), *_cascade()], single=True,
    )  # fmt: skip


def _coloured(value: str, status: str, by: str) -> str:
    """``value`` with the labels ``color`` and ``secondarystat`` (words), by the status code of the same thing."""
    parts = []
    for code, (color, words) in _LOOKS.items():
        part = f"({value}) and on ({by}) ({status} == {code})"
        parts.append(
            f'label_replace(label_replace({part}, "color", "{color}", "", ""), "secondarystat", "{words}", "", "")'
        )
    return " or ".join(parts)


def _existing(expression: str, end: str) -> str:
    """Only the links whose objective at this end exists: one to a missing node would break the whole panel."""
    known = f'label_replace(bsc_objective_info{{{CARD}}}, "{end}", "$1", "objective", "(.*)")'
    return f"({expression}) and on (scorecard, {end}) {known}"


def _edges() -> str:
    """Every link between objectives that exist; its value is the correlation, NaN without evidence."""
    link = latest("bsc_link_info", "scorecard, source, target")
    correlation = latest("bsc_link_correlation_ratio", "scorecard, source, target")
    valued = f"({correlation} and on (scorecard, source, target) {link}) or NaN * {link}"
    return _existing(_existing(valued, "source"), "target")


def _map() -> Any:
    info = f"max by ({OBJECTIVE}, title, x, y) (bsc_objective_info{{{CARD}}})"
    status = latest("bsc_objective_status_code", OBJECTIVE)
    nodes = (
        f"({_coloured(score_now('objective'), status, OBJECTIVE)}) * on ({OBJECTIVE}) group_left (title, x, y) {info}"
    )
    nodes = f'label_replace({nodes}, "id", "$1", "objective", "(.*)")'
    edges = f'label_join({_edges()}, "id", " → ", "source", "target")'
    for label, name in (("perspective", "subtitle"), ("x", "fixedX"), ("y", "fixedY")):
        nodes = f'label_replace({nodes}, "{name}", "$1", "{label}", "(.*)")'
    text = "Objectives by perspective, score and status in words; arrows show the correlation of cause and effect."
    return graph("Strategy map", text, nodes, edges, ("nodes", "edges"), width=24, height=16)


def _links() -> list[Any]:
    by = "scorecard, source, target"
    return [
        listing(
            "Cause and effect", "What the data say of each arrow: they never prove it, they support or contradict it.",
            rows(_edges()),
            columns={"source": "Cause", "target": "Effect", "Value": "Data", "scorecard": "Scorecard"},
            styles={"Data": column(mappings=LINK, cell=WORD_CELL)}, width=8, height=9, empty="No objective drives another",
        ),
        lines(
            "Objective scores", "Scores over time, 0 to 100: do effects follow their causes?",
            over(held("bsc_objective_score", OBJECTIVE), "{{objective}}"), low=0, high=100, stairs=True, width=8, height=9,
        ),
        lines(
            "Correlation of links over time", "Lagged rank correlation of cause and effect, -1 to 1.",
            over(held("bsc_link_correlation_ratio", by), "{{source}} → {{target}}"), low=-1, high=1, stairs=True,
            width=8, height=9, empty="No link has evidence yet",
        ),
    ]  # fmt: skip


def _cascade() -> list[Any]:
    infos = f"max by (scorecard, title, parent) (bsc_scorecard_info{{{JOB}}})"
    status = latest("bsc_scorecard_status_code", "scorecard", JOB)
    value = score_now("scorecard", JOB)
    title = f"max by (scorecard, title) (bsc_scorecard_info{{{JOB}}})"
    nodes = f"({_coloured(value, status, 'scorecard')}) * on (scorecard) group_left (title) {title}"
    nodes = f'label_replace({nodes}, "id", "$1", "scorecard", "(.*)")'
    child = f'label_replace(bsc_scorecard_info{{{JOB}, parent!=""}}, "source", "$1", "parent", "(.*)")'
    child = f'label_replace({child}, "target", "$1", "scorecard", "(.*)")'
    known = f'label_replace(bsc_scorecard_info{{{JOB}}}, "source", "$1", "scorecard", "(.*)")'
    edges = f'label_join(max by (source, target) ({child} and on (source) {known}), "id", " → ", "source", "target")'
    supports = latest("bsc_support_info", "scorecard, objective, parent_scorecard, parent_objective", JOB)
    return [
        graph(
            "Cascade", "Scorecards, each below the one that it cascades from, with score and status in words.",
            nodes, edges, ("nodes",), width=10, height=12,
        ),
        listing(
            "Scorecards by level", "Every scorecard with the one above it.",
            rows(infos, "info"), rows(value, "score"), rows(status, "status"),
            columns={
                "title": "Scorecard", "parent": "Cascades from", "Value #status": "Status", "Value #score": "Score",
                "scorecard": "Id",
            },
            styles={"Status": STATUS_COLUMN, "Score": SCORE_COLUMN}, sort="Cascades from", descending=False,
            width=7, height=12,
        ),
        listing(
            "Supported objectives", "Which objective supports which one of the scorecard above.",
            rows(supports),
            columns={
                "scorecard": "Scorecard", "objective": "Objective", "parent_scorecard": "Supports in",
                "parent_objective": "Supported objective",
            },
            width=7, height=12, empty="No objective supports one above",
        ),
    ]  # fmt: skip
