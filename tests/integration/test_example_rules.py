"""The rule tests that come with the example configuration pass, and can fail."""

from pathlib import Path

from typer.testing import CliRunner

from bsc_monitor.cli import build_app

ROOT = Path(__file__).resolve().parents[2]


def run(file):
    return CliRunner().invoke(build_app(), ["test", str(file), "--config", str(ROOT / "config.toml")])


def test_the_example_behaves_as_its_rule_tests_say():
    result = run(ROOT / "config_test.yml")
    assert result.exit_code == 0, result.output


def test_a_wrong_expectation_is_told(tmp_path):
    wrong = tmp_path / "wrong.yml"
    wrong.write_text((ROOT / "config_test.yml").read_text().replace("exp_status: amber", "exp_status: green"))
    result = run(wrong)
    assert result.exit_code == 1
    assert "expected: green" in result.output
