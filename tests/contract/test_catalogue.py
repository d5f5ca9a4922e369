"""Every definition of the catalogue can be used against the sandbox as it stands."""

from datetime import UTC, datetime

import pytest
from tests.contract.collector_run import PLUGINS, month, opened, run, total

from bsc_monitor.catalog import load
from bsc_monitor.collect.streams import TransientRecords
from bsc_monitor.sandbox import start
from bsc_monitor.sandbox.company.cost import SUBSCRIPTION

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
MAY = month("2026-05")


def configs(sandbox):
    cloud = {"tenant_id": "demo", "client_id": "demo", "client_secret": "demo"}
    return {
        "servicenow": {"url": sandbox.servicenow_url, "username": "demo", "password": "demo"},
        "jira": {"url": sandbox.jira_url, "email": "demo@example.com", "token": "demo"},
        "github": {"url": sandbox.github_url, "token": "demo"},
        "gitlab": {"url": sandbox.gitlab_url, "token": "demo"},
        "survey": {"url": f"{sandbox.people_url}/answers", "token": "demo"},
        "training": {"url": sandbox.people_url, "token": "demo"},
        "aws_cost": {
            "url": sandbox.aws_url, "access_key_id": "demo", "secret_access_key": "demo", "account_id": "111122223333",
        },
        "azure_cost": {
            "url": sandbox.azure_url, "login_url": sandbox.azure_url, "scope": f"/subscriptions/{SUBSCRIPTION}", **cloud,
        },
        "opencost": {"url": sandbox.opencost_url},
    }  # fmt: skip


@pytest.mark.parametrize("plugin", sorted({each.plugin for each in load().values()}))
async def test_every_definition_gives_a_value_of_the_generated_company(plugin):
    assert plugin in PLUGINS.collectors
    sandbox = await start(now=lambda: NOW)
    config = configs(sandbox)[plugin]
    live, records = opened(plugin, config), TransientRecords()
    missing = {}
    try:
        for each in load().values():
            if each.plugin == plugin:
                readings = await run(
                    plugin, config, each.measure, MAY, now=NOW, live=live, records=records, **each.params
                )
                if total(readings).value is None:
                    missing[each.id] = total(readings).note
    finally:
        await live.client.close()
        await sandbox.stop()

    assert missing == {}
