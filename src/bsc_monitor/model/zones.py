"""Time zones as people write them: ``Europe/Berlin``."""

import re
from collections.abc import Mapping
from difflib import get_close_matches
from functools import cache, lru_cache
from zoneinfo import ZoneInfo, available_timezones


@lru_cache(maxsize=1024)
def zone(text: str) -> str:
    """The name of a time zone, as it is. Raises ValueError in words, with the name that was probably meant."""
    try:
        ZoneInfo(text)
    except (ValueError, OSError, LookupError):
        said = text[:60].strip().casefold().replace(" ", "_")
        found = get_close_matches(said, _called(), n=1, cutoff=0.7)
        hint = f"did you mean {_called()[found[0]]!r}?" if found else "write it as Europe/Berlin or UTC"
        raise ValueError(f"{text[:60]!r} is no time zone; {hint}") from None
    return text


@cache
def _called() -> Mapping[str, str]:
    """Zones as they are often said: in small letters, by the city alone. Not ``Etc/GMT+2`` and the like, two hours *west*."""
    named: dict[str, str] = {}
    for name in sorted(name for name in available_timezones() if not re.search("GMT[+-]|[0-9]", name)):
        named[name.casefold()] = name
        named.setdefault(name.casefold().rpartition("/")[2], name)
    return named
