"""The ``git`` collector on this project's own repository, against what ``git`` itself counts."""

import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bsc_monitor.collect.live import open_source
from bsc_monitor.collect.plugins import find_plugins
from bsc_monitor.collect.run import run_measure
from bsc_monitor.collect.streams import TransientRecords
from bsc_monitor.model.period import Calendar, Period
from bsc_monitor.model.source import Source

ROOT = Path(__file__).parents[3]


def commits_by_git() -> int:
    command = ["git", "-C", str(ROOT), "rev-list", "--count", "--no-merges", "HEAD"]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


async def test_commits_of_this_repository_are_those_that_git_counts():
    if not (ROOT / ".git").exists():
        pytest.skip("not run in a clone")
    cls = find_plugins([], with_entry_points=False).collectors["git"]
    live = open_source(Source("s", "git", cls.Config(path=ROOT)), cls)
    now = datetime.now(UTC)
    period = Period(datetime(2000, 1, 1, tzinfo=UTC), now)
    result = await run_measure(
        live, "commits", {}, period=period, now=now, calendar=Calendar(), records=TransientRecords()
    )
    assert result.error is None, result.error
    assert result.readings[0].value == commits_by_git()
    await live.client.close()
