"""Money, days and budgets that cost collectors share."""

from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from bsc_monitor.kit.cost import (
    DAY,
    Allotment,
    Book,
    CostConfig,
    Line,
    Step,
    allotted,
    budget_of_file,
    days_of,
    in_one_currency,
    recurring,
    run_reading,
)
from bsc_monitor.model.period import Calendar
from bsc_monitor.plugin import SourceError, Window

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
dates = st.dates(date(2020, 1, 1), date(2030, 12, 31))


def test_one_currency_is_kept_whatever_it_is():
    money = in_one_currency({"CHF": 12.5}, CostConfig())

    assert (money.amount, money.currency, money.note) == (12.5, "CHF", "")
    assert in_one_currency({}, CostConfig()) is None


def test_what_is_neither_run_nor_change_is_told_by_currency_and_never_added_up():
    lines = [
        Line("Usage", key, {"cost": (amount, currency)})
        for key, amount, currency in (("run", 30.0, "EUR"), ("new", 10.0, "EUR"), ("", 5.0, "EUR"), ("", 7.0, "USD"))
    ]
    reading = run_reading(SimpleNamespace(period=None), lines, "cost", ["run"], ["new"], CostConfig())

    assert (reading.value, reading.numerator, reading.denominator) == (0.75, 30.0, 40.0)
    assert reading.note == "neither run nor change: 5.00 EUR, 7.00 USD"


@pytest.mark.parametrize(
    ("config", "amounts"),
    [
        ({}, {"EUR": 1.0, "USD": 1.0}),
        ({"currency": "EUR"}, {"USD": 1.0}),
        ({"currency": "EUR", "rates": {"GBP": 1.2}, "rates_date": "2026-01-01"}, {"EUR": 1.0, "USD": 1.0}),
    ],
)
def test_currencies_without_a_rate_are_never_added(config, amounts):
    with pytest.raises(SourceError, match="never added up"):
        in_one_currency(amounts, CostConfig(**config))


@pytest.mark.parametrize(
    "config",
    [
        {"rates": {"USD": 0.9}, "currency": "EUR"},
        {"rates": {"USD": 0.9}, "rates_date": "2026-01-01"},
        {"rates": {"USD": 0}, "currency": "EUR", "rates_date": "2026-01-01"},
        {"rates": {"USD": float("inf")}, "currency": "EUR", "rates_date": "2026-01-01"},
        {"currency": "euro"},
    ],
)
def test_rates_need_a_date_a_target_and_sense(config):
    with pytest.raises(ValidationError):
        CostConfig(**config)


@pytest.mark.parametrize(
    ("zone", "start", "end", "expected"),
    [
        ("UTC", "2026-06-01T00:00", "2026-06-15T12:00", ("2026-06-01", "2026-06-16")),  # a day begun counts
        ("UTC", "2026-06-01T00:00", "2026-07-01T00:00", ("2026-06-01", "2026-07-01")),
        ("Europe/Berlin", "2026-05-31T22:00", "2026-06-30T22:00", ("2026-06-01", "2026-07-01")),
        ("America/New_York", "2026-06-01T04:00", "2026-07-01T04:00", ("2026-06-01", "2026-07-01")),
        ("Europe/Berlin", "2026-03-28T23:00", "2026-03-29T22:00", ("2026-03-29", "2026-03-30")),  # 23 hours
        ("UTC", "2026-06-01T00:00", "2026-06-01T00:00", ("2026-06-01", "2026-06-02")),
    ],
)
def test_a_window_is_the_scorecards_dates(zone, start, end, expected):
    window = Window(*(datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (start, end)))

    assert days_of(window, Calendar(zone)) == tuple(date.fromisoformat(text) for text in expected)


def test_a_monthly_budget_is_spread_over_the_days_of_its_month():
    budget = recurring(310.0, "USD", 1, date(2026, 1, 1), date(2026, 3, 1))

    assert allotted(budget, date(2026, 1, 1), date(2026, 1, 11)) == {"USD": pytest.approx(100.0)}
    assert allotted(budget, date(2026, 1, 22), date(2026, 2, 15)) == {"USD": pytest.approx(100 + 155)}


def test_quarters_and_years_are_those_of_the_calendar():
    assert recurring(1, "USD", 3, date(2026, 5, 10), date(2026, 5, 11)) == [
        Allotment(date(2026, 4, 1), date(2026, 7, 1), 1, "USD")
    ]
    assert recurring(1, "USD", 12, date(2026, 5, 10), date(2027, 1, 2))[1].start == date(2027, 1, 1)


def test_days_without_a_budget_make_it_unknown_not_smaller():
    budget = recurring(310.0, "USD", 1, date(2026, 1, 1), date(2026, 2, 1))

    assert allotted(budget, date(2026, 1, 20), date(2026, 2, 2)) is None
    assert allotted([], date(2026, 1, 20), date(2026, 2, 2)) is None


@given(dates, st.integers(0, 200), st.integers(0, 200), st.sampled_from([1, 3, 12]))
def test_a_budget_of_two_stretches_is_that_of_both_together(first, one, two, months):
    middle, end = first + one * DAY, first + (one + two) * DAY
    budget = recurring(1000.0, "EUR", months, first, end + DAY)
    parts = [allotted(budget, start, finish) or {"EUR": 0.0} for start, finish in ((first, middle), (middle, end))]
    whole = allotted(budget, first, end) or {"EUR": 0.0}

    assert sum(part["EUR"] for part in parts) == pytest.approx(whole["EUR"])


def test_a_budget_file_names_the_line_that_is_wrong(tmp_path):
    file = tmp_path / "budget.csv"
    config = CostConfig(budget_file=file, currency="EUR")

    file.write_text("month,amount\n2026-05,100\n2026-06,\n")
    with pytest.raises(SourceError, match=r"budget\.csv:3"):
        budget_of_file(config, "")
    file.write_text("name,month,amount\nit,2026-05,100\n")
    assert budget_of_file(config, "it") == [Allotment(date(2026, 5, 1), date(2026, 6, 1), 100.0, "EUR")]
    with pytest.raises(SourceError, match="no budget named 'hr'"):
        budget_of_file(config, "hr")
    with pytest.raises(SourceError, match="in which currency"):
        budget_of_file(CostConfig(budget_file=file), "it")
    with pytest.raises(SourceError, match="cannot be read"):
        budget_of_file(CostConfig(budget_file=tmp_path / "none.csv"), "")


async def test_a_book_asks_only_for_what_it_does_not_know_and_again_for_what_may_change():
    asked = []

    async def fetch(first, last):
        asked.append((first.day, last.day))
        return {day(n): Step(clock[0], lines=[Line("", "", {})]) for n in range(first.day, last.day) if n != 4}

    def day(number):
        return date(2026, 6, number)

    book, clock = Book(timedelta(hours=8)), [NOW]

    async def take(first, last):
        return await book.days("scope", [day(n) for n in range(first, last)], clock[0], fetch)

    assert [len(step.lines) for step in await take(3, 6)] == [1, 0, 0]  # the 4th is left out by the answer: no lines
    await take(3, 6)
    await take(1, 15)
    clock[0] += timedelta(hours=9)
    await take(1, 15)

    assert asked == [(3, 5), (1, 14), (12, 14)]  # days that were at least four days old are settled


async def test_a_stretch_is_told_by_the_day_or_the_month_and_of_no_days_nothing_is_asked():
    asked = []

    async def fetch(first, last):
        asked.append((first, last))
        return {first: Step(NOW, lines=[Line("", "", {})])}

    async def take(end, **given):
        return await Book(timedelta(hours=8)).stretch("scope", date(2026, 1, 1), end, NOW, fetch, **given)

    days, months = await take(date(2026, 3, 1)), await take(date(2026, 3, 1), by_month=True)
    none = await take(date(2025, 12, 1))

    assert (len(days.steps), days.notes) == (59, ["58 of 59 days hold no data"])
    assert len(months.steps) == 2
    assert (none.first, none.end, none.steps) == (date(2026, 1, 1), date(2026, 1, 1), [])
    assert asked == [(date(2026, 1, 1), date(2026, 2, 28)), (date(2026, 1, 1), date(2026, 2, 1))]


async def test_a_book_asks_again_for_what_the_source_calls_an_estimate():
    asked = []

    async def fetch(first, _):
        asked.append(first)
        return {first: Step(NOW + len(asked) * timedelta(hours=9), estimated=len(asked) < 3)}

    book = Book(timedelta(hours=8))
    for number in range(6):
        await book.days("scope", [date(2026, 1, 1)], NOW + (number + 1) * timedelta(hours=9), fetch)

    assert len(asked) == 3


async def test_a_failed_question_is_asked_again_at_once():
    answers = [SourceError("down"), {"ok": 1}]

    async def ask():
        answer = answers.pop(0)
        if isinstance(answer, SourceError):
            raise answer
        return answer

    book = Book(timedelta(hours=8))
    with pytest.raises(SourceError):
        await book.answer("x", NOW, ask)

    assert await book.answer("x", NOW, ask) == {"ok": 1}
    assert await book.answer("x", NOW + timedelta(hours=7), ask) == {"ok": 1}
