"""The past as OpenMetrics with timestamps: what ``promtool tsdb create-blocks-from openmetrics`` takes."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from bsc_monitor.export.families import BY_NAME
from bsc_monitor.export.labels import kpi_labels, node_labels
from bsc_monitor.export.levels import nearest
from bsc_monitor.export.text import header, number, pairs
from bsc_monitor.model.organisation import Organisation
from bsc_monitor.model.period_value import NodePeriod, PeriodValue
from bsc_monitor.model.unit import base

_LAST = timedelta(seconds=1)  # a period's sample stands at its last second: the first one after it is the next one's

Sample = tuple[str, str, datetime, float]  # family, labels, instant, value


def history_lines(
    organisation: Organisation,
    values: Sequence[PeriodValue],
    nodes: Sequence[NodePeriod] = (),
    target: Mapping[str, str] | None = None,
) -> Iterator[bytes]:
    """The lines of the past, oldest first in each series, ended by ``# EOF``.

    Values stand in base units under the names and labels of the live exposition. ``target`` holds the labels that a
    scrape adds (``job``, ``instance``): with those of the live target one query reads both as one series. Breakdowns,
    open periods and what the organisation does not have are left out.
    """
    scraped = pairs(*zip(*target.items(), strict=True)) + "," if target else ""
    samples = [*_kpi_samples(organisation, values), *_node_samples(organisation, nodes)]
    family = ""
    for name, labels, at, value in sorted(samples):
        if name != family:
            family = name
            yield header(BY_NAME[name], openmetrics=True)
        yield f"{name}{{{scraped}{labels}}} {number(value)} {at.timestamp():.3f}\n".encode()
    yield b"# EOF\n"


def _kpi_samples(organisation: Organisation, values: Sequence[PeriodValue]) -> Iterator[Sample]:
    for each in values:
        kpi = organisation.kpis.get(each.kpi)
        if kpi is None or each.labels or each.closed_at is None:
            continue
        unit, factor = base(kpi.unit)
        labels, at = kpi_labels(kpi), each.period.end - _LAST
        valued = f"{labels},{pairs(('unit',), (unit,))}"
        target = nearest(each.thresholds.target, each.value)
        if each.value is not None:
            yield "bsc_kpi_value", valued, at, each.value * factor
        if target is not None:
            yield "bsc_kpi_target_value", valued, at, target * factor
        if each.score is not None:
            yield "bsc_kpi_score", labels, at, each.score
        yield "bsc_kpi_status_code", labels, at, each.status.code


def _node_samples(organisation: Organisation, nodes: Sequence[NodePeriod]) -> Iterator[Sample]:
    known = node_labels(organisation)
    for each in nodes:
        labels = known.get((each.kind, each.name))
        if labels is None or each.closed_at is None:
            continue
        name, at = f"bsc_{each.kind}", each.period.end - _LAST
        if each.score is not None:
            yield f"{name}_score", labels, at, each.score
        yield f"{name}_status_code", labels, at, each.status.code
        yield f"{name}_coverage_ratio", labels, at, each.coverage
