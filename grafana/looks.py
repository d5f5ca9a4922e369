"""How things look on every board: words and glyphs beside colours, units, columns."""

from typing import Any

from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.models import dashboard as model

GREEN, AMBER, RED, GREY, BLUE = "green", "orange", "red", "#8e8e8e", "blue"
NO_DATA = "○ No data"


def _words(words: dict[str, tuple[str, str]]) -> model.ValueMap:
    results = {
        value: model.ValueMappingResult(text=text, color=color, index=place)
        for place, (value, (text, color)) in enumerate(words.items())
    }
    return model.ValueMap(options=results)


UNKNOWN = model.SpecialValueMap(
    options=model.DashboardSpecialValueMapOptions(
        match=model.SpecialValueMatch.NULL_AND_NAN, result=model.ValueMappingResult(text=NO_DATA, color=GREY, index=9)
    )
)
STATUS = [
    _words({"0": (NO_DATA, GREY), "1": ("✔ Green", GREEN), "2": ("▲ Amber", AMBER), "3": ("✖ Red", RED)}),
    UNKNOWN,
]
FRESHNESS = [_words({"0": ("○ Missing", GREY), "1": ("◔ Stale", AMBER), "2": ("● Fresh", GREEN)}), UNKNOWN]
UP = [_words({"0": ("✖ Failing", RED), "1": ("✔ Working", GREEN)}), UNKNOWN]


def _range(low: float | None, high: float | None, text: str, color: str, place: int) -> model.RangeMap:
    result = model.ValueMappingResult(text=text, color=color, index=place)
    return model.RangeMap(options=model.DashboardRangeMapOptions(from_val=low, to=high, result=result))


TREND = [
    _range(None, -0.01, "▼ worse", RED, 0),
    _range(-0.01, 0.01, "▶ steady", GREY, 1),
    _range(0.01, None, "▲ better", GREEN, 2),
    UNKNOWN,
]
LINK = [
    _range(None, -0.001, "contradicted", RED, 0),
    _range(0.001, None, "supported", GREEN, 1),
    UNKNOWN,
]


def steps(*pairs: tuple[float | None, str]) -> build.ThresholdsConfig:
    """Colours from a value on; the first one's value is None."""
    return (
        build.ThresholdsConfig()
        .mode(model.ThresholdsMode.ABSOLUTE)
        .steps([model.Threshold(value=value, color=color) for value, color in pairs])
    )


SCORE_STEPS = ((None, RED), (33.34, AMBER), (66.66, GREEN))
BAD_FROM_ONE = ((None, GREEN), (1.0, RED))
DOUBT_FROM_ONE = ((None, GREEN), (1.0, AMBER))


def fixed(color: str) -> build.FieldColor:
    """One colour whatever the value."""
    return build.FieldColor().mode(model.FieldColorModeId.FIXED).fixed_color(color)


def by_steps() -> build.FieldColor:
    """The colour of the step that the value has reached."""
    return build.FieldColor().mode(model.FieldColorModeId.THRESHOLDS)


def column(**properties: Any) -> list[model.DynamicConfigValue]:
    """Properties of a table's column: ``unit``, ``decimals``, ``mappings``, ``cell``, ``width``, ``link``, ``steps``."""
    found: list[model.DynamicConfigValue] = []
    for name, value in properties.items():
        match name:
            case "cell":
                found.append(model.DynamicConfigValue("custom.cellOptions", value))
            case "width":
                found.append(model.DynamicConfigValue("custom.width", value))
            case "link":
                title, url = value
                found.append(model.DynamicConfigValue("links", [{"title": title, "url": url}]))
            case "steps":
                found.append(model.DynamicConfigValue("thresholds", steps(*value).build()))
            case _:
                found.append(model.DynamicConfigValue(name, value))
    return found


WORD_CELL = {"type": "color-text"}
GAUGE_CELL = {"type": "gauge", "mode": "basic", "valueDisplayMode": "text"}
SPARK_CELL = {"type": "sparkline", "hideValue": True, "lineWidth": 1, "fillOpacity": 10}

STATUS_COLUMN = column(mappings=STATUS, cell=WORD_CELL, width=110)
SCORE_COLUMN = column(
    unit="short", decimals=0, min=0, max=100, mappings=[UNKNOWN], steps=SCORE_STEPS, cell=GAUGE_CELL, width=160
)
AGE_COLUMN = column(unit="s", decimals=1, width=120)
TREND_COLUMN = column(mappings=TREND, cell=WORD_CELL, width=100)
SPARK_COLUMN = column(cell=SPARK_CELL, width=180, min=0, max=100)
RATIO_COLUMN = column(unit="percentunit", decimals=0, min=0, max=1, cell=GAUGE_CELL, steps=((None, BLUE),), width=150)
