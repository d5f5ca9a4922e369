"""``plugin new`` and ``plugin docs``; the reference of the bundled collectors is in step with them."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bsc_monitor.cli import build_app
from bsc_monitor.cli.plugin_docs import described, pages
from bsc_monitor.collect.plugins import find_plugins
from bsc_monitor.testing import check_plugin

RUNNER = CliRunner(env={"COLUMNS": "200"})
REFERENCE = Path(__file__).resolve().parents[3] / "docs" / "reference" / "plugins"
FOUND = find_plugins([], with_entry_points=False)


def test_the_reference_says_what_the_collectors_are_today():
    made = pages(FOUND)
    kept = {file.name: file.read_text() for file in REFERENCE.glob("*.md")}
    stale = sorted(name for name in made.keys() | kept.keys() if made.get(name) != kept.get(name))
    assert not stale, "run: bsc-monitor plugin docs --out docs/reference/plugins"


@pytest.mark.parametrize("name", sorted(FOUND.bundled))
def test_every_measure_of_a_bundled_collector_says_what_it_computes(name):
    told = described(FOUND.collectors[name])
    assert told["text"]
    assert not [measure["name"] for measure in told["measures"] if not measure["text"]]


def test_what_new_writes_is_right_at_once_and_its_own_test_passes(tmp_path):
    app = build_app()
    made = RUNNER.invoke(app, ["plugin", "new", "time_sheets", "--folder", str(tmp_path / "p")])
    assert made.exit_code == 0, made.output
    assert {finding.level for finding in check_plugin(tmp_path / "p" / "time_sheets.py")} == {"ok"}
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path / "p" / "tests")],
        capture_output=True, text=True, cwd=tmp_path, timeout=120,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "5 passed" in ran.stdout


def test_new_overwrites_nothing_and_takes_no_odd_name(tmp_path):
    app = build_app()
    arguments = ["plugin", "new", "gitea", "--folder", str(tmp_path)]
    assert RUNNER.invoke(app, arguments).exit_code == 0
    again = RUNNER.invoke(app, arguments)
    assert again.exit_code == 2
    assert "nothing was written" in " ".join(again.output.replace("│", " ").split())
    assert RUNNER.invoke(app, ["plugin", "new", "../evil"]).exit_code == 2


def test_docs_prints_markdown_or_json_of_a_collector_or_a_file(tmp_path):
    app = build_app()
    shown = RUNNER.invoke(app, ["plugin", "docs", "http_json"])
    assert shown.exit_code == 0, shown.output
    assert shown.output.strip() == (REFERENCE / "http_json.md").read_text().strip()
    told = json.loads(RUNNER.invoke(app, ["plugin", "docs", "jira", "--json"]).output)
    assert {"cycle_time", "throughput"} <= {measure["name"] for measure in told["measures"]}
    RUNNER.invoke(app, ["plugin", "new", "gitea", "--folder", str(tmp_path)])
    assert "# `gitea`" in RUNNER.invoke(app, ["plugin", "docs", str(tmp_path / "gitea.py")]).output
    assert "there is no" in " ".join(RUNNER.invoke(app, ["plugin", "docs", "nothing"]).output.replace("│", " ").split())
