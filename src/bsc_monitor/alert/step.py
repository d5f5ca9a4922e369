"""The life of one alert: inactive → pending → firing → resolved, with data quality as a second axis.

Time is an observation too: ``step`` without a reading lets timers ripen, and ``due`` says when the next one does. All
that a timer needs is in ``Alert``, so a stored alert goes on after a restart as if there had been none.
"""

import math
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from msgspec.structs import replace

from bsc_monitor.model.alert import Alert, AlertRule, AlertState
from bsc_monitor.model.status import Freshness

EffectKind = Literal["pending", "dropped", "fired", "resolved", "flapping", "steady", "noted"]


@dataclass(frozen=True, slots=True)
class Observation:
    """What a rule sees of its subject at one moment."""

    breaching: bool | None  #: None: not known
    clear: bool = True  #: when not breaching: beyond the threshold at which a firing alert is over (hysteresis)
    value: float | None = None
    quality: Freshness = Freshness.FRESH
    observed_at: datetime | None = None
    period: str | None = None  #: label of the closed period it judges; None while the period is open

    @property
    def known(self) -> bool:
        """Whether it says anything: unknown, stale and NaN say nothing."""
        number = self.value is None or not math.isnan(self.value)
        return self.breaching is not None and self.quality is Freshness.FRESH and number


@dataclass(frozen=True, slots=True)
class Effect:
    """A transition for the history; where ``told``, also for the receivers, under ``alert``'s sequence number.

    ``noted`` is no transition: the alert is the same but for what a restart must not forget.
    """

    kind: EffectKind
    alert: Alert
    before: AlertState
    at: datetime
    told: bool


Stepped = tuple[Alert, tuple[Effect, ...]]


def step(alert: Alert, seen: Observation | None, rule: AlertRule, now: datetime) -> Stepped:
    """The alert and the transitions after an observation, or after mere passing of time where ``seen`` is None.

    An observation older than the newest one taken changes nothing. What is unknown neither resolves an alert nor
    withdraws a pending one: it marks it. An alert whose labels a changed rule would alter is another alert: ``end``
    this one instead.
    """
    alert, effects = _adopt(alert, rule, now)
    if seen is not None and not _late(alert, seen):
        alert, more = _take(alert, seen, rule, now)
        effects += more
    alert, more = _ripen(alert, rule, now)
    return alert, effects + more


def end(alert: Alert, reason: str, now: datetime) -> Stepped:
    """End an alert whose rule or subject is gone; ``reason`` is told to people."""
    if alert.state is AlertState.PENDING:
        return _withdraw(alert, now, reason)
    if alert.state is not AlertState.FIRING:
        return alert, ()
    over = replace(alert, flapping=False, changes=())  # a last word is owed, even of one that flapped
    return _tell(_resolved(over, now, reason), "resolved", AlertState.FIRING, now)


def due(alert: Alert, rule: AlertRule) -> datetime | None:
    """When the next timer ripens (it may be past); None when only an observation can change anything."""
    times: list[datetime] = []
    if alert.state is AlertState.PENDING and alert.active_since is not None and rule.for_periods is None:
        times.append(alert.active_since + rule.for_)
    keeping = alert.state is AlertState.FIRING and alert.quality is Freshness.FRESH
    if keeping and alert.keep_since is not None:
        times.append(alert.keep_since + rule.keep_firing_for)
    if alert.flapping:
        over = len(alert.changes) - rule.flap_limit
        times.append(alert.changes[over - 1] + rule.flap_window if over > 0 else alert.changes[-1])
    return min(times, default=None)


def _late(alert: Alert, seen: Observation) -> bool:
    newest = alert.observed_at
    return newest is not None and seen.observed_at is not None and seen.observed_at < newest


def _ripe(alert: Alert, rule: AlertRule, now: datetime) -> bool:
    if rule.for_periods is not None:
        return len(alert.periods) >= rule.for_periods
    return alert.active_since is not None and now - alert.active_since >= rule.for_


def _adopt(alert: Alert, rule: AlertRule, now: datetime) -> Stepped:
    """Take a changed rule over: a ``for`` raised beyond what has passed returns a firing alert to pending."""
    if alert.rule_hash == rule.hash:
        return alert, ()
    alert = replace(alert, rule_hash=rule.hash)
    if alert.state is not AlertState.FIRING or _ripe(alert, rule, now):
        return alert, ()
    waiting = replace(
        alert,
        state=AlertState.PENDING,
        resolved_at=now,
        keep_since=None,
        flapping=False,
        changes=(),
        reason="the rule now waits longer before it fires",
    )
    return _tell(waiting, "resolved", AlertState.FIRING, now)


def _take(alert: Alert, seen: Observation, rule: AlertRule, now: datetime) -> Stepped:
    if not seen.known:
        quality = Freshness.MISSING if seen.quality is Freshness.FRESH else seen.quality
        return replace(alert, quality=quality, no_data_since=alert.no_data_since or now), ()
    alert = replace(
        alert,
        quality=Freshness.FRESH,
        no_data_since=None,
        value=seen.value,
        observed_at=seen.observed_at or alert.observed_at,
    )
    if seen.breaching:
        return _breach(alert, seen, rule, now)
    if alert.state is AlertState.PENDING:
        return _withdraw(alert, now, "")
    if alert.state is AlertState.FIRING:
        alert = replace(alert, keep_since=(alert.keep_since or now) if seen.clear else None)
    return alert, ()


def _breach(alert: Alert, seen: Observation, rule: AlertRule, now: datetime) -> Stepped:
    before = alert.state
    starts = before not in (AlertState.PENDING, AlertState.FIRING)
    if starts:
        alert = replace(alert, state=AlertState.PENDING, active_since=now, periods=(), reason="")
    periods = alert.periods
    # Only as many as decide are kept: an alert may stay in breach for years of daily periods.
    if seen.period and seen.period not in periods and len(periods) < max(rule.for_periods or 0, _PERIODS_KEPT):
        periods = (*periods, seen.period)
    alert = replace(alert, periods=periods, keep_since=None)
    if not starts or _ripe(alert, rule, now):
        return alert, ()
    return alert, (Effect("pending", alert, before, now, told=False),)


def _ripen(alert: Alert, rule: AlertRule, now: datetime) -> Stepped:
    """Let every timer that is due do its work."""
    effects: tuple[Effect, ...] = ()
    if alert.flapping:
        alert, effects = _calm(alert, rule, now)
    if alert.state is AlertState.PENDING and _ripe(alert, rule, now):
        fired = replace(
            alert, state=AlertState.FIRING, starts_at=now, resolved_at=None, episode=alert.episode + 1, reason=""
        )
        alert, more = _change(fired, "fired", AlertState.PENDING, rule, now)
        effects += more
    known = alert.state is AlertState.FIRING and alert.quality is Freshness.FRESH
    if known and alert.keep_since is not None and now - alert.keep_since >= rule.keep_firing_for:
        alert, more = _change(_resolved(alert, now, ""), "resolved", AlertState.FIRING, rule, now)
        effects += more
    return alert, effects


def _change(alert: Alert, kind: EffectKind, before: AlertState, rule: AlertRule, now: datetime) -> Stepped:
    """Fire or resolve, unless so many transitions came before that the only news is that it flaps."""
    recent = tuple(at for at in alert.changes if at > now - rule.flap_window)
    alert = replace(alert, changes=(*recent, now))
    if alert.flapping:
        return alert, (Effect(kind, alert, before, now, told=False),)
    if len(alert.changes) <= rule.flap_limit:
        return _tell(alert, kind, before, now)
    return _tell(replace(alert, flapping=True), "flapping", before, now)


def _calm(alert: Alert, rule: AlertRule, now: datetime) -> Stepped:
    """End the flapping once few enough transitions are recent, and tell the state in which it came to rest."""
    recent = tuple(at for at in alert.changes if at > now - rule.flap_window)
    if len(recent) > rule.flap_limit:
        return replace(alert, changes=recent), ()
    return _tell(replace(alert, flapping=False, changes=recent), "steady", alert.state, now)


def _resolved(alert: Alert, now: datetime, reason: str) -> Alert:
    return replace(
        alert,
        state=AlertState.RESOLVED,
        resolved_at=now,
        active_since=None,
        periods=(),
        keep_since=None,
        reason=reason,
    )


def _withdraw(alert: Alert, now: datetime, reason: str) -> Stepped:
    alert = replace(alert, state=AlertState.INACTIVE, active_since=None, periods=(), reason=reason)
    return alert, (Effect("dropped", alert, AlertState.PENDING, now, told=False),)


def _tell(alert: Alert, kind: EffectKind, before: AlertState, now: datetime) -> Stepped:
    alert = replace(alert, sequence=alert.sequence + 1)
    return alert, (Effect(kind, alert, before, now, told=True),)


_PERIODS_KEPT = 64  #: closed periods counted beyond what the rule asks, so that a raised count can be judged
