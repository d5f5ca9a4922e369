"""``collect`` and ``plugin list`` as a person types them."""

import json
import re
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
import typer
from typer.testing import CliRunner

from bsc_monitor.cli.collect import Tools, register
from bsc_monitor.cli.plugin import plugin_app
from bsc_monitor.collect.plugins import find_plugins
from bsc_monitor.model.organisation import Kpi, Organisation, Scorecard
from bsc_monitor.model.period import Period, PeriodKind
from bsc_monitor.model.source import Source
from bsc_monitor.testing import stalling

APRIL = Period(datetime(2016, 4, 1, tzinfo=UTC), datetime(2016, 5, 1, tzinfo=UTC), PeriodKind.MONTH, "2016-04")
RUNNER = CliRunner(env={"COLUMNS": "200"})


def parse_period(text, calendar):
    if text != "2016-04":
        raise ValueError(f"{text!r} is no period")
    return APRIL


@pytest.fixture
def app(tmp_path):
    table = tmp_path / "t.csv"
    table.write_text("day,team,hours\n2016-04-03,a,5\n2016-04-09,b,7\n2016-05-01,a,99\n")
    plugins = find_plugins([], with_entry_points=False)
    config = plugins.collectors["table_file"].Config(path=table)
    kpi = Kpi(
        "hours", "it", "p", "it/o", "Hours", source="sheet", measure="column", params={"column": "hours", "date": "day"}
    )
    configuration = SimpleNamespace(
        organisation=Organisation(scorecards={"it": Scorecard("it", "IT")}, kpis={kpi.name: kpi}),
        sources={"sheet": Source("sheet", "table_file", config)},
    )
    app = typer.Typer()
    register(
        app,
        Tools(
            load=lambda file: (configuration, plugins),
            parse_period=parse_period,
            current_period=lambda now, kpi, calendar: APRIL,
            score=lambda kpi, reading, unit, period: 61.5,
        ),
    )
    app.add_typer(plugin_app(lambda file: []))
    return app


def test_a_dry_run_shows_readings_score_and_requests_as_a_table(app):
    result = RUNNER.invoke(
        app, ["collect", "sheet", "column", "--period", "2016-04", "-p", "column=hours", "-p", "date=day"]
    )
    assert result.exit_code == 0, result.output
    assert "12" in result.output
    assert "61.5" in result.output
    assert "0 requests" in result.output
    assert "nothing was stored" in result.output


def test_a_dry_run_prints_json_with_breakdowns(app):
    result = RUNNER.invoke(
        app,
        ["collect", "sheet", "column", "--period", "2016-04", "-p", "column=hours", "-p", "date=day", "-p",
         'where={"team": ["a", "b"]}', "--by", "team", "--json"],
    )  # fmt: skip
    found = json.loads(result.output)
    assert [(r["value"], r["labels"]) for r in found["readings"]] == [(12, {}), (5, {"team": "a"}), (7, {"team": "b"})]
    assert (found["period"], found["error"], found["requests"]) == ("2016-04", None, 0)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["shet", "column"], "there is no source 'shet'; there is sheet"),
        (["sheet", "colum"], "there is no measure 'colum'; there is column, ratio, rows"),
        (["sheet", "column", "-p", "column"], "'column' is not key=value"),
        (["sheet", "column", "--period", "april"], "'april' is no period"),
        (["sheet", "column", "--record", "a", "--replay", "b"], "exclude each other"),
    ],
)
def test_a_wrong_question_is_answered_with_what_there_is(app, arguments, words):
    result = RUNNER.invoke(app, ["collect", *arguments])
    assert result.exit_code == 2
    assert words in " ".join(result.output.replace("│", " ").split())


def test_a_failed_run_says_why_and_ends_with_1(app):
    for more in ([], ["--json"]):
        result = RUNNER.invoke(app, ["collect", "sheet", "column", "-p", "column=none", *more])
        assert result.exit_code == 1
        assert "no column 'none'" in result.output


CONFIG = """
[service]
plugins = ["plugins"]
[sources.own]
plugin = "own"
[scorecards.it]
title = "IT"
"""
OWN = """
from bsc_monitor.plugin import Collector, Reading, measure

class Own(Collector):
    name = "own"

    @measure(unit="count", title="Number")
    async def number(self, ctx) -> Reading:
        return Reading(1.0)
"""


@pytest.fixture
def own(tmp_path):
    """A person's own plugin and a source of it; collects from it."""
    (tmp_path / "plugins").mkdir()
    (tmp_path / "config.toml").write_text(CONFIG)
    app = typer.Typer()
    register(app)
    app.add_typer(plugin_app(lambda file: []))

    def collect(text):
        (tmp_path / "plugins" / "own.py").write_text(text)
        result = RUNNER.invoke(app, ["collect", "own", "number", "--config", str(tmp_path / "config.toml")])
        return result.exit_code, " ".join(result.output.replace("│", " ").split())

    return collect


def test_a_plugin_that_is_there_and_broken_is_said_with_file_and_line(own, tmp_path):
    code, told = own(OWN.replace('name = "own"', 'name = "own"\n    limit = undefined'))
    assert code == 2
    assert f"the plugin 'own' is broken: {tmp_path}/plugins/own.py: it cannot be loaded: line 6: NameError" in told
    assert "there is no plugin" not in told
    assert own(OWN)[0] == 0


def test_what_a_measure_says_twice_is_said(own):
    code, told = own(
        OWN.replace("-> Reading:", "-> list[Reading]:").replace("Reading(1.0)", "[Reading(1.0), Reading(2.0)]")
    )
    assert code == 0
    assert re.search(r"warning 2 readings of the total at [0-9: -]+ UTC \(1, 2\): only the last counts", told), told


def test_a_measure_that_never_lets_go_is_broken_off_and_its_line_is_said(own, monkeypatch):
    monkeypatch.setattr(stalling, "_HOPELESS", 1.0)
    code, told = own(OWN.replace("        return", "        while True: pass\n        return"))
    assert code == 1
    assert re.search(r"the plugin raised Stalled \(own\.py:9\): it never let go of the event loop", told), told


def test_plugin_list_shows_what_is_there_and_what_could_not_be_loaded(app, tmp_path):
    (tmp_path / "broken.py").write_text("x = \n")
    result = RUNNER.invoke(app, ["plugin", "list", "--folder", str(tmp_path)])
    assert result.exit_code == 1
    assert "prometheus" in result.output
    assert "broken.py: it cannot be loaded: line 1" in result.output
    listed = json.loads(RUNNER.invoke(app, ["plugin", "list", "--json"]).output)
    assert {"git", "http_json", "prometheus", "table_file"} <= {c["name"] for c in listed["collectors"]}
    assert listed["problems"] == []
