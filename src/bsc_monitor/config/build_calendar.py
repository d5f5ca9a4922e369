"""From the calendar's form to the organisation's calendar; public holidays are looked up by the holidays library."""

from __future__ import annotations

from datetime import date
from functools import lru_cache

from bsc_monitor.config.form import CalendarForm
from bsc_monitor.config.notes import Notes
from bsc_monitor.config.problems import near
from bsc_monitor.model.period import Calendar

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_YEARS = range(2010, 2041)  #: whose holidays are known; the library cannot say more with certainty


def build_calendar(form: CalendarForm | None, timezone: str, notes: Notes) -> Calendar:
    """The calendar in a time zone."""
    if form is None:
        return Calendar(timezone=timezone)
    return Calendar(
        timezone=timezone,
        fiscal_year_start=form.fiscal_year_start,
        work_days=frozenset(_DAYS.index(day) for day in form.work_days),
        work_start=form.work_hours[0],
        work_end=form.work_hours[1],
        holidays=_holidays(form.holidays, notes),
    )


def _holidays(said: str | list[date], notes: Notes) -> frozenset[date]:
    if isinstance(said, list):
        return frozenset(said)
    try:
        return public_holidays(said)
    except ValueError as error:
        notes.error(("calendar", "holidays"), *error.args)
        return frozenset()


@lru_cache(maxsize=16)
def public_holidays(region: str) -> frozenset[date]:
    """The public holidays of ``DE`` or ``DE-BE``. Raises ValueError(message, hint)."""
    import holidays

    country, _, part = region.partition("-")
    supported = holidays.list_supported_countries(include_aliases=False)
    if country not in supported:
        raise ValueError(
            f"there is no calendar of {region[:40]!r}", "write a country code such as DE, or a list of dates"
        )
    if part and part not in supported[country]:
        raise ValueError(f"{country} has no region {part[:40]!r}", near(part, supported[country]))
    return frozenset(holidays.country_holidays(country, subdiv=part or None, years=_YEARS))
