"""The sandbox's FOCUS export: what of it is written again, and what is never touched."""

from datetime import UTC, date, datetime

import pytest

from bsc_monitor.sandbox.cloud.focus_export import write
from bsc_monitor.sandbox.company.cost import ledger

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)


def export(folder, since=date(2026, 3, 1), now=NOW):
    return write(ledger(1, lambda: now, since), folder)


def test_only_what_changed_is_written_again_and_what_no_longer_is_goes(tmp_path):
    export(tmp_path, date(2026, 3, 1))
    before = {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    export(tmp_path, date(2026, 3, 1), NOW.replace(hour=13))
    after = {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    assert {name for name in after if after[name] != before[name]} == {"AWS-2026-06.csv", "Microsoft-2026-06.csv"}
    export(tmp_path, date(2026, 5, 1))
    assert {path.name for path in tmp_path.iterdir() if "AWS" in path.name} == {"AWS-2026-05.csv", "AWS-2026-06.csv"}


@pytest.mark.parametrize("name", ["invoice.csv", "AWS-2026-01.csv"])
def test_a_folder_with_somebodys_own_export_is_left_alone(tmp_path, name):
    (tmp_path / name).write_text("mine")
    with pytest.raises(ValueError, match=rf"{name}, which is not the sandbox's"):
        export(tmp_path)
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [(name, "mine")]
