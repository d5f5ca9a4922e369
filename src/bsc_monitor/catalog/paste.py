"""A definition as TOML to paste into a configuration."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from bsc_monitor.catalog.definition import Definition


def as_toml(definition: Definition, source: str, objective: str) -> str:
    """The ``[kpis.…]`` table of a definition, asked of ``source`` and belonging to ``objective``."""
    lines = [f"[kpis.{definition.id}]", f"objective = {_value(objective)}", f"title = {_value(definition.title)}"]
    lines += [f"description = {_value(definition.question)}", f"source = {_value(source)}"]
    lines.append(f"measure = {_value(definition.measure)}")
    if definition.params:
        lines.append(f"params = {_value(definition.params)}  # put your own in their place")
    lines += [f"unit = {_value(definition.unit)}", f"better = {_value(definition.better)}"]
    if definition.red is not None and definition.target is not None:
        why = definition.reference or "a usual start; no published norm"
        lines += [f"red = {definition.red:g}", f"target = {definition.target:g}  # {why}"]
    else:
        lines += ["# no usual thresholds: set red and target when you have seen some months of it", "scored = false"]
    if definition.leading:
        lines.append("leading = true")
    if definition.period != "month":
        lines.append(f"period = {_value(definition.period)}")
    return "\n".join(lines) + "\n"


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        inside = ", ".join(f"{_key(key)} = {_value(each)}" for key, each in value.items())
        return f"{{ {inside} }}"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(_value, value))}]"
    return json.dumps(value, ensure_ascii=False)


def _key(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else json.dumps(key, ensure_ascii=False)
