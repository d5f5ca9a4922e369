"""Matchers, instants and authors as people write them on the command line."""

from __future__ import annotations

import getpass
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import typer

from bsc_monitor.alert.defaults import effective_rules
from bsc_monitor.alert.expressions import check
from bsc_monitor.config import Configuration
from bsc_monitor.config.durations import parse_duration
from bsc_monitor.config.unmet import unmet
from bsc_monitor.model.alert import Matcher, MatchOperator

_OPERATORS: tuple[MatchOperator, ...] = ("=~", "!~", "!=", "=")
_ALIASES = {"alert": "alertname"}


def parse_matchers(words: Sequence[str]) -> tuple[Matcher, ...]:
    """``kpi=mttr``, ``severity!=info``, ``kpi=~m.*``, the value in quotes if one likes. Raises typer.BadParameter."""
    found: list[Matcher] = []
    for word in words:
        match = re.fullmatch(r"\s*([^=!~\s]+)\s*(=~|!~|!=|=)\s*(.*)", word, re.DOTALL)
        if match is None:
            raise typer.BadParameter(f"{word!r} is no matcher: write kpi=mttr, kpi!=mttr, kpi=~m.* or kpi!~m.*")
        label, operator, value = match.groups()
        if len(value) > 1 and value[0] == value[-1] == '"':
            value = value[1:-1]
        sign = next(each for each in _OPERATORS if each == operator)
        try:
            if sign in ("=~", "!~"):
                check(value)
            found.append(Matcher(_ALIASES.get(label, label), sign, value))
        except ValueError as error:
            raise typer.BadParameter(str(error)) from None
    return tuple(found)


def as_words(matchers: Sequence[Matcher]) -> str:
    """Matchers as ``parse_matchers`` reads them."""
    return " ".join(f"{each.label}{each.operator}{each.value}" for each in matchers)


def unmet_by(configuration: Configuration, matchers: Sequence[Matcher]) -> list[str]:
    """What nothing meets of the matchers now, a sentence each."""
    return unmet(matchers, configuration.organisation, effective_rules(configuration.alert_rules))


def warn(sentences: Sequence[str]) -> None:
    """Tell what was done and is probably not meant, beside what the command says."""
    for sentence in sentences:
        typer.echo(f"warning: {sentence}", err=True)


def span(text: str) -> timedelta:
    """A duration such as ``2h``. Raises typer.BadParameter."""
    try:
        found = parse_duration(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    if found <= timedelta(0):
        raise typer.BadParameter(f"{text!r} is no time at all")
    return found


def moment(text: str, now: datetime) -> datetime:
    """An instant: a duration from now, or an ISO date and time (local where it names no zone)."""
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except OverflowError:
        raise typer.BadParameter(f"{text!r} is out of reach") from None
    except ValueError:
        return now + span(text)


def author_of(said: str | None) -> str:
    """Who acts: as said, or whoever is logged in."""
    if said:
        return said
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"
