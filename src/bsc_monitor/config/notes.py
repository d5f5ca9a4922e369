"""The mistakes and the warnings gathered while a configuration is read."""

from __future__ import annotations

from bsc_monitor.config.include import Documents
from bsc_monitor.config.positions import Path, dotted
from bsc_monitor.config.problems import Problem


class Notes:
    """Errors and warnings with their places. The same one twice (a template used by fifty teams) counts once."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents
        self.errors: dict[Problem, None] = dict.fromkeys(documents.problems)
        self.warnings: dict[Problem, None] = dict.fromkeys(documents.warnings)

    def error(self, path: Path, message: str, hint: str = "") -> None:
        """Something that makes the configuration unusable."""
        self.errors[self._problem(path, message, hint)] = None

    def warn(self, path: Path, message: str, hint: str = "") -> None:
        """Something that works and is probably not meant."""
        self.warnings[self._problem(path, message, hint)] = None

    def place(self, path: Path) -> str:
        """``file:line`` of a key."""
        file, line = self._documents.place(path)
        return f"{file}:{line}"

    def _problem(self, path: Path, message: str, hint: str) -> Problem:
        file, line = self._documents.place(path)
        return Problem(file, line, dotted(path), message, hint)
