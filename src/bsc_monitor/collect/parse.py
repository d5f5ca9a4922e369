"""Reading JSON that comes from outside: every way in which it can be wrong is a SourceError in words.

``json.loads`` alone lets ``1e999`` become infinity, takes integers that overflow at ``float()``, and raises
RecursionError, which is no ValueError, on deep nesting.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any

from bsc_monitor.plugin import CollectorError, SourceError

_MAX_DIGITS = 300  #: float() takes no integer of more than 308 digits
_TITLE = re.compile(r"<title[^>]*>(.*?)</title>", re.IGNORECASE | re.DOTALL)


def parse_json(content: bytes, *, url: str, content_type: str = "") -> Any:
    """The JSON value of an answer's body. ``url`` (already masked) says in messages which answer it was.

    Raises SourceError(SCHEMA) on an empty body, HTML, truncated or malformed text, numbers that are not finite, and
    nesting that is too deep.
    """
    text = _decode(content, url)
    start = text.lstrip("\ufeff \t\r\n")[:1]
    if not start:
        raise _wrong(url, "the answer is empty where JSON was expected")
    if start == "<" or ("text/html" in content_type and start not in "{["):  # moto calls its JSON text/html
        raise _wrong(url, f"the answer is a web page{_title(text)}, not JSON", _HTML_HINT)
    try:
        return json.loads(text.lstrip("\ufeff"), parse_constant=_constant, parse_float=_finite, parse_int=_bounded)
    except _NotFiniteError as error:
        raise _wrong(url, f"the answer holds {error}, which is not a usable number") from None
    except RecursionError:
        raise _wrong(url, "the answer is nested too deeply to be read") from None
    except json.JSONDecodeError as error:
        if error.pos >= len(text.rstrip()) - 1 or "Unterminated" in error.msg:
            raise _wrong(url, f"the answer stops in the middle (after {len(content):,} bytes)", _CUT_HINT) from None
        raise _wrong(url, f"the answer is not valid JSON: {error.msg} at character {error.pos:,}") from None


_HTML_HINT = "A login page, a proxy or a sleeping instance may have answered: open the address in a browser."
_CUT_HINT = "The source may have hit a time limit of its own: ask for less at once."


class _NotFiniteError(ValueError):
    pass


def _decode(content: bytes, url: str) -> str:
    try:
        return content.decode(json.detect_encoding(content))
    except UnicodeDecodeError:
        raise _wrong(url, "the answer is not text in any Unicode encoding") from None


def _title(text: str) -> str:
    if "hibernat" in text[:20_000].lower():
        return " saying that the instance is hibernating"
    found = _TITLE.search(text[:20_000])
    return f" titled “{' '.join(found.group(1).split())[:80]}”" if found else ""


def _constant(word: str) -> float:
    raise _NotFiniteError(word)


def _finite(word: str) -> float:
    value = float(word)
    if not math.isfinite(value):
        raise _NotFiniteError(word[:40])
    return value


def _bounded(word: str) -> int:
    if len(word) > _MAX_DIGITS:
        raise _NotFiniteError(f"an integer of {len(word):,} digits")
    return int(word)


def _wrong(url: str, what: str, hint: str = "") -> SourceError:
    return SourceError(f"{url}: {what}", CollectorError.SCHEMA, hint=hint)
