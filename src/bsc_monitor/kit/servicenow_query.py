"""Encoded queries, ServiceNow's query language, by plain UTC strings: the calling user's zone and language do not matter."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime

from bsc_monitor.plugin import CollectorError, SourceError, Window

_TERM = re.compile(r"(?:NQ)?(?:OR)?([a-z0-9_.]+)(?:[=<>]|!=|[A-Z]{2})")


def utc(instant: datetime) -> str:
    """An instant as the vendor writes it."""
    return instant.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def during(window: Window, column: str) -> str:
    """A time lies in the window."""
    start = f"{column}>={utc(window.start)}^" if window.start else f"{column}ISNOTEMPTY^"
    return f"{start}{column}<{utc(window.end)}"


def both(first: str, second: str) -> str:
    """Both queries at once; each alternative (``^NQ``) of the second is narrowed by the first."""
    return "^NQ".join(f"{first}^{part}".strip("^") for part in second.removesuffix("^EQ").split("^NQ"))


def narrowed(query: str, path: str, value: str) -> str:
    """Those of a query that have a value in a column."""
    return both(f"{path}={value}" if value else f"{path}ISEMPTY", query)


def dotted(prefix: str, name: str) -> str:
    """A column, or that of the record which ``prefix`` refers to."""
    return f"{prefix}.{name}" if prefix else name


def walked(query: str, prefix: str) -> str:
    """A query on a record, asked through a table that refers to it."""
    terms = (term for term in query.replace("^^", "\0").split("^") if not term.startswith(("ORDERBY", "GROUPBY")))
    joined = "^".join(re.sub(r"^((?:NQ)?(?:OR)?)(?=[a-z])", rf"\g<1>{prefix}.", term) for term in terms)
    return joined.replace("\0", "^^")


def columns(query: str) -> Iterable[str]:
    """The columns that an encoded query names. Raises SourceError(CONFIG) on a term that is none."""
    for term in query.replace("^^", "").split("^"):
        if not term or term == "EQ":
            continue
        match = re.fullmatch(r"(?:ORDERBYDESC|ORDERBY|GROUPBY)([a-z0-9_.]+)", term) or _TERM.match(term)
        if match is None:
            raise SourceError(
                f"{term!r} is not a term of an encoded query",
                CollectorError.CONFIG,
                hint="copy the query from a list in ServiceNow",
            )
        yield match[1]
