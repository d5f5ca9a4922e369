"""What the data say of the arrows of a strategy map: the changes of two objectives' KPIs, compared."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from math import fsum

from bsc_monitor.improve.about_action import Link
from bsc_monitor.improve.driver import ENOUGH, driver_of_changes
from bsc_monitor.improve.initiatives import Values
from bsc_monitor.improve.relations import Relations
from bsc_monitor.improve.series import Series, closed_series
from bsc_monitor.model.insight import NotEnoughData
from bsc_monitor.model.organisation import Kpi, Objective
from bsc_monitor.model.period import PeriodKind
from bsc_monitor.model.period_value import PeriodValue


def links(
    known: Relations,
    values: Values,
    pairs: Iterable[tuple[Objective, Objective]],
    ready: Mapping[str, Series] | None = None,
) -> list[Link]:
    """``drives`` links (cause, effect) with their evidence; ``ready`` holds series that were made of ``values`` already."""
    series = dict(ready or {})
    changes: dict[tuple[str, PeriodKind], dict[int, float]] = {}

    def changes_of(objective: Objective, kind: PeriodKind) -> dict[int, float]:
        key = (objective.name, kind)
        if key not in changes:
            kpis = [kpi for kpi in known.members[objective.name] if kpi.period is kind]
            for kpi in kpis:
                if kpi.name not in series:
                    series[kpi.name] = closed_series(values.get(kpi.name, ()))
            changes[key] = _changes(kpis, series)
        return changes[key]

    found: list[Link] = []
    for cause, effect in pairs:
        kinds = [{kpi.period for kpi in known.members.get(each.name, ())} for each in (cause, effect)]
        best, most = Link(cause, effect, None, NotEnoughData(0, ENOUGH)), -1
        for kind in sorted(kinds[0] & kinds[1]):
            first, second = changes_of(cause, kind), changes_of(effect, kind)
            if min(len(first), len(second)) > most:
                most = min(len(first), len(second))
                newest = _newest(known.members[cause.name], series, kind)
                best = Link(cause, effect, kind, driver_of_changes(first, second), newest)
        found.append(best)
    return found


def _changes(kpis: Sequence[Kpi], series: Mapping[str, Series]) -> dict[int, float]:
    """An objective's change by period: the mean of its KPIs' changes, each in units of its usual one, better upwards.

    Taken from values rather than from scores, which stand still below 0 and above 100.
    """
    parts: dict[int, list[float]] = {}
    for kpi in kpis:
        own = series[kpi.name]
        if len(own) < 2:
            continue
        good = _goodness(kpi, own)
        steps = {
            time: now - before
            for (then, before), (time, now) in pairwise(zip(own.times, good, strict=True))
            if time - then == 1
        }
        usual = fsum(abs(step) for step in steps.values()) / len(steps) if steps else 0.0
        for time, step in steps.items():
            parts.setdefault(time, []).append(step / usual if usual else 0.0)
    return {time: fsum(steps) / len(steps) for time, steps in parts.items()}


def _goodness(kpi: Kpi, own: Series) -> Sequence[float]:
    """Numbers that grow as the KPI gets better: the values, turned round, or the nearness to the middle of a band."""
    if kpi.better == "higher":
        return own.values
    if kpi.better == "lower":
        return [-value for value in own.values]
    target = own.records[-1].thresholds.target
    middle = (target[0] + target[1]) / 2 if isinstance(target, tuple) else 0.0
    return [-abs(value - middle) for value in own.values]


def _newest(kpis: Sequence[Kpi], series: Mapping[str, Series], kind: PeriodKind) -> PeriodValue | None:
    records = [series[kpi.name].records[-1] for kpi in kpis if kpi.period is kind and series[kpi.name].records]
    return max(records, key=lambda record: record.period.end, default=None)
