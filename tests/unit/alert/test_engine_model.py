"""The whole engine against a ten-line reference: generated lives of several KPIs, with restarts and reloads amid them.

100,000 steps with ``--soak``, 3,000 without.
"""

from datetime import UTC, datetime, timedelta

from hypothesis import HealthCheck, settings
from hypothesis import strategies as some
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from bsc_monitor.alert.engine import AlertEngine
from bsc_monitor.model.alert import AlertRule, AlertState
from bsc_monitor.model.judgement import Judgement
from bsc_monitor.model.organisation import Kpi, Organisation
from bsc_monitor.model.status import Freshness, Status
from bsc_monitor.store.alert_json import from_json, to_json

START = datetime(2026, 3, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
NAMES = ("a", "b", "c")
STEPS = 100
taken = 0


class Reference:
    """Whether one alert fires."""

    def __init__(self, hold, keep):
        self.hold, self.keep = hold, keep
        self.firing, self.known, self.since, self.clear = False, False, None, None

    def see(self, word, now):
        self.known = word != "unknown"
        if word == "red":
            self.since, self.clear = (now if self.since is None else self.since), None
        elif word == "green":
            self.since = self.since if self.firing else None
            self.clear = (now if self.clear is None else self.clear) if self.firing else None

    def time(self, now):
        self.firing = self.firing or (self.since is not None and now - self.since >= self.hold)
        if self.firing and self.known and self.clear is not None and now - self.clear >= self.keep:
            self.firing, self.since, self.clear = False, None, None


class Lives(RuleBasedStateMachine):
    @initialize(hold=some.integers(0, 9), keep=some.integers(0, 9))
    def begin(self, hold, keep):
        self.minute = 0
        self.rules = {
            "red": AlertRule("red", "breach", for_=hold * MINUTE, keep_firing_for=keep * MINUTE, flap_limit=10**6)
        }
        self.organisation = Organisation(kpis={f"it/{name}": Kpi(name, "it", "p", "it/o", name) for name in NAMES})
        self.engine = AlertEngine(self.rules, self.organisation)
        self.model = {name: Reference(hold, keep) for name in NAMES}
        self.stored = {}  #: what effects said must be stored, and nothing else
        self.told = {}
        self.apply(self.engine.tick(self.now))

    @property
    def now(self):
        return START + self.minute * MINUTE

    def apply(self, effects):
        global taken
        taken += 1
        for effect in effects:
            alert = effect.alert
            self.stored[alert.fingerprint] = to_json(alert)
            if effect.told:
                before = self.told.get(alert.fingerprint, (0, "resolved"))
                assert alert.sequence == before[0] + 1  # nothing told is skipped or told twice
                assert effect.kind != before[1]  # a fire follows an end, an end a fire
                self.told[alert.fingerprint] = alert.sequence, effect.kind

    @rule(name=some.sampled_from(NAMES), word=some.sampled_from(("red", "green", "unknown")))
    def see(self, name, word):
        unknown = word == "unknown"
        status = Status.UNKNOWN if unknown else Status(word)
        judgement = Judgement(
            f"it/{name}", None if unknown else 1.0, status=status, freshness=Freshness.FRESH, observed_at=self.now
        )
        self.apply(self.engine.observe([judgement], [], self.now))
        self.model[name].see(word, self.minute)

    @rule(minutes=some.integers(0, 12))
    def wait(self, minutes):
        self.minute += minutes
        self.apply(self.engine.tick(self.now))

    @rule()
    def restart(self):
        self.engine = AlertEngine(self.rules, self.organisation)
        self.engine.restore(from_json(text) for text in self.stored.values())
        self.apply(self.engine.tick(self.now))

    @rule()
    def reload(self):
        self.apply(self.engine.replace(self.rules, self.organisation, self.now))

    @rule(name=some.sampled_from(NAMES))
    def remove_and_return(self, name):
        without = Organisation(kpis={k: v for k, v in self.organisation.kpis.items() if k != f"it/{name}"})
        self.apply(self.engine.replace(self.rules, without, self.now))
        self.apply(self.engine.replace(self.rules, self.organisation, self.now))
        self.model[name] = Reference(self.model[name].hold, self.model[name].keep)

    @invariant()
    def as_the_reference_says(self):
        if not hasattr(self, "engine"):
            return
        self.apply(self.engine.tick(self.now))
        firing = {alert.labels["kpi"] for alert in self.engine.firing() if alert.rule == "red"}
        for reference in self.model.values():
            reference.time(self.minute)
        assert firing == {name for name, reference in self.model.items() if reference.firing}
        due = self.engine.next_due()
        assert due is None or due > self.now
        for alert in self.engine.alerts.values():
            assert (alert.state is AlertState.FIRING) is (self.told.get(alert.fingerprint, (0, ""))[1] == "fired")


def test_generated_lives_with_restarts_and_reloads_are_as_the_reference_says(soak):
    wanted = 100_000 if soak else 3_000
    run_state_machine_as_test(
        Lives,
        settings=settings(
            max_examples=wanted // STEPS, stateful_step_count=STEPS, deadline=None, database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )  # fmt: skip
    assert taken >= wanted
