"""Whether the actions of a configuration can open anything."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pydantic import ValidationError

from bsc_monitor.collect.opening import Open, params_of
from bsc_monitor.collect.plugins import Plugins
from bsc_monitor.config.problems import Problem, near
from bsc_monitor.config.settings import Action, Configuration


def action_problems(configuration: Configuration, plugins: Plugins) -> list[Problem]:
    """What is wrong with the actions of a configuration."""
    return [
        problem
        for action in configuration.actions.values()
        for problem in _wrong(action, configuration, plugins.openers)
    ]


def _wrong(action: Action, configuration: Configuration, known: Mapping[str, Open]) -> Iterator[Problem]:
    file, _, line = (action.place or "").rpartition(":")
    place = (file or "config.toml", int(line) if line.isdecimal() else 0)
    source = configuration.sources.get(action.source)
    if source is None:
        return
    if source.plugin not in known:
        message = f"no ticket can be opened in a source of the plugin {source.plugin}"
        yield Problem(*place, f"actions.{action.id}.source", message, near("", known))
        return
    try:
        params_of(known[source.plugin]).model_validate(dict(action.params))
    except ValidationError as error:
        for each in error.errors(include_url=False, include_context=False, include_input=False):
            key = ".".join(["actions", action.id, "params", *map(str, each["loc"])])
            yield Problem(*place, key, each["msg"])
