"""The metric families, from the table that the exposition itself is made from."""

from scripts.docs.markdown import code, head, table

from bsc_monitor.export.families import FAMILIES

_SCOPES = {
    "kpi": "KPIs",
    "segment": "Breakdowns, on `/metrics/segments`",
    "node": "Objectives, perspectives, scorecards",
    "strategy": "Strategy map and cascade",
    "initiative": "Initiatives",
    "alert": "Alerts and their delivery",
    "collector": "Collectors",
    "service": "The service itself",
}
_ABOUT = """
What `/metrics` and `/metrics/segments` show, as Prometheus text or OpenMetrics. Values stand in **base units** (percent as a
ratio, durations in seconds, money in major units of the currency) and say so in the label `unit`; scores stand on their scale
of 0 to 100. A series that has nothing to say is absent, never 0. The usual `process_*` and `python_*` families come beside.

See [Prometheus and Grafana](../how-to/prometheus-and-grafana.md) for how to scrape and back-fill them.
"""


def page() -> str:
    """The text of metrics.md."""
    parts = [head("Metric families", _ABOUT)]
    for scope, title in _SCOPES.items():
        rows = [
            (code(family.name), family.kind, ", ".join(map(code, family.labels)), family.help)
            for family in FAMILIES
            if family.scope == scope
        ]
        parts.append(f"\n## {title}\n\n" + table(("family", "type", "labels", "meaning"), rows))
    return "".join(parts)
