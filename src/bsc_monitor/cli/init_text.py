"""The configuration that ``init`` writes, as text that a person reads on and edits."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from bsc_monitor.catalog import PERSPECTIVES, Definition, as_toml

_OBJECTIVES = {
    "financial": ("spend-wisely", "Spend wisely"),
    "customer": ("serve-well", "Serve our users well"),
    "internal_process": ("run-well", "Run and deliver well"),
    "learning_growth": ("grow-people", "Grow able people"),
}


@dataclass(slots=True)
class AnsweredSource:
    """One source, with the KPIs picked for it."""

    plugin: str
    config: dict[str, Any]
    kpis: list[Definition] = field(default_factory=list)


@dataclass(slots=True)
class Answers:
    """All that was said."""

    title: str
    timezone: str = "UTC"
    sources: list[AnsweredSource] = field(default_factory=list)


def config_text(answers: Answers) -> str:
    """The whole file."""
    return "\n".join(_parts(answers))


def _parts(answers: Answers) -> Iterator[str]:
    yield '# Written by "bsc-monitor init". Check it with "bsc-monitor check"; an editor completes it by "bsc-monitor schema".\n'
    yield f'[service]\nlisten = "127.0.0.1:9877"\ndatabase = "sqlite:///bsc-monitor.db"\ntimezone = {_toml(answers.timezone)}\n'
    for source in answers.sources:
        yield f"[sources.{source.plugin}]\nplugin = {_toml(source.plugin)}"
        yield "\n".join(f"{name} = {_toml(value)}" for name, value in source.config.items())
        yield 'every = "15m"\n'
    yield f"[scorecards.it]\ntitle = {_toml(answers.title)}\n"
    wanted = {each.perspective for source in answers.sources for each in source.kpis}
    for view in PERSPECTIVES:
        if view in wanted:
            name, title = _OBJECTIVES[view]
            yield f'[objectives.{name}]\nscorecard = "it"\nperspective = {_toml(view)}\ntitle = {_toml(title)}\n'
    for source in answers.sources:
        for each in source.kpis:
            yield as_toml(each, source.plugin, _OBJECTIVES[each.perspective][0])


def _toml(value: Any) -> str:
    """A string or an inline table of strings as TOML; JSON's strings are TOML's basic strings."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{name} = {_toml(inner)}" for name, inner in value.items()) + " }"
    return json.dumps(value, ensure_ascii=False)
