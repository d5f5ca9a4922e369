"""What verbs share: loading the configuration with its plugins, and options that mean the same for all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer

from bsc_monitor.collect.plugins import Plugins, find_plugins
from bsc_monitor.config import AddressFault, ConfigError, Configuration, load
from bsc_monitor.plugin import Collector

ConfigOption = Annotated[Path, typer.Option("--config", "-c", help="Configuration file")]
AuthorOption = Annotated[
    str | None,
    typer.Option(help="Who says so; you by default. A running service with sign-in keeps the token's name"),
]
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
    if configuration.actions:  # imported late: it brings the store, which few verbs need
        from bsc_monitor.evaluate.acting import action_problems

        if problems := action_problems(configuration, plugins):
            raise ConfigError(problems)
    return configuration, plugins


def write_file(file: Path, content: bytes) -> None:
    """Write a file that the user named. Raises typer.BadParameter where that cannot be done."""
    try:
        file.write_bytes(content)
    except OSError as error:
        raise typer.BadParameter(f"{file} cannot be written: {error.strerror}") from None


def check_scorecard(configuration: Configuration, name: str | None) -> None:
    """Raise typer.BadParameter, naming those that there are, where a scorecard is asked for that there is not."""
    known = configuration.organisation.scorecards
    if name is not None and name not in known:
        raise typer.BadParameter(f"there is no scorecard {name!r}; there is {', '.join(known)}")
