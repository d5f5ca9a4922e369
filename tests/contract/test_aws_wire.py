"""AWS on the wire: the sandbox against botocore as a client written by others, the collector against the vendor's service models."""

import asyncio
import json

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.model import ServiceModel
from botocore.session import Session
from botocore.validate import ParamValidator
from tests.contract.cost_run import EXAMPLES, NOW, SHARED, Asker, Stub, charge, month, served
from tests.contract.test_aws_measures import EC2, MAY, PAYER, asking

from bsc_monitor.model.status import CollectorError, Completeness, ReadingState
from bsc_monitor.sandbox import start
from bsc_monitor.sandbox.cloud.aws import AwsBehaviour

MODELS = {
    name: ServiceModel(json.loads((SHARED / "contracts" / "aws" / file).read_text()), name)
    for name, file in (("ce", "ce-2017-10-25-service-2.json"), ("budgets", "budgets-2016-10-20-service-2.json"))
}
PERIOD = {"Start": "2026-05-01", "End": "2026-06-01"}


def client_of(service, url, key="demo", secret="demo", region="us-east-1"):
    return Session().create_client(
        service, region, aws_access_key_id=key, aws_secret_access_key=secret, endpoint_url=url,
        config=Config(retries={"max_attempts": 0}),
    )  # fmt: skip


async def ask(client, operation, **asked):
    return await asyncio.to_thread(getattr(client, operation), **asked)


@pytest.fixture
async def company():
    sandbox = await start(now=lambda: NOW)
    yield sandbox
    await sandbox.stop()


async def test_botocore_reads_cost_budgets_forecast_anomalies_and_savings_plans(company):
    ce, budgets = client_of("ce", company.aws_url), client_of("budgets", company.aws_url)
    groups = [{"Type": "DIMENSION", "Key": "SERVICE"}, {"Type": "TAG", "Key": "team"}]
    usage = await ask(
        ce, "get_cost_and_usage", TimePeriod=PERIOD, Granularity="MONTHLY", Metrics=["UnblendedCost"], GroupBy=groups
    )
    plain = await ask(ce, "get_cost_and_usage", TimePeriod=PERIOD, Granularity="DAILY", Metrics=["AmortizedCost"])
    coming = {"Start": "2026-06-15", "End": "2026-07-01"}
    forecast = await ask(ce, "get_cost_forecast", TimePeriod=coming, Granularity="DAILY", Metric="UNBLENDED_COST")
    plans = await ask(ce, "get_savings_plans_utilization", TimePeriod=PERIOD)
    anomalies = await ask(ce, "get_anomalies", DateInterval={"StartDate": "2025-06-01"})
    budget = (await ask(budgets, "describe_budget", AccountId=PAYER, BudgetName="cloud"))["Budget"]

    [result] = usage["ResultsByTime"]
    assert result["Total"] == {}
    assert [EC2, "team$"] in [group["Keys"] for group in result["Groups"]]  # untagged is KEY$
    assert len(plain["ResultsByTime"]) == 31
    assert float(forecast["Total"]["Amount"]) > 0
    assert len(forecast["ForecastResultsByTime"]) == 16
    assert float(plans["Total"]["Utilization"]["UtilizationPercentage"]) == pytest.approx(96, abs=0.1)
    assert anomalies["Anomalies"]
    assert budget["TimeUnit"] == "MONTHLY"
    assert len(budget["PlannedBudgetLimits"]) >= 19


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        ({"secret": "wrong"}, "InvalidSignatureException"),
        ({"key": "nobody"}, "UnrecognizedClientException"),
        ({"region": "eu-west-1"}, "InvalidSignatureException"),
    ],
)
async def test_the_sandbox_verifies_signatures(company, given, kind):
    ce = client_of("ce", company.aws_url, **given)

    with pytest.raises(ClientError) as refused:
        await ask(ce, "get_cost_and_usage", TimePeriod=PERIOD, Granularity="DAILY", Metrics=["UnblendedCost"])

    assert refused.value.response["Error"]["Code"] == kind


@pytest.mark.parametrize(
    "asked",
    [
        {"TimePeriod": {"Start": "2026-05-01", "End": "2026-05-01"}},  # End is exclusive
        {"TimePeriod": {"Start": "2024-12-01", "End": "2026-05-01"}},  # daily data are kept for 14 months
        {"Metrics": ["ListCost"]},
        {"GroupBy": [{"Type": "TAG", "Key": key} for key in "abc"]},
        {"NextPageToken": "nonsense"},
    ],
)
async def test_the_sandbox_refuses_what_the_vendor_refuses(company, asked):
    ce = client_of("ce", company.aws_url)
    whole = {"TimePeriod": PERIOD, "Granularity": "DAILY", "Metrics": ["UnblendedCost"], **asked}

    with pytest.raises(ClientError):
        await ask(ce, "get_cost_and_usage", **whole)


async def test_pages_of_the_sandbox_add_up_to_the_whole():
    async with asking(*MAY, behaviour=AwsBehaviour(page_size=2)) as aws:
        ce = client_of("ce", aws.live.collector.config.url)
        asked = {"TimePeriod": PERIOD, "Granularity": "DAILY", "Metrics": ["UnblendedCost"],
                 "GroupBy": [{"Type": "DIMENSION", "Key": "RECORD_TYPE"}]}  # fmt: skip
        pages, token = [], {}
        while token is not None:
            answer = await ask(ce, "get_cost_and_usage", **asked, **token)
            pages.append(answer["ResultsByTime"])
            token = {"NextPageToken": answer["NextPageToken"]} if "NextPageToken" in answer else None

    groups = [group for page in pages for result in page for group in result["Groups"]]
    assert len(pages) > 5
    assert sum(float(g["Metrics"]["UnblendedCost"]["Amount"]) for g in groups) == pytest.approx(345.0)


EVERYTHING = [
    ("net_cost", {"services": ["S3"], "accounts": [PAYER], "tags": {"team": ["shop"]}}, ("service", "tag:team")),
    ("amortised_cost", {}, ()),
    ("budget_variance", {"budget": "cloud"}, ()),
    ("forecast_variance", {"budget": "cloud"}, ()),
    ("run_share", {"tag": "work", "run": ["run"], "change": ["change"]}, ()),
    ("untagged_share", {"tag": "team"}, ()),
    ("commitment_coverage", {}, ()),
    ("commitment_coverage", {"kind": "reservations"}, ()),
    ("commitment_utilisation", {"kind": "reservations"}, ()),
    ("savings_realised", {}, ()),
    ("anomaly_impact", {}, ()),
]


async def test_every_request_of_the_collector_is_valid_by_the_vendors_service_models():
    answers = {
        "GetCostAndUsage": {"ResultsByTime": []}, "GetAnomalies": {"Anomalies": []}, "GetAnomalyMonitors": {"AnomalyMonitors": []},
        "GetCostForecast": {"Total": {"Amount": "1", "Unit": "USD"}}, "GetSavingsPlansCoverage": {"SavingsPlansCoverages": []},
        "DescribeBudget": {"Budget": {"BudgetType": "COST", "TimeUnit": "MONTHLY", "BudgetLimit": {"Amount": "5", "Unit": "USD"}}},
    }  # fmt: skip

    class Vendor(Stub):
        async def handle(self, request):
            self.answers = [(200, answers.get(request.headers["X-Amz-Target"].split(".")[1], {}))]
            return await super().handle(request)

    vendor = Vendor((200, {}))
    async with served(vendor.app()) as url:
        given = {"access_key_id": "a", "secret_access_key": "s", "account_id": PAYER, "url": url}
        async with Asker("aws_cost", given) as aws:
            for name, params, by in EVERYTHING:
                result = await aws.result(name, month("2026-06"), by=by, **params)
                assert result.error is None, (name, result.error)

    asked = set()
    for method, path, headers, body in vendor.seen:
        service, operation = headers["X-Amz-Target"].split(".")
        model = MODELS["ce" if service == "AWSInsightsIndexService" else "budgets"]
        assert service == model.metadata.get("targetPrefix", "AWSBudgetServiceGateway")
        report = ParamValidator().validate(json.loads(body), model.operation_model(operation).input_shape)
        assert not report.has_errors(), report.generate_report()
        assert (method, path, headers["Content-Type"]) == ("POST", "/api/", "application/x-amz-json-1.1")
        asked.add(operation)
    assert asked >= {"GetCostAndUsage", "GetCostForecast", "DescribeBudget", "GetAnomalies", "GetReservationCoverage"}


async def stubbed(*answers, measure="net_cost", period="2026-05", **params):
    stub = Stub(*answers)
    async with served(stub.app()) as url:
        given = {"access_key_id": "demo", "secret_access_key": "topsecret", "account_id": PAYER, "url": url}
        async with Asker("aws_cost", given, timeout=5) as aws:
            return await aws.result(measure, month(period), **params), stub


async def test_the_vendors_documented_answers_are_read():
    recorded = json.loads((EXAMPLES / "aws_ce_get_cost_and_usage_doc.json").read_text())["response"]["body"]
    for group in recorded["ResultsByTime"][0]["Groups"]:  # the example has other metrics and groups than are asked for
        group["Metrics"]["AmortizedCost"] = group["Metrics"]["BlendedCost"]
    recorded["ResultsByTime"][0]["TimePeriod"] = {"Start": "2026-05-01", "End": "2026-05-02"}
    result, _ = await stubbed((200, recorded), by=("tag:Environment",))

    values = {reading.labels.get("tag:Environment"): reading.value for reading in result.readings}
    assert values == {None: pytest.approx(40.6226137777), "none": 40.3543773134, "Dev": 0.2682364644}


async def test_the_vendors_documented_budget_is_read():
    budget = json.loads((EXAMPLES / "aws_budgets_describe_budgets_doc.json").read_text())["response"]["body"][
        "Budgets"
    ][0]
    usage = {"ResultsByTime": [{"TimePeriod": PERIOD, "Estimated": False, "Groups": [
        {"Keys": ["Usage"], "Metrics": {"UnblendedCost": {"Amount": "104.456", "Unit": "USD"}, "AmortizedCost": {"Amount": "1", "Unit": "USD"}}},
    ]}]}  # fmt: skip
    plain = {"Budget": {**budget, "CostFilters": {}}}
    result, _ = await stubbed((200, plain), (200, usage), measure="budget_variance", budget="Example Budget")
    filtered, _ = await stubbed((200, {"Budget": budget}), measure="budget_variance", budget="Example Budget")

    assert result.readings[0].value == pytest.approx(4.456)
    assert "old form" in filtered.error.message  # its CostFilters would be left out of the comparison


async def test_coverage_utilisation_and_savings_of_reservations_are_in_cost():
    used = {
        "Total": {
            "OnDemandCostOfRIHoursUsed": "300",
            "TotalAmortizedFee": "250",
            "RICostForUnusedHours": "50",
            "NetRISavings": "100",
        }
    }
    open_cost = {"Total": {"CoverageCost": {"OnDemandCost": "100"}}}
    coverage, _ = await stubbed((200, used), (200, open_cost), measure="commitment_coverage", kind="reservations")
    utilisation, _ = await stubbed((200, used), measure="commitment_utilisation", kind="reservations")

    assert coverage.readings[0].value == pytest.approx(300 / 400)
    assert utilisation.readings[0].value == pytest.approx(200 / 250)


async def test_without_an_anomaly_monitor_no_anomaly_means_nothing():
    result, _ = await stubbed((200, {"Anomalies": []}), (200, {"AnomalyMonitors": []}), measure="anomaly_impact")

    assert result.readings[0].state is ReadingState.NO_DATA
    assert "no anomaly monitor" in result.readings[0].note


def usage(amount="1.0", unit="USD", kind="Usage", **given):
    spend = {"Amount": amount, "Unit": unit}
    group = {"Keys": [kind], "Metrics": {"UnblendedCost": spend, "AmortizedCost": spend}}
    return {"TimePeriod": {"Start": "2026-05-01", "End": "2026-05-02"}, "Groups": [group], "Estimated": False, **given}


@pytest.mark.parametrize(
    ("status", "body", "reason", "words"),
    [
        (400, {"__type": "AccessDeniedException", "Message": "User is not authorized to perform: ce:GetCostAndUsage"}, CollectorError.PERMISSION, "not authorized"),
        (400, {"__type": "com.amazon#UnrecognizedClientException", "message": "The security token is invalid"}, CollectorError.AUTH, "security token"),
        (400, {"__type": "LimitExceededException", "Message": "Rate exceeded"}, CollectorError.RATE_LIMIT, "Rate exceeded"),
        (400, {"__type": "ValidationException", "message": "nonsense"}, CollectorError.CONFIG, "nonsense"),
        (403, {"__type": "ExpiredTokenException", "message": "expired"}, CollectorError.AUTH, "expired"),
        (401, {"message": "no"}, CollectorError.AUTH, "credentials"),
        (200, "<html><title>Sign in</title></html>", CollectorError.SCHEMA, "web page"),
        (200, '{"ResultsByTime": [{"TimePeriod": {"St', CollectorError.SCHEMA, "stops in the middle"),
        (200, {"Results": []}, CollectorError.SCHEMA, "ResultsByTime"),
        (403, {"message": "not allowed"}, CollectorError.PERMISSION, "not allowed"),
        (200, {"ResultsByTime": [usage("NaN")]}, CollectorError.SCHEMA, "no number"),
        (200, {"ResultsByTime": [usage("1e999")]}, CollectorError.SCHEMA, "no number"),
        (200, {"ResultsByTime": [usage("12,50")]}, CollectorError.SCHEMA, "no number"),
        (200, {"ResultsByTime": [{"Groups": []}]}, CollectorError.SCHEMA, "TimePeriod"),
        (200, {"ResultsByTime": [usage(), usage(unit="EUR", kind="Fee")]}, CollectorError.CONFIG, "EUR, USD"),
    ],
)  # fmt: skip
async def test_bad_answers_are_errors_in_words(status, body, reason, words):
    result, _ = await stubbed((status, body))

    assert result.error.reason is reason
    assert words in result.error.message
    assert "topsecret" not in result.error.message + str(result.trace)


async def test_days_that_the_answer_leaves_out_are_no_data_not_zero():
    result, _ = await stubbed((200, {"ResultsByTime": [usage("12.5", Estimated=True)]}))
    [reading] = result.readings
    nothing, _ = await stubbed((200, {"ResultsByTime": []}))

    assert (reading.value, reading.completeness) == (12.5, Completeness.PROVISIONAL)
    assert reading.note == "30 of 31 days hold no data"
    assert nothing.readings[0].state is ReadingState.NO_DATA


async def test_the_sandbox_limits_and_denies_as_the_vendor_does():
    async with asking(*MAY, behaviour=AwsBehaviour(requests_per_minute=1, denied=frozenset({"GetAnomalies"}))) as aws:
        first = await aws.result("net_cost", month("2026-05"))
        limited = await aws.result("net_cost", month("2026-05"), by=("service",))
        denied = await aws.result("anomaly_impact", month("2026-05"))

    assert first.error is None
    assert limited.error.reason is CollectorError.RATE_LIMIT
    assert denied.error.reason is CollectorError.PERMISSION
    assert "ce:GetAnomalies" in denied.error.message


async def test_check_says_what_is_wrong_with_the_key():
    from bsc_monitor.collect.context import RunContext, RunLog
    from bsc_monitor.model.period import Calendar
    from bsc_monitor.plugin import SourceError, Window

    async with asking(*MAY, charge("2026-06-14", "S3", 1.0), config={"secret_access_key": "wrong"}) as aws:
        client, period = aws.live.client, month("2026-06")
        log = RunLog("cost", "check", client.redactor)
        run = RunContext(client.run(), NOW, Window(period.start, NOW), period, (), Calendar(), log)
        with pytest.raises(SourceError, match="InvalidSignature") as refused:
            await aws.live.collector.check(run)

    assert refused.value.reason is CollectorError.AUTH


@pytest.mark.parametrize("answer", [{"Other": []}, {"SavingsPlansCoverages": None}, {"SavingsPlansCoverages": [{}]}])
async def test_an_answer_about_coverage_of_another_form_is_the_vendors_fault(answer):
    result, _ = await stubbed((200, answer), measure="commitment_coverage")

    assert (result.error.reason, result.readings) == (CollectorError.SCHEMA, ())
    assert "not an answer about coverage" in str(result.error)


@pytest.mark.parametrize("total", [None, [], "1"])
async def test_a_total_of_another_form_is_the_vendors_fault(total):
    result, _ = await stubbed((200, {"Total": total}), measure="commitment_utilisation")

    assert result.error.reason is CollectorError.SCHEMA


ANOMALY = {"AnomalyId": "a", "AnomalyStartDate": "2026-05-04", "AnomalyScore": {}, "MonitorArn": "m"}


@pytest.mark.parametrize(
    ("measure", "params", "answer"),
    [
        ("savings_realised", {}, {"Other": []}),
        ("savings_realised", {}, {"Total": {"Utilization": {"UsedCommitment": "1"}}}),
        ("savings_realised", {}, {"Total": {"Savings": {"NetSavings": ""}}}),
        ("commitment_utilisation", {}, {"Total": {"Utilization": {"UsedCommitment": "1"}}}),
        ("commitment_utilisation", {"kind": "reservations"}, {"Total": {"TotalAmortizedFee": "1"}}),
        ("commitment_utilisation", {"kind": "reservations"}, {"UtilizationsByTime": [{}]}),
        ("commitment_coverage", {}, {"SavingsPlansCoverages": [{"Coverage": {"OnDemandCost": "1"}}]}),
        ("commitment_coverage", {"kind": "reservations"}, {"Total": {"UtilizationPercentage": "0"}}),
        ("anomaly_impact", {}, {"Anomalies": [{**ANOMALY, "Impact": {"MaxImpact": 1.0}}]}),
        ("anomaly_impact", {}, {"Anomalies": [ANOMALY]}),
        ("budget_variance", {"budget": "cloud"}, {"Other": {}}),
    ],
)  # fmt: skip
async def test_what_an_answer_leaves_out_is_not_taken_for_zero(measure, params, answer):
    result, _ = await stubbed((200, answer), measure=measure, **params)

    assert (result.error.reason, result.readings) == (CollectorError.SCHEMA, ())


async def test_whether_there_is_a_monitor_is_not_guessed():
    result, _ = await stubbed((200, {"Anomalies": []}), (200, {"Other": []}), measure="anomaly_impact")

    assert result.error.reason is CollectorError.SCHEMA


@pytest.mark.parametrize("measure", ["savings_realised", "commitment_utilisation"])
async def test_an_answer_with_nothing_over_time_and_no_total_is_no_data(measure):
    none = {"SavingsPlansUtilizationsByTime": [], "UtilizationsByTime": []}
    result, _ = await stubbed((200, none), (200, none), measure=measure)

    assert [(reading.value, reading.state) for reading in result.readings] == [(None, ReadingState.NO_DATA)]
