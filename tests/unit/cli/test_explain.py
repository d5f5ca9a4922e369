"""explain, of a KPI for which no value came."""

import json
from datetime import UTC, datetime

import pytest
import typer
from msgspec.structs import replace
from tests.servers import free_port
from typer.testing import CliRunner

from bsc_monitor.cli import explain
from bsc_monitor.cli.frame import load_all
from bsc_monitor.collect.agenda import jobs_of
from bsc_monitor.collect.outcome import blank
from bsc_monitor.plugin import CollectorError
from bsc_monitor.store import Store
from bsc_monitor.store.standing import save_collection

AT = datetime(2026, 6, 10, 12, tzinfo=UTC)
MONTH = f"{datetime.now(UTC):%Y-%m}"
CONFIG = """
[service]
listen = "127.0.0.1:PORT"
database = "sqlite:///bsc.db"
[sources.web]
plugin = "http_json"
url = "http://127.0.0.1:1/"
[scorecards.it]
perspectives = { customer = {} }
[objectives.o]
scorecard = "it"
perspective = "customer"
[kpis.calls]
objective = "o"
source = "web"
measure = "value"
params = { select = "calls" }
unit = "count"
target = 4
red = 0
[kpis.lately]
objective = "o"
source = "web"
measure = "value"
params = { select = "lately" }
unit = "count"
window = "30d"
target = 4
red = 0
"""


@pytest.fixture
def explained(tmp_path):
    """What is said of a KPI where the collection of ``calls`` fails and that of ``lately`` is fine."""
    file = tmp_path / "config.toml"
    file.write_text(CONFIG.replace("PORT", str(free_port())))
    configuration, _ = load_all(file)
    calls, lately = blank(jobs_of(configuration.organisation, configuration.sources).values()).values()
    store = Store.open(configuration.service.database)
    failed = replace(calls, last_failure=AT, error="GET /: 401", reason=CollectorError.AUTH)
    for each in (replace(calls, last_success=AT), failed, replace(lately, last_success=AT)):
        store.write_now(lambda connection, each=each: save_collection(connection, each))
    store.close()
    app = typer.Typer()
    explain.register(app)

    def run(*arguments):
        result = CliRunner().invoke(app, ["explain", *arguments, "--config", str(file)])
        assert result.exit_code == 0, result.output
        return result.output

    return run


def test_it_says_in_which_period_a_value_is_looked_for_and_why_none_comes(explained):
    said = explained("calls")
    assert f"value     no value in {MONTH}\n" in said
    assert "failing   GET /: 401 (auth, last good run 10 Jun 2026, 12:00 UTC)\n" in said


def test_a_kpi_whose_collection_works_is_not_told_of_another_ones_failure(explained):
    said = explained("lately")
    assert "value     no value in the last 30d\n" in said
    assert "failing" not in said


def test_the_same_stands_in_json_and_of_the_past_nothing_fails(explained):
    said = json.loads(explained("calls", "--json"))
    assert (said["failing"]["error"], said["failing"]["kpis"]) == ("GET /: 401", ["it/calls"])
    assert (said["kpi"]["period"], said["kpi"]["period_kind"]) == (MONTH, "month")
    assert json.loads(explained("lately", "--json"))["failing"] is None
    past = json.loads(explained("calls", "--json", "--at", "2026-01"))
    assert (past["failing"], past["kpi"]["period"]) == (None, "2026-01")
    assert "failing" not in json.loads(explained("o", "--json"))
