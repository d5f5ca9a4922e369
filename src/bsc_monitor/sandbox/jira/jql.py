"""Jira's query language: from text to a tree, with the server's own words for what it cannot read."""

import re
from collections.abc import Iterator
from dataclasses import dataclass


class JqlError(ValueError):
    """What the server would answer with a 400."""


@dataclass(frozen=True, slots=True)
class Call:
    """A function, such as ``startOfDay("-1d")``."""

    name: str
    arguments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Empty:
    """``EMPTY`` or ``NULL``."""


Operand = str | Call | Empty


@dataclass(frozen=True, slots=True)
class Clause:
    """``field operator operands``; the words after CHANGED or WAS as ``(word, operands)``."""

    field: str
    operator: str
    operands: tuple[Operand, ...] = ()
    predicates: tuple[tuple[str, tuple[Operand, ...]], ...] = ()


@dataclass(frozen=True, slots=True)
class Both:
    """All of them (``AND``)."""

    parts: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Either:
    """Any of them (``OR``)."""

    parts: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Negated:
    """``NOT``."""

    part: "Node"


Node = Clause | Both | Either | Negated


@dataclass(frozen=True, slots=True)
class Query:
    """A whole query. ``where`` None: unbounded."""

    where: Node | None
    order: tuple[tuple[str, bool], ...] = ()  #: field, whether descending


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str  # word, quoted, operator, end
    text: str
    place: str


_TOKEN = re.compile(
    r"""\s*(?:(?P<quoted>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')|(?P<operator>&&|\|\||!=|!~|<=|>=|[=~<>!(),])"""
    r"""|(?P<word>cf\[\d+\]|[^\s=~<>!(),"'&|]+))"""
)
_OPERATORS = "'=', '!=', '<', '>', '<=', '>=', '~', '!~', 'IN', 'NOT IN', 'IS' and 'IS NOT'"
_COMPARES = ("=", "!=", "<", ">", "<=", ">=", "~", "!~")
_PREDICATES = ("FROM", "TO", "DURING", "BEFORE", "AFTER", "ON", "BY")
_MOST_ORDERED = 7


def parse(text: str) -> Query:
    """Read a query. Raises JqlError."""
    return _Parser(list(_tokens(text))).query()


def _tokens(text: str) -> Iterator[_Token]:
    position = 0
    while text[position:].strip():
        found = _TOKEN.match(text, position)
        start = position + len(text[position:]) - len(text[position:].lstrip())
        place = f"(line {text.count(chr(10), 0, start) + 1}, character {start - text.rfind(chr(10), 0, start)})"
        if found is None:
            if text[start] in "\"'":
                raise JqlError(
                    f"Error in the JQL Query: The quoted string '{text[start + 1 :]}' has not been completed. {place}"
                )
            raise JqlError(
                f"Error in the JQL Query: The character '{text[start]}' is a reserved JQL character. You must enclose it in a string or use the escape '\\u{ord(text[start]):04x}' instead. {place}"
            )
        kind = str(found.lastgroup)
        token = found[kind]
        yield _Token(kind, re.sub(r"\\(.)", r"\1", token[1:-1]) if kind == "quoted" else token, place)
        position = found.end()
    yield _Token("end", "", "")


class _Parser:
    def __init__(self, tokens: list[_Token]) -> None:
        self.tokens = tokens
        self.at = 0

    @property
    def here(self) -> _Token:
        return self.tokens[self.at]

    def take(self) -> _Token:
        token = self.here
        self.at += token.kind != "end"
        return token

    def word(self, *words: str) -> bool:
        """Take one of these keywords, or operators, if it is here."""
        if self.here.kind in ("word", "operator") and self.here.text.upper() in words:
            self.take()
            return True
        return False

    def query(self) -> Query:
        where = None if self.here.kind == "end" or self.ordered() else self.either()
        if not self.ordered():
            if self.here.kind != "end":
                raise self.wrong("Expecting either 'OR' or 'AND' but got")
            return Query(where)
        self.take()
        if not self.word("BY"):
            raise self.wrong("Expecting 'BY' but got")
        order = [self.sort()]
        while self.word(","):
            order.append(self.sort())
        if self.here.kind != "end":
            raise self.wrong("Expecting ',' but got")
        if len(order) > _MOST_ORDERED:
            raise JqlError(f"JQL can be ordered by at most {_MOST_ORDERED} fields.")
        return Query(where, tuple(order))

    def ordered(self) -> bool:
        return self.here.kind == "word" and self.here.text.upper() == "ORDER"

    def sort(self) -> tuple[str, bool]:
        if self.here.kind not in ("word", "quoted"):
            raise self.wrong("Expecting a field name but got")
        name = self.take().text
        return name, not self.word("ASC") and self.word("DESC")

    def either(self) -> Node:
        parts = [self.both()]
        while self.word("OR", "||"):
            parts.append(self.both())
        return parts[0] if len(parts) == 1 else Either(tuple(parts))

    def both(self) -> Node:
        parts = [self.negated()]
        while self.word("AND", "&&"):
            parts.append(self.negated())
        return parts[0] if len(parts) == 1 else Both(tuple(parts))

    def negated(self) -> Node:
        if self.word("NOT", "!"):
            return Negated(self.negated())
        if self.word("("):
            inside = self.either()
            if not self.word(")"):
                raise self.wrong("Expecting ')' but got")
            return inside
        return self.clause()

    def clause(self) -> Clause:
        if self.here.kind not in ("word", "quoted"):
            raise self.wrong("Expecting a field name but got")
        name = self.take().text
        if self.here.kind == "operator" and self.here.text in _COMPARES:
            return Clause(name, self.take().text, (self.operand(),))
        if self.word("IN"):
            return Clause(name, "IN", self.operands())
        if self.word("IS"):
            return Clause(name, "IS NOT" if self.word("NOT") else "IS", (self.operand(),))
        if self.word("NOT"):
            if self.word("IN"):
                return Clause(name, "NOT IN", self.operands())
            raise self.wrong("Expecting 'IN' but got")
        if self.word("CHANGED"):
            return Clause(name, "CHANGED", (), self.predicates())
        if self.word("WAS"):
            operator = "WAS NOT" if self.word("NOT") else "WAS"
            values = self.operands() if self.word("IN") else (self.operand(),)
            return Clause(name, operator, values, self.predicates())
        raise self.wrong("Expecting operator but got", f" The valid operators are {_OPERATORS}.")

    def predicates(self) -> tuple[tuple[str, tuple[Operand, ...]], ...]:
        found = []
        while self.here.kind == "word" and self.here.text.upper() in _PREDICATES:
            word = self.take().text.upper()
            listed = self.here.kind == "operator" and self.here.text == "("
            found.append((word, self.operands() if listed else (self.operand(),)))
        return tuple(found)

    def operands(self) -> tuple[Operand, ...]:
        if not (self.here.kind == "operator" and self.here.text == "("):
            return (self.operand(),)  # a function may stand for a list
        self.take()
        found = [self.operand()]
        while self.word(","):
            found.append(self.operand())
        if not self.word(")"):
            raise self.wrong("Expecting ')' but got")
        return tuple(found)

    def operand(self) -> Operand:
        token = self.here
        if token.kind not in ("word", "quoted"):
            ask = f" You must surround '{token.text}' in quotation marks to use it as a value." if token.text else ""
            raise self.wrong("Expecting either a value, list or function but got", ask)
        self.take()
        if token.kind == "word" and token.text.upper() in ("EMPTY", "NULL"):
            return Empty()
        if not (self.here.kind == "operator" and self.here.text == "("):
            return token.text
        self.take()
        arguments = []
        while self.here.kind in ("word", "quoted"):
            arguments.append(self.take().text)
            self.word(",")
        if not self.word(")"):
            raise self.wrong("Expecting ')' but got")
        return Call(token.text, tuple(arguments))

    def wrong(self, what: str, more: str = "") -> JqlError:
        token = self.here
        if token.kind == "end":
            return JqlError(
                f"Error in the JQL Query: {what.replace(' but got', '').strip()} before the end of the query.{more}"
            )
        return JqlError(f"Error in the JQL Query: {what} '{token.text}'.{more} {token.place}")
