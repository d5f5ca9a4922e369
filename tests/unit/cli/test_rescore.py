"""rescore, as a person uses it while no service runs."""

from datetime import UTC, datetime

import pytest
import typer
from tests.servers import free_port
from typer.testing import CliRunner

from bsc_monitor.cli import backfill
from bsc_monitor.cli.frame import load_all
from bsc_monitor.model.organisation import Thresholds
from bsc_monitor.model.period import Period, PeriodKind
from bsc_monitor.model.period_value import PeriodValue
from bsc_monitor.model.status import ReadingState, Status
from bsc_monitor.store import Store
from bsc_monitor.store.periods import save_values

CONFIG = """
[service]
listen = "127.0.0.1:PORT"
database = "sqlite:///bsc.db"
[scorecards.it]
perspectives = { customer = {} }
[objectives.o]
scorecard = "it"
perspective = "customer"
[kpis.calls]
objective = "o"
unit = "count"
better = "lower"
target = 4
red = 8
"""
MAY = Period(datetime(2026, 5, 1, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC), PeriodKind.MONTH, "2026-05")


@pytest.fixture
def rescored(tmp_path):
    """Rescore a scorecard of one KPI, whose May was judged by another target, or of more."""

    def run(more=""):
        file = tmp_path / "config.toml"
        file.write_text(CONFIG.replace("PORT", str(free_port())) + more)
        configuration, _ = load_all(file)
        store = Store.open(configuration.service.database)
        judged = {"thresholds": Thresholds(10.0, 20.0), "score": 100.0, "status": Status.GREEN, "definition": "old"}
        values = [
            PeriodValue(name, MAY, value=9.0, samples=1, state=ReadingState.OK, closed_at=MAY.end, **judged)
            for name in configuration.organisation.kpis
        ]
        store.write_now(lambda connection: save_values(connection, values))
        store.close()
        app = typer.Typer()
        backfill.register(app)
        result = CliRunner().invoke(app, ["rescore", "it", "--from", "2026-01-01", "--config", str(file)])
        assert result.exit_code == 0, result.output
        return result.output.strip()

    return run


def test_one_kpi_and_one_period_are_told_in_the_singular(rescored):
    assert rescored() == "1 closed period of 1 KPI is judged differently now"


def test_several_are_told_in_the_plural(rescored):
    more = CONFIG[CONFIG.index("[kpis.calls]") :].replace("calls", "mails")
    assert rescored(more) == "2 closed periods of 2 KPIs are judged differently now"
