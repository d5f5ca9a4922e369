"""Every measure of ``aws_cost`` on a few charges; the expected values were computed by hand in the comments."""

from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from tests.contract.cost_run import NOW, Asker, bill, charge, month, parts, served

from bsc_monitor.model.period import Period, PeriodKind
from bsc_monitor.model.status import CollectorError, Completeness, ReadingState
from bsc_monitor.plugin import SourceError
from bsc_monitor.sandbox.cloud.aws import AwsBehaviour, aws_app
from bsc_monitor.sandbox.cloud.ledger import Anomaly

EC2 = "Amazon Elastic Compute Cloud - Compute"
PAYER, LAB = "111122223333", "333344445555"
MAY = (
    charge("2026-05-01", "S3", 100.0, tags={"team": "shop", "work": "run"}),
    charge("2026-05-02", "S3", 50.0, account=LAB, tags={"team": "shop", "work": "change"}),
    charge("2026-05-10", EC2, 30.0),  # untagged, on demand
    # on demand it would be 200; the savings plan makes it 120, of a commitment of 150 that is billed by the day
    charge("2026-05-10", EC2, 0.0, kind="SavingsPlanCoveredUsage", effective=120.0, contracted=200.0, tags={"team": "pay", "work": "run"}),
    charge("2026-05-10", "Savings Plans", 150.0, kind="SavingsPlanRecurringFee", effective=0.0),
    charge("2026-05-10", "Savings Plans", 0.0, kind="SavingsPlanUnused", effective=30.0),
    charge("2026-05-03", EC2, -40.0, kind="Credit"),
    charge("2026-05-31", "Tax", 55.0, kind="Tax"),
    charge("2026-06-01", "S3", 7.0),
)  # fmt: skip
BUDGETS = {PAYER: {date(2026, 4, 1): 500.0, date(2026, 5, 1): 310.0, date(2026, 6, 1): 300.0}}


@asynccontextmanager
async def asking(*charges, now=NOW, config=None, behaviour=None, **ledger):
    """A collector at a sandbox with these charges."""
    book = bill(*charges, now=now, budgets=BUDGETS, **ledger)
    async with served(aws_app(lambda: book, behaviour or AwsBehaviour())) as url:
        given = {
            "access_key_id": "demo", "secret_access_key": "demo", "account_id": PAYER, "url": url, **(config or {})
        }  # fmt: skip
        async with Asker("aws_cost", given) as asker:
            yield asker


async def test_net_cost_is_after_credits_without_tax_and_counts_commitments_as_billed():
    async with asking(*MAY) as aws:
        net = await aws.total("net_cost", month("2026-05"))
        taxed = await aws.total("net_cost", month("2026-05"), tax=True)
        gross = await aws.total("net_cost", month("2026-05"), credits=False)

    assert (net.value, net.unit) == (pytest.approx(290.0), "USD")  # 100 + 50 + 30 + 150 - 40
    assert taxed.value == pytest.approx(345.0)  # + 55
    assert gross.value == pytest.approx(330.0)  # + 40
    assert aws.requests == 1  # one question for all of them
    assert net.completeness is Completeness.FINAL


async def test_amortised_cost_spreads_the_commitment():
    async with asking(*MAY) as aws:
        found = await aws.total("amortised_cost", month("2026-05"))

    assert found.value == pytest.approx(290.0)  # 100 + 50 + 30 + 120 + 30 unused - 40


async def test_costs_break_down_by_service_account_and_tag():
    async with asking(*MAY) as aws:
        found = await aws.readings("amortised_cost", month("2026-05"), by=("service", "account", "tag:team"))

    assert parts(found, "service") == {"S3": 150.0, EC2: pytest.approx(110.0), "Savings Plans": 30.0}  # 30 + 120 - 40
    assert parts(found, "account") == {PAYER: pytest.approx(240.0), LAB: 50.0}
    assert parts(found, "tag:team") == {"shop": 150.0, "pay": 120.0, "none": pytest.approx(20.0)}  # 30 + 30 - 40


async def test_a_scope_narrows_by_service_account_and_tag():
    async with asking(*MAY) as aws:
        one = await aws.total("net_cost", month("2026-05"), services=["S3"])
        both = await aws.total("net_cost", month("2026-05"), services=["S3"], accounts=[LAB])
        tagged = await aws.total("net_cost", month("2026-05"), tags={"work": ["run"]})
        none = await aws.total("net_cost", month("2026-05"), services=["Glacier"])

    assert (one.value, both.value) == (150.0, 50.0)
    assert tagged.value == pytest.approx(100.0)  # 100 + 200 on demand - 200 negated
    assert (none.value, none.state) == (None, ReadingState.NO_DATA)  # no lines are no data, not 0


async def test_the_budget_variance_of_a_past_month_takes_the_budget_planned_for_it():
    async with asking(*MAY) as aws:
        found = await aws.total("budget_variance", month("2026-05"), budget="cloud")

    assert found.value == pytest.approx((290 - 310) / 310 * 100)  # -6.45 %
    assert (found.numerator, found.denominator) == (pytest.approx(-20), 310)


async def test_the_running_month_is_compared_day_by_day_without_the_days_that_aws_still_under_reports():
    days = [charge(f"2026-06-{number:02}", "S3", 12.0) for number in range(1, 16)]
    async with asking(*days) as aws:  # noon of 15 June: with a lag of one day, 1 to 13 June count
        found = await aws.total("budget_variance", month("2026-06"), budget="cloud")

    # 13 x 12 = 156 against 300 x 13 / 30 = 130: 20 % over
    assert found.value == pytest.approx(20.0)
    assert "up to 2026-06-13" in found.note
    assert found.completeness is Completeness.PROVISIONAL


async def test_a_quarter_adds_the_budgets_of_its_months_and_shares_the_days_already_known():
    quarter = Period(datetime(2026, 4, 1, tzinfo=UTC), datetime(2026, 7, 1, tzinfo=UTC), PeriodKind.QUARTER, "2026-Q2")
    async with asking(*MAY, charge("2026-04-05", "S3", 500.0)) as aws:
        await aws.total("net_cost", month("2026-05"))
        before = aws.requests
        found = await aws.total("budget_variance", quarter, budget="cloud")

    # 500 + 290 + 7 against 500 + 310 + 300 x 13 / 30
    assert found.value == pytest.approx((797 - 940) / 940 * 100)
    assert aws.requests - before == 2  # the budget, and the days not yet known


async def test_before_any_day_has_settled_there_is_no_variance():
    early = datetime(2026, 6, 2, 3, tzinfo=UTC)
    async with asking(*MAY, now=early) as aws:
        found = await aws.total("budget_variance", month("2026-06"), budget="cloud", now=early)

    assert (found.value, found.state) == (None, ReadingState.NO_DATA)
    assert "under-reports" in found.note


async def test_a_month_without_a_budget_is_no_data_and_an_unknown_budget_an_error():
    async with asking(*MAY, charge("2026-03-05", "S3", 5.0)) as aws:
        found = await aws.total("budget_variance", month("2026-03"), budget="cloud")
        wrong = await aws.result("budget_variance", month("2026-05"), budget="clout")

    assert found.state is ReadingState.NO_DATA
    assert "no budget" in found.note
    assert wrong.error.reason is CollectorError.CONFIG
    assert "clout" in wrong.error.message


async def test_a_budget_file_takes_the_place_of_aws_budgets(tmp_path):
    (tmp_path / "budget.csv").write_text("name,month,amount,currency\nit,2026-05,200,USD\nhr,2026-05,9,USD\n")
    async with asking(*MAY, config={"budget_file": str(tmp_path / "budget.csv")}) as aws:
        found = await aws.total("budget_variance", month("2026-05"), budget="it")

    assert found.value == pytest.approx(45.0)  # (290 - 200) / 200


async def test_the_forecast_adds_what_is_to_come_to_what_was_spent():
    days = [charge(str(date(2026, 5, 10) + timedelta(days=number)), "S3", 12.0) for number in range(37)]  # to 15 June
    async with asking(*days) as aws:
        found = await aws.total("forecast_variance", month("2026-06"), budget="cloud")

    # 1-13 June 12 each, the 14th as far as reported by noon of the 15th (36 of 48 h): 9; then 16 days at 12
    assert found.value == pytest.approx((13 * 12 + 9 + 16 * 12 - 300) / 300 * 100)
    assert found.completeness is Completeness.PROVISIONAL


async def test_a_forecast_without_history_is_no_data_and_of_a_past_month_the_actual_cost():
    async with asking(*MAY[:3]) as aws:
        past = await aws.total("forecast_variance", month("2026-05"), budget="cloud")
        none = await aws.total("forecast_variance", month("2026-06"), budget="cloud")  # nothing in the last 30 days

    assert past.value == pytest.approx((180 - 310) / 310 * 100)
    assert (none.value, none.state) == (None, ReadingState.NO_DATA)


async def test_run_share_by_tag_and_by_account():
    async with asking(*MAY) as aws:
        by_tag = await aws.total("run_share", month("2026-05"), tag="work", run=["run"], change=["change"])
        by_account = await aws.total("run_share", month("2026-05"), run=[PAYER], change=[LAB])

    assert by_tag.value == pytest.approx(220 / 270)  # run 100 + 120, change 50
    assert (by_tag.numerator, by_tag.denominator) == (pytest.approx(220), pytest.approx(270))
    assert "neither run nor change: 20.00 USD" in by_tag.note  # what is neither
    assert by_account.value == pytest.approx(240 / 290)


async def test_untagged_share_looks_at_usage_alone():
    async with asking(*MAY) as aws:
        found = await aws.total("untagged_share", month("2026-05"), tag="team")

    assert found.value == pytest.approx(30 / 300)  # 30 of 100 + 50 + 30 + 120; fee, credit and tax bear no tags


async def test_coverage_utilisation_and_savings_of_a_savings_plan():
    async with asking(*MAY) as aws:
        coverage = await aws.total("commitment_coverage", month("2026-05"))
        utilisation = await aws.total("commitment_utilisation", month("2026-05"))
        savings = await aws.total("savings_realised", month("2026-05"))

    assert coverage.value == pytest.approx(200 / 230)  # covered 200 on demand, 30 of compute not
    assert utilisation.value == pytest.approx(120 / 150)
    assert (savings.value, savings.unit) == (pytest.approx(50.0), "USD")  # 200 - 150


async def test_without_commitments_there_is_no_coverage():
    async with asking(*MAY[:3]) as aws:
        for name in ("commitment_coverage", "commitment_utilisation", "savings_realised"):
            found = await aws.total(name, month("2026-05"))
            assert (found.value, found.state) == (None, ReadingState.NO_DATA)


async def test_anomalies_count_in_the_period_in_which_they_began():
    found = [
        Anomaly("a", date(2026, 4, 30), date(2026, 5, 3), "S3", 1000.0, 1.0),  # began in April
        Anomaly("b", date(2026, 5, 4), date(2026, 5, 6), "S3", 20.0, 1.0),
        Anomaly("c", date(2026, 5, 31), date(2026, 6, 4), "S3", 3.5, 1.0),  # ended in June
    ]
    async with asking(*MAY, anomalies=tuple(found)) as aws:
        impact = await aws.total("anomaly_impact", month("2026-05"))
        quiet = await aws.total("anomaly_impact", month("2026-06"))

    assert (impact.value, impact.samples) == (pytest.approx(23.5), 2)
    assert (quiet.value, quiet.samples) == (0.0, 0)  # there is a monitor, and it found nothing


async def test_estimated_days_are_provisional_and_final_only_after_the_vendor_says_so():
    soon = datetime(2026, 6, 3, tzinfo=UTC)
    async with asking(*MAY, now=soon) as aws:
        found = await aws.total("net_cost", month("2026-05"), now=soon)

    assert found.completeness is Completeness.PROVISIONAL


async def test_unsettled_days_are_asked_for_again_after_a_while_and_settled_ones_never():
    async with asking(*MAY, config={"refresh": 8}) as aws:
        for hours in (0, 1, 9):
            await aws.total("net_cost", month("2026-05"), now=NOW + timedelta(hours=hours))
        settled = aws.requests
        for hours in (0, 1, 9):
            await aws.total("net_cost", month("2026-06"), now=NOW + timedelta(hours=hours))

    assert settled == 1
    assert aws.requests - settled == 2


async def test_periods_older_than_daily_data_come_by_the_month():
    old = datetime(2026, 12, 10, tzinfo=UTC)  # May 2025 is 19 months ago
    async with asking(charge("2025-05-07", "S3", 11.0), charge("2025-05-09", "S3", 4.0), now=old) as aws:
        found = await aws.total("net_cost", month("2025-05"), now=old)
        half = await aws.result("net_cost", replace(month("2025-05"), start=datetime(2025, 5, 9, tzinfo=UTC)), now=old)

    assert found.value == 15.0
    assert "whole month" in half.error.message


async def test_dates_are_those_of_the_scorecards_time_zone():
    berlin = Period(
        datetime(2026, 4, 30, 22, tzinfo=UTC), datetime(2026, 5, 31, 22, tzinfo=UTC), PeriodKind.MONTH, "2026-05"
    )
    new_york = Period(
        datetime(2026, 5, 1, 4, tzinfo=UTC), datetime(2026, 6, 1, 4, tzinfo=UTC), PeriodKind.MONTH, "2026-05"
    )
    async with asking(*MAY, charge("2026-04-30", "S3", 1000.0)) as aws:
        assert (await aws.total("net_cost", berlin, zone="Europe/Berlin")).value == pytest.approx(290.0)
        assert (await aws.total("net_cost", new_york, zone="America/New_York")).value == pytest.approx(290.0)


async def test_pages_are_followed_to_the_end_and_each_costs_a_cent():
    async with asking(*MAY, behaviour=AwsBehaviour(page_size=3)) as aws:
        found = await aws.total("net_cost", month("2026-05"), by=())

        assert found.value == pytest.approx(290.0)
        assert aws.requests > 5
        assert aws.live.client.budget.spent == pytest.approx(aws.requests * 0.01)


async def test_a_page_token_that_repeats_is_noticed():
    async with asking(*MAY, behaviour=AwsBehaviour(stuck_token=True)) as aws:
        result = await aws.result("net_cost", month("2026-05"))

    assert result.error.reason in (CollectorError.SCHEMA, CollectorError.CONFIG)
    assert result.requests <= 3


async def test_the_daily_budget_stops_the_source():
    async with asking(*MAY) as aws:
        aws.live.client.budget.daily = 0.01
        await aws.total("net_cost", month("2026-05"))
        result = await aws.result("net_cost", month("2026-05"), by=("service",))

    assert result.error.reason is CollectorError.RATE_LIMIT
    assert "daily budget" in result.error.message


async def test_two_currencies_are_refused_and_converted_only_by_a_dated_rate():
    mixed = (*MAY[:1], replace(charge("2026-05-04", "S3", 10.0), currency="USD"))
    rated = {"currency": "EUR", "rates": {"USD": 0.9}, "rates_date": "2026-05-01"}
    async with asking(*mixed, config=rated) as aws:
        found = await aws.total("net_cost", month("2026-05"))
    assert (found.value, found.unit) == (pytest.approx(99.0), "EUR")
    assert "2026-05-01" in found.note

    async with asking(*mixed, config={"currency": "EUR"}) as aws:
        with pytest.raises(SourceError, match="never added up"):
            await aws.total("net_cost", month("2026-05"))
