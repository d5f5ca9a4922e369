"""Conditions on labels as requests have them."""

import re

from bsc_monitor.alert.expressions import check
from bsc_monitor.model.alert import Matcher, MatchOperator
from bsc_monitor.web.operations import Rejected


def matcher(label: str, operator: MatchOperator, value: str) -> Matcher:
    """A condition on a label. Raises ``Rejected`` for an expression that does not compile, or could take too long."""
    try:
        if operator in ("=~", "!~"):
            check(value)
        return Matcher(label, operator, value)
    except ValueError as error:
        raise Rejected(str(error)) from None


def pattern(text: str) -> re.Pattern[str]:
    """An expression. Raises ``Rejected`` for one that does not compile, or could take too long."""
    try:
        check(text)
    except ValueError as error:
        raise Rejected(str(error)) from None
    return re.compile(text)
