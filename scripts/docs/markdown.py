"""Pieces of Markdown."""

from collections.abc import Iterable, Sequence

NOTICE = "<!-- Written by `make docs` from the code: change it there. -->\n"


def head(title: str, text: str) -> str:
    """The beginning of a page."""
    return f"# {title}\n\n{NOTICE}\n{text.strip()}\n"


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; what would break a cell is escaped."""
    lines = [list(columns), ["---"] * len(columns), *rows]
    return "".join("| " + " | ".join(_cell(cell) for cell in line) + " |\n" for line in lines)


def code(text: str) -> str:
    """Text as code; nothing for nothing."""
    return f"`{text}`" if text else ""


def _cell(text: str) -> str:
    return plain(text).replace("|", "\\|").replace("\n", " ").strip()


def plain(text: str) -> str:
    """A docstring's code marks as Markdown has them."""
    return text.replace("``", "`")
