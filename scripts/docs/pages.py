"""The pages of docs/reference by file name, each with the function that makes its text."""

from collections.abc import Callable, Mapping
from pathlib import Path

from scripts.docs import alerts, api, catalogue, commands, configuration, events, interface, metrics

FOLDER = Path("docs/reference")

PAGES: Mapping[str, Callable[[], str]] = {
    "alert-rules.md": alerts.page,
    "api.md": api.page,
    "catalogue.md": catalogue.page,
    "cli.md": commands.page,
    "configuration.md": configuration.page,
    "events.md": events.page,
    "hooks.md": events.hooks_page,
    "metrics.md": metrics.page,
    "plugin-interface.md": interface.page,
}
