import pytest
from tests.unit.config.site import GOOD, line_of, load_text, problems_of

TEMPLATE = """
[templates.team]
parameters = ["title", "project", "goal"]
vision = "{title} delivers"
perspectives = { flow = { title = "Flow of {title}" } }
  [templates.team.objectives.steady]
  perspective = "flow"
  supports = "fast"
  [templates.team.kpis.throughput]
  objective = "steady"
  source = "itsm"
  measure = "resolved"
  params = { query = "project={project}^x={{y}}" }
  red = 3
  target = "{goal}"
  [templates.team.kpis.double]
  objective = "steady"
  formula = "throughput * 2"
  scored = false
  [templates.team.initiatives.calm]
  title = "Calm {title}"
  for = ["throughput"]
"""
PAY = """
[scorecards.pay]
parent = "it"
template = "team"
with = { title = "Payments", project = "PAY", goal = 6 }
"""


def test_a_template_is_written_out_for_a_scorecard_and_its_ids_belong_there(tmp_path):
    text = GOOD + TEMPLATE + PAY + PAY.replace("pay", "ship").replace("PAY", "SHIP").replace("Payments", "Shipping")

    organisation = load_text(tmp_path, text).organisation

    assert organisation.scorecards["pay"].title == "Payments"
    assert organisation.scorecards["pay"].vision == "Payments delivers"
    assert [view.title for view in organisation.scorecards["ship"].perspectives] == ["Flow of Shipping"]
    assert organisation.objectives["pay/steady"].supports == "it/fast"
    kpi = organisation.kpis["pay/throughput"]
    assert (kpi.objective, kpi.params) == ("pay/steady", {"query": "project=PAY^x={y}"})
    assert kpi.path.steps[0].thresholds.target == 6
    assert organisation.kpis["ship/double"].operands == {"throughput": "ship/throughput"}
    assert organisation.initiatives["ship-calm"].targets == ("ship/throughput",)
    assert kpi.place == f"{tmp_path}/config.toml:{line_of(text, 'kpis.throughput')}"


@pytest.mark.parametrize(
    ("old", "new", "needle", "key", "words"),
    [
        ("^x={{y}}", "^x={{y", "{{y", "templates.team.kpis.throughput.params.query", "'{{y' is never closed (write {parameter} for a parameter, {{ and }} for braces)"),
        ("^x={{y}}", "^x={{y}", "{{y}", "templates.team.kpis.throughput.params.query", "'{{y}' is never closed"),
        ("Calm {title}", "Calm {title", "Calm {title", "templates.team.initiatives.calm.title", "'{title' is never closed"),
        ("project={project}", "project={projct}", "projct", "templates.team.kpis.throughput.params.query", "did you mean 'project'?"),
        (", goal = 6", "", "with =", "scorecards.pay.with", "template 'team' also needs goal"),
        ("goal = 6", "goal = 6, gaol = 7", "gaol", "scorecards.pay.with.gaol", "has no such parameter"),
        ("goal = 6", 'goal = "six"', "{goal}", "templates.team.kpis.throughput.target", "expected a number"),
        ("goal = 6", "goal = 2", "red = 3", "templates.team.kpis.throughput.red", 'did you mean better = "lower"?'),
        ("red = 3\n  target", "rde = 3\n  target", "rde", "templates.team.kpis.throughput.rde", "did you mean 'red'?"),
        ('perspective = "flow"', 'perspective = "flow"\n  scorecard  = "it"', 'scorecard  = "it"', "templates.team.objectives.steady.scorecard", "belongs to the scorecard that uses it"),
    ],
)  # fmt: skip
def test_a_mistake_in_a_template_is_told_once_where_it_is_written(old, new, needle, key, words, tmp_path):
    text = GOOD + TEMPLATE.replace(old, new) + PAY.replace(old, new)
    if "goal" not in old:
        text += PAY.replace("pay", "ship")

    problems = problems_of(tmp_path, text)

    assert [problem.key for problem in problems] == [key], problems
    assert problems[0].line == line_of(text, needle)
    assert words in str(problems[0])


def test_fifty_teams_take_less_than_120_lines(tmp_path):
    teams = "".join(
        f'[scorecards.t{n}]\nparent = "it"\ntemplate = "team"\nwith = {{ title = "Team {n}", project = "P{n}", goal = 6 }}\n'
        for n in range(50)
    )
    short = "".join(
        f'scorecards.t{n} = {{ parent = "it", template = "team", with = {{ title = "Team {n}", project = "P{n}", goal = 6 }} }}\n'
        for n in range(50)
    )
    base = "\n".join(line for line in (GOOD + TEMPLATE).splitlines() if line and "scored" not in line)

    organisation = load_text(tmp_path, short + base).organisation

    assert len((short + base).splitlines()) < 120
    assert len(organisation.scorecards) == 52
    assert len(organisation.kpis) == 3 + 2 * 50
    assert load_text(tmp_path, base + "\n" + teams).organisation.kpis.keys() == organisation.kpis.keys()


@pytest.mark.parametrize(
    "query", ["rate(x{job='{project}'}[5m])", "[{]", "{{a={{b}}}}", "{{x='{project}'}}", "}}", "\\\\d{4}"]
)
def test_braces_of_query_languages_may_stand_as_they_are(query, tmp_path):
    text = GOOD + TEMPLATE.replace("project={project}^x={{y}}", query + " {project}") + PAY

    assert problems_of(tmp_path, text) == []
