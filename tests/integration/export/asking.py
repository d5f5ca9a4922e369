"""Asks a real Prometheus all that a board would ask it, with the board's variables filled in."""

import json
import math
import re
import urllib.error

from tests.contract.grafana_boards import fields, panels, variables

LEFT_OVER = re.compile(r"\$(?:\{\w+|[A-Za-z_]\w*)")
LEGEND = re.compile(r"\{\{\s*(\w+)\s*\}\}")
NAMED = re.compile(r"\b(?:by|group_left) \(([\w, ]*)\)")
_SECONDS = {"m": 60, "h": 3600, "d": 86400, "y": 365 * 86400}


def ask(server, expression, end, start=None, step=None):
    """Series as (labels, numbers): those of an instant, or of a range. Raises ValueError with Prometheus' words."""
    try:
        if start is None:
            body = server.get("/api/v1/query", query=expression, time=end)
        else:
            body = server.get("/api/v1/query_range", query=expression, start=start, end=end, step=step)
    except urllib.error.HTTPError as error:
        raise ValueError(json.loads(error.read())["error"]) from None
    found = json.loads(body)["data"]["result"]
    return [(each["metric"], [float(value) for _, value in each.get("values") or [each["value"]]]) for each in found]


def substitute(text, filled):
    """The text with variables filled in. Raises ValueError for one that the board does not have."""
    for name, value in filled.items():
        text = re.sub(rf"\$\{{{name}(?::\w+)?\}}|\${name}\b", lambda _, value=value: value, text)
    if left := LEFT_OVER.search(text):
        raise ValueError(f"unknown variable {left[0]}")
    return text


def values_of(server, query, end):
    """What ``label_values(selector, label)`` gives."""
    selector, label = re.fullmatch(r"label_values\((.*), (\w+)\)", query).groups()
    body = server.get("/api/v1/series", **{"match[]": selector, "start": end - 3600, "end": end})
    return sorted({series[label] for series in json.loads(body)["data"] if label in series})


class Asker:
    """One board against one Prometheus; ``faults`` says in words what a person would miss."""

    def __init__(self, server, board, end, *, bare=False, **chosen):
        """``chosen``: what a person chooses of the variables that take one value.

        ``bare``: labels that a query names may be empty on every series (a KPI without owner): Grafana leaves the column out.
        """
        self.server, self.board, self.end, self.bare, self.chosen = server, board, end, bare, chosen
        number, unit = re.fullmatch(r"now-(\d+)(\w)", board["time"]["from"]).groups()
        self.length = int(number) * _SECONDS[unit]
        self.filled = {"__range": f"{self.length}s"}
        self.empty = set()  #: titles of panels of which a target has no data

    def faults(self):
        return [
            *self._variables(),
            *self._annotations(),
            *(fault for panel in panels(self.board) for fault in self._panel(panel)),
        ]

    def _variables(self):
        for each in variables(self.board):
            try:
                if each["type"] == "query":
                    found = values_of(self.server, substitute(each["query"]["query"], self.filled), self.end)
                    value = self.chosen.get(each["name"], found[0] if found else "")
                    self.filled[each["name"]] = each.get("allValue") or value
                    if value not in found:
                        yield f"variable {each['name']}: no values"
            except (ValueError, urllib.error.HTTPError) as error:
                yield f"variable {each['name']}: {error}"

    def _annotations(self):
        for each in self.board.get("annotations", {}).get("list", ()):
            result, fault = self._run(each["expr"], instant=False)
            if fault or not result:
                yield f"annotation {each['name']}: {fault or 'no data'}"
            for name in LEGEND.findall(each["textFormat"]):
                if not all(labels.get(name) for labels, _ in result):
                    yield f"annotation {each['name']}: no label {name}"

    def _run(self, expression, *, instant, blank=False, least="2m"):
        """Series with numbers in them and what went wrong; ``blank``: those of NaN too, for a row is shown for them.

        ``least`` is the target's least time between points, from which Grafana makes its intervals.
        """
        least = int(least[:-1]) * _SECONDS[least[-1]]
        step = max(least, self.length // 400)
        start = None if instant else self.end - self.length // step * step
        filled = {**self.filled, "__interval": f"{step}s", "__rate_interval": f"{max(30, least + 1)}s"}
        try:
            found = ask(self.server, substitute(expression, filled), self.end, start, step)
        except ValueError as error:
            return [], str(error)
        return [(labels, numbers) for labels, numbers in found if blank or not all(map(math.isnan, numbers))], None

    def _panel(self, panel):
        title, labels_of = panel["title"], {}
        for target in panel["targets"]:
            how = {"instant": target["instant"], "least": target.get("interval", "2m")}
            result, fault = self._run(target["expr"], blank=target.get("format") == "table", **how)
            ref = target["refId"]
            labels_of[ref] = {name for labels, _ in result for name in labels}
            if self.bare:
                labels_of[ref] |= {name for names in NAMED.findall(target["expr"]) for name in names.split(", ")}
            if fault:
                yield f"{title} {ref}: {fault}"
            elif not result:
                self.empty.add(title)
            for name in LEGEND.findall(target.get("legendFormat", "")):
                if not all(labels.get(name) for labels, _ in result):
                    yield f"{title} {ref}: the legend's {name} is no label of every series"
        if title not in self.empty:
            yield from self._columns(panel, labels_of)

    def _columns(self, panel, labels_of):
        shown = None
        for step in panel.get("transformations", ()):
            if step["id"] == "organize":
                names = fields(panel, labels_of)
                renamed = step["options"]["renameByName"]
                asked = set(step["options"].get("includeByName") or renamed)
                if missing := asked - names:
                    yield f"{panel['title']}: no field {sorted(missing)}, only {sorted(names)}"
                shown = {renamed.get(name, name) for name in asked}
        for override in panel["fieldConfig"]["overrides"]:
            if shown is not None and override["matcher"]["options"] not in shown:
                yield f"{panel['title']}: an override for {override['matcher']['options']}, which is not shown"
