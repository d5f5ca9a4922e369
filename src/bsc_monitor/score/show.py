"""What "now" shows of a KPI in memory, and when that may change by time alone."""

from __future__ import annotations

from datetime import datetime

from bsc_monitor.model.judgement import Judgement
from bsc_monitor.model.period_value import PeriodValue
from bsc_monitor.model.status import Freshness
from bsc_monitor.score.derived import is_stale
from bsc_monitor.score.judge import is_shown, judgement_of, missing_judgement
from bsc_monitor.score.settle import Step, deadline, quarter_hour_after, settle_trailing
from bsc_monitor.score.state import KpiState, Trailing


def show(state: KpiState, step: Step) -> Judgement:
    """Judge a KPI as of now: its trailing window, its open period, or the previous period for at most one period."""
    kpi, now, before = state.kpi, step.now, state.judgement
    slot = state.slot(state.current)
    open_value = slot.value if slot is not None else None
    prior = state.value_of(state.prior)
    stale = bool(state.operands) and is_stale(state)
    if state.trailing is not None:
        return _show_trailing(state, step, state.trailing, prior)
    if slot is not None and not slot.early and is_shown(open_value) and open_value is not None:
        state.shown, state.curve = open_value, None if state.prorate else state.rules.curve
        fresh_at = open_value.observed_at if state.formula is None or state.operands else None
        return judgement_of(
            kpi, open_value, now, before, fresh_at=fresh_at, limit=state.stale_after, earlier=prior, final=state.final,
            stale=stale,
        )  # fmt: skip
    if is_shown(prior) and prior is not None and state.window is None:
        state.shown, state.curve = prior, None
        fresh_at = _last_sign(state, prior.observed_at)
        earlier = state.earlier if state.closed is prior else state.closed
        return judgement_of(
            kpi, prior, now, before, fresh_at=fresh_at, limit=state.stale_after, earlier=_before(earlier, state),
            final=state.final, previous_period=True, stale=stale,
        )  # fmt: skip
    state.shown = state.curve = None
    return missing_judgement(kpi, state.rules.thresholds, now, before, open_value)


def due_at(state: KpiState, judgement: Judgement, now: datetime) -> datetime:
    """When a KPI may look different by time alone."""
    dues = [state.current.end, *(deadline(state, slot) for slot in state.live)]
    if state.rules.until is not None:
        dues.append(state.rules.until)
    limit = state.stale_after
    if limit is not None and judgement.freshness is Freshness.FRESH:
        sign = _last_sign(state, judgement.observed_at) if judgement.previous_period else judgement.observed_at
        if sign is not None:
            dues.append(sign + limit)
    if state.trailing is not None:
        dues.append(state.trailing.period.end + state.trailing.length)
    elif state.prorate and state.live:
        dues.append(quarter_hour_after(now))
    return min(due for due in dues if due > now)


def may_be_sooner(state: KpiState, judgement: Judgement, before: Judgement | None) -> bool:
    """Whether a KPI may have to be looked at sooner than it stands on the agenda. Most readings only put that off."""
    if state.due is None or state.moved or before is None:
        return True
    if before.freshness is not judgement.freshness or before.previous_period is not judgement.previous_period:
        return True
    now, then = judgement.observed_at, before.observed_at
    return now is not then and (now is None or then is None or now < then)


def _show_trailing(state: KpiState, step: Step, trailing: Trailing, prior: PeriodValue | None) -> Judgement:
    settle_trailing(state, step, trailing)
    value = trailing.value
    if is_shown(value) and value is not None and step.now < trailing.period.end + trailing.length:
        state.shown, state.curve = value, state.rules.curve
        return judgement_of(
            state.kpi, value, step.now, state.judgement, fresh_at=value.observed_at, limit=state.stale_after,
            earlier=prior, final=state.final,
        )  # fmt: skip
    state.shown = state.curve = None
    return missing_judgement(state.kpi, state.rules.thresholds, step.now, state.judgement, value)


def _last_sign(state: KpiState, observed_at: datetime | None) -> datetime | None:
    """The last sign of life of a KPI that shows the previous period's value: that, or whatever came since."""
    slot = state.slot(state.current)
    open_value = slot.value if slot is not None else None
    signs = (state.heard, observed_at, open_value.observed_at if open_value is not None else None)
    return max((at for at in signs if at is not None), default=None)


def _before(value: PeriodValue | None, state: KpiState) -> PeriodValue | None:
    """A value, if it is of the period just before the previous one."""
    return value if value is not None and value.period.end == state.prior.start else None
