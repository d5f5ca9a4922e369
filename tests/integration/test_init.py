"""``bsc-monitor init`` as a person answers it, against a Jira that answers as Jira does."""

import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bsc_monitor.cli import build_app
from bsc_monitor.cli.frame import load_all


@pytest.fixture(scope="module")
def jira():
    command = [sys.executable, "-m", "bsc_monitor", "sandbox", "--port", "0", "--until-eof"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    for line in process.stdout:
        if line.startswith("Jira "):
            yield line.split()[1]
            break
    process.stdin.close()
    process.stdout.close()
    process.wait(15)


def answer(folder, *lines):
    return CliRunner().invoke(build_app(), ["init", str(folder)], input="\n".join(lines) + "\n")


def test_from_nothing_to_a_configuration_that_loads_and_runs(jira, tmp_path):
    account = (jira, "demo@example.com", "", "demo")
    result = answer(tmp_path / "card", "Our IT", "Europe/Vienna", "jira", *account, "throughput, cycle-time", "SHOP")
    assert result.exit_code == 0, result.output
    configuration, _ = load_all(tmp_path / "card" / "config.toml")
    assert {kpi.measure for kpi in configuration.organisation.kpis.values()} == {"throughput", "cycle_time"}
    assert configuration.organisation.scorecards["it"].title == "Our IT"
    assert all("has no objective" in warning.message for warning in configuration.warnings)


def test_the_secret_stands_in_a_file_of_its_own_that_nobody_else_can_read(jira, tmp_path):
    answer(tmp_path, "IT", "UTC", "jira", jira, "demo@example.com", "", "demo", "throughput", "SHOP")
    secret = tmp_path / "secrets" / "jira-token"
    assert secret.read_text() == "demo"
    assert secret.stat().st_mode & 0o077 == 0
    assert 'token = { file = "secrets/jira-token" }' in (tmp_path / "config.toml").read_text()


def test_wrong_credentials_are_told_in_words_and_can_be_given_again(jira, tmp_path):
    wrong, right = (jira, "demo@example.com", "", "nonsense"), (jira, "demo@example.com", "", "demo")
    result = answer(tmp_path, "IT", "UTC", "jira", *wrong, "y", *right, "throughput", "SHOP")
    assert result.exit_code == 0, result.output
    assert "401" in result.output
    assert "nonsense" not in result.output


def test_a_time_zone_that_there_is_not_is_asked_for_again_with_the_one_that_was_meant(jira, tmp_path):
    account = (jira, "demo@example.com", "", "demo")
    result = answer(tmp_path, "IT", "Mars", "vienna", "Europe/Vienna", "jira", *account, "throughput", "SHOP")
    assert result.exit_code == 0, result.output
    assert "'Mars' is no time zone; write it as Europe/Berlin or UTC" in result.output.replace("\n", " ")
    assert "'vienna' is no time zone; did you mean 'Europe/Vienna'?" in result.output.replace("\n", " ")
    assert 'timezone = "Europe/Vienna"' in (tmp_path / "config.toml").read_text()


def test_a_configuration_that_is_there_is_not_written_over(tmp_path):
    Path(tmp_path / "config.toml").write_text("# mine")
    result = answer(tmp_path)
    assert result.exit_code == 1
    assert (tmp_path / "config.toml").read_text() == "# mine"
