"""Formulas over period values: arithmetic, comparisons, min, max, abs, round and names. Parsed once, bounded in size."""

from __future__ import annotations

import ast
import math
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from bsc_monitor.model.organisation import Missing

_LONGEST, _MOST_NODES, _DEEPEST, _LARGEST_POWER = 1000, 500, 40, 64


class FormulaError(ValueError):
    """A formula that is not in the language; the message says what is wrong, for people."""


class _Absent:
    """The value of an operand that is to be ignored."""


_ABSENT = _Absent()
_Value = float | None | _Absent  # None: blank
_Evaluate = Callable[[Mapping[str, _Value]], _Value]


@dataclass(frozen=True, slots=True, eq=False)
class Formula:
    """A parsed formula. ``names`` are those it asks for, in the order of their first use."""

    text: str
    names: tuple[str, ...]
    _evaluate: _Evaluate

    def evaluate(self, values: Mapping[str, float | None], missing: Missing = "blank") -> float | None:
        """The result; None where there is none: a missing operand that is not zero or ignored, a division by zero,
        a result that is no finite number.

        ``missing`` says what an operand without a value does. ``blank``: no result; ``zero``: it counts as 0;
        ``ignore``: it is left out of the sums, differences, products, ``min`` and ``max`` it stands in; what needs it
        (a quotient, a power, a comparison) has no result.
        """
        known: dict[str, _Value] = {}
        for name in self.names:
            value = values.get(name)
            if value is not None:
                known[name] = float(value)
            elif missing == "blank":
                return None
            else:
                known[name] = 0.0 if missing == "zero" else _ABSENT
        result = self._evaluate(known)
        return result if isinstance(result, float) and math.isfinite(result) else None


@lru_cache(maxsize=65536)
def parse_formula(text: str) -> Formula:
    """Parse a formula. Raises FormulaError in words for anything outside the language or beyond its bounds."""
    if len(text) > _LONGEST:
        raise FormulaError(f"the formula is longer than {_LONGEST} characters")
    deepest = depth = 0
    for character in text:
        depth += (character == "(") - (character == ")")
        deepest = max(deepest, depth)
    if deepest > _DEEPEST:
        raise FormulaError(f"the formula is nested deeper than {_DEEPEST} levels")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError, Warning):
        raise FormulaError(f"{text[:60]!r} is no formula: use + - * / ( ), numbers and ids of KPIs") from None
    builder = _Builder()
    evaluate = builder.build(tree, 0)
    return Formula(text, tuple(builder.names), evaluate)


class _Builder:
    """Turns a syntax tree into functions, counting what it meets."""

    def __init__(self) -> None:
        self.names: dict[str, None] = {}
        self._nodes = 0

    def build(self, node: ast.expr, depth: int) -> _Evaluate:
        self._nodes += 1
        if self._nodes > _MOST_NODES:
            raise FormulaError(f"the formula has more than {_MOST_NODES} parts")
        if depth > _DEEPEST:
            raise FormulaError(f"the formula is nested deeper than {_DEEPEST} levels")
        if isinstance(node, ast.Constant):
            return _constant(node.value)
        if isinstance(node, ast.Name):
            return self._name(node.id)
        parts = self._parts(node)
        if parts is None:
            raise FormulaError(f"{_words(node)} is not part of the formula language")
        function, children = parts
        return _applied(function, [self.build(child, depth + 1) for child in children])

    def _name(self, name: str) -> _Evaluate:
        if name.startswith("__") or name in _CALLS:
            raise FormulaError(f"{name[:40]!r} is no id of a KPI")
        self.names[name] = None
        return lambda values: values[name]

    def _parts(self, node: ast.expr) -> tuple[Callable[..., _Value], list[ast.expr]] | None:
        """The function that a syntax node stands for, and its arguments."""
        if isinstance(node, ast.BinOp) and type(node.op) in _BINARY:
            return _BINARY[type(node.op)], [node.left, node.right]
        if isinstance(node, ast.UnaryOp) and type(node.op) in _UNARY:
            return _UNARY[type(node.op)], [node.operand]
        if isinstance(node, ast.Compare) and len(node.ops) == 1 and type(node.ops[0]) in _COMPARE:
            return _COMPARE[type(node.ops[0])], [node.left, node.comparators[0]]
        if isinstance(node, ast.BoolOp):
            return (_both if isinstance(node.op, ast.And) else _either), node.values
        if isinstance(node, ast.IfExp):
            return _choice, [node.test, node.body, node.orelse]
        if isinstance(node, ast.Call):
            return self._call(node)
        return None

    @staticmethod
    def _call(node: ast.Call) -> tuple[Callable[..., _Value], list[ast.expr]]:
        name = node.func.id if isinstance(node.func, ast.Name) else None
        if name not in _CALLS:
            raise FormulaError(f"{_words(node.func)} cannot be called: there are min, max, abs and round")
        function, least, most = _CALLS[name]
        if node.keywords or any(isinstance(each, ast.Starred) for each in node.args):
            raise FormulaError(f"{name} takes plain arguments")
        if not least <= len(node.args) <= most:
            raise FormulaError(f"{name} takes {least} to {most} arguments, not {len(node.args)}")
        return function, node.args


def _applied(function: Callable[..., _Value], parts: list[_Evaluate]) -> _Evaluate:
    if len(parts) == 2:
        left, right = parts
        return lambda values: function(left(values), right(values))
    return lambda values: function(*[part(values) for part in parts])


def _constant(value: object) -> _Evaluate:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise FormulaError(f"{str(value)[:40]!r} is no number")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise FormulaError("a number in the formula is too large")
    return lambda _: number


def _words(node: ast.expr) -> str:
    kind = {"Attribute": "a dot", "Subscript": "[ ]", "Lambda": "lambda", "List": "a list", "Tuple": "a comma"}
    return kind.get(type(node).__name__, ast.unparse(node)[:40].__repr__())


def _strict(work: Callable[[float, float], float]) -> Callable[[_Value, _Value], _Value]:
    """A function of two numbers that has no result where either is wanting."""

    def apply(a: _Value, b: _Value) -> _Value:
        if not isinstance(a, float) or not isinstance(b, float):
            return None
        try:
            result = work(a, b)
        except (ZeroDivisionError, OverflowError, ValueError):
            return None
        return float(result)

    return apply


def _lenient(work: Callable[[float, float], float], *, negate: bool = False) -> Callable[[_Value, _Value], _Value]:
    """A function of two numbers that gives the other where one is ignored."""

    def apply(a: _Value, b: _Value) -> _Value:
        if isinstance(a, float) and isinstance(b, float):
            return work(a, b)
        if a is None or b is None:
            return None
        if isinstance(b, float):
            return -b if negate else b
        return a

    return apply


def _power(a: float, b: float) -> float:
    if abs(b) > _LARGEST_POWER:
        raise OverflowError
    if a < 0 and not b.is_integer():
        raise ValueError("no real number")
    result: float = a**b
    return result


def _round(a: float, b: float) -> float:
    return round(a, max(min(int(b), 15), -15))


def _rounded(a: _Value, b: _Value = 0.0) -> _Value:
    return _strict(_round)(a, b)


def _most(*values: _Value) -> _Value:
    return _extreme(max, values)


def _least(*values: _Value) -> _Value:
    return _extreme(min, values)


def _extreme(pick: Callable[[list[float]], float], values: tuple[_Value, ...]) -> _Value:
    if any(value is None for value in values):
        return None
    known = [value for value in values if isinstance(value, float)]
    return pick(known) if known else _ABSENT


def _absolute(a: _Value) -> _Value:
    return abs(a) if isinstance(a, float) else a


def _negative(a: _Value) -> _Value:
    return -a if isinstance(a, float) else a


def _both(*values: _Value) -> _Value:
    return float(all(values)) if all(isinstance(value, float) for value in values) else None


def _either(*values: _Value) -> _Value:
    return float(any(values)) if all(isinstance(value, float) for value in values) else None


def _not(a: _Value) -> _Value:
    return float(not a) if isinstance(a, float) else None


def _choice(test: _Value, yes: _Value, no: _Value) -> _Value:
    return (yes if test else no) if isinstance(test, float) else None


_BINARY: dict[type[ast.operator], Callable[[_Value, _Value], _Value]] = {
    ast.Add: _lenient(lambda a, b: a + b),
    ast.Sub: _lenient(lambda a, b: a - b, negate=True),
    ast.Mult: _lenient(lambda a, b: a * b),
    ast.Div: _strict(lambda a, b: a / b),
    ast.FloorDiv: _strict(lambda a, b: a // b),
    ast.Mod: _strict(lambda a, b: a % b),
    ast.Pow: _strict(_power),
}
_UNARY: dict[type[ast.unaryop], Callable[[_Value], _Value]] = {
    ast.USub: _negative,
    ast.UAdd: lambda a: a,
    ast.Not: _not,
}
_COMPARE: dict[type[ast.cmpop], Callable[[_Value, _Value], _Value]] = {
    ast.Lt: _strict(lambda a, b: a < b),
    ast.LtE: _strict(lambda a, b: a <= b),
    ast.Gt: _strict(lambda a, b: a > b),
    ast.GtE: _strict(lambda a, b: a >= b),
    ast.Eq: _strict(lambda a, b: a == b),
    ast.NotEq: _strict(lambda a, b: a != b),
}
_CALLS: dict[str, tuple[Callable[..., _Value], int, int]] = {
    "min": (_least, 1, 100),
    "max": (_most, 1, 100),
    "abs": (_absolute, 1, 1),
    "round": (_rounded, 1, 2),
}
