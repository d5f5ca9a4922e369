"""Expressions from people at the board and at the command line: one that could take for ever is refused.

Python's expressions go back and forth over a text, and hold up everything else meanwhile: ``(.+)+x`` takes years over
forty letters. Alertmanager's cannot do so, and neither can what is let through here.
"""

import importlib
import math
import re
from typing import Any

LONGEST = 1000  #: characters of an expression
_TEXT = 100  #: characters of a label's value, as names are long at most
_MOST_WAYS = 2e6  #: in which an expression may be tried on one value
_parser: Any = importlib.import_module("re._parser")  # has no types


def check(text: str) -> None:
    """Raise ValueError, in words, for an expression that does not compile or could take too long."""
    if len(text) > LONGEST:
        raise ValueError(f"the expression {text[:60]!r}… is longer than {LONGEST} characters")
    try:
        ways = _ways(_parser.parse(text))
        re.compile(text)
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"the expression {text[:60]!r} does not compile: {error}") from None
    if ways > _MOST_WAYS:
        raise ValueError(
            f"the expression {text[:60]!r} could take too long: repeat less, or nothing that itself repeats"
        )


def _ways(part: Any) -> float:
    """In how many ways a part of an expression can be tried at one place of a text, at most."""
    ways = 1.0
    for operation, given in part:
        ways *= _ways_of(str(operation), given)
    return ways


def _ways_of(operation: str, given: Any) -> float:
    match operation:
        case "BRANCH":
            return math.fsum(map(_ways, given[1]))
        case "SUBPATTERN":
            return _ways(given[3])
        case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
            least, most, part = given
            least, most = min(least, _TEXT), min(most, _TEXT)
            each = _ways(part)
            return float(min(each, _MOST_WAYS) ** min(most, 30) if each > 1 else most - least + 1)
        case "ASSERT" | "ASSERT_NOT":
            return _ways(given[1])
        case "ATOMIC_GROUP":
            return _ways(given)
        case "GROUPREF_EXISTS":
            return math.inf
        case _:
            return 1.0
