"""The formula language: what it computes, what it refuses."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bsc_monitor.score.formula import FormulaError, parse_formula

NUMBERS = st.floats(-1e9, 1e9)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("42", 42), ("a + b * 2", 13), ("a - -b", 8), ("(a + b) / 2", 4), ("a / b * 100", 60), ("a // b", 0), ("b % a", 2),
        ("a ** 2", 9), ("min(a, b, 4)", 3), ("max(a, b)", 5), ("abs(a - b)", 2), ("round(a / b)", 1), ("round(a / 7, 2)", 0.43),
        ("a < b", 1), ("a >= b", 0), ("a == 3", 1), ("a != 3", 0), ("b if a > 1 else 0", 5), ("a > 1 and b > 9", 0),
        ("a > 1 or b > 9", 1), ("not a", 0), ("1e3", 1000), ("  a\t", 3), ("0 if b == 0 else a / b", 0.6),
    ],
)  # fmt: skip
def test_arithmetic_is_the_usual_one(text, expected):
    assert parse_formula(text).evaluate({"a": 3.0, "b": 5.0}) == pytest.approx(expected)


@given(NUMBERS, NUMBERS)
def test_a_ratio_is_a_ratio_of_what_is_given(a, b):
    result = parse_formula("a / b * 100").evaluate({"a": a, "b": b})

    assert result is None if b == 0 or not math.isfinite(a / b * 100) else result == a / b * 100


@pytest.mark.parametrize(
    "text", ["a / 0", "a % 0", "0 ** -1", "(0 - 8) ** 0.5", "1e308 * 10", "10 ** 64 ** 2", "a / (a - a)"]
)
def test_what_has_no_finite_result_is_blank(text):
    assert parse_formula(text).evaluate({"a": 3.0}) is None


@pytest.mark.parametrize(
    ("text", "missing", "expected"),
    [
        ("a + b", "blank", None), ("a + b", "zero", 3), ("a / b", "zero", None), ("a + b", "ignore", 3), ("b - a", "ignore", -3),
        ("a * b", "ignore", 3), ("(a + b) / (a + b)", "ignore", 1), ("a / b", "ignore", None), ("b", "ignore", None),
        ("min(a, b)", "ignore", 3), ("max(b)", "ignore", None), ("b > 1", "ignore", None), ("a - b", "ignore", 3),
        ("-b + a", "ignore", 3), ("abs(b) + a", "ignore", 3), ("b and a", "ignore", None), ("a if b else a", "ignore", None),
    ],
)  # fmt: skip
def test_a_missing_operand_does_what_it_is_told(text, missing, expected):
    assert parse_formula(text).evaluate({"a": 3.0, "b": None}, missing) == expected


def test_the_names_are_those_it_asks_for_in_their_order():
    assert parse_formula("z + max(a, z) - m_1").names == ("z", "a", "m_1")


HOSTILE = [
    "__import__('os').system('true')", "().__class__", "a.b", "a[0]", "[a]", "(a, b)", "{}", "lambda: 1", "'text'", "None", "True",
    "a = 1", "a; b", "import os", "f'{a}'", "a if b", "open('x')", "eval('1')", "min", "min()", "min(a, key=b)", "max(*a)", "abs(1, 2)",
    "a < b < c", "a is b", "a in b", "a @ b", "a << 2", "~a", "a & b", "(a := 1)", "await a", "yield", "1e999", "9" * 400, "1j",
    "", " ", "(", ")(", "a b", "\x00", "a\n+b;c", "é" * 10 + "(", "1if a else 2", "0x", "#", "print(1)", "__builtins__", "...",
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
def test_anything_else_is_refused_in_words(text):
    with pytest.raises(FormulaError, match=r"[a-z]"):
        parse_formula(text)


@pytest.mark.parametrize(
    "text",
    ["(" * 10_000 + "1" + ")" * 10_000, "(" * 90 + "1" + ")" * 90, "-" * 900 + "1", "1" + "+1" * 499, "not " * 200 + "a", "1" * 1001,
     "min(" * 60 + "1" + ")" * 60],
)  # fmt: skip
def test_size_and_depth_are_bounded(text):
    with pytest.raises(FormulaError, match=r"longer|deeper|parts|no formula"):
        parse_formula(text)


@given(st.text(alphabet="ab01 +-*/().,<>=%'\"_[]{}minaxrou\\\n", max_size=60))
def test_no_text_does_harm(text):
    try:
        formula = parse_formula(text)
    except FormulaError:
        return
    result = formula.evaluate(dict.fromkeys(formula.names, 2.0))
    assert result is None or math.isfinite(result)
