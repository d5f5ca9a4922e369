"""The few panels that all boards are made of, with the SDK's defaults put right."""

from collections.abc import Mapping, Sequence
from typing import Any

from grafana_foundation_sdk.builders import (
    bargauge,
    common,
    nodegraph,
    prometheus,
    stat,
    statetimeline,
    table,
    timeseries,
)
from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.models import common as model
from grafana_foundation_sdk.models import dashboard
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from grafana.looks import NO_DATA, UNKNOWN, by_steps, fixed, steps

SOURCE = model.DataSourceRef(type_val="prometheus", uid="${datasource}")

Target = prometheus.Dataquery
Steps = Sequence[tuple[float | None, str]]


def _query(expression: str, ref: str) -> Target:
    return prometheus.Dataquery().datasource(SOURCE).expr(expression).ref_id(ref)


def now(expression: str, legend: str = "__auto", ref: str = "A") -> Target:
    """What is true at the end of the shown time."""
    return _query(expression, ref).instant().legend_format(legend)


def over(expression: str, legend: str = "__auto", ref: str = "A", step: str = "") -> Target:
    """What was true over the shown time. ``step`` is the least time between two points, and that a rate is taken over."""
    made = _query(expression, ref).range().legend_format(legend)
    step = step or ("2m" if "$__interval" in expression else "")  # wider than any scrape interval
    return made.interval(step) if step else made


def rows(expression: str, ref: str = "A") -> Target:
    """What is true at the end of the shown time, as rows: a column for each label and one for the value."""
    return _query(expression, ref).instant().format(PromQueryFormat.TABLE)


def _common(panel: Any, title: str, description: str, targets: Sequence[Target], width: int, height: int) -> Any:
    panel = panel.title(title).description(description).datasource(SOURCE).span(width).height(height)
    return panel.targets(list(targets))


def tiles(
    title: str, description: str, *targets: Target, unit: str = "short", width: int = 6, height: int = 4,
    mappings: Sequence[Any] = (), colors: Steps = (), spark: bool = False, link: tuple[str, str] | None = None,
    decimals: int = 0, empty: str = NO_DATA, big: bool = False,
) -> Any:  # fmt: skip
    """Big numbers or words, one for each series. Colours come with words (``mappings``) or with thresholds."""
    panel = _common(stat.Panel(), title, description, targets, width, height)
    panel = panel.unit(unit).decimals(decimals).no_value(empty).mappings(list(mappings) or [UNKNOWN])
    panel = panel.reduce_options(
        common.ReduceDataOptions().calcs(["lastNotNull"] if not spark else ["last"]).values(False)
    )
    panel = panel.graph_mode(model.BigValueGraphMode.AREA if spark else model.BigValueGraphMode.NONE)
    panel = panel.text_mode(model.BigValueTextMode.AUTO)
    if mappings or colors:
        panel = panel.color_mode(
            model.BigValueColorMode.BACKGROUND_SOLID if big else model.BigValueColorMode.BACKGROUND
        )
        panel = panel.color_scheme(by_steps()).thresholds(steps(*(colors or ((None, "blue"),))))
    else:
        panel = panel.color_mode(model.BigValueColorMode.NONE).color_scheme(fixed("blue"))
    if link:
        panel = panel.data_links([build.DashboardLink(link[0]).url(link[1])])
    return panel


def lines(
    title: str, description: str, *targets: Target, unit: str = "short", width: int = 12, height: int = 8,
    low: float | None = None, high: float | None = None, stairs: bool = False,
    styles: Mapping[str, Sequence[dashboard.DynamicConfigValue]] | None = None, empty: str = NO_DATA,
) -> Any:  # fmt: skip
    """Lines over time. ``stairs``: each value holds until the next, as a score does."""
    panel = _common(timeseries.Panel(), title, description, targets, width, height).unit(unit).no_value(empty)
    panel = panel.line_width(2).fill_opacity(0).show_points(model.VisibilityMode.AUTO).span_nulls(True)
    panel = panel.line_interpolation(model.LineInterpolation.STEP_AFTER if stairs else model.LineInterpolation.LINEAR)
    panel = panel.legend(
        common.VizLegendOptions().display_mode(model.LegendDisplayMode.TABLE).placement(model.LegendPlacement.BOTTOM)
        .show_legend(True).calcs(["lastNotNull"])
    ).tooltip(common.VizTooltipOptions().mode(model.TooltipDisplayMode.MULTI).sort(model.SortOrder.DESCENDING))  # fmt: skip
    if low is not None:
        panel = panel.min(low)
    if high is not None:
        panel = panel.max(high)
    for name, properties in (styles or {}).items():
        panel = panel.override_by_name(name, list(properties))
    return panel


def timeline(
    title: str, description: str, target: Target, mappings: Sequence[Any], width: int = 12, height: int = 8
) -> Any:
    """States over time, in words."""
    panel = _common(statetimeline.Panel(), title, description, [target], width, height)
    panel = panel.unit("short").no_value(NO_DATA).mappings(list(mappings)).color_scheme(by_steps())
    panel = panel.thresholds(steps((None, "#8e8e8e"))).merge_values(True).show_value(model.VisibilityMode.AUTO)
    return panel.legend(
        common.VizLegendOptions().display_mode(model.LegendDisplayMode.LIST).placement(model.LegendPlacement.BOTTOM)
        .show_legend(False).calcs([])
    ).row_height(0.85)  # fmt: skip


def bars(
    title: str, description: str, target: Target, unit: str = "short", width: int = 12, height: int = 8,
    high: float | None = None, empty: str = NO_DATA,
) -> Any:  # fmt: skip
    """A horizontal bar for each series."""
    panel = _common(bargauge.Panel(), title, description, [target], width, height).unit(unit).no_value(empty)
    panel = panel.orientation(model.VizOrientation.HORIZONTAL).display_mode(model.BarGaugeDisplayMode.BASIC)
    panel = panel.value_mode(model.BarGaugeValueMode.TEXT).color_scheme(fixed("blue")).min(0)
    panel = panel.reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]).values(False))
    return panel if high is None else panel.max(high)


def listing(
    title: str, description: str, *targets: Target, columns: Mapping[str, str],
    styles: Mapping[str, Sequence[dashboard.DynamicConfigValue]] | None = None, width: int = 24, height: int = 9,
    sort: str = "", descending: bool = True, empty: str = NO_DATA, spark: bool = False, unit: str = "short",
    tall: bool = False,
) -> Any:  # fmt: skip
    """Rows joined from several queries by the labels that they share.

    ``columns`` names and orders what is shown: field → heading. Of several queries the value fields are ``Value #ref``,
    of a single one ``Value``; sparklines (``spark``) come from range queries, as ``Trend #ref``.
    """
    built = [target.build() for target in targets]
    names = {str(target.ref_id) for target in built}
    panel = _common(table.Panel(), title, description, targets, width, height).unit(unit).no_value(empty)
    panel = panel.cell_height(model.TableCellHeight.LG if tall else model.TableCellHeight.SM)
    if spark:
        panel = panel.with_transformation(dashboard.DataTransformerConfig("timeSeriesTable", options={}))
    if len(names) > 1:
        panel = panel.with_transformation(dashboard.DataTransformerConfig("merge", options={}))
    panel = panel.with_transformation(
        dashboard.DataTransformerConfig(
            "organize",
            options={
                "includeByName": dict.fromkeys(columns, True),
                "indexByName": {name: place for place, name in enumerate(columns)},
                "excludeByName": {"Time": True},
                "renameByName": {name: heading for name, heading in columns.items() if name != heading},
            },
        )
    )
    for name, properties in (styles or {}).items():
        panel = panel.override_by_name(name, list(properties))
    if sort:
        panel = panel.sort_by([common.TableSortByFieldState().display_name(sort).desc(descending)])
    return panel


def graph(title: str, description: str, nodes: str, edges: str, valued: Sequence[str], width: int, height: int) -> Any:
    """Nodes and edges. Their labels have the names that the node graph looks for; the values of ``valued`` become ``mainstat``.

    A renamed column would not do: Grafana renames what is displayed, and the node graph reads what is beneath.
    """
    panel = _common(nodegraph.Panel(), title, description, [rows(nodes, "nodes"), rows(edges, "edges")], width, height)
    options = {
        "mode": "reduceRow",
        "alias": "mainstat",
        "reduce": {"include": [f"Value #{ref}" for ref in valued], "reducer": "lastNotNull"},
        "replaceFields": False,
        "timeSeries": False,  # or the two frames would be joined on their time
    }
    frames = dashboard.MatcherConfig("byRefId", f"/^({'|'.join(valued)})$/")
    panel = panel.with_transformation(
        dashboard.DataTransformerConfig("calculateField", filter_val=frames, options=options)
    )
    numbers = [{"targetField": name, "destinationType": "number"} for name in ("fixedX", "fixedY")]
    panel = panel.with_transformation(
        dashboard.DataTransformerConfig("convertFieldType", options={"conversions": numbers, "fields": {}})
    )
    return panel.unit("short").decimals(1).no_value(NO_DATA).mappings([UNKNOWN])
