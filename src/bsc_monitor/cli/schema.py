"""``bsc-monitor schema``: the JSON Schema of config.toml, for editors."""

from __future__ import annotations

import json

import typer

from bsc_monitor.cli.frame import DEFAULT_CONFIG, ConfigOption
from bsc_monitor.collect.plugins import find_plugins
from bsc_monitor.config import plugin_folders
from bsc_monitor.config.schema import json_schema


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command()(schema)


def schema(config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Print the JSON Schema of config.toml, with the keys and parameters of all plugins at hand.

    Example: bsc-monitor schema > bsc-monitor.schema.json
    """
    folders = plugin_folders(config) if config.exists() else ()
    typer.echo(json.dumps(json_schema(find_plugins(folders).collectors), indent=2))
