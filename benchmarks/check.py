"""`bsc-monitor check` of 10,000 KPIs: processor seconds, start of the interpreter included, beside Python's own reader.

Written out KPI by KPI (1.9 MB), and as one template of 80 KPIs that 125 teams use. Under 2 s is the goal for each.
"""

import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

KPIS, GOALS, EACH = 10_000, 8, 10
VIEWS = ("financial", "customer", "internal_process", "learning_growth")
RUNS = 5
HEAD = """
[service]
timezone = "Europe/Berlin"
[sources.jira]
plugin = "jira"
url = "https://acme.atlassian.net"
email = "bsc@example.com"
token = { env = "BENCH_TOKEN" }
every = "15m"
"""
GOAL = '[{table}]\n{scorecard}perspective = "{view}"\nsupports = "company/top-{view}"\ntitle = "Objective {number}"\n'
KPI = """[{table}]
objective = "{objective}"
title = "Throughput {number} of {team}"
source = "jira"
measure = "throughput"
params = {{ project = "{project}", jql = "labels = l{number}" }}
red = 3
target = 6
owner = "owner-{number}@example.com"
"""


def company():
    """What the teams support."""
    tops = (f'[objectives.top-{view}]\nscorecard = "company"\nperspective = "{view}"\n' for view in VIEWS)
    return HEAD + "[scorecards.company]\n" + "".join(tops)


def team(goals, kpis, *, scorecard, project, name, prefix=""):
    """Eight objectives of ten KPIs."""
    for goal in range(GOALS):
        yield GOAL.format(
            table=f"{goals}.{prefix}o{goal}", scorecard=scorecard, view=VIEWS[goal % len(VIEWS)], number=goal
        )
        for number in range(EACH):
            yield KPI.format(
                table=f"{kpis}.{prefix}k{goal}-{number}",
                objective=f"{prefix}o{goal}",
                number=number,
                team=name,
                project=project,
            )


def written_out():
    """Every KPI by itself."""
    text = [company()]
    for number in range(KPIS // GOALS // EACH):
        text.append(f'[scorecards.team-{number}]\nparent = "company"\n')
        card = f'scorecard = "team-{number}"\n'
        text += team("objectives", "kpis", scorecard=card, project=f"T{number}", name=number, prefix=f"t{number}-")
    return "".join(text)


def from_a_template():
    """The same KPIs for every team."""
    text = [company(), '[templates.team]\nparameters = ["title", "project"]\n']
    text += team("templates.team.objectives", "templates.team.kpis", scorecard="", project="{project}", name="{title}")
    for number in range(KPIS // GOALS // EACH):
        given = f'{{ title = "Team {number}", project = "T{number}" }}'
        text.append(f'[scorecards.team-{number}]\nparent = "company"\ntemplate = "team"\nwith = {given}\n')
    return "".join(text)


def spent(*command):
    """Processor seconds of a process, at best."""
    took = []
    for _ in range(RUNS):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        took.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(took)


def main():
    os.environ["BENCH_TOKEN"] = "not-a-token"
    check = (sys.executable, "-m", "bsc_monitor", "check", "--config")
    read = "import sys, tomllib; tomllib.load(open(sys.argv[1], 'rb'))"
    with tempfile.TemporaryDirectory() as folder:
        for name, text in (
            ("one KPI", written_out().partition("[kpis.t0-k0-1]")[0]),
            ("10,000 KPIs, each written out", written_out()),
            ("10,000 KPIs from one template", from_a_template()),
        ):
            file = Path(folder) / "config.toml"
            file.write_text(text)
            reading, checking = spent(sys.executable, "-c", read, str(file)), spent(*check, str(file))
            print(
                f"{name:30} {len(text) / 1e6:5.2f} MB   check {checking:5.2f} s   tomllib alone {reading:5.2f} s   "
                f"{checking / reading:5.1f} ×"
            )


if __name__ == "__main__":
    main()
