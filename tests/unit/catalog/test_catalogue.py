"""The catalogue is data: each definition is checked against the collectors' real measures and against the form of a KPI."""

import json

import pytest
import tomli
from typer.testing import CliRunner

from bsc_monitor.catalog import PERSPECTIVES, as_toml, load
from bsc_monitor.cli import build_app
from bsc_monitor.collect.plugins import find_plugins
from bsc_monitor.collect.run import accept_params
from bsc_monitor.config.form_scorecard import KpiForm
from bsc_monitor.model.unit import factor
from bsc_monitor.plugin import declared

COLLECTORS = find_plugins([], with_entry_points=False).collectors
ALL = load()
each = pytest.mark.parametrize("definition", ALL.values(), ids=ALL)


def test_there_are_sixty_at_least_in_four_perspectives_of_eight_at_least():
    assert len(ALL) >= 60
    for perspective in PERSPECTIVES:
        assert sum(d.perspective == perspective for d in ALL.values()) >= 8


@each
def test_its_measure_exists_takes_its_parameters_and_converts_to_its_unit(definition):
    measures = declared(COLLECTORS[definition.plugin], "measure")
    assert definition.measure in measures
    measure = measures[definition.measure]

    accept_params(measure, definition.params)
    factor(measure.unit, definition.unit)
    assert definition.better == measure.better


@each
def test_its_counter_kpis_exist_and_its_thresholds_make_sense(definition):
    assert set(definition.counter) <= set(ALL)
    assert definition.id not in definition.counter
    assert (definition.red is None) == (definition.target is None)
    if definition.red is not None:
        assert (definition.red < definition.target) == (definition.better == "higher")
    else:
        assert not definition.reference
    assert definition.question.endswith("?")
    assert definition.pitfalls.endswith(".")


@each
def test_what_is_pasted_is_a_kpi_that_the_configuration_accepts(definition):
    text = as_toml(definition, "itsm", "restore-fast")
    table = tomli.loads(text)["kpis"][definition.id]

    form = KpiForm.model_validate(table)
    assert form.params == definition.params
    assert (form.unit, form.source, form.objective) == (definition.unit, "itsm", "restore-fast")


def run(*arguments):
    return CliRunner().invoke(build_app(), ["catalog", *arguments])


def test_the_command_lists_and_filters():
    listed = json.loads(run("--json").stdout)
    mine = json.loads(run("--json", "--plugin", "github").stdout)

    assert len(listed) == len(ALL)
    assert {row["plugin"] for row in mine} == {"github"}
    assert "mttr" in run("--perspective", "internal_process").stdout
    assert run("--perspective", "nowhere").exit_code == 1


def test_the_command_explains_and_prints_what_to_paste():
    shown = run("show", "mttr").stdout
    added = run("add", "mttr", "--source", "itsm", "--objective", "restore-fast").stdout

    assert "How fast is service restored?" in shown
    assert "reopen-rate" in shown
    assert tomli.loads(added)["kpis"]["mttr"]["measure"] == "mttr"


def test_a_misspelt_id_is_told_with_the_near_one():
    result = run("show", "mtttr")

    assert result.exit_code == 2
    assert "did you mean mttr?" in result.output
