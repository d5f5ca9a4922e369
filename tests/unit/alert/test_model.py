"""The state machine against a ten-line reference, over generated lives.

100,000 steps are compared with ``--soak``, 3,000 without.
"""

from datetime import UTC, datetime, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from bsc_monitor.alert.step import Observation, due, step
from bsc_monitor.model.alert import AlertRule, AlertState, new_alert

START = datetime(2026, 3, 1, tzinfo=UTC)
LENGTH = 100
SEEN = {
    "bad": Observation(True, value=1.0),
    "between": Observation(False, clear=False, value=2.0),
    "good": Observation(False, value=3.0),
    "unknown": Observation(None),
    "time": None,
}


def reference(moments, hold, keep):
    """Yield whether the alert fires after each moment."""
    firing, since, clear_since, known = False, None, None, False
    for now, kind in moments:
        known = known if kind == "time" else kind != "unknown"
        if kind == "bad":
            since, clear_since = (now if since is None else since), None
        elif kind in ("between", "good"):
            since = since if firing else None
            clear_since = (now if clear_since is None else clear_since) if firing and kind == "good" else None
        firing = firing or (since is not None and now - since >= hold)
        if firing and known and clear_since is not None and now - clear_since >= keep:
            firing, since, clear_since = False, None, None
        yield firing


compared = 0


@given(
    lives=some.lists(
        some.tuples(some.integers(0, 9), some.sampled_from(sorted(SEEN))), min_size=LENGTH, max_size=LENGTH
    ),
    hold=some.integers(0, 12),
    keep=some.integers(0, 12),
)
def compare(lives, hold, keep):
    global compared
    rule = AlertRule(
        "r", "breach", for_=timedelta(minutes=hold), keep_firing_for=timedelta(minutes=keep), flap_limit=10**6
    )
    minute, moments = 0, []
    for wait, kind in lives:
        minute += wait
        moments.append((minute, kind))
    alert = new_alert(rule, {"kpi": "k"})
    for (minute, kind), expected in zip(moments, reference(moments, hold, keep), strict=True):
        now = START + timedelta(minutes=minute)
        alert, effects = step(alert, SEEN[kind], rule, now)
        assert (alert.state is AlertState.FIRING) is expected
        assert step(alert, None, rule, now) == (alert, ())  # looking twice changes nothing
        moment = due(alert, rule)
        assert moment is None or moment > now  # a timer that is due has done its work
        assert all(effect.alert.sequence <= alert.sequence for effect in effects)
        compared += 1


def test_every_step_of_generated_lives_is_as_the_reference_says(soak):
    wanted = 100_000 if soak else 3_000
    thorough = settings(
        max_examples=wanted // LENGTH, deadline=None, database=None, suppress_health_check=list(HealthCheck)
    )
    thorough(compare)()
    assert compared >= wanted
