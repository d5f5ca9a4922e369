"""What we ask of other people's plugins is what ours keep to: ``plugin check`` over every bundled one."""

import pytest

from bsc_monitor.collect.plugins import bundled_folder
from bsc_monitor.testing import check_plugin

BUNDLED = sorted(bundled_folder().glob("*.py"))


@pytest.mark.parametrize("file", BUNDLED, ids=lambda file: file.stem)
def test_a_bundled_plugin_passes_the_check_and_every_measure_of_it_can_be_tried(file):
    findings = check_plugin(file)

    assert [finding for finding in findings if finding.level == "wrong"] == []
    assert [finding for finding in findings if "could be made up" in finding.words] == []
    assert {"loads", "blocking"} < {finding.check for finding in findings}


def test_there_are_bundled_plugins():
    assert len(BUNDLED) > 15
