"""Units: conversion between what a source delivers, what a KPI says, and Prometheus' base units."""

_SECONDS = {"ms": 0.001, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_SHARES = {"%": 0.01, "ratio": 1.0}
_ALIASES = {"percent": "%", "hours": "h", "hour": "h", "minutes": "min", "seconds": "s", "days": "d", "weeks": "w"}

BARE = frozenset({"", "count", "ratio"})  #: units that nobody writes beside a number


def canonical(unit: str) -> str:
    """The unit as this project spells it (``percent`` → ``%``); unknown text is kept as it is."""
    return _ALIASES.get(unit, unit)


def yes_no(value: float) -> str:
    """A value of the unit ``yes/no`` in a word; half way is yes."""
    return "yes" if value >= 0.5 else "no"


def is_currency(unit: str) -> bool:
    """Whether a unit looks like an ISO 4217 code: three capital letters."""
    return len(unit) == 3 and unit.isascii() and unit.isalpha() and unit.isupper()


def factor(source: str, target: str) -> float:
    """What to multiply a value in ``source`` by to have it in ``target``.

    An empty unit on either side means "as it comes". Raises ValueError for two units that cannot be converted
    (hours to percent, EUR to USD).
    """
    source, target = canonical(source), canonical(target)
    if source == target or not source or not target:
        return 1.0
    for family in (_SECONDS, _SHARES):
        if source in family and target in family:
            return family[source] / family[target]
    free = not is_currency(source) and not is_currency(target)
    if free and "count" in (source, target) and not ({source, target} & (_SECONDS.keys() | _SHARES.keys())):
        return 1.0  # a count of something named: "tickets", "points"
    raise ValueError(f"a value in {source!r} cannot become {target!r}")


def base(unit: str) -> tuple[str, float]:
    """The Prometheus base unit of a unit and the factor to it: ``%`` → (``ratio``, 0.01), ``h`` → (``seconds``, 3600)."""
    unit = canonical(unit)
    if unit in _SECONDS:
        return "seconds", _SECONDS[unit]
    if unit in _SHARES:
        return "ratio", _SHARES[unit]
    return unit or "count", 1.0
