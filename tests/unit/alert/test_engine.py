"""The engine: which rules watch what, and the cases of the reference rule engine."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from bsc_monitor.alert.engine import AlertEngine
from bsc_monitor.alert.observing import Finding
from bsc_monitor.model.alert import AlertRule, AlertState, Matcher
from bsc_monitor.model.judgement import Judgement, NodeScore
from bsc_monitor.model.organisation import Initiative, Kpi, Objective, Organisation, Perspective, Scorecard
from bsc_monitor.model.period import Period, PeriodKind
from bsc_monitor.model.period_value import PeriodValue
from bsc_monitor.model.status import Freshness, Status
from bsc_monitor.store.alert_json import from_json, to_json

START = datetime(2026, 3, 1, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
RED = AlertRule("red", "breach", for_=30 * MINUTE)
MTTR = Kpi("mttr", "it", "internal", "it/fast", "MTTR", source="itsm", measure="mttr", owner="ops@x")
COST = Kpi("cost", "it", "financial", "it/lean", "Cost", source="aws", measure="net_cost", severity="critical")
CARD = Scorecard(
    "it", "IT", perspectives=(Perspective("internal", "it", "Internal"), Perspective("financial", "it", "Money"))
)
ORGANISATION = Organisation(
    {"it": CARD}, {"it/fast": Objective("fast", "it", "internal", "Fast")}, {"it/mttr": MTTR, "it/cost": COST},
    {"swarm": Initiative("swarm", "Swarm", ("it/mttr",), "ann")},
)  # fmt: skip


def engine(*rules, organisation=ORGANISATION):
    return AlertEngine({rule.id: rule for rule in rules}, organisation)


def judged(word="red", kpi="it/mttr", at=START, **more):
    freshness = Freshness.STALE if word == "stale" else Freshness.MISSING if word == "missing" else Freshness.FRESH
    status = Status(word) if word in ("red", "amber", "green") else Status.UNKNOWN
    return Judgement(kpi, 9.0, status=status, freshness=freshness, observed_at=at, **more)


def see(engine, word, minutes, kpi="it/mttr", **more):
    now = START + minutes * MINUTE
    return engine.observe([judged(word, kpi, now, **more)], [], now) + engine.tick(now)


def told(effects):
    return [(effect.kind, effect.alert.rule) for effect in effects if effect.told and effect.alert.rule != "Watchdog"]


def test_without_any_rule_red_stale_and_failing_alert_and_the_dead_mans_switch_fires():
    e = engine()
    assert [(x.kind, x.alert.rule, x.alert.labels["severity"]) for x in e.tick(START)] == [
        ("fired", "Watchdog", "none")
    ]
    e.observe([judged("red"), judged("stale", "it/cost")], [], START)
    e.collector("itsm", "mttr", "credentials were not accepted", START)
    effects = e.tick(START + 2 * HOUR)
    assert sorted(told(effects)) == [("fired", "CollectorFailing"), ("fired", "KpiRed"), ("fired", "KpiStale")]
    note = next(x.alert.facts.note for x in effects if x.alert.rule == "CollectorFailing")
    assert note == "credentials were not accepted"


def test_an_alert_carries_the_labels_of_its_subject_its_rule_and_the_kpis_severity():
    e = engine(replace(RED, for_=timedelta(0), labels={"team": "blue", "kpi": "not mine"}))
    (effect,) = [x for x in see(e, "red", 0, "it/cost") if x.alert.rule == "red"]
    assert effect.alert.labels == {
        "alertname": "red", "severity": "critical", "scorecard": "it", "perspective": "financial", "objective": "lean",
        "kpi": "cost", "source": "aws", "team": "blue",
    }  # fmt: skip
    assert effect.alert.subject == "kpi:it/cost"


def test_an_amber_rule_takes_red_too_and_matchers_and_kinds_choose_the_subjects():
    amber = AlertRule("amber", "breach", Status.AMBER, match=(Matcher("kpi", "=", "mttr"),))
    nodes = AlertRule("nodes", "breach", match=(Matcher("kind", "=~", "objective|scorecard"),))
    e = engine(amber, nodes)
    assert told(see(e, "amber", 0) + see(e, "red", 1) + see(e, "red", 1, "it/cost")) == [("fired", "amber")]
    found = e.observe(
        [],
        [
            NodeScore("objective", "it/fast", 20.0, Status.RED),
            NodeScore("perspective", "it/internal", 20.0, Status.RED),
        ],
        START,
    )
    assert [(x.alert.rule, x.alert.subject) for x in found if x.told] == [("nodes", "objective:it/fast")]


def test_a_score_rule_watches_the_level_it_names_and_clears_with_hysteresis():
    low = AlertRule("low", "score", below=50, clear=60)
    e = engine(low)

    def score(value, minutes):
        return e.observe([], [NodeScore("scorecard", "it", value)], START + minutes * MINUTE)

    assert told(score(49, 0)) == [("fired", "low")]
    assert told(score(55, 1)) == []
    assert told(score(None, 2)) == []
    assert told(score(60, 3)) == [("resolved", "low")]


def test_a_fall_within_a_period_fires_survives_a_restart_and_is_over_when_it_is_no_longer_recent():
    fall = AlertRule("fall", "score", fell_by=20, match=(Matcher("kpi", "=", "mttr"),))
    e = engine(fall)
    for day, score in ((0, 90.0), (2, 80.0), (3, 85.0), (10, 69.0)):
        effects = e.observe([judged("green", score=score, at=START + day * DAY)], [], START + day * DAY)
    assert told(effects) == [("fired", "fall")]
    again = engine(fall)
    again.restore([from_json(to_json(alert)) for alert in e.alerts.values()])
    assert told(again.tick(START + 30 * DAY)) == []
    assert told(again.tick(START + 31 * DAY)) == [("resolved", "fall")]


def test_for_periods_counts_closed_periods_and_ignores_the_open_one():
    e = engine(replace(RED, for_=timedelta(0), for_periods=2))

    def close(month, status):
        period = Period(
            datetime(2026, month, 1, tzinfo=UTC),
            datetime(2026, month + 1, 1, tzinfo=UTC),
            PeriodKind.MONTH,
            f"2026-{month:02}",
        )
        return e.closed([PeriodValue("it/mttr", period, value=9.0, status=status)], period.end + DAY)

    assert told(see(e, "red", 0) + close(1, Status.RED) + close(1, Status.RED)) == []
    assert told(see(e, "green", 100_000)) == []
    assert told(close(2, Status.RED)) == [("fired", "red")]
    assert told(close(1, Status.GREEN)) == []  # late
    assert told(close(3, Status.GREEN)) == [("resolved", "red")]


def test_findings_fire_and_end():
    rules = (
        AlertRule("trend", "insight", insights=("trend",)),
        AlertRule("late", "initiative"),
        AlertRule("soon", "forecast", within=2),
    )
    e = engine(*rules)
    assert told(e.insights([Finding("it/mttr", True, "trend"), Finding("it/mttr", True, "signal")], START)) == [
        ("fired", "trend")
    ]
    assert told(e.initiatives([Finding("swarm", True, note="two weeks late")], START)) == [("fired", "late")]
    assert told(e.forecasts([Finding("it/mttr", True, within=3)], START)) == []
    assert told(e.forecasts([Finding("it/mttr", True, within=2)], START)) == [("fired", "soon")]
    assert told(e.forecasts([Finding("it/mttr", None)], START)) == []
    assert told(e.forecasts([Finding("it/mttr", False)], START)) == [("resolved", "soon")]
    assert told(e.insights([Finding("it/mttr", False, "trend")], START)) == [("resolved", "trend")]
    assert told(e.insights([Finding("it/unknown", True, "trend")], START)) == []


def test_a_collector_that_runs_again_ends_its_alert():
    e = engine(AlertRule("down", "collector"))
    assert told(e.collector("itsm", "mttr", "x", START)) == [("fired", "down")]
    assert told(e.collector("itsm", "nobody-asks", "x", START)) == []
    assert told(e.collector("itsm", "mttr", "", START)) == [], "a failure without words is one"
    assert told(e.collector("itsm", "mttr", None, START)) == [("resolved", "down")]


def test_for_state_is_restored_after_an_outage_short_or_long():
    """Pending for 10 of 30 minutes when it stops: what is left of ``for`` is what is left after the outage."""
    for outage, expected in ((5, []), (20, [("fired", "red")]), (600, [("fired", "red")])):
        e = engine(RED)
        see(e, "red", 0)
        see(e, "red", 10)
        again = engine(RED)
        again.restore(list(e.alerts.values()))
        assert told(again.tick(START + (10 + outage) * MINUTE)) == expected
        assert again.next_due() == (START + 30 * MINUTE if not expected else None)


def test_nothing_active_is_restored_as_nothing_active():
    e = engine(RED)
    see(e, "green", 0)
    assert [alert.rule for alert in e.alerts.values()] == ["Watchdog"]
    again = engine(RED)
    again.restore(e.alerts.values())
    assert told(again.tick(START + DAY)) == []


def test_firing_alert_reset_to_pending_on_hold_duration_increase():
    e = engine(RED)
    see(e, "red", 0)
    assert told(see(e, "red", 30)) == [("fired", "red")]
    longer = replace(RED, for_=2 * HOUR)
    assert told(e.replace({"red": longer}, ORGANISATION, START + 31 * MINUTE)) == [("resolved", "red")]
    assert e.next_due() == START + 2 * HOUR
    assert told(e.tick(START + 2 * HOUR)) == [("fired", "red")]


def test_an_unchanged_rule_keeps_its_state_and_a_changed_text_changes_nothing():
    e = engine(RED)
    see(e, "red", 0)
    before = dict(e.alerts)
    assert e.replace({"red": replace(RED, message="other words")}, ORGANISATION, START + MINUTE) == []
    assert e.alerts == before


def test_alerting_rule_labels_update_makes_another_alert():
    e = engine(replace(RED, for_=timedelta(0)))
    see(e, "red", 0)
    changed = replace(RED, for_=timedelta(0), labels={"team": "blue"})
    effects = e.replace({"red": changed}, ORGANISATION, START + MINUTE)
    assert told(effects) == [("resolved", "red")]
    assert effects[0].alert.reason == "its labels changed: it goes on as another alert"
    assert told(see(e, "red", 2)) == [("fired", "red")]


def test_a_rule_a_kpi_or_a_match_that_goes_while_firing_resolves_with_its_reason():
    narrow = replace(RED, for_=timedelta(0), match=(Matcher("kpi", "=", "cost"),))
    for rules, organisation, reason in (
        ({"other": RED}, ORGANISATION, "the rule red was removed"),
        ({"red": RED}, Organisation(kpis={"it/cost": COST}), "the KPI it/mttr was removed"),
        ({"red": narrow}, ORGANISATION, "the rule red no longer watches it"),
    ):
        e = engine(replace(RED, for_=timedelta(0)))
        see(e, "red", 0)
        ended = [x for x in e.replace(rules, organisation, START + MINUTE) if x.told]
        assert [(x.kind, x.alert.reason) for x in ended] == [("resolved", reason)]


def test_what_was_removed_while_the_service_was_down_is_ended_by_the_first_tick():
    e = engine(replace(RED, for_=timedelta(0)))
    see(e, "red", 0)
    again = engine(RED, organisation=Organisation(kpis={"it/cost": COST}))
    again.restore(e.alerts.values())
    assert told(again.tick(START + MINUTE)) == [("resolved", "red")]


def test_a_kpi_that_comes_back_goes_on_counting_its_episodes():
    e = engine(replace(RED, for_=timedelta(0)))
    first = see(e, "red", 0)
    e.replace({"red": replace(RED, for_=timedelta(0))}, Organisation(), START + MINUTE)
    e.replace({"red": replace(RED, for_=timedelta(0))}, ORGANISATION, START + MINUTE)
    second = see(e, "red", 2)
    keys = [x.alert.key("ops") for x in first + second if x.told]
    assert len(keys) == len(set(keys))


def test_the_cost_of_an_observation_does_not_grow_with_the_number_of_alerts():
    """Counted, not timed: how many alerts are touched."""
    kpis = {f"it/k{n}": replace(MTTR, id=f"k{n}") for n in range(2000)}
    e = engine(replace(RED, for_=timedelta(0)), organisation=Organisation(kpis=kpis))
    e.observe([judged("red", name) for name in kpis], [], START)
    e.tick(START)
    before = dict(e.alerts)
    effects = e.observe([judged("green", "it/k7")], [], START + MINUTE) + e.tick(START + MINUTE)
    assert len(effects) == 1
    assert sum(alert is not before[name] for name, alert in e.alerts.items()) == 1


def test_unknown_stale_and_missing_resolve_nothing_and_are_stored_as_no_data():
    for word in ("unknown", "stale", "missing"):
        e = engine(replace(RED, for_=timedelta(0)))
        see(e, "red", 0)
        effects = see(e, word, 10)
        assert [x.kind for x in effects] == ["noted"]
        assert effects[0].alert.no_data_since == START + 10 * MINUTE
        assert e.firing()[0].state is AlertState.FIRING


def test_timers_run_on_as_they_would_have_when_the_clock_is_set():
    watched = engine(AlertRule("Red", "breach", for_=10 * MINUTE, keep_firing_for=5 * MINUTE))
    see(watched, "red", 0)
    day = timedelta(days=1)
    watched.shift(day, START + day + 4 * MINUTE)
    assert told(watched.tick(START + day + 9 * MINUTE)) == []
    assert told(watched.tick(START + day + 10 * MINUTE)) == [("fired", "Red")]
    watched.observe([judged("green", at=START + day + 11 * MINUTE)], [], START + day + 11 * MINUTE)
    watched.shift(-day, START + 12 * MINUTE)
    assert watched.next_due() == START + 16 * MINUTE
    assert told(watched.tick(START + 16 * MINUTE)) == [("resolved", "Red")]
