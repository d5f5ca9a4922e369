"""Without routes, what improvement finds is told once a week, and everything else at once."""

from datetime import timedelta

from bsc_monitor.alert.routing import DIGEST, Routing
from bsc_monitor.model.alert import Receiver, Route

RECEIVERS = {"board": Receiver("board", plugin="any")}
INSIGHT = {"alertname": "Insight", "severity": "info", "insight": "trend", "kpi": "mttr"}
RED = {"alertname": "KpiRed", "severity": "warning", "kpi": "mttr"}


def test_insights_wait_for_the_weekly_digest():
    routing = Routing({}, RECEIVERS)
    assert [target.route for target in routing.targets(INSIGHT)] == [DIGEST]
    assert routing.route(DIGEST).group_wait == timedelta(weeks=1)
    assert [target.route for target in routing.targets(RED)] == ["default"]
    late = {"alertname": "InitiativeOffTrack", "severity": "info", "initiative": "swarming"}
    assert [target.route for target in routing.targets(late)] == [DIGEST]


def test_a_severity_of_their_own_or_routes_of_ones_own_come_first():
    assert Routing({}, RECEIVERS).targets({**INSIGHT, "severity": "critical"})[0].route == "default"
    own = Route("own", ("board",))
    assert Routing({"own": own}, RECEIVERS).targets(INSIGHT)[0].route == "own"
