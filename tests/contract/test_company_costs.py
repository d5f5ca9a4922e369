"""Every cost measure gives data on the generated company, and tells its story through the collectors."""

import pytest
from tests.contract.cost_run import NOW, PLUGINS, Asker, month

from bsc_monitor.plugin import declared
from bsc_monitor.sandbox import start
from bsc_monitor.sandbox.company.cost import SUBSCRIPTION

RUN = {"tag": "work", "run": ["run"], "change": ["change"]}
AWS = {
    "budget_variance": {"budget": "cloud"},
    "forecast_variance": {"budget": "cloud"},
    "run_share": RUN,
    "untagged_share": {"tag": "team"},
}
PARAMS = {
    "aws_cost": AWS,
    "azure_cost": AWS,
    "opencost": {
        "run_share": {"run": ["shop", "payments"], "change": ["warehouse"]},
        "untagged_share": {"label": "team"},
    },
    "focus": {**AWS, "budget_variance": {}, "forecast_variance": {}},
}
REFUSED = {"azure_cost": {"savings_realised", "anomaly_impact"}}  # in words: Azure does not tell them


@pytest.fixture
async def company(tmp_path):
    """The configuration of each source; the FOCUS export is the company's as well."""
    sandbox = await start(now=lambda: NOW, focus_folder=tmp_path / "export")
    (tmp_path / "budget.csv").write_text("month,amount,currency\n2026-05,50000,USD\n2026-06,51000,USD\n")
    file = {"budget_file": str(tmp_path / "budget.csv")}
    azure = dict.fromkeys(("tenant_id", "client_id", "client_secret"), "demo")
    yield {
        "aws_cost": {"access_key_id": "demo", "secret_access_key": "demo", "account_id": "111122223333", "url": sandbox.aws_url},
        "azure_cost": {**azure, "scope": f"/subscriptions/{SUBSCRIPTION}", "url": sandbox.azure_url, "login_url": sandbox.azure_url},
        "opencost": {"url": sandbox.opencost_url, **file},
        "focus": {"path": str(tmp_path / "export" / "AWS-*.csv"), **file},
    }  # fmt: skip
    await sandbox.stop()


@pytest.mark.parametrize("plugin", list(PARAMS))
async def test_every_measure_gives_a_value(company, plugin):
    async with Asker(plugin, company[plugin]) as asker:
        for name in declared(PLUGINS.collectors[plugin], "measure").keys() - REFUSED.get(plugin, set()):
            for label in ("2026-05", "2026-06"):
                found = await asker.total(name, month(label), **PARAMS[plugin].get(name, {}))
                assert found.value is not None, (name, label, found.note)


async def test_the_export_and_cost_explorer_agree_on_the_same_bills(company):
    async with Asker("aws_cost", company["aws_cost"]) as api, Asker("focus", company["focus"]) as files:
        for name in ("net_cost", "amortised_cost", "commitment_utilisation"):
            one, other = [(await asker.total(name, month("2026-05"))).value for asker in (api, files)]
            assert one == pytest.approx(other, rel=1e-6), name


async def test_cost_drifts_over_budget_right_sizing_works_and_tagging_does_not(company):
    async with Asker("aws_cost", company["aws_cost"]) as aws, Asker("opencost", company["opencost"]) as clusters:
        over = [
            (await aws.total("budget_variance", month(m), budget="cloud")).value
            for m in ("2025-06", "2025-11", "2026-05")
        ]
        idle = [(await clusters.total("idle_share", month(m))).value for m in ("2025-08", "2025-12", "2026-05")]
        untagged = [
            (await aws.total("untagged_share", month(m), tag="team")).value for m in ("2025-06", "2025-11", "2026-05")
        ]

    assert over[0] < 0 < over[1] < 15 < over[2]
    assert idle[0] > 0.36 > 0.28 > idle[1] > idle[2]
    assert all(0.2 < share < 0.24 for share in untagged)
