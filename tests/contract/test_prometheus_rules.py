"""The shipped rules and configurations, judged by promtool and amtool, and against the table of families."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from bsc_monitor.export.families import BY_NAME

FOLDER = Path(__file__).parents[2] / "prometheus"
pytestmark = pytest.mark.skipif(
    shutil.which("promtool") is None or shutil.which("amtool") is None, reason="Debian's prometheus is not installed"
)


def check(*command):
    done = subprocess.run(command, cwd=FOLDER, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_promtool_accepts_rules_and_scrape_configuration_and_the_rules_do_what_they_say():
    check("promtool", "check", "rules", "--lint-fatal", "recording_rules.yml", "alert_rules.yml")
    check("promtool", "check", "config", "prometheus.yml")
    check("promtool", "test", "rules", "rules_test.yml")


def test_amtool_accepts_the_example_of_alertmanager():
    check("amtool", "check-config", "alertmanager.yml")


def test_a_rule_that_asks_for_another_threshold_fails_the_rules_own_tests(tmp_path):
    shutil.copytree(FOLDER, tmp_path / "rules")
    rules = tmp_path / "rules" / "alert_rules.yml"
    rules.write_text(rules.read_text().replace("bsc_kpi_status_code == 3", "bsc_kpi_status_code == 2"))
    done = subprocess.run(["promtool", "test", "rules", "rules_test.yml"], cwd=rules.parent, capture_output=True)
    assert done.returncode != 0


@pytest.mark.parametrize("name", ["recording_rules.yml", "alert_rules.yml"])
def test_rules_name_only_families_that_exist_and_alerts_have_a_runbook(name):
    for group in yaml.safe_load((FOLDER / name).read_text())["groups"]:
        for rule in group["rules"]:
            assert set(re.findall(r"(?<![:\w])bsc_\w+", rule["expr"])) <= BY_NAME.keys()
            if "alert" in rule:
                assert rule["annotations"]["runbook_url"] == "prometheus/RUNBOOKS.md#" + rule["alert"].lower()
                assert f"\n## {rule['alert']}\n" in (FOLDER / "RUNBOOKS.md").read_text()


def test_every_rule_is_exercised_by_the_rules_own_tests():
    tested = (FOLDER / "rules_test.yml").read_text()
    for name in ("recording_rules.yml", "alert_rules.yml"):
        for group in yaml.safe_load((FOLDER / name).read_text())["groups"]:
            for rule in group["rules"]:
                assert rule.get("alert", rule.get("record")) in tested
