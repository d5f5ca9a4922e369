from datetime import date, timedelta
from pathlib import Path

import pytest
from tests.unit.config.site import GOOD, find_collectors, line_of, load_text

from bsc_monitor.config import ConfigError, load
from bsc_monitor.model.period import PeriodKind


def test_a_right_configuration_becomes_the_organisation_with_every_reference_a_full_name(tmp_path):
    configuration = load_text(tmp_path, GOOD)

    organisation = configuration.organisation
    assert list(organisation.scorecards) == ["company", "it"]
    assert organisation.scorecards["it"].calendar.timezone == "Europe/Berlin"
    assert [view.title for view in organisation.scorecards["it"].perspectives] == ["Customer", "How we work"]
    assert organisation.objectives["it/happy"].supports == "company/trust"
    assert organisation.objectives["it/fast"].drives == ("it/happy",)
    mttr = organisation.kpis["it/mttr"]
    assert (mttr.perspective, mttr.objective, mttr.unit) == ("internal_process", "it/fast", "h")
    assert mttr.path.steps[0].start == date.min
    assert (mttr.path.steps[0].thresholds.red, mttr.path.steps[0].thresholds.target) == (24, 8)
    assert (mttr.period, mttr.place) == (PeriodKind.MONTH, f"{tmp_path}/config.toml:{line_of(GOOD, '[kpis.mttr]')}")
    assert organisation.kpis["it/per-hour"].operands == {"resolved": "it/resolved", "mttr": "it/mttr"}
    assert configuration.warnings == ()


def test_a_source_carries_the_plugins_own_config_and_the_keys_that_all_sources_have(tmp_path):
    text = GOOD.replace(
        'every = "15m"', 'cron = "0 6 * * *"\ntimeout = "2m"\nconcurrency = 2\nhosts = ["cdn.example.com"]'
    )

    source = load_text(tmp_path, text).sources["itsm"]

    assert source.config.url == "https://desk.example.com"
    assert (source.schedule.cron, source.timeout, source.concurrency) == ("0 6 * * *", 120.0, 2)
    assert source.hosts == ("cdn.example.com",)


def test_relative_paths_start_at_the_file(tmp_path):
    text = GOOD.replace('every = "15m"', 'every = "15m"\nfolder = "data"')

    configuration = load_text(tmp_path, text.replace("[service]", '[service]\nplugins = ["mine"]'))

    assert configuration.sources["itsm"].config.folder == tmp_path / "data"
    assert configuration.service.plugins == (tmp_path / "mine",)
    assert configuration.service.database == f"sqlite:///{tmp_path}/bsc-monitor.db"


def test_targets_and_weights_over_time_keep_what_a_step_leaves_out(tmp_path):
    text = GOOD.replace(
        "red = 24\ntarget = 8",
        "red = 30\nweight = [{ from = 2026-01-01, weight = 1 }, { from = 2026-07-01, weight = 3 }]\n"
        "target = [{ from = 2026-01-01, target = 12 }, { from = 2026-07-01, target = 8, red = 24 }]",
    )

    kpi = load_text(tmp_path, text).organisation.kpis["it/mttr"]

    assert [(s.start, s.thresholds.red, s.thresholds.target) for s in kpi.path.steps] == [
        (date(2026, 1, 1), 30, 12), (date(2026, 7, 1), 24, 8),
    ]  # fmt: skip
    assert kpi.weight.on(date(2026, 8, 1)) == 3


def test_a_file_may_include_others_and_each_thing_keeps_its_place(tmp_path):
    (tmp_path / "kpis").mkdir()
    head, tail = GOOD.split("[kpis.resolved]")
    (tmp_path / "kpis" / "desk.toml").write_text("# the desk's\n[kpis.resolved]" + tail)

    configuration = load_text(tmp_path, 'include = ["kpis/*.toml"]\n' + head)

    assert configuration.organisation.kpis["it/resolved"].place == f"{tmp_path}/kpis/desk.toml:2"
    assert configuration.files == (tmp_path / "config.toml", tmp_path / "kpis" / "desk.toml")


def test_files_that_include_each_other_are_read_once(tmp_path):
    (tmp_path / "b.toml").write_text('include = ["config.toml"]\n')

    assert len(load_text(tmp_path, 'include = ["b.toml"]\n' + GOOD).files) == 2


def test_a_missing_file_is_said_in_words():
    with pytest.raises(ConfigError, match=r"nowhere\.toml: cannot be read: No such file or directory \(name another"):
        load(Path("nowhere.toml"), find_collectors)


def test_a_trailing_window_and_a_stale_time_are_durations(tmp_path):
    text = GOOD.replace("target = 8", 'target = 8\nwindow = "30d"\nstale_after = "1h30m"')

    kpi = load_text(tmp_path, text).organisation.kpis["it/mttr"]

    assert (kpi.window, kpi.stale_after) == (timedelta(days=30), timedelta(minutes=90))


@pytest.mark.parametrize(
    ("said", "hours"),
    [("", 0.75), ('every = "2h"', 6), ('cron = "0 6 * * *"', 72), ('cron = "0 6 * * 1-5"', 216)],
)
def test_a_value_is_stale_after_three_intervals_of_its_schedule(said, hours, tmp_path):
    text = GOOD.replace("target = 8", f"target = 8\n{said}")

    kpi = load_text(tmp_path, text).organisation.kpis["it/mttr"]

    assert kpi.stale_after == timedelta(hours=hours)
    assert load_text(tmp_path, text).organisation.kpis["it/per-hour"].stale_after is None


def test_missing_of_a_derived_kpi_is_about_its_operands(tmp_path):
    text = GOOD.replace('formula = "resolved / mttr"', 'formula = "resolved / mttr"\nmissing = "zero"')

    kpi = load_text(tmp_path, text).organisation.kpis["it/per-hour"]

    assert (kpi.missing_operand, kpi.missing) == ("zero", "ignore")
