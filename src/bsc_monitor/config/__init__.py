"""TOML → model, with every mistake told at once: ``file:line: key: message (hint)``."""

from bsc_monitor.config.build_alerts import AddressFault
from bsc_monitor.config.loading import load, plugin_folders
from bsc_monitor.config.problems import ConfigError, Problem
from bsc_monitor.config.settings import Configuration, Report, SandboxSettings, ServiceSettings

__all__ = [
    "AddressFault",
    "ConfigError",
    "Configuration",
    "Problem",
    "Report",
    "SandboxSettings",
    "ServiceSettings",
    "load",
    "plugin_folders",
]
