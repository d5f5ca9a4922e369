from tests.unit.improve.building import kpi, months, noise

from bsc_monitor.improve.chart import process_behaviour
from bsc_monitor.model.insight import NotEnoughData

STEADY = [30, 31, 29, 30.5, 29.5, 30, 31, 29, 30, 30.5, 29, 31]
SHIFTED = [26, 25, 26.5, 25.5, 26, 25, 26, 25.5]


def test_the_chart_holds_points_phases_signals_icons_and_a_forecast_with_its_error():
    chart = process_behaviour(kpi(), months(STEADY + SHIFTED, target=29, red=40))

    assert [(phase.start, phase.end, phase.cause, phase.firm) for phase in chart.phases] == [
        (0, 12, "start", True), (12, 20, "shift", False),
    ]  # fmt: skip
    assert chart.points[0].moving_range is None
    assert chart.points[1].moving_range == 1
    assert chart.points[12].moving_range is None  # the step between phases is no moving range of either
    assert (chart.variation.name, chart.variation.text) == ("improvement_low", "Changed for the better: lower")
    assert (chart.assurance.name, chart.assurance.letter) == ("pass", "P")
    assert [point.label for point in chart.forecast][:2] == ["2026-08", "2026-09"]
    assert all(point.low <= point.value <= point.high for point in chart.forecast)
    assert chart.forecast_error > 0
    assert chart.missing is None


def test_flagged_points_name_their_rules():
    chart = process_behaviour(kpi(), months([*STEADY, 45]))

    assert chart.points[-1].signals == ("beyond_limit", "moving_range")
    assert chart.variation.name == "concern_high"
    assert chart.assurance is None  # no target


def test_too_few_points_are_drawn_without_limits_and_say_how_many_are_missing():
    chart = process_behaviour(kpi(), months(STEADY[:4], target=28, red=40))

    assert len(chart.points) == 4
    assert chart.phases[0].limits is None
    assert chart.missing == NotEnoughData(4, 6)
    assert (chart.assurance, chart.forecast) == (None, ())
    assert process_behaviour(kpi(), []).missing == NotEnoughData(0, 6)


def test_a_declared_change_starts_a_phase():
    records = months(noise(1, 20, 30))
    chart = process_behaviour(kpi(), records, changes=[records[10].period.start])

    assert [(phase.start, phase.cause) for phase in chart.phases] == [(0, "start"), (10, "declared")]
