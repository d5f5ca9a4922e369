"""The words of the exposition formats: numbers, label values and lines that no input can break."""

import re
from collections.abc import Iterable

from bsc_monitor.export.families import Family

_SPECIAL = re.compile(r'[\x00-\x1f\x7f"\\\ud800-\udfff]')
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n"}


def number(value: float) -> str:
    """A float as Go's ``strconv.FormatFloat(v, 'g', -1, 64)`` writes it, which is what Prometheus writes."""
    text = repr(float(value))
    if text[-1] in "fn":
        return {"inf": "+Inf", "-inf": "-Inf"}.get(text, "NaN")
    if "e" in text:
        return text
    text = text.removesuffix(".0")
    if -1e6 < value < 1e6:
        return text
    sign, text = ("-", text[1:]) if text[0] == "-" else ("", text)
    whole, _, fraction = text.partition(".")
    digits = (whole + fraction).rstrip("0")
    rest = "." + digits[1:] if len(digits) > 1 else ""
    return f"{sign}{digits[0]}{rest}e+{len(whole) - 1:02d}"


def escape(value: str) -> str:
    """A label value between its quotes; what no parser takes (control characters, lone surrogates) becomes U+FFFD."""
    return _SPECIAL.sub(lambda found: _ESCAPES.get(found[0], "\ufffd"), value)


def pairs(names: Iterable[str], values: Iterable[str]) -> str:
    """``name="value",…`` without the braces; empty values are left out, as Prometheus reads them as absent."""
    return ",".join(f'{name}="{escape(value)}"' for name, value in zip(names, values, strict=True) if value)


def line(name: str, labels: str, value: float) -> bytes:
    """One sample, newline included; ``labels`` as from ``pairs``."""
    braces = "{" + labels + "}" if labels else ""
    return f"{name}{braces} {number(value)}\n".encode()


def header(family: Family, *, openmetrics: bool) -> bytes:
    """The HELP and TYPE lines of a family."""
    name = family.openmetrics_name if openmetrics else family.name
    return f"# HELP {name} {family.help}\n# TYPE {name} {family.kind}\n".encode()
