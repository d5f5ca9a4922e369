"""What the form takes and nothing uses yet: said as a warning, never ignored in silence.

Whoever brings one of these to life takes its line out here.
"""

from __future__ import annotations

from bsc_monitor.config.include import Documents
from bsc_monitor.config.notes import Notes

#: table, and key inside it (empty: the whole table) → what it will do
UNUSED: dict[tuple[str, str], str] = {
    ("service", "auth"): "users and TLS",
}


def warn_unused(documents: Documents, notes: Notes) -> None:
    """Warn of every option in the files that has no effect yet."""
    for (table, key), what in UNUSED.items():
        content = documents.tables.get(table)
        if isinstance(content, dict) and (key in content if key else content):
            notes.warn((table, key) if key else (table,), f"not yet used: {what}")
