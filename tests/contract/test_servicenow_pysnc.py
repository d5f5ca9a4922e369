"""The vendor's own Python client reads the sandbox. It insists on https, so its session is led to the sandbox's plain port."""

import asyncio
from datetime import UTC, datetime

import pysnc
import pytest
from requests.adapters import HTTPAdapter

from bsc_monitor.sandbox import start

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
INSTANCE = "https://sandbox.example"


class LedTo(HTTPAdapter):
    """Sends what is meant for the instance to an address of this machine."""

    def __init__(self, url):
        super().__init__()
        self.url = url

    def send(self, request, *args, **kwargs):
        request.url = request.url.replace(INSTANCE, self.url, 1)
        return super().send(request, *args, **kwargs)


@pytest.fixture
async def client():
    sandbox = await start(now=lambda: NOW)
    made = pysnc.ServiceNowClient(INSTANCE, ("demo", "demo"), auto_retry=False)
    made.session.mount(INSTANCE, LedTo(sandbox.servicenow_url))
    yield made
    made.session.close()
    await sandbox.stop()


async def test_the_vendors_client_walks_pages_and_counts(client):
    def walk():
        record = client.GlideRecord("incident", batch_size=50)
        record.add_encoded_query("opened_at>=2026-05-01 00:00:00^opened_at<2026-06-01 00:00:00^ORDERBYsys_id")
        record.query()
        return record.get_row_count(), [row.get_value("number") for row in record]

    count, numbers = await asyncio.to_thread(walk)

    assert count == len(numbers) == len(set(numbers))
    assert count > 100  # more than two pages


async def test_the_vendors_client_reads_display_values_and_walks_references(client):
    def read():
        record = client.GlideRecord("incident")
        record.fields = ["number", "priority", "assignment_group", "assignment_group.name", "opened_at"]
        record.add_query("priority", "1")
        record.limit = 1
        record.query()
        assert record.next()
        return (
            record.get_value("priority"), record.get_display_value("priority"),
            record.get_display_value("assignment_group"), record.get_value("assignment_group.name"),
        )  # fmt: skip

    priority, shown, group, name = await asyncio.to_thread(read)

    assert (priority, shown) == ("1", "1 - Critical")
    assert group == name != ""


async def test_the_vendors_client_creates_gets_and_updates_a_record(client):
    def write():
        record = client.GlideRecord("incident")
        record.initialize()
        record.short_description = "The shop is down"
        key = record.insert()
        again = client.GlideRecord("incident")
        assert again.get(key)
        again.set_value("state", "6")
        again.update()
        third = client.GlideRecord("incident")
        third.get(key)
        return third.get_value("short_description"), third.get_value("state")

    assert await asyncio.to_thread(write) == ("The shop is down", "6")


async def test_the_vendors_client_understands_a_refusal(client):
    def ask():
        record = client.GlideRecord("no_such_table")
        record.query()

    with pytest.raises(pysnc.exceptions.RequestException, match="Invalid table"):
        await asyncio.to_thread(ask)
