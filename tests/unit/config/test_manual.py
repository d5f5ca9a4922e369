"""KPIs whose values people enter."""

import pytest
from tests.unit.config.site import GOOD, load_text

from bsc_monitor.config import ConfigError

MANUAL = """
[kpis.audit]
objective = "happy"
source = "manual"
red = 1
target = 2
"""


def test_values_entered_by_hand_need_no_source_table_and_no_schedule(tmp_path):
    configuration = load_text(tmp_path, GOOD + MANUAL)

    kpi = configuration.organisation.kpis["it/audit"]
    assert (kpi.source, kpi.measure, kpi.stale_after) == ("manual", None, None)
    assert configuration.warnings == ()


@pytest.mark.parametrize("line", ['measure = "value"', "params = { a = 1 }", 'by = ["team"]', 'every = "1h"'])
def test_nobody_is_asked_for_values_entered_by_hand(tmp_path, line):
    with pytest.raises(ConfigError, match="entered by hand") as caught:
        load_text(tmp_path, GOOD + MANUAL + line + "\n")
    assert len(caught.value.problems) == 1
