"""What verbs share: loading the configuration with its plugins, and the tools that a dry run needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer

from bsc_monitor.cli.collect import Tools
from bsc_monitor.collect.plugins import Plugins, find_plugins
from bsc_monitor.config import AddressFault, ConfigError, Configuration, load, plugin_folders
from bsc_monitor.evaluate.acting import action_problems
from bsc_monitor.plugin import Collector

ConfigOption = Annotated[Path, typer.Option("--config", "-c", help="Configuration file")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON")]
DEFAULT_CONFIG = Path("config.toml")


def load_all(file: Path, address_fault: AddressFault = lambda _: "") -> tuple[Configuration, Plugins]:
    """The configuration and the plugins that it was read with. Raises ConfigError."""
    found: list[Plugins] = []

    def find(folders: Sequence[Path]) -> Mapping[str, type[Collector]]:
        found.append(find_plugins(folders))
        return found[-1].collectors

    def why_broken(plugin: str) -> object:
        return found[-1].broken(plugin)

    configuration = load(file, find, why_broken, address_fault)
    plugins = found[-1] if found else find_plugins(configuration.service.plugins)
    if problems := action_problems(configuration, plugins):
        raise ConfigError(problems)
    return configuration, plugins


def plugin_folders_of(file: Path) -> Sequence[Path]:
    """The plugin folders that a configuration names."""
    return plugin_folders(file)


def collect_tools() -> Tools:
    """What ``collect`` needs; imported late, for the other verbs start faster without."""
    from bsc_monitor.score.judge import score_reading
    from bsc_monitor.score.periods import current_period, parse_period

    def load_both(file: Path) -> tuple[Configuration, Mapping[str, type[Collector]]]:
        configuration, plugins = load_all(file)
        return configuration, plugins.collectors

    return Tools(load_both, parse_period, current_period, score_reading)
