"""The alert's life, case by case."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from bsc_monitor.alert.step import Observation, due, end, step
from bsc_monitor.model.alert import Alert, AlertRule, AlertState, new_alert
from bsc_monitor.model.status import Freshness

START = datetime(2026, 3, 1, tzinfo=UTC)
RULE = AlertRule("kpi-red", "breach", for_=timedelta(minutes=30))
BAD = Observation(True, value=1.0)
GOOD = Observation(False, value=9.0)
SUBJECT = {"scorecard": "it", "kpi": "mttr"}


def after(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def run(rule: AlertRule, *moments: tuple[float, Observation | None], alert: Alert | None = None):
    alert = alert or new_alert(rule, SUBJECT)
    effects = []
    for minutes, seen in moments:
        alert, more = step(alert, seen, rule, after(minutes))
        effects += more
    return alert, effects


def told(effects) -> list[str]:
    return [effect.kind for effect in effects if effect.told]


def test_a_breach_fires_when_for_has_passed_without_another_reading():
    alert, effects = run(RULE, (0, BAD))
    assert (alert.state, due(alert, RULE)) == (AlertState.PENDING, after(30))
    alert, effects = run(RULE, (29.99, None), alert=alert)
    assert not effects
    alert, effects = run(RULE, (30, None), alert=alert)
    assert (alert.state, alert.starts_at, told(effects)) == (AlertState.FIRING, after(30), ["fired"])


def test_a_good_reading_inside_for_drops_the_pending_alert_silently():
    alert, effects = run(RULE, (0, BAD), (20, GOOD), (40, None))
    assert alert.state is AlertState.INACTIVE
    assert not told(effects)


def test_unknown_stale_and_nan_never_resolve_but_mark():
    for seen in (
        Observation(None),
        Observation(False, quality=Freshness.STALE),
        Observation(False, value=float("nan")),
    ):
        alert, effects = run(RULE, (0, BAD), (30, None), (60, seen), (10_000, None))
        assert (alert.state, alert.no_data_since, alert.starts_at) == (AlertState.FIRING, after(60), after(30))
        assert alert.quality is not Freshness.FRESH
        assert told(effects) == ["fired"]


def test_data_lost_while_kept_firing_holds_the_resolve_until_there_is_data_again():
    rule = replace(RULE, for_=timedelta(0), keep_firing_for=timedelta(minutes=10))
    alert, effects = run(rule, (0, BAD), (5, GOOD), (8, Observation(None)), (60, None))
    assert (alert.state, due(alert, rule)) == (AlertState.FIRING, None)
    alert, effects = run(rule, (61, GOOD), alert=alert)
    assert told(effects) == ["resolved"]


def test_keep_firing_for_bridges_a_short_recovery_and_then_resolves():
    rule = replace(RULE, for_=timedelta(0), keep_firing_for=timedelta(minutes=10))
    alert, effects = run(rule, (0, BAD), (5, GOOD), (9, BAD), (12, GOOD), (21, None))
    assert alert.state is AlertState.FIRING
    alert, effects = run(rule, (22, None), alert=alert)
    assert (alert.state, told(effects)) == (AlertState.RESOLVED, ["resolved"])


def test_between_the_firing_and_the_clear_threshold_a_firing_alert_goes_on():
    between = Observation(False, clear=False, value=5.0)
    alert, effects = run(RULE, (0, BAD), (30, None), (40, between), (50, GOOD))
    assert told(effects) == ["fired", "resolved"]
    assert alert.resolved_at == after(50)
    assert run(RULE, (0, BAD), (10, between))[0].state is AlertState.INACTIVE


def test_for_raised_while_firing_returns_to_pending_and_its_receivers_hear_of_it():
    alert, _ = run(RULE, (0, BAD), (30, None))
    longer = replace(RULE, for_=timedelta(hours=2))
    alert, effects = run(longer, (31, BAD), alert=alert)
    assert (alert.state, told(effects), due(alert, longer)) == (AlertState.PENDING, ["resolved"], after(120))
    assert run(longer, (120, None), alert=alert)[0].episode == 2


def test_for_lowered_while_pending_fires_at_once_and_an_equal_rule_changes_nothing():
    alert, _ = run(RULE, (0, BAD))
    assert run(replace(RULE, message="other words", place="a:1"), (5, BAD), alert=alert)[1] == []
    assert told(run(replace(RULE, for_=timedelta(minutes=5)), (5, BAD), alert=alert)[1]) == ["fired"]


def test_a_removed_rule_resolves_a_firing_alert_with_the_reason_and_drops_a_pending_one():
    firing, _ = run(RULE, (0, BAD), (30, None))
    over, effects = end(firing, "the rule was removed", after(31))
    assert (over.state, over.reason, told(effects)) == (AlertState.RESOLVED, "the rule was removed", ["resolved"])
    pending, _ = run(RULE, (0, BAD))
    assert told(end(pending, "the KPI was removed", after(1))[1]) == []
    assert end(over, "again", after(32)) == (over, ())


def test_for_periods_counts_each_closed_period_once_and_no_time():
    rule = replace(RULE, for_periods=2)
    january, february = replace(BAD, period="2026-01"), replace(BAD, period="2026-02")
    alert, effects = run(rule, (0, january), (1, january), (100_000, BAD), (200_000, None))
    assert (alert.state, due(alert, rule), told(effects)) == (AlertState.PENDING, None, [])
    assert told(run(rule, (200_001, february), alert=alert)[1]) == ["fired"]


def test_a_late_reading_changes_nothing():
    alert, _ = run(RULE, (0, replace(BAD, observed_at=after(0))), (30, None))
    assert run(RULE, (40, replace(GOOD, observed_at=after(-5))), alert=alert) == (alert, [])


def test_flapping_is_told_once_and_its_end_once():
    rule = replace(RULE, for_=timedelta(0), flap_limit=4)
    alert, effects = run(rule, *[(minute, BAD if minute % 2 == 0 else GOOD) for minute in range(20)])
    assert told(effects) == ["fired", "resolved", "fired", "resolved", "flapping"]
    assert sum(effect.kind in ("fired", "resolved") for effect in effects) == 19
    moment = due(alert, rule)
    assert moment is not None
    alert, effects = step(alert, None, rule, moment)
    assert ([effect.kind for effect in effects], alert.state) == (["steady"], AlertState.RESOLVED)


def test_each_thing_told_has_its_own_key_and_a_new_fire_is_a_new_episode():
    rule = replace(RULE, for_=timedelta(0))
    alert, effects = run(rule, (0, BAD), (1, GOOD), (2, BAD))
    keys = [effect.alert.key("ops") for effect in effects if effect.told]
    assert len(set(keys)) == 3
    assert (alert.episode, alert.starts_at) == (2, after(2))


def test_a_clock_set_back_neither_fires_nor_resolves_early():
    rule = replace(RULE, keep_firing_for=timedelta(minutes=10))
    alert, effects = run(rule, (0, BAD), (-60, None), (-30, BAD), (29, None))
    assert (alert.state, told(effects)) == (AlertState.PENDING, [])
    alert, effects = run(rule, (30, None), (40, GOOD), (-20, None), (49, None), alert=alert)
    assert alert.state is AlertState.FIRING
