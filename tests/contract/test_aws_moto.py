"""``aws_cost`` against moto, a stand-in for AWS written by others: it pages queued answers, and its last page repeats its token."""

import asyncio
import json
import shutil
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from botocore.session import Session
from tests.contract.cost_run import Asker, month
from tests.servers import free_port, wait_until

from bsc_monitor.model.status import CollectorError

MOTO = shutil.which("moto_server", path=str(Path(sys.executable).parent))
pytestmark = pytest.mark.skipif(MOTO is None, reason="moto is not installed")
ACCOUNT = "123456789012"


@pytest.fixture(scope="module")
def moto():
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    process = subprocess.Popen(
        [MOTO, "-H", "127.0.0.1", "-p", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        wait_until(lambda: urllib.request.urlopen(f"{url}/moto-api/data.json", timeout=2).read(), "moto")
        yield url
    finally:
        process.terminate()
        process.wait(20)


def post(url, value):
    asked = urllib.request.Request(url, json.dumps(value).encode(), {"Content-Type": "application/json"})
    urllib.request.urlopen(asked, timeout=10).read()


def page(day, amount, **given):
    spend = {"Amount": amount, "Unit": "USD"}
    groups = [{"Keys": ["Usage"], "Metrics": {"UnblendedCost": spend, "AmortizedCost": spend}}]
    period = {"Start": f"2026-05-{day:02}", "End": f"2026-05-{day + 1:02}"}
    return {"ResultsByTime": [{"TimePeriod": period, "Groups": groups, "Estimated": False, "Total": {}}], **given}


def collector(url, **config):
    return Asker(
        "aws_cost", {"access_key_id": "a", "secret_access_key": "s", "account_id": ACCOUNT, "url": url, **config}
    )


async def test_queued_pages_are_added_up(moto):
    await asyncio.to_thread(post, f"{moto}/moto-api/reset", {})
    pages = [page(1, "10.25", NextPageToken="one"), page(2, "20.5", NextPageToken="two"), page(3, "0.25")]
    await asyncio.to_thread(post, f"{moto}/moto-api/static/ce/cost-and-usage-results", {"results": pages})
    async with collector(moto) as aws:
        found = await aws.total("net_cost", month("2026-05"))

    assert (found.value, found.unit) == (31.0, "USD")
    assert aws.requests == 3


async def test_a_last_page_that_repeats_its_token_ends_the_run_in_words(moto):
    await asyncio.to_thread(post, f"{moto}/moto-api/reset", {})
    pages = [page(1, "1", NextPageToken="one"), page(2, "2", NextPageToken="one")]
    await asyncio.to_thread(post, f"{moto}/moto-api/static/ce/cost-and-usage-results", {"results": pages})
    async with collector(moto) as aws:
        result = await aws.result("net_cost", month("2026-05"))

    assert result.error.reason is CollectorError.SCHEMA
    assert "circle" in result.error.message
    assert result.requests == 2


async def test_a_budget_made_by_botocore_is_the_measure_of_the_cost(moto):
    await asyncio.to_thread(post, f"{moto}/moto-api/reset", {})
    budgets = Session().create_client(
        "budgets", "us-east-1", aws_access_key_id="a", aws_secret_access_key="s", endpoint_url=moto
    )
    made = {
        "BudgetName": "it", "BudgetLimit": {"Amount": "50", "Unit": "USD"}, "TimeUnit": "MONTHLY", "BudgetType": "COST",
    }  # fmt: skip
    await asyncio.to_thread(budgets.create_budget, AccountId=ACCOUNT, Budget=made)
    await asyncio.to_thread(post, f"{moto}/moto-api/static/ce/cost-and-usage-results", {"results": [page(1, "60")]})
    async with collector(moto) as aws:
        found = await aws.total("budget_variance", month("2026-05"), budget="it")
        unknown = await aws.result("budget_variance", month("2026-05"), budget="hr")

    assert found.value == pytest.approx(20.0)
    assert unknown.error.reason is CollectorError.CONFIG
