"""The files of a configuration, merged: every thing keeps the file and the line that it was written on."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import tomli

from bsc_monitor.config.positions import Path as KeyPath
from bsc_monitor.config.positions import Positions, dotted
from bsc_monitor.config.problems import Problem
from bsc_monitor.config.syntax import in_words

LARGEST = 32 * 1024 * 1024  #: bytes of one file
_MOST_FILES = 5000
_LONG = re.compile(r"(?<![\w.])[+-]?\d(?:_?\d){4300,}")
_MARK = 7_340_912_557_000_000_000  #: stands for a number that is too long


@dataclass(slots=True)
class Document:
    """One file that was read."""

    file: str  #: as messages name it
    data: dict[str, Any]
    positions: Positions


@dataclass(slots=True)
class Documents:
    """All files of a configuration. ``tables`` holds the merged content."""

    root: Path
    files: list[Path] = field(default_factory=list)
    tables: dict[str, Any] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)
    broken: bool = False  #: whether a file could not be read, so that things may be missing
    _origins: dict[KeyPath, Document] = field(default_factory=dict)
    _main: Document | None = None

    def place(self, path: KeyPath) -> tuple[str, int]:
        """File and line of a key; of the nearest thing around it where the key itself is not written."""
        document = self._origins.get(path[:2]) or self._origins.get(path[:1]) or self._main
        if document is None:
            return str(self.root), 0
        return document.file, document.positions.line(path)


def read(root: Path, merged: Sequence[str]) -> Documents:
    """Read ``root`` and all that it includes. ``merged`` names the tables whose entries may be spread over files.

    Never raises for a file's sake: see ``problems``.
    """
    documents = Documents(root)
    _read_file(documents, root, frozenset(merged), str(root), None)
    return documents


def _read_file(documents: Documents, path: Path, merged: frozenset[str], shown: str, asker: Problem | None) -> None:
    real = path.resolve()
    if real in documents.files:
        return
    documents.files.append(real)
    if len(documents.files) > _MOST_FILES:
        documents.broken = True
        return
    document = _parse(documents, path, shown, asker)
    if document is None:
        documents.broken = True
        return
    documents._main = documents._main or document  # noqa: SLF001
    _merge(documents, document, merged)
    for number, pattern in enumerate(_patterns(documents, document)):
        where = Problem(document.file, document.positions.line(("include", number)), f"include[{number}]", "")
        for found in _matching(documents, path.parent, pattern, where):
            name = str(Path(shown).parent / found.relative_to(path.parent)) if path.parent in found.parents else found
            _read_file(documents, found, merged, str(name), where)


def _parse(documents: Documents, path: Path, shown: str, asker: Problem | None) -> Document | None:
    def fail(message: str, hint: str = "", line: int = 0) -> None:
        documents.problems.append(Problem(shown, line, "", message, hint))

    try:
        size = path.stat().st_size
        content = path.read_bytes() if path.is_file() and size <= LARGEST else None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        if asker is None:
            fail(f"cannot be read: {reason}", "name another file with --config, or write one with bsc-monitor init")
        else:
            documents.problems.append(Problem(asker.file, asker.line, asker.key, f"{shown} cannot be read: {reason}"))
        return None
    if content is None:
        fail(f"is larger than {LARGEST // 2**20} MB" if path.is_file() else "is not a file")
        return None
    try:
        text = content.removeprefix(b"\xef\xbb\xbf").decode()
    except UnicodeDecodeError as error:
        fail("is not UTF-8 text", "save it as UTF-8", content.count(b"\n", 0, error.start) + 1)
        return None
    try:
        data = tomli.loads(text)
    except tomli.TOMLDecodeError as error:
        message, hint = in_words(error)
        fail(message, hint, min(error.lineno, text.count("\n") + 1))
        return None
    except RecursionError:
        fail("lists or tables are nested too deeply")
        return None
    except ValueError:  # tomli gives up without a place
        problems = list(_long_numbers(text, shown))
        documents.problems.extend(problems)
        if not problems:
            fail("a value cannot be read")
        return None
    return Document(shown, data, Positions(text.encode()))


def _long_numbers(text: str, shown: str) -> Iterator[Problem]:
    """The numbers that are longer than Python reads: each is read as a number that nothing else is, and looked for."""
    marks: dict[int, int] = {}

    def mark(number: re.Match[str]) -> str:
        marks[_MARK + len(marks)] = sum(map(str.isdigit, number[0]))
        return str(_MARK + len(marks) - 1)

    shorter = _LONG.sub(mark, text)
    try:
        found, positions = tomli.loads(shorter), Positions(shorter.encode())
    except (ValueError, RecursionError):
        return
    for path, value in _numbers(found, ()):
        if value in marks:
            message = f"a number of {marks[value]:,} digits cannot be read"
            yield Problem(shown, positions.line(path), dotted(path), message, "write it in quotes if it is a text")


def _numbers(value: Any, path: KeyPath) -> Iterator[tuple[KeyPath, int]]:
    """Every whole number in a document, with its key."""
    if isinstance(value, int):
        yield path, value
    elif isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _numbers(inner, (*path, key))


def _patterns(documents: Documents, document: Document) -> list[str]:
    include = document.data.get("include", [])
    if isinstance(include, list) and all(isinstance(pattern, str) for pattern in include):
        return include
    line = document.positions.line(("include",))
    documents.problems.append(
        Problem(document.file, line, "include", "expected a list of files", 'include = ["kpis/*.toml"]')
    )
    return []


def _matching(documents: Documents, folder: Path, pattern: str, where: Problem) -> list[Path]:
    if not any(sign in pattern for sign in "*?["):
        return [folder / pattern]
    base, relative = (
        (Path(Path(pattern).anchor), pattern.lstrip("/")) if Path(pattern).is_absolute() else (folder, pattern)
    )
    try:
        found = sorted(path for path in base.glob(relative) if path.is_file())
    except (ValueError, OSError, NotImplementedError, IndexError) as error:
        documents.problems.append(
            Problem(where.file, where.line, where.key, f"{pattern!r} is no file pattern: {error}")
        )
        return []
    if not found:
        documents.warnings.append(Problem(where.file, where.line, where.key, f"no file matches {pattern!r}"))
    return found


def _merge(documents: Documents, document: Document, merged: frozenset[str]) -> None:
    origins = documents._origins  # noqa: SLF001
    for table, content in document.data.items():
        if table == "include":
            continue
        if table in merged and isinstance(content, Mapping):
            entries = documents.tables.setdefault(table, {})
            if not isinstance(entries, dict):
                continue
            for name, entry in content.items():
                if (table, name) in origins:
                    _report_twice(documents, document, (table, name))
                else:
                    entries[name] = entry
                    origins[table, name] = document
        elif (table,) in origins or table in documents.tables:
            _report_twice(documents, document, (table,))
        else:
            documents.tables[table] = content
            origins[(table,)] = document


def _report_twice(documents: Documents, document: Document, path: tuple[str, ...]) -> None:
    file, line = documents.place(path)
    where = Problem(document.file, document.positions.line(path), ".".join(path), "")
    message = f"{path[-1]!r} is already defined in {file}:{line}"
    hint = "give it another id" if len(path) > 1 else "keep this table in one file"
    documents.problems.append(Problem(where.file, where.line, where.key, message, hint))
