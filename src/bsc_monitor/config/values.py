"""The kinds of values that forms are made of: ids, references, durations, levels … each with one clear message."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    WithJsonSchema,
)

from bsc_monitor.config.durations import PATTERN, parse_duration
from bsc_monitor.model.cron import next_fire
from bsc_monitor.model.zones import zone

ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,99}")
_REFERENCE = re.compile(rf"{ID.pattern}(/{ID.pattern})?")
_LONGEST = 4000
_SHORTEST_EVERY = timedelta(seconds=1)  #: between two collections
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")  #: Unicode's Cc and Cs but tab and line end
_SOME_DAY = datetime(2026, 1, 1, tzinfo=UTC)


class Form(BaseModel):
    """Base of all forms: exactly the keys it names, of exactly their types."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, defer_build=True)


def _clean(text: str) -> str:
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)
    if (bad := _CONTROL.search(text)) is not None:
        raise ValueError(f"holds the control character U+{ord(bad[0]):04X}")
    if len(text) > _LONGEST:
        raise ValueError(f"is longer than {_LONGEST} characters")
    return text


def _one_line(text: str) -> str:
    text = _clean(text).strip()
    if "\n" in text:
        raise ValueError("must stand on one line")
    return text


def _reference(text: str) -> str:
    if not _REFERENCE.fullmatch(text):
        raise ValueError(f"{text[:60]!r} is no id: write id or scorecard/id, in small letters, digits, - and _")
    return text


def _identifier(text: str) -> str:
    if not ID.fullmatch(text):
        raise ValueError(f"{text[:60]!r} is no id: use small letters, digits, - and _")
    return text


def _duration(value: Any) -> Any:
    return parse_duration(value) if isinstance(value, str) else value


def _positive(value: timedelta) -> timedelta:
    if value <= timedelta(0):
        raise ValueError("must be longer than nothing")
    return value


def _seldom(value: timedelta) -> timedelta:
    if value < _SHORTEST_EVERY:
        raise ValueError("is too often: a second is the least between two collections")
    return value


@lru_cache(maxsize=1024)
def _cron(text: str) -> str:
    if next_fire(text, "UTC", _SOME_DAY) is None:
        raise ValueError(f"cron expression {text!r} never fires")
    return text


def _url(text: str) -> str:
    if not re.fullmatch(r"https?://[^\s/?#]+\S*", text):
        raise ValueError("expected an address that begins with http:// or https://")
    return text


def _clock(text: str) -> time:
    try:
        if len(text) == 5:
            return time.fromisoformat(text)
    except ValueError:
        pass
    raise ValueError(f'{text[:20]!r} is no time of day; write it as "09:00"')


Line = Annotated[str, AfterValidator(_one_line)]
Text = Annotated[str, AfterValidator(_clean)]
Identifier = Annotated[str, AfterValidator(_identifier)]
Reference = Annotated[str, AfterValidator(_reference)]
Number = Annotated[float, Field(allow_inf_nan=False)]
Share = Annotated[float, Field(allow_inf_nan=False, ge=0, le=1)]
WeightNumber = Annotated[float, Field(allow_inf_nan=False, ge=0)]
Zone = Annotated[str, AfterValidator(zone)]
Cron = Annotated[str, AfterValidator(_cron)]
Url = Annotated[str, AfterValidator(_url)]
Duration = Annotated[
    timedelta, BeforeValidator(_duration), WithJsonSchema({"type": "string", "pattern": PATTERN, "examples": ["15m"]})
]
Interval = Annotated[Duration, AfterValidator(_positive)]
Every = Annotated[Interval, AfterValidator(_seldom)]
Clock = Annotated[time, BeforeValidator(lambda v: _clock(v) if isinstance(v, str) else v), WithJsonSchema({"type": "string", "pattern": r"^\d\d:\d\d$"})]  # fmt: skip
MissingWord = Literal["ignore", "zero", "blank"]
PeriodWord = Literal["day", "week", "month", "quarter", "year"]


def shape_of(value: Any) -> str:
    """What kind of TOML value this is, as the tags of the unions here name it."""
    if isinstance(value, bool):
        return "switch"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, str):
        return "text"
    if isinstance(value, Mapping | BaseModel):
        return "table"
    if isinstance(value, list | tuple):
        return "tables" if value and all(isinstance(item, Mapping) for item in value) else "list"
    return "other"


def one_of(expected: str) -> Discriminator:
    """Tell the forms of a value apart by its shape, so that one mistake makes one message."""
    return Discriminator(shape_of, custom_error_type="shape", custom_error_message=f"expected {expected}")


def _pair(form: str) -> BeforeValidator:
    """Two numbers, or a message that shows their form."""

    def check(value: Any) -> Any:
        if isinstance(value, list) and len(value) != 2:
            raise ValueError(f"expected {form}")
        return value

    return BeforeValidator(check)


_Two = Field(min_length=2, max_length=2)
Band = Annotated[list[Number], _Two, _pair("a band [lo, hi]")]
Point = Annotated[list[Number], _Two, _pair("a point [value, score]")]


class WeightStep(Form):
    """A weight from a day on."""

    start: date = Field(alias="from", description="the first day")
    weight: WeightNumber = Field(description="from then on")


class LevelStep(Form):
    """Thresholds from a day on. What a step leaves out stays as it was."""

    start: date = Field(alias="from", description="the first day")
    target: _Level | None = Field(None, description="from then on")
    red: _Level | None = Field(None, description="from then on")
    worst: Number | None = Field(None, description="from then on")
    best: Number | None = Field(None, description="from then on")
    ideal: Number | None = Field(None, description="from then on")


_Level = Annotated[
    Annotated[Number, Tag("number")] | Annotated[Band, Tag("list")], one_of("a number, or a band [lo, hi]")
]
LevelStep.model_rebuild()

Level = Annotated[
    Annotated[Number, Tag("number")]
    | Annotated[Band, Tag("list")]
    | Annotated[list[LevelStep], Tag("tables")],
    one_of("a number, a band [lo, hi], or a list of { from = DATE, target = … }"),
]  # fmt: skip
Weighting = Annotated[
    Annotated[WeightNumber, Tag("number")] | Annotated[list[WeightStep], Tag("tables")],
    one_of("a number, or a list of { from = DATE, weight = … }"),
]
SecretText = Annotated[
    Annotated[str, Tag("text")] | Annotated[dict[str, Any], Tag("table")],
    one_of('text in quotes, { env = "NAME" } or { file = "PATH" }'),
    WithJsonSchema({"anyOf": [
        {"type": "string"},
        {"type": "object", "properties": {"env": {"type": "string"}}, "required": ["env"], "additionalProperties": False},
        {"type": "object", "properties": {"file": {"type": "string"}}, "required": ["file"], "additionalProperties": False},
    ]}),
]  # fmt: skip
Match = dict[
    Line,
    Annotated[
        Annotated[Line, Tag("text")] | Annotated[list[Line], Tag("list")],
        one_of("text in quotes, or a list of texts"),
    ],
]
