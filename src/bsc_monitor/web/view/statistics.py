"""What the closed periods of a KPI say, in words: variation, assurance, forecast and how good forecasts were."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from markupsafe import Markup
from sqlalchemy import Connection

from bsc_monitor.improve.assurance import Icon
from bsc_monitor.improve.chart import process_behaviour
from bsc_monitor.improve.words import amount, between, change
from bsc_monitor.model.insight import Direction
from bsc_monitor.model.organisation import Kpi
from bsc_monitor.model.period_value import PeriodValue
from bsc_monitor.store.insights import Accuracy, accuracy, kept_forecasts

_MOODS = {Direction.IMPROVING: "better", Direction.WORSENING: "worse", Direction.NONE: "steady"}


@dataclass(frozen=True, slots=True)
class Statistics:
    """The words beside a process-behaviour chart."""

    variation: Icon
    assurance: Icon | None
    forecast: str  #: never without its interval
    error: str  #: how far off forecasts were
    missing: str  #: why there are no limits or no forecast yet


def accuracy_of(connection: Connection, kpi: Kpi) -> Accuracy | None:
    """How good the forecasts kept for a KPI were, one period ahead."""
    return accuracy(kept_forecasts(connection, kpi.name, kpi.period))


def statistics(
    kpi: Kpi, records: Sequence[PeriodValue], zone: str, known: Accuracy | None, changes: Sequence[date] = ()
) -> Statistics | None:
    """The statistics of closed periods; None without any. ``changes``: days on which the process was changed for good."""
    closed = [record for record in records if record.closed_at is not None]
    if not closed:
        return None
    chart = process_behaviour(kpi, closed, changes=changes, timezone=zone)
    if not chart.points:
        return None
    words, error = "", ""
    if chart.forecast:
        ahead = chart.forecast[0]
        words = f"{ahead.label}: {amount(ahead.value, kpi.unit)}, 80 % of outcomes {between(ahead.low, ahead.high, kpi.unit)}"
        error = _error(kpi, chart.forecast_error, known)
    missing = "" if chart.missing is None else (
        f"Natural limits need {chart.missing.need} closed periods; there are {chart.missing.have}."
    )  # fmt: skip
    missing = f"{missing} {chart.no_forecast}".strip()
    return Statistics(chart.variation, chart.assurance, words, error, missing)


def _error(kpi: Kpi, backtest: float | None, known: Accuracy | None) -> str:
    if known is not None:
        inside = f"{known.inside * 100:.0f} % of them fell into the range"
        return f"The last {known.periods} forecasts were off by {change(known.error, kpi.unit)} on average; {inside}."
    return "" if backtest is None else f"Tried on past periods, it was off by {change(backtest, kpi.unit)} on average."


def icon(of: Icon) -> Markup:
    """An icon of variation or assurance: its letter in a ring; the words stand beside it."""
    letter = Markup.escape(of.letter or "~")
    return Markup(
        '<svg class="icon {}" viewBox="0 0 24 24" aria-hidden="true"><circle cx="12" cy="12" r="10"/>'
        '<text x="12" y="12.5" text-anchor="middle" dominant-baseline="central">{}</text></svg>'
    ).format(_MOODS[of.direction], letter)
