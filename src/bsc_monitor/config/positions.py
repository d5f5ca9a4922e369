"""Which line of a TOML file a key stands on.

tomli reads the values but keeps no positions; tree-sitter keeps positions. Tables are found by a look at the lines, which
is many times as fast as a parse, and the text of a table is parsed only when a key inside it is asked for, so that a file
of 10,000 KPIs costs little when nothing is wrong. A file that holds what such a look could mistake is parsed as a whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import tomli

Path = tuple[str | int, ...]  #: keys and list indexes from the root of a document
_BRACKET = re.compile(rb"^[ \t]*\[", re.MULTILINE)
_HEADER = re.compile(rb"^[ \t]*\[[ \t]*([A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*)[ \t]*\][ \t]*(?:#.*)?\r?$", re.MULTILINE)


class Section(NamedTuple):
    """A table in the text: its first line (1-based), and where in the bytes it begins and ends."""

    line: int
    start: int
    end: int


def dotted(path: Path) -> str:
    """A key as people write it: ``kpis.mttr.target[1].red``."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


class Positions:
    """The lines of one TOML document (which must be valid; ``source`` is UTF-8)."""

    def __init__(self, source: bytes) -> None:
        self._source = source
        self._sections = _sections(source)
        self._tables: dict[Path, list[Any]] = {}
        self._lines: dict[Path, int] = {(): 1}
        self._indexed: set[Path] = set()
        if not self._sections:
            self._parse_all()
        for path, section in self._sections.items():
            for length in range(1, len(path)):
                self._lines.setdefault(path[:length], section.line)
            self._lines[path] = section.line

    def line(self, path: Path) -> int:
        """The line of the key at ``path``, or of the nearest thing around it; 1-based."""
        if (header := self._lines.get(path)) is not None:
            return header
        for length in range(len(path), -1, -1):
            self._index(path[:length])
        for length in range(len(path), 0, -1):
            if (line := self._lines.get(path[:length])) is not None:
                return line
        return 1

    def _parse_all(self) -> None:
        root = _parse(self._source)
        self._tables = {(): [root]}
        counts: dict[Path, int] = {}
        for node in root.named_children:
            if node.type in ("table", "table_array_element"):
                self._add_table(node, counts)

    def _add_table(self, node: Any, counts: dict[Path, int]) -> None:
        names = _names(node.named_child(0))
        path: Path = ()
        for place, name in enumerate(names):
            path = (*path, name)
            if node.type == "table_array_element" and place == len(names) - 1:
                counts[path] = counts.get(path, -1) + 1
            if path in counts:
                path = (*path, counts[path])
            if path not in self._lines:
                self._lines[path] = node.start_point.row + 1
        self._tables.setdefault(path, []).append(node)
        self._lines[path] = node.start_point.row + 1

    def _index(self, path: Path) -> None:
        if path in self._indexed:
            return
        self._indexed.add(path)
        above, nodes = 0, self._tables.get(path, [])
        if section := self._sections.get(path):
            above = section.line - 1
            root = _parse(self._source[section.start : section.end])
            nodes = [node for node in root.named_children if node.type == "table"] if path else [root]
        for node in nodes:
            for key, line in _pairs(node, path):
                self._lines.setdefault(key, line + above)


def _parse(source: bytes) -> Any:
    import tree_sitter_toml
    from tree_sitter import Language, Parser

    return Parser(Language(tree_sitter_toml.language())).parse(source).root_node


def _sections(source: bytes) -> dict[Path, Section]:
    """The tables by name, what stands before them first; none where a line could be taken for a header and is none."""
    headers = list(_HEADER.finditer(source))
    if b'"""' in source or b"'''" in source or len(headers) != len(_BRACKET.findall(source)):
        return {}
    ends = [*(header.start() for header in headers[1:]), len(source)][: len(headers)]
    found: dict[Path, Section] = {(): Section(1, 0, headers[0].start() if headers else len(source))}
    line, before = 1, 0
    for header, end in zip(headers, ends, strict=True):
        start = header.start()
        line, before = line + source.count(b"\n", before, start), start
        found[tuple(header[1].decode().split("."))] = Section(line, start, end)
    return found


def _pairs(node: Any, path: Path) -> Iterator[tuple[Path, int]]:
    """Every key below a table, an inline table or a list, with its line."""
    if node.type == "array":
        values = [child for child in node.named_children if child.type != "comment"]
        for place, value in enumerate(values):
            yield (*path, place), value.start_point.row + 1
            yield from _pairs(value, (*path, place))
        return
    if node.type not in ("document", "table", "table_array_element", "inline_table"):
        return
    for pair in node.named_children:
        if pair.type != "pair":
            continue
        key: Path = path
        for name in _names(pair.named_child(0)):
            key = (*key, name)
            yield key, pair.start_point.row + 1
        yield from _pairs(pair.named_child(pair.named_child_count - 1), key)


def _names(node: Any) -> list[str]:
    """The words of a bare, quoted or dotted key."""
    if node.type == "dotted_key":
        return [name for child in node.named_children for name in _names(child)]
    text = node.text.decode("utf-8", "replace")
    if node.type == "bare_key":
        return [text]
    try:
        return list(tomli.loads(f"{text} = 1"))
    except tomli.TOMLDecodeError:
        return [text]
