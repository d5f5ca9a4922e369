"""What went wrong, in words rather than as a traceback."""

from __future__ import annotations

from bsc_monitor.config.problems import ConfigError
from bsc_monitor.store import StoreError, Taken


def in_words(error: Exception) -> list[str]:
    """The lines that tell a user of a mistake of theirs, or of their system; empty: it is a fault of this program."""
    if isinstance(error, ConfigError):
        count = len(error.problems)
        return [*map(str, error.problems), f"{count} mistake{'s' if count != 1 else ''}; nothing was started."]
    if isinstance(error, StoreError):
        return [f"{error.message}" + (f" ({error.hint})" if error.hint else "")]
    if isinstance(error, Taken):
        return ["another bsc-monitor uses this database: stop it, or act through its board"]
    return []
