"""``focus`` on charges computed by hand, on the FinOps Foundation's sample (sums by plain csv), and on files that are wrong."""

import csv
import gzip
import json
from collections import defaultdict
from decimal import Decimal

import pytest
from tests.contract.cost_run import NOW, SHARED, Asker, bill, charge, month, parts

from bsc_monitor.model.status import CollectorError, Completeness, ReadingState
from bsc_monitor.sandbox.cloud.focus_export import write

SAMPLE = SHARED / "data" / "focus-1.0-sample.csv"
SEPTEMBER = month("2024-09")
NAMES = (
    "ChargePeriodStart", "ChargeCategory", "ChargeClass", "BilledCost", "EffectiveCost", "ListCost", "ContractedCost",
    "BillingCurrency", "ServiceName", "SubAccountName", "ProviderName", "Tags", "CommitmentDiscountId",
    "CommitmentDiscountStatus", "PricingCategory", "BillingPeriodStart",
)  # fmt: skip


def row(day, category, billed, effective, listed, contracted, **given):
    plain = {"BillingCurrency": "USD", "ServiceName": "S3", "SubAccountName": "shop", "ProviderName": "AWS",
             "BillingPeriodStart": "2026-05-01T00:00:00Z"}  # fmt: skip
    return {"ChargePeriodStart": f"{day}T00:00:00Z", "ChargeCategory": category, "BilledCost": billed, "EffectiveCost": effective,
            "ListCost": listed, "ContractedCost": contracted, **plain, **given}  # fmt: skip


SHOP, LAB = json.dumps({"team": "shop", "work": "run"}), json.dumps({"team": "lab", "work": "change"})
USED = {"CommitmentDiscountId": "sp", "CommitmentDiscountStatus": "Used", "PricingCategory": "Committed"}
UNUSED = {"CommitmentDiscountId": "sp", "CommitmentDiscountStatus": "Unused", "PricingCategory": "Committed"}
MAY = [
    row("2026-05-01", "Usage", 100, 100, 120, 110, Tags=SHOP, PricingCategory="Standard"),
    row("2026-05-02", "Usage", 50, 50, 60, 55, Tags=LAB, PricingCategory="Standard", SubAccountName="lab"),
    row("2026-05-02", "Usage", 10, 10, 20, 20, Tags="NULL", PricingCategory="Dynamic", ServiceName="EC2"),
    row("2026-05-03", "Purchase", 150, 0, 150, 150, CommitmentDiscountId="sp"),  # the commitment itself
    row("2026-05-03", "Usage", 0, 120, 200, 180, Tags=SHOP, ServiceName="EC2", **USED),
    row("2026-05-03", "Usage", 0, 30, 30, 30, ServiceName="EC2", **UNUSED),
    row("2026-05-04", "Purchase", 7, 7, 8, 7),  # a purchase that is no commitment
    row("2026-05-05", "Credit", -20, -20, 0, 0),
    row("2026-05-05", "Adjustment", -3, -3, 0, 0),
    row("2026-05-31", "Tax", 40, 40, 40, 40),
    row("2026-05-31", "Usage", 2, 2, 2, 2, Tags="NULL", PricingCategory="Standard"),
    # invoiced in June, but it corrects May
    row("2026-05-30", "Usage", -6, -6, -6, -6, ChargeClass="Correction", BillingPeriodStart="2026-06-01T00:00:00Z", Tags=SHOP, PricingCategory="Standard"),
    row("2026-06-01", "Usage", 9, 9, 9, 9),
]  # fmt: skip


def written(path, rows, names=NAMES):
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, names, restval="NULL")
        writer.writeheader()
        writer.writerows(rows)
    return str(path)


@pytest.fixture
async def may(tmp_path):
    async with Asker("focus", {"path": written(tmp_path / "export.csv", MAY)}) as focus:
        yield focus


@pytest.mark.parametrize(
    ("measure", "params", "expected"),
    [
        ("net_cost", {}, 290),  # 100 + 50 + 10 + 150 + 7 - 20 - 3 + 2 - 6
        ("net_cost", {"tax": True}, 330),
        ("net_cost", {"credits": False}, 310),
        ("amortised_cost", {}, 290),  # 100 + 50 + 10 + 120 + 30 + 7 - 20 - 3 + 2 - 6
        ("list_cost", {}, 404),  # 120 + 60 + 20 + 200 + 8 + 2 - 6; not the commitment, nor its unused part
        ("contracted_cost", {}, 368),  # 110 + 55 + 20 + 180 + 7 + 2 - 6
        ("savings_realised", {}, 90),  # list 396 of usage - effective 306
        ("savings_realised", {"against": "contracted"}, 55),  # 361 - 306
        ("net_cost", {"where": {"service": "EC2"}}, 10),
        ("net_cost", {"where": {"account": ["lab", "x"], "tag:work": "change"}}, 50),
    ],
)
async def test_money(may, measure, params, expected):
    found = await may.total(measure, month("2026-05"), **params)

    assert (found.value, found.unit, found.state) == (pytest.approx(expected), "USD", ReadingState.OK)
    assert found.completeness is Completeness.FINAL


async def test_shares(may):
    by_tag = await may.total("run_share", month("2026-05"), tag="work", run=["run"], change=["change"])
    by_account = await may.total("run_share", month("2026-05"), run=["shop"], change=["lab"])
    untagged = await may.total("untagged_share", month("2026-05"), tag="team")
    coverage = await may.total("commitment_coverage", month("2026-05"))
    utilisation = await may.total("commitment_utilisation", month("2026-05"))

    assert by_tag.value == pytest.approx(214 / 264)  # run 100 + 120 - 6, change 50
    assert by_account.value == pytest.approx(240 / 290)
    assert untagged.value == pytest.approx(12 / 276)  # usage 100 + 50 + 10 + 120 + 2 - 6; without a team 10 + 2
    assert coverage.value == pytest.approx(
        200 / 376
    )  # standard 120 + 60 + 2 - 6 and covered 200; spot cannot be covered
    assert utilisation.value == pytest.approx(120 / 150)


async def test_breakdowns_by_service_account_tag_and_any_column(may):
    found = await may.readings("net_cost", month("2026-05"), by=("service", "tag:team", "ChargeCategory"))

    assert parts(found, "service") == {"S3": 280.0, "EC2": 10.0}
    assert parts(found, "tag:team") == {"shop": 94.0, "lab": 50.0, "none": 146.0}
    assert parts(found, "ChargeCategory") == {"Usage": 156.0, "Purchase": 157.0, "Credit": -20.0, "Adjustment": -3.0}


async def test_a_correction_belongs_to_the_month_it_corrects(may):
    june = await may.total("net_cost", month("2026-06"))

    assert june.value == 9.0
    assert june.completeness is Completeness.PROVISIONAL


async def test_variance_and_run_rate_against_a_budget_file(tmp_path):
    rows = [row(f"2026-06-{number:02}", "Usage", 12, 12, 12, 12) for number in range(1, 11)]
    (tmp_path / "budget.csv").write_text("name,month,amount,currency\nit,2026-05,200,USD\nit,2026-06,300,USD\n")
    config = {"path": written(tmp_path / "a.csv", MAY + rows), "budget_file": str(tmp_path / "budget.csv")}
    async with Asker("focus", config) as focus:
        past = await focus.total("budget_variance", month("2026-05"), budget="it")
        running = await focus.total("budget_variance", month("2026-06"), budget="it")
        rate = await focus.total("forecast_variance", month("2026-06"), budget="it")

    assert past.value == pytest.approx(45.0)  # 290 against 200
    assert running.value == pytest.approx((129 - 100) / 100 * 100)  # the export ends at 10 June: ten days of either
    assert rate.value == pytest.approx((129 * 3 - 300) / 300 * 100)


# ---- the sample of the FinOps Foundation, added up by plain csv


def sample():
    with SAMPLE.open(newline="") as file:
        return [
            {name: "" if value == "NULL" else value for name, value in line.items()} for line in csv.DictReader(file)
        ]


def added(rows, name):
    return float(sum((Decimal(line[name] or 0) for line in rows), Decimal()))


async def test_the_real_sample_agrees_with_sums_by_plain_csv():
    rows = sample()
    usage = [line for line in rows if line["ChargeCategory"] == "Usage"]
    async with Asker("focus", {"path": str(SAMPLE)}) as focus:
        for measure, expected in (
            ("net_cost", added(rows, "BilledCost")),
            ("amortised_cost", added(rows, "EffectiveCost")),
            ("list_cost", added(usage, "ListCost")),
            ("savings_realised", added(usage, "ListCost") - added(usage, "EffectiveCost")),
        ):
            assert (await focus.total(measure, SEPTEMBER)).value == pytest.approx(expected, rel=1e-12), measure
        contracted = await focus.total("contracted_cost", SEPTEMBER)
        lacking = sum(not line["ContractedCost"] for line in usage)
        assert (contracted.value, contracted.state) == (
            pytest.approx(added(usage, "ContractedCost")),
            ReadingState.PARTIAL,
        )
        assert f"{lacking} charges have no usable ContractedCost" in contracted.note


async def test_the_real_sample_breaks_down_as_plain_csv_does():
    sums = defaultdict(lambda: defaultdict(Decimal))
    for line in sample():
        tags = json.loads(line["Tags"]) if line["Tags"] else {}
        for name, value in (
            ("provider", line["ProviderName"]),
            ("account", line["SubAccountName"]),
            ("tag:environment", tags.get("environment", "")),
        ):
            sums[name][value or "none"] += Decimal(line["BilledCost"])
    async with Asker("focus", {"path": str(SAMPLE)}) as focus:
        found = await focus.readings("net_cost", SEPTEMBER, by=tuple(sums))

    for name, expected in sums.items():
        assert parts(found, name) == {key: pytest.approx(float(value)) for key, value in expected.items()}


# ---- files


async def test_files_of_a_folder_gzip_and_columns_of_1_2_are_read_together(tmp_path):
    written(tmp_path / "2026-04.csv", [row("2026-05-01", "Usage", 1, 1, 1, 1)])
    columns = [column["id"] for column in json.loads((SHARED / "contracts/focus/focus-1.2-columns.json").read_text())]
    newer = {**row("2026-05-02", "Usage", 2, 2, 2, 2), "InvoiceId": "I-1", "PricingCurrency": "USD"}
    written(tmp_path / "new.csv", [newer], columns)
    with gzip.open(tmp_path / "2026-05.csv.gz", "wt") as file:
        file.write(
            (tmp_path / "2026-04.csv").read_text().replace("2026-05-01", "2026-05-03").replace(",1,1,1,1,", ",4,4,4,4,")
        )
    async with Asker("focus", {"path": str(tmp_path)}) as focus:
        assert (await focus.total("net_cost", month("2026-05"))).value == 7.0
    async with Asker("focus", {"path": str(tmp_path / "2026-*.csv*")}) as focus:
        assert (await focus.total("net_cost", month("2026-05"))).value == 5.0


async def test_parquet_with_a_map_of_tags_gives_what_csv_gives(tmp_path):
    import duckdb

    source = written(tmp_path / "export.csv", MAY)
    duckdb.sql(f"""
        COPY (SELECT * REPLACE (CAST(json(Tags) AS MAP(VARCHAR, VARCHAR)) AS Tags, CAST(BilledCost AS DOUBLE) AS BilledCost,
                                CAST(ChargePeriodStart AS TIMESTAMP) AS ChargePeriodStart)
              FROM read_csv('{source}', nullstr = 'NULL', all_varchar = true)) TO '{tmp_path}/p.parquet'
    """)
    async with Asker("focus", {"path": str(tmp_path / "p.parquet")}) as focus:
        assert (await focus.total("net_cost", month("2026-05"))).value == pytest.approx(290.0)
        share = await focus.total("untagged_share", month("2026-05"), tag="team")

    assert share.value == pytest.approx(12 / 276)


async def test_a_changed_file_is_read_again(tmp_path):
    async with Asker("focus", {"path": written(tmp_path / "a.csv", MAY[:1])}) as focus:
        assert (await focus.total("net_cost", month("2026-05"))).value == 100.0
        written(tmp_path / "a.csv", MAY[:2])
        assert (await focus.total("net_cost", month("2026-05"))).value == 150.0


async def test_charges_without_a_cost_or_a_date_make_the_value_partial(tmp_path):
    rows = [*MAY[:1], row("2026-05-02", "Usage", "NaN", 1, 1, 1), row("soon", "Usage", 5, 5, 5, 5), MAY[-2], MAY[-1]]
    async with Asker("focus", {"path": written(tmp_path / "a.csv", rows)}) as focus:
        found = await focus.total("net_cost", month("2026-05"))

    assert (found.value, found.state) == (94.0, ReadingState.PARTIAL)
    assert found.note == "1 charges have no usable BilledCost; 1 charges have no usable ChargePeriodStart"


async def test_an_export_that_stops_before_the_periods_end_is_partial(tmp_path):
    async with Asker("focus", {"path": written(tmp_path / "a.csv", MAY[:3])}) as focus:
        found = await focus.total("net_cost", month("2026-05"))
        none = await focus.total("net_cost", month("2026-04"))

    assert (found.state, found.note) == (ReadingState.PARTIAL, "the export ends at 2026-05-02")
    assert (none.value, none.state) == (None, ReadingState.NO_DATA)


async def test_two_currencies_are_refused_unless_rates_are_given(tmp_path):
    path = written(tmp_path / "a.csv", [MAY[0], {**MAY[1], "BillingCurrency": "EUR"}])
    async with Asker("focus", {"path": path}) as focus:
        refused = await focus.result("net_cost", month("2026-05"))
    rated = {"currency": "EUR", "rates": {"USD": 0.9}, "rates_date": "2026-05-29"}
    async with Asker("focus", {"path": path, **rated}) as focus:
        found = await focus.total("net_cost", month("2026-05"))
        parted = await focus.readings("net_cost", month("2026-05"), by=("BillingCurrency",))

    assert refused.error.reason is CollectorError.CONFIG
    assert "EUR, USD" in refused.error.message
    assert (found.value, found.unit) == (pytest.approx(140.0), "EUR")
    assert parts(parted, "BillingCurrency") == {"USD": pytest.approx(90.0), "EUR": 50.0}


@pytest.mark.parametrize(
    ("content", "reason", "words"),
    [
        ("<html><body>Sign in</body></html>", CollectorError.SCHEMA, "lacks BilledCost"),
        ("date,cost\n2026-05-01,5\n", CollectorError.SCHEMA, "It has date, cost"),
        ("", CollectorError.SCHEMA, "export"),
        (",".join(NAMES) + "\n2026-05-01,Usage,NULL,1\n", CollectorError.SCHEMA, "no readable export"),
    ],
)
async def test_files_that_are_no_export_are_errors_in_words(tmp_path, content, reason, words):
    (tmp_path / "a.csv").write_text(content)
    async with Asker("focus", {"path": str(tmp_path / "a.csv")}) as focus:
        result = await focus.result("net_cost", month("2026-05"))

    assert result.error.reason is reason
    assert words in f"{result.error.message} {result.error.hint}"


async def test_missing_files_unknown_columns_and_missing_budgets_are_config_errors(tmp_path):
    async with Asker("focus", {"path": str(tmp_path)}) as focus:
        nothing = await focus.result("net_cost", month("2026-05"))
    async with Asker("focus", {"path": written(tmp_path / "a.csv", MAY)}) as focus:
        column = await focus.result("net_cost", month("2026-05"), by=("Colour",))
        budget = await focus.result("budget_variance", month("2026-05"))

    assert [found.error.reason for found in (nothing, column, budget)] == [CollectorError.CONFIG] * 3
    assert "no .csv" in nothing.error.message
    assert "Colour" in column.error.message
    assert "budget_file" in budget.error.message


async def test_a_column_or_tag_with_quotes_cannot_leave_its_place(tmp_path):
    odd = {**MAY[0], 'x"y': "1", "Tags": json.dumps({'a"/~b': "yes"})}
    async with Asker("focus", {"path": written(tmp_path / "a.csv", [odd], [*NAMES, 'x"y'])}) as focus:
        column = await focus.readings("net_cost", month("2026-05"), by=('x"y', 'tag:a"/~b'))
        injected = await focus.result("net_cost", month("2026-05"), where={'1=1) OR ("ListCost': "x"})
        value = await focus.total("net_cost", month("2026-05"), where={"service": "S3' OR '1'='1"})

    assert parts(column, 'x"y') == {"1": 100.0}
    assert parts(column, 'tag:a"/~b') == {"yes": 100.0}
    assert injected.error.reason is CollectorError.CONFIG
    assert value.state is ReadingState.NO_DATA


async def test_what_the_sandbox_writes_comes_back_with_the_corrections_in_their_months(tmp_path):
    bills = bill(
        charge("2026-05-01", "S3", 100.0, listed=120.0, tags={"team": "shop"}),
        charge("2026-05-20", "S3", -10.0, kind="Refund", category="Credit", corrects=True),
        charge("2026-05-03", "Plans", 150.0, kind="SavingsPlanRecurringFee", category="Purchase", effective=0.0),
        charge("2026-05-03", "EC2", 0.0, kind="SavingsPlanCoveredUsage", effective=120.0, commitment="Used"),
        charge("2026-05-31", "Tax", 30.0, kind="Tax", category="Tax"),
        now=NOW,
    )
    files = write(bills, tmp_path)
    async with Asker("focus", {"path": str(tmp_path)}) as focus:
        net = await focus.total("net_cost", month("2026-05"))
        amortised = await focus.total("amortised_cost", month("2026-05"))

    assert [file.name for file in files] == ["AWS-2026-05.csv", "AWS-2026-06.csv"]  # the correction is billed in June
    assert net.value == pytest.approx(240.0)
    assert amortised.value == pytest.approx(210.0)
