"""A small configuration that is right, to be spoilt by one test at a time; a collector that asks nobody."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from bsc_monitor.config import ConfigError, Configuration, Problem, load
from bsc_monitor.plugin import Collector, Params, Secret, SourceConfig, measure

GOOD = """\
[service]
timezone = "Europe/Berlin"

[sources.itsm]
plugin = "desk"
url = "https://desk.example.com"
password = { env = "DESK_PASSWORD" }
every = "15m"

[scorecards.company]
title = "Company"
perspectives = { customer = {} }

[scorecards.it]
title = "IT"
parent = "company"
perspectives = { customer = {}, internal_process = { title = "How we work", weight = 2 } }

[objectives.trust]
scorecard = "company"
perspective = "customer"

[objectives.happy]
scorecard = "it"
perspective = "customer"
supports = "company/trust"

[objectives.fast]
scorecard = "it"
perspective = "internal_process"
drives = ["happy"]

[kpis.mttr]
objective = "fast"
source = "itsm"
measure = "mttr"
params = { query = "priority=1" }
unit = "h"
better = "lower"
red = 24
target = 8

[kpis.resolved]
objective = "happy"
source = "itsm"
measure = "resolved"
scored = false

[kpis.per-hour]
objective = "happy"
formula = "resolved / mttr"
red = 1
target = 2
"""


class Desk(Collector):
    """A collector of tests."""

    name = "desk"

    class Config(SourceConfig):
        url: str = Field(pattern="^https?://")
        password: Secret | None = None
        headers: dict[str, Secret] = Field(default_factory=dict)
        folder: Path | None = None

    class Query(Params):
        query: str = ""
        statistic: Literal["mean", "median"] = "mean"
        days: float = Field(30, gt=0)

    @measure(unit="h", better="lower", title="Mean time to resolve")
    async def mttr(self, ctx, p: Query):
        """Nothing."""

    @measure(unit="count", title="Resolved")
    async def resolved(self, ctx, p: Query):
        """Nothing."""


def find_collectors(folders):
    return {"desk": Desk}


def load_text(tmp_path: Path, text: str | bytes, name: str = "config.toml") -> Configuration:
    file = tmp_path / name
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return load(file, find_collectors)


def problems_of(tmp_path: Path, text: str | bytes) -> list[Problem]:
    """What is wrong with a configuration; nothing when nothing is."""
    try:
        load_text(tmp_path, text)
    except ConfigError as error:
        return error.problems
    return []


def line_of(text: str, needle: str) -> int:
    """The line on which ``needle`` stands, once."""
    lines = [number for number, line in enumerate(text.splitlines(), 1) if needle in line]
    assert len(lines) == 1, (needle, lines)
    return lines[0]
