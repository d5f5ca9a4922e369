"""backfill, as a person uses it while no service runs."""

from datetime import UTC, datetime, timedelta

import pytest
import typer
from tests.servers import free_port
from typer.testing import CliRunner

from bsc_monitor.cli import backfill

CONFIG = """
[service]
listen = "127.0.0.1:PORT"
database = "sqlite:///bsc.db"
[sources.sheet]
plugin = "table_file"
path = "t.csv"
[scorecards.it]
perspectives = { customer = {} }
[objectives.o]
scorecard = "it"
perspective = "customer"
[kpis.hours]
objective = "o"
source = "sheet"
measure = "column"
params = { column = "hours", date = "day" }
better = "lower"
target = 4
red = 8
"""


@pytest.fixture
def run(tmp_path):
    (tmp_path / "config.toml").write_text(CONFIG.replace("PORT", str(free_port())))
    (tmp_path / "t.csv").write_text("day,hours\n2026-01-03,5\n")
    app = typer.Typer()
    backfill.register(app)

    def call(verb, subject, day, code):
        words = [verb, subject, "--from", f"{day:%Y-%m-%d}", "--config", str(tmp_path / "config.toml")]
        result = CliRunner().invoke(app, words)
        assert result.exit_code == code, result.output
        return " ".join(result.output.replace("│", " ").split())

    return call


@pytest.mark.parametrize(("verb", "subject"), [("backfill", "sheet"), ("rescore", "it")])
def test_a_day_that_is_still_to_come_is_refused(run, verb, subject, tmp_path):
    day = datetime.now(UTC) + timedelta(days=2)
    assert f"{day:%Y-%m-%d} is still to come: name a day that has begun" in run(verb, subject, day, 2)
    assert not (tmp_path / "bsc.db").exists()


def test_that_nothing_is_left_to_collect_is_said(run):
    today = datetime.now(UTC)
    assert f"Nothing is left to collect: no period has ended since {today:%Y-%m-%d}" in run(
        "backfill", "sheet", today, 0
    )
    assert "Nothing is left" not in run("backfill", "sheet", today - timedelta(days=40), 0)
    assert "Nothing is left" in run("backfill", "sheet", today - timedelta(days=40), 0)
