"""``bsc-monitor export`` on the command line."""

import json

import pytest
import typer
from tests.unit.export.test_tables import JUNE, NOW, organisation
from typer.testing import CliRunner

from bsc_monitor.cli.export import Past, Present, Tools, register
from bsc_monitor.model.period_value import PeriodValue


@pytest.fixture
def invoke():
    asked = []

    def past(config, since):
        asked.append(since)
        return Past(organisation(), [PeriodValue("it/mttr", JUNE, value=4.0, closed_at=NOW)], [])

    app = typer.Typer()
    register(app, Tools(lambda config: Present(organisation(), {}, []), past))

    def run(*words):
        return CliRunner().invoke(app, ["export", *map(str, words)]), asked

    return run


def test_openmetrics_carries_the_labels_of_the_scraped_target(invoke):
    done, asked = invoke("openmetrics", "--from", "2026-01-01", "--instance", "bsc:9877")
    assert done.exit_code == 0, done.output
    assert 'bsc_kpi_value{job="bsc-monitor",instance="bsc:9877",scorecard="it"' in done.stdout
    assert done.stdout.endswith("# EOF\n")
    assert asked[0].isoformat() == "2026-01-01T00:00:00+00:00"


def test_tables_hold_the_present_or_the_history(invoke, tmp_path):
    assert [row["kind"] for row in json.loads(invoke("json")[0].stdout)][-1] == "kpi"
    assert [row["period"] for row in json.loads(invoke("json", "--history")[0].stdout)] == ["2026-06"]
    done, _ = invoke("xlsx", "-o", tmp_path / "now.xlsx")
    assert done.exit_code == 0, done.output
    assert (tmp_path / "now.xlsx").read_bytes()[:2] == b"PK"
    assert invoke("csv")[0].stdout.startswith("kind,scorecard,")


def test_a_file_that_cannot_be_written_is_told_in_words(invoke, tmp_path):
    done, _ = invoke("csv", "-o", tmp_path / "missing" / "now.csv")
    assert done.exit_code == 2
    assert "cannot be written: No such file or directory" in " ".join(done.output.replace("│", " ").split())


def test_help_shows_an_example(invoke):
    for verb in ("openmetrics", "csv", "json", "xlsx"):
        assert "Example: bsc-monitor export" in invoke(verb, "--help")[0].stdout
