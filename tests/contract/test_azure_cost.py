"""``azure_cost`` on a few charges computed by hand, on the vendor's documented answers, and on what a sick server may say."""

import json
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import date, timedelta

import pytest
from tests.contract.cost_run import EXAMPLES, NOW, SHARED, Asker, Stub, bill, charge, month, parts, served

from bsc_monitor.model.status import CollectorError, Completeness, ReadingState
from bsc_monitor.sandbox.cloud.azure import AzureBehaviour, azure_app

SUBSCRIPTION = "11111111-2222-3333-4444-555555555555"
SHAPES = json.loads((SHARED / "contracts" / "azure" / "costmanagement-query-2025-03-01.derived.json").read_text())


def azure(day, service, billed, category="Usage", **given):
    plain = {"provider": "Microsoft", "account": SUBSCRIPTION, "account_name": "it", "currency": "EUR"}
    return charge(day, service, billed, category=category, **plain, **given)


MAY = (
    azure("2026-05-01", "Storage", 100.0, tags={"team": "shop", "work": "run"}),
    azure("2026-05-02", "SQL Database", 60.0, tags={"team": "shop", "work": "change"}),
    azure("2026-05-31", "Storage", 40.0),  # untagged
    azure(
        "2026-05-10", "Virtual Machines", 0.0, effective=70.0, commitment="Used", tags={"team": "pay", "work": "run"}
    ),
    azure("2026-05-10", "Virtual Machines", 90.0, "Purchase", effective=0.0),  # the reservation, paid for at once
    azure("2026-05-10", "Virtual Machines", 0.0, effective=20.0, commitment="Unused"),
    azure("2026-06-01", "Storage", 5.0),
)


@asynccontextmanager
async def asking(*charges, now=NOW, config=None, behaviour=None):
    months = {date(2026, number, 1): 400.0 for number in range(1, 13)}
    book = bill(*charges, now=now, budgets={SUBSCRIPTION: months})
    app = azure_app(lambda: book, behaviour or AzureBehaviour())
    async with served(app) as url, Asker("azure_cost", settings(url, **(config or {}))) as asker:
        yield asker


def settings(url, **config):
    scope = f"/subscriptions/{SUBSCRIPTION}"
    secrets = {"tenant_id": "demo", "client_id": "demo", "client_secret": "demo"}
    return {**secrets, "scope": scope, "url": url, "login_url": url, **config}


async def test_net_and_amortised_cost_and_their_breakdowns():
    async with asking(*MAY) as cloud:
        net = await cloud.readings("net_cost", month("2026-05"), by=("service", "tag:team"))
        amortised = await cloud.readings("amortised_cost", month("2026-05"), by=("resource_group", "account"))

    assert (net[0].value, net[0].unit) == (290.0, "EUR")  # 100 + 60 + 40 + the purchase of 90
    assert parts(net, "service") == {"Storage": 140.0, "SQL Database": 60.0, "Virtual Machines": 90.0}
    assert parts(net, "tag:team") == {"shop": 160.0, "none": 130.0, "pay": 0.0}
    assert amortised[0].value == 290.0  # 100 + 60 + 40 + 70 used + 20 unused
    assert parts(amortised, "resource_group") == {"rg-shop": 160.0, "rg-shared": 60.0, "rg-pay": 70.0}
    assert parts(amortised, "account") == {"it": 290.0}


async def test_a_scope_narrows_by_service_resource_group_and_tag():
    async with asking(*MAY) as cloud:
        both = await cloud.total("net_cost", month("2026-05"), services=["Storage"], tags={"team": ["shop", "pay"]})
        group = await cloud.total("net_cost", month("2026-05"), resource_groups=["rg-shop"])
        none = await cloud.total("net_cost", month("2026-05"), services=["Nothing"])

    assert (both.value, group.value) == (100.0, 160.0)
    assert (none.value, none.state) == (None, ReadingState.NO_DATA)  # 204


async def test_variance_against_the_vendors_budget_of_the_same_days():
    days = [azure(f"2026-06-{number:02}", "Storage", 15.0) for number in range(1, 16)]
    async with asking(*MAY[:-1], *days) as cloud:
        past = await cloud.total("budget_variance", month("2026-05"), budget="cloud")
        amortised = await cloud.total("budget_variance", month("2026-05"), budget="cloud", amortised=True)
        running = await cloud.total("budget_variance", month("2026-06"), budget="cloud")
        forecast = await cloud.total("forecast_variance", month("2026-06"), budget="cloud")

    assert past.value == pytest.approx((290 - 400) / 400 * 100)
    assert amortised.value == pytest.approx((290 - 400) / 400 * 100)
    assert running.value == pytest.approx((13 * 15 - 400 * 13 / 30) / (400 * 13 / 30) * 100)  # 12.5 % over
    assert running.completeness is Completeness.PROVISIONAL
    # 13 days and the reported 3/4 of the 14th, then 16 days at the mean of the 30 days before 13 June: (12 x 15 + 40) / 30
    mean = (12 * 15 + 40) / 30
    assert forecast.value == pytest.approx((13 * 15 + 0.75 * 15 + 16 * mean - 400) / 400 * 100)


async def test_run_untagged_coverage_and_utilisation_in_amortised_cost():
    async with asking(*MAY) as cloud:
        run = await cloud.total("run_share", month("2026-05"), tag="work", run=["run"], change=["change"])
        untagged = await cloud.total("untagged_share", month("2026-05"), tag="team")
        coverage = await cloud.total("commitment_coverage", month("2026-05"))
        utilisation = await cloud.total("commitment_utilisation", month("2026-05"))

    assert run.value == pytest.approx(170 / 230)  # run 100 + 70, change 60
    assert untagged.value == pytest.approx(40 / 270)  # usage alone: 100 + 60 + 40 + 70
    assert coverage.value == pytest.approx(70 / 270)
    assert utilisation.value == pytest.approx(70 / 90)


async def test_pages_are_fetched_by_posting_the_same_body_to_the_next_link():
    async with asking(*MAY, behaviour=AzureBehaviour(page_size=2)) as cloud:
        found = await cloud.total("net_cost", month("2026-05"))

    assert found.value == 290.0
    assert cloud.requests == 1 + 2  # the token, and two pages of four days


async def test_days_are_asked_for_once_and_the_token_too():
    async with asking(*MAY) as cloud:
        for name in ("net_cost", "budget_variance", "net_cost"):
            params = {"budget": "cloud"} if "budget" in name else {}
            await cloud.total(name, month("2026-05"), **params)
        once = cloud.requests
        await cloud.total("net_cost", month("2026-06"))
        await cloud.total("net_cost", month("2026-06"), now=NOW + timedelta(hours=5))

    assert once == 3  # token, days, budget
    assert cloud.requests - once == 1 + 2  # the running month again after four hours, with a new token


async def test_a_429_is_waited_for_as_long_as_the_longest_of_its_headers_says():
    async with asking(*MAY, behaviour=AzureBehaviour(requests_per_minute=0)) as cloud:
        waits = []

        async def sleep(seconds):
            waits.append(seconds)

        cloud.live.client.sleep = sleep
        result = await cloud.result("net_cost", month("2026-05"))

    assert result.error.reason is CollectorError.RATE_LIMIT
    assert set(waits) == {7.0}  # entity 7 s, query units 3 s
    assert "Too many requests" in result.error.message


@pytest.mark.parametrize(
    ("config", "reason", "words"),
    [
        ({"client_secret": "wrong"}, CollectorError.AUTH, "Invalid client secret"),
        ({"client_id": "nobody"}, CollectorError.CONFIG, "was not found in the directory"),
        ({"tenant_id": "elsewhere"}, CollectorError.CONFIG, "Tenant 'elsewhere' not found"),
        ({"scope": "/subscriptions/other"}, CollectorError.PERMISSION, "does not have authorization"),
    ],
)
async def test_wrong_credentials_and_scopes_are_said_in_the_vendors_words(config, reason, words):
    async with asking(*MAY, config=config) as cloud:
        result = await cloud.result("net_cost", month("2026-05"))

    assert result.error.reason is reason
    assert words in result.error.message


async def test_an_unknown_budget_and_a_dimension_that_azure_refuses_are_config_errors():
    async with asking(*MAY) as cloud:
        unknown = await cloud.result("budget_variance", month("2026-05"), budget="clout")
        refused = await cloud.result("net_cost", month("2026-05"), by=("Colour",))

    assert unknown.error.reason is CollectorError.CONFIG
    assert "clout" in unknown.error.message
    assert "Invalid dataset grouping: 'Colour'" in refused.error.message


TOKEN = (200, {"access_token": "t0p-secret-token", "expires_in": 3599, "token_type": "Bearer"})


def rows(*found, columns=("Cost", "UsageDate", "Currency"), link=None):
    return {
        "properties": {
            "nextLink": link,
            "columns": [{"name": name} for name in columns],
            "rows": [list(r) for r in found],
        }
    }


async def stubbed(*answers, measure="net_cost", period="2026-05", by=(), **params):
    stub = Stub(TOKEN, *answers)
    async with served(stub.app()) as url, Asker("azure_cost", settings(url), timeout=5) as cloud:
        return await cloud.result(measure, month(period), by=by, **params), stub


async def test_requests_have_the_shape_of_the_vendors_sdk():
    _, stub = await stubbed((204, ""), by=("service",), services=["Storage"], tags={"team": ["a"]})
    login, asked = stub.seen[0], stub.seen[1]

    assert login[1] == "/api/demo/oauth2/v2.0/token"
    assert b"grant_type=client_credentials" in login[3]
    assert (
        asked[1] == f"/api/subscriptions/{SUBSCRIPTION}/providers/Microsoft.CostManagement/query?api-version=2025-03-01"
    )
    assert asked[2]["Authorization"] == "Bearer t0p-secret-token"
    shaped(json.loads(asked[3]), "QueryDefinition")


def shaped(value, shape):
    """Whether every key of a request is one that the vendor's SDK writes."""
    fields = {field["wire_name"]: field["type"] for field in SHAPES[shape]["fields"].values()}
    for name, inner in value.items():
        assert name in fields, f"{shape} has no {name}"
        nested = next((known for known in SHAPES if f"_models.{known}'" in fields[name] or fields[name].endswith(f".{known}")), None)  # fmt: skip
        for one in inner if isinstance(inner, list) else [inner]:
            if isinstance(one, dict) and nested and "dict[" not in fields[name]:
                shaped(one, nested)


async def test_the_vendors_documented_answer_is_read_by_column_name():
    recorded = json.loads((EXAMPLES / "azure_query_subscription_spec.json").read_text())["response"]["body"]
    for row, day in zip(recorded["properties"]["rows"], (20260501, 20260501, 20260502, 20260529), strict=True):
        row[2] = day  # UsageDate is an integer; the example's are of 2018
    result, _ = await stubbed((200, recorded))
    grouped, _ = await stubbed((200, recorded), by=("ResourceGroup",))

    assert result.readings[0].value == pytest.approx(2.10333307059661 + 218.68795741935486 + 0.14384913581657052 + 0.009865586851323632)  # fmt: skip
    assert len(parts(grouped.readings, "ResourceGroup")) == 4  # the vendor's own case of names is kept


async def test_the_vendors_documented_budget_is_read():
    budget = json.loads((EXAMPLES / "azure_budgets_list_spec.json").read_text())["response"]["body"]["value"][0]
    answer = rows((660.715, 20260501, "USD"))
    result, _ = await stubbed((200, answer), (200, budget), measure="budget_variance", budget="TestBudget")

    assert result.readings[0].value == pytest.approx(10.0)  # 660.715 against 600.65


@pytest.mark.parametrize(
    ("status", "body", "reason", "words"),
    [
        (401, {"error": {"code": "ExpiredAuthenticationToken", "message": "expired"}}, CollectorError.AUTH, "expired"),
        (403, {"error": {"code": "AuthorizationFailed", "message": "no rights"}}, CollectorError.PERMISSION, "no rights"),
        (200, "<html><title>Sign in to Azure</title>", CollectorError.SCHEMA, "Sign in to Azure"),
        (200, '{"properties": {"rows": [[1.0, 2026', CollectorError.SCHEMA, "stops in the middle"),
        (200, '{"properties": {"columns": [], "rows": [], "x": NaN}}', CollectorError.SCHEMA, "NaN"),
        (200, {"properties": {"columns": [{"name": "Cost"}], "rows": [[1, 2]]}}, CollectorError.SCHEMA, "columns and rows"),
        (200, {"value": []}, CollectorError.SCHEMA, "columns and rows"),
        (200, rows(("12,5", 20260501, "EUR")), CollectorError.SCHEMA, "no amount"),
        (200, rows((1.0, "May", "EUR")), CollectorError.SCHEMA, "no UsageDate"),
        (200, rows((1.0, 20260501), columns=("Cost", "UsageDate")), CollectorError.SCHEMA, "currency"),
        (200, rows((1.0, 20260501, "EUR"), (2.0, 20260502, "USD")), CollectorError.CONFIG, "EUR, USD"),
        (200, rows((1.0, 20260501, "EUR"), link="https://elsewhere.example/steal"), CollectorError.SCHEMA, "another host"),
    ],
)  # fmt: skip
async def test_bad_answers_are_errors_in_words(status, body, reason, words):
    result, _ = await stubbed((status, body))

    assert result.error.reason is reason
    assert words.lower() in result.error.message.lower()
    assert "t0p-secret-token" not in result.error.message


async def test_a_next_link_in_a_circle_is_noticed():
    stub = Stub(TOKEN)
    async with served(stub.app()) as url:
        stub.answers.append((200, rows((1.0, 20260501, "EUR"), link=f"{url}/next")))
        async with Asker("azure_cost", settings(url), timeout=5) as cloud:
            result = await cloud.result("net_cost", month("2026-05"))

    assert "circle" in result.error.message
    bodies = {body for _, path, _, body in stub.seen if "oauth2" not in path}
    assert len(bodies) == 1  # the same body again


async def test_a_filtered_budget_is_refused_as_it_would_compare_unlike_things():
    budget = {"properties": {"amount": 5, "category": "Cost", "timeGrain": "Monthly", "filter": {"tags": {}}}}
    result, _ = await stubbed((200, rows((1.0, 20260501, "EUR"))), (200, budget), measure="budget_variance", budget="x")

    assert "filtered" in result.error.message


async def test_more_than_a_year_is_asked_for_in_parts():
    week = replace(month("2025-01"), end=month("2026-05").end)
    async with asking(*MAY, azure("2025-01-03", "Storage", 1000.0)) as cloud:
        found = await cloud.total("net_cost", week)

    assert found.value == 1290.0
    assert cloud.requests == 1 + 2


@pytest.mark.parametrize("measure", ["savings_realised", "anomaly_impact"])
async def test_what_azure_does_not_say_is_refused_in_words_and_nothing_is_asked(measure):
    async with asking(*MAY) as cloud:
        result = await cloud.result(measure, month("2026-05"))
    assert (result.readings, result.requests) == ((), 0)
    assert result.error.reason is CollectorError.CONFIG, "for a person to mend: nothing to try again soon"
    assert result.error.hint
