"""One template, fifty teams cascading into IT and IT into the company, in a configuration of under 120 lines."""

import pytest

from bsc_monitor.cli.frame import load_all

HEAD = """
[sources.jira]
plugin = "jira"
url = "https://acme.atlassian.net"
email = "bsc@example.com"
token = { file = "token" }

[scorecards.company]
[objectives.win-trust]
scorecard = "company"
perspective = "customer"

[scorecards.it]
parent = "company"
[objectives.deliver]
scorecard = "it"
perspective = "internal_process"
supports = "company/win-trust"

[templates.team]
parameters = ["title", "jira_project"]
  [templates.team.objectives.flow]
  perspective = "internal_process"
  title = "Steady flow of {title}"
  supports = "it/deliver"
  [templates.team.objectives.quality]
  perspective = "customer"
  title = "Few faults"
  supports = "it/deliver"
  [templates.team.kpis.throughput]
  objective = "flow"
  source = "jira"
  measure = "throughput"
  params = { project = "{jira_project}" }
  red = 3
  target = 6
  [templates.team.kpis.defects]
  objective = "quality"
  source = "jira"
  measure = "escaped_defects"
  params = { project = "{jira_project}", jql = "labels = production" }
  better = "lower"
  red = 6
  target = 2

[scorecards]
"""


def text():
    teams = [
        f'team-{n} = {{ parent = "it", template = "team", with = {{ title = "Team {n}", jira_project = "T{n}" }} }}'
        for n in range(50)
    ]
    # TOML opens a table once: scorecards of the head move into it
    head = HEAD.replace("[scorecards.company]\n", "").replace('[scorecards.it]\nparent = "company"\n', "")
    return head + 'company = {}\nit = { parent = "company" }\n' + "\n".join(teams) + "\n"


@pytest.fixture
def organisation(tmp_path):
    (tmp_path / "token").write_text("x")
    (tmp_path / "config.toml").write_text(text())
    return load_all(tmp_path / "config.toml")[0].organisation


def test_it_takes_under_120_lines():
    assert len(text().strip().splitlines()) < 120


def test_every_team_has_its_own_scorecard_of_the_template(organisation):
    assert len(organisation.scorecards) == 52
    assert organisation.kpis["team-7/throughput"].params == {"project": "T7"}
    assert organisation.objectives["team-7/flow"].title == "Steady flow of Team 7"


def test_every_team_cascades_into_it_and_it_into_the_company(organisation):
    supports = [each.supports for each in organisation.objectives.values() if each.scorecard.startswith("team-")]
    assert supports == ["it/deliver"] * 100
    assert organisation.objectives["it/deliver"].supports == "company/win-trust"


def test_one_team_that_improves_moves_the_company(organisation):
    from datetime import UTC, datetime

    from bsc_monitor.model.reading import KpiReading
    from bsc_monitor.score.scoring import Scoring

    now = datetime(2026, 6, 15, tzinfo=UTC)
    scoring = Scoring(organisation, now)
    readings = [KpiReading(name, now, 4.0) for name in organisation.kpis]
    scoring.take(readings, now, lambda *_: ())
    before = scoring.nodes["scorecard", "company"].score
    changes = scoring.take([KpiReading("team-7/throughput", now, 8.0)], now, lambda *_: ())
    assert scoring.nodes["scorecard", "company"].score > before
    touched = {node.name for node, _ in changes.nodes}
    assert {"team-7", "it/deliver", "it", "company/win-trust", "company"} <= touched
    assert not any(name.startswith("team-8") for name in touched)
