"""Conditions on labels as requests have them."""

import asyncio
import re
from collections.abc import Iterable, Sequence

from bsc_monitor.alert.expressions import check
from bsc_monitor.config.unmet import unmet
from bsc_monitor.model.alert import Matcher, MatchOperator
from bsc_monitor.web.board import Board
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


async def unmet_now(board: Board, asked: Iterable[Sequence[Matcher]]) -> dict[tuple[Matcher, ...], list[str]]:
    """By each set of conditions a sentence for each one that nothing meets now.

    In a thread: it looks at everything that is measured.
    """
    wanted, organisation, rules = {tuple(each) for each in asked}, board.organisation, board.rules()
    return await asyncio.to_thread(lambda: {each: unmet(each, organisation, rules) for each in wanted})
