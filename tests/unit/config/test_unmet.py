"""What is said of conditions on labels that nothing meets."""

import pytest

from bsc_monitor.alert.defaults import effective_rules
from bsc_monitor.config.unmet import unmet
from bsc_monitor.model.alert import AlertRule, Matcher
from bsc_monitor.model.organisation import (
    Initiative,
    Kpi,
    LiveProgress,
    Objective,
    Organisation,
    Perspective,
    Scorecard,
)

SITE = Organisation(
    {
        "it": Scorecard("it", "IT", owner="cio", perspectives=(Perspective("customer", "it", "Customer"),)),
        "hr": Scorecard("hr", "HR"),
    },
    {"it/restore": Objective("restore", "it", "customer", "Restore")},
    {
        "it/mttr": Kpi(
            "mttr", "it", "customer", "it/restore", "MTTR", source="itsm", measure="resolution", owner="ada"
        ),
        "it/csat": Kpi("csat", "it", "customer", "it/restore", "CSAT"),
    },
    {"swarm": Initiative("swarm", "Swarm", ("it/mttr",), progress=LiveProgress("jira", "epic"))},
)
RULES = effective_rules({"kpi-red": AlertRule("kpi-red", "breach", severity="critical", labels={"team": "ops"})})


def said(*conditions):
    return unmet([Matcher(*each) for each in conditions], SITE, RULES)


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        (("kpi", "=", "mtttr"), "nothing is called 'mtttr' now; did you mean 'mttr'?"),
        (("kpi", "=", "it/mttr"), "nothing is called 'it/mttr' now; did you mean 'mttr'?"),
        (("kpi", "!=", "mtttr"), "nothing is called 'mtttr' now; did you mean 'mttr'?"),
        (("scorecard", "=", "sales"), "nothing is called 'sales' now; there is hr, it"),
        (("kpi", "=~", "x.*"), "nothing is called as 'x.*' says now; there is csat, mttr"),
        (("alertname", "=", "kpi-rod"), "nothing is called 'kpi-rod' now; did you mean 'kpi-red'?"),
        (("severity", "=", "critcal"), "nothing has the severity 'critcal' now; did you mean 'critical'?"),
        (("owner", "=", "bob"), "nothing has the owner 'bob' now; there is ada, cio"),
        (("kpis", "=", "mttr"), "no alert has a label 'kpis'; did you mean 'kpi'?"),
        (("team", "=", "opps"), "nothing is called 'opps' now; did you mean 'ops'?"),
    ],
)
def test_a_condition_that_nothing_meets_is_said_with_what_was_probably_meant(condition, words):
    assert said(condition) == [words]


@pytest.mark.parametrize(
    "condition",
    [
        ("kpi", "=", "mttr"), ("kpi", "=~", "m.*"), ("kpi", "!=", "mttr"), ("kpi", "!~", "m.*"), ("source", "=", "jira"),
        ("measure", "=", "resolution"), ("initiative", "=", "swarm"), ("perspective", "=", "customer"),
        ("alertname", "=", "Watchdog"), ("severity", "=~", "none|critical"), ("insight", "=", "signal"), ("team", "=", "ops"),
        ("owner", "=", ""), ("owner", "!=", ""),
    ],
)  # fmt: skip
def test_nothing_is_said_of_a_condition_that_something_meets(condition):
    assert said(condition) == []


def test_conditions_that_are_met_one_by_one_and_by_nothing_together_are_said():
    assert said(("kpi", "=", "mttr"), ("scorecard", "=", "it"), ("severity", "=", "critical")) == []
    assert said(("kpi", "=", "mttr"), ("scorecard", "=", "hr")) == [
        "nothing is all of this at once now: kpi=mttr, scorecard=hr"
    ]
