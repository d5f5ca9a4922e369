"""Which line of a TOML file a key stands on.

tomli reads the values but keeps no positions; tree-sitter keeps positions. Plain table headers are found by a look at
the lines, which is twenty times as fast; the file is parsed only when a key inside a table is asked for, so that a file
of 10,000 KPIs costs little when nothing is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import tomli

Path = tuple[str | int, ...]  #: keys and list indexes from the root of a document
_BRACKET = re.compile(rb"^[ \t]*\[", re.MULTILINE)
_HEADER = re.compile(rb"^[ \t]*\[[ \t]*([A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*)[ \t]*\][ \t]*(?:#.*)?\r?$", re.MULTILINE)


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
        self._tables: dict[Path, list[Any]] = {}
        self._lines = _headers(source)
        self._indexed: set[Path] = set()

    def _parse(self) -> None:
        import tree_sitter_toml
        from tree_sitter import Language, Parser

        root = Parser(Language(tree_sitter_toml.language())).parse(self._source).root_node
        self._tables = {(): [root]}
        self._lines = {(): 1}
        counts: dict[Path, int] = {}
        for node in root.named_children:
            if node.type in ("table", "table_array_element"):
                self._add_table(node, counts)

    def line(self, path: Path) -> int:
        """The line of the key at ``path``, or of the nearest thing around it; 1-based."""
        if (header := self._lines.get(path)) is not None:
            return header
        if not self._tables:
            self._parse()
        for length in range(len(path), -1, -1):
            self._index(path[:length])
        for length in range(len(path), 0, -1):
            if (line := self._lines.get(path[:length])) is not None:
                return line
        return 1

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
        if path in self._indexed or path not in self._tables:
            return
        self._indexed.add(path)
        for node in self._tables[path]:
            for key, line in _pairs(node, path):
                self._lines.setdefault(key, line)


def _headers(source: bytes) -> dict[Path, int]:
    """The lines of plain table headers; none at all where a line could be taken for a header that is something else."""
    found: dict[Path, int] = {}
    headers = list(_HEADER.finditer(source))
    if b'"""' in source or b"'''" in source or len(headers) != len(_BRACKET.findall(source)):
        return found
    line, before = 1, 0
    for header in headers:
        line, before = line + source.count(b"\n", before, header.start()), header.start()
        names = header[1].decode().split(".")
        for length in range(1, len(names)):
            found.setdefault(tuple(names[:length]), line)
        found[tuple(names)] = line
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
