"""Ready KPI definitions over the four perspectives: data in the TOML files beside this one, one per perspective."""

from bsc_monitor.catalog.definition import PERSPECTIVES, Definition, load
from bsc_monitor.catalog.paste import as_toml

__all__ = ["PERSPECTIVES", "Definition", "as_toml", "load"]
