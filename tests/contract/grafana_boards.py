"""What the checked-in boards ask and show, taken out of their JSON."""

import json
import re
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "grafana" / "dashboards"
BOARDS = {file.stem: json.loads(file.read_text()) for file in sorted(FOLDER.glob("*.json"))}
RULES = Path(__file__).parents[2] / "prometheus"

_OURS = re.compile(r"(?<![:\w$.-])bsc_\w+")


def panels(board):
    for panel in board["panels"]:
        yield panel
        yield from panel.get("panels", ())


def targets(board):
    """(panel's title, target) of every panel."""
    for panel in panels(board):
        for target in panel.get("targets", ()):
            yield panel["title"], target


def variables(board):
    return board["templating"]["list"]


def queries(board):
    """Every expression of a board: targets, variables, annotations."""
    yield from (target["expr"] for _, target in targets(board))
    yield from (each["query"]["query"] for each in variables(board) if each["type"] == "query")
    yield from (each["expr"] for each in board.get("annotations", {}).get("list", ()) if "expr" in each)


def families(expression):
    """Names of our families in an expression, histogram samples under their family's name."""
    return {re.sub(r"_bucket$", "", name) for name in _OURS.findall(expression)}


def fields(panel, result_labels):
    """Field names that a table's or graph's frames have before its ``organize``; ``result_labels`` by refId."""
    names = {"Time"}
    single = len(result_labels) == 1
    for target in panel["targets"]:
        ref = target["refId"]
        names |= result_labels.get(ref, set())
        if target.get("format") == "table":
            names.add("Value" if single else f"Value #{ref}")
        else:
            names.add(f"Trend #{ref}")
    return names
