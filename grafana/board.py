"""A board: its variables, its links to the other boards, and its panels put in place."""

import json
from collections.abc import Sequence
from typing import Any

from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import dashboard as model

from grafana.panels import SOURCE
from grafana.queries import CARD, JOB

SCHEMA = 39  # Grafana 10's: newer ones migrate it
ALL = model.VariableOption(text="All", value="$__all")
PREFIX = "bsc-"


def variable(name: str, label: str, query: str, description: str, *, single: bool = False) -> Any:
    """A variable whose values are asked of Prometheus."""
    made = build.QueryVariable(name).label(label).description(description).datasource(SOURCE)
    made = made.query({"query": query, "refId": f"{name}-values", "qryType": 1}).definition(query)
    made = made.refresh(model.VariableRefresh.ON_TIME_RANGE_CHANGED).sort(model.VariableSort.ALPHABETICAL_ASC)
    everything = ".+" if name == "job" else ".*"  # an alert about a source has no scorecard, and is not to be missed
    return made if single else made.multi(True).include_all(True).all_value(everything).current(ALL)


def _datasource() -> Any:
    chosen = model.VariableOption(text="Prometheus", value="bsc-prometheus")
    return build.DatasourceVariable("datasource").label("Data source").type("prometheus").current(chosen)


JOBS = variable("job", "Job", "label_values(bsc_build_info, job)", "The Prometheus job that scrapes bsc-monitor.")


def scorecards(*, single: bool = False) -> Any:
    """The variable that chooses scorecards."""
    query = f"label_values(bsc_scorecard_info{{{JOB}}}, scorecard)"
    return variable("scorecard", "Scorecard", query, "The scorecards that are shown.", single=single)


KPIS = variable("kpi", "KPI", f"label_values(bsc_kpi_info{{{CARD}}}, kpi)", "The KPI that is shown.", single=True)
PERSPECTIVES = variable(
    "perspective", "Perspective", f"label_values(bsc_perspective_status_code{{{CARD}}}, perspective)",
    "The perspectives that are shown.",
)  # fmt: skip


def board(
    uid: str, title: str, description: str, panels: Sequence[Any], variables: Sequence[Any] = (),
    annotations: Sequence[Any] = (), *, single: bool = False, since: str = "now-90d", links: bool = True,
    refresh: str = "1m",
) -> dict[str, Any]:  # fmt: skip
    """A board as the JSON that Grafana provisions."""
    made = build.Dashboard(title).uid(PREFIX + uid).description(description).tags(["bsc-monitor"]).readonly()
    made = made.time(since, "now").refresh(refresh).tooltip(model.DashboardCursorSync.CROSSHAIR)
    made = made.variables([_datasource(), JOBS, scorecards(single=single), *variables])
    made = made.annotations(list(annotations))
    if links:
        every = build.DashboardLink("Scorecard boards").type(model.DashboardLinkType.DASHBOARDS).tags(["bsc-monitor"])
        made = made.link(every.as_dropdown(True).include_vars(True).keep_time(True).icon("external link"))
    for panel in panels:
        made = made.with_panel(panel)
    read: dict[str, Any] = json.loads(JSONEncoder(sort_keys=True).encode(made.build()))
    read["schemaVersion"] = SCHEMA
    for place, panel in enumerate(read["panels"], 1):
        panel["id"] = place
        if panel["type"] == "state-timeline":  # the SDK does not know the option
            panel["fieldConfig"]["defaults"]["custom"]["spanNulls"] = True
    return read
