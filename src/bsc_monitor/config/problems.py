"""What is wrong with a configuration, all of it at once, in words that say where and what to do."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One mistake. ``str()`` is how a terminal shows it: ``file:line: key: message (hint)``."""

    file: str
    line: int
    key: str  #: dotted path of the key, e.g. ``kpis.mttr.red``; empty: the file as a whole
    message: str
    hint: str = ""

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        key = f"{self.key}: " if self.key else ""
        hint = f" ({self.hint})" if self.hint else ""
        return printable(f"{place}: {key}{self.message}{hint}")


class ConfigError(Exception):
    """A configuration that cannot be used. ``problems`` holds every mistake found, in the order of the files' lines."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = sorted(set(problems))
        super().__init__("\n".join(map(str, self.problems)))


def printable(text: str) -> str:
    """The text on one line and without control characters or lone surrogates: it may come from anybody's file."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def near(word: str, known: Iterable[str]) -> str:
    """A hint naming the word that was probably meant, else the few there are; empty when there are too many."""
    names = sorted(set(known))
    meant = difflib.get_close_matches(word, names, n=1, cutoff=0.6) if len(names) <= 2000 else _cheap(word, names)
    if meant:
        return f"did you mean {meant[0]!r}?"
    if not names:
        return "there is none"
    return f"there is {', '.join(names)}" if len(names) <= 12 else ""


def _cheap(word: str, names: list[str]) -> list[str]:
    """Close matches among very many names: those that begin alike are enough to look at."""
    alike = [name for name in names if name[:2] == word[:2] and abs(len(name) - len(word)) < 4]
    return difflib.get_close_matches(word, alike[:500], n=1, cutoff=0.6)
