"""How ``status`` writes a KPI."""

import pytest

from bsc_monitor.cli.status import _kpi_line


@pytest.mark.parametrize(
    ("value", "target", "told"),
    [(1e300, 2e-9, "1 × 10³⁰⁰ h (target 2 × 10⁻⁹ h)"), (12.5, [0.0, 1e18], "12.5 h (target 0 h to 1 × 10¹⁸ h)")],
)
def test_a_value_beyond_reading_is_a_power_of_ten(value, target, told):
    kpi = {"title": "K", "unit": "h", "value": value, "target": target, "score": 5.0, "status": "red", "scored": True, "freshness": "fresh"}  # fmt: skip
    assert _kpi_line(kpi).plain.endswith(told)
