"""The form of rule tests: ``promtool test rules``' shape, for KPIs."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from bsc_monitor.config.durations import parse_duration

STALE: Final = "stale"
Sample = float | None | Literal["stale"]  #: None: no reading; stale: the source says that there is nothing to measure
_MOST_SAMPLES = 100_000
_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_STEPPED = re.compile(rf"({_NUMBER})(?:([-+])({_NUMBER.replace('[-+]?', '', 1)}))?x(\d+)")
_MONDAY = datetime(2026, 1, 5, tzinfo=UTC)


class RuleTestError(Exception):
    """A test file that cannot be used; ``str()`` says where and why."""


def _span(value: Any) -> Any:
    if value in (0, "0", "0s"):
        return timedelta(0)
    return parse_duration(value) if isinstance(value, str) else value


Span = Annotated[timedelta, BeforeValidator(_span)]


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Series(_Form):
    """Readings of a KPI (``it/mttr`` or ``bsc_kpi_value{…}``), or runs of a collector (``bsc_collector_up{…}``)."""

    series: str
    values: str


class StatusCheck(_Form):
    """What a KPI is judged at a time."""

    eval_time: Span
    kpi: str
    exp_status: Literal["green", "amber", "red", "unknown"] | None = None
    exp_freshness: Literal["fresh", "stale", "missing"] | None = None
    exp_score: float | None = None
    exp_value: float | None = None


class ExpectedAlert(_Form):
    """An alert by labels that it must have, among others."""

    exp_labels: dict[str, str] = Field(default_factory=dict)
    exp_state: Literal["pending", "firing"] = "firing"


class AlertCheck(_Form):
    """The firing (and where asked for, pending) alerts of a rule at a time: all of them, in any order."""

    eval_time: Span
    alertname: str
    exp_alerts: list[ExpectedAlert] = Field(default_factory=list)


class ExpectedNotification(_Form):
    """A message: when it is sent, and of which alerts it tells."""

    at: Span | None = None
    exp_status: Literal["firing", "resolved"] = "firing"
    exp_alerts: list[dict[str, str]] = Field(default_factory=list)


class NotificationCheck(_Form):
    """All that a receiver was told in ``(since, eval_time]``, in order."""

    eval_time: Span
    receiver: str
    since: Span = timedelta(0)
    exp_notifications: list[ExpectedNotification] = Field(default_factory=list)


class RuleTest(_Form):
    """One story: what comes in, and what is expected when."""

    name: str = ""
    interval: Span | None = None
    start_timestamp: datetime = _MONDAY
    input_series: list[Series] = Field(default_factory=list)
    kpi_status_test: list[StatusCheck] = Field(default_factory=list)
    alert_rule_test: list[AlertCheck] = Field(default_factory=list)
    notification_test: list[NotificationCheck] = Field(default_factory=list)


class RuleTests(_Form):
    """A whole file."""

    evaluation_interval: Span = timedelta(minutes=1)
    tests: list[RuleTest]


@dataclass(frozen=True, slots=True)
class SeriesName:
    """What a series is of: ``kpi`` or ``collector``, by its full name or ``source/measure``."""

    kind: Literal["kpi", "collector"]
    name: str


def read_rule_tests(path: Path) -> RuleTests:
    """The tests in a YAML file. Raises RuleTestError in words."""
    import yaml  # type: ignore[import-untyped]

    try:
        return RuleTests.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise RuleTestError(f"{path}: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise RuleTestError(f"{path}: {' '.join(str(error).split())}") from None
    except ValidationError as error:
        first = error.errors()[0]
        raise RuleTestError(f"{path}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from None


def parse_values(text: str) -> list[Sample]:
    """``0+1x10``, ``5x3``, ``_``, ``_x4``, ``stale`` and plain numbers, as promtool reads them. Raises RuleTestError."""
    samples: list[Sample] = []
    for word in text.split():
        if word == STALE:
            samples.append(STALE)
        elif (gap := re.fullmatch(r"_(?:x(\d+))?", word)) is not None:
            samples += [None] * _count(int(gap.group(1) or 1))
        elif (found := _STEPPED.fullmatch(word)) is not None:
            first, sign, step, times = found.groups()
            by = float(step or 0.0) * (-1 if sign == "-" else 1)
            samples += [float(first) + by * n for n in range(_count(int(times)) + 1)]
        elif re.fullmatch(_NUMBER, word):
            samples.append(float(word))
        else:
            raise RuleTestError(f"{word!r} is no sample: write 3, 0+1x10, 5x3, _, _x4 or stale")
    if len(samples) > _MOST_SAMPLES or any(isinstance(s, float) and not math.isfinite(s) for s in samples):
        raise RuleTestError("the series is too long, or not finite")
    return samples


def parse_series(text: str) -> SeriesName:
    """What a series is of. Raises RuleTestError."""
    name, brace, rest = text.strip().partition("{")
    if not brace:
        return SeriesName("kpi", name)
    labels = dict(re.findall(r'([A-Za-z_][A-Za-z0-9_]*)\s*=\s*"([^"]*)"', rest))
    try:
        if name == "bsc_kpi_value":
            return SeriesName("kpi", f"{labels['scorecard']}/{labels['kpi']}")
        if name == "bsc_collector_up":
            return SeriesName("collector", f"{labels['source']}/{labels['measure']}")
    except KeyError as error:
        raise RuleTestError(f"{text!r}: the label {error} is missing") from None
    raise RuleTestError(
        f'{text!r} is no series: write it/mttr, bsc_kpi_value{{scorecard="it",kpi="mttr"}} or '
        'bsc_collector_up{source="jira",measure="lead_time"}'
    )


def _count(times: int) -> int:
    if times > _MOST_SAMPLES:
        raise RuleTestError(f"{times:,} samples are too many")
    return times
