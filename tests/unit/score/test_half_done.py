"""The movement of a value while its period is still open."""

from datetime import UTC, datetime

import pytest

from bsc_monitor.model.organisation import Kpi
from bsc_monitor.model.period import Calendar, Period, PeriodKind
from bsc_monitor.model.period_value import PeriodValue
from bsc_monitor.model.status import ReadingState
from bsc_monitor.score.judge import judge

NOW = datetime(2026, 6, 15, tzinfo=UTC)


def month(number, value):
    start, end = datetime(2026, number, 1, tzinfo=UTC), datetime(2026, number + 1, 1, tzinfo=UTC)
    period = Period(start, end, PeriodKind.MONTH, f"2026-{number:02}")
    closed = None if end > NOW else end
    return PeriodValue("it/k", period, value=value, state=ReadingState.OK, observed_at=min(end, NOW), closed_at=closed)


@pytest.mark.parametrize(
    ("unit", "moved"),
    [("count", None), ("EUR", None), ("h", -0.6), ("%", -0.6)],
)
def test_half_a_months_sum_is_no_fall_on_a_whole_months_but_a_mean_is(unit, moved):
    kpi = Kpi("k", "it", "customer", "it/o", "K", unit=unit)
    found = judge(kpi, month(6, 20.0), month(5, 50.0), NOW, Calendar())
    assert found.value == 20.0
    assert found.trend == (None if moved is None else pytest.approx(moved))
