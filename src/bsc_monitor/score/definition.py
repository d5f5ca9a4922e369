"""The identity of a KPI's definition: what a frozen value was judged by."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from bsc_monitor.model.organisation import Kpi

_MEASURED = ("unit", "period", "aggregate", "window", "source", "measure", "params", "formula", "operands",
             "missing_operand", "combine", "by")  # fmt: skip
_JUDGED = ("better", "path", "curve", "scored", "min_samples", "prorate", "segments")


def definition_hash(kpi: Kpi) -> str:
    """16 hex digits that change when anything that decides a value, its score or its status changes.

    Titles, owners, weights and the place in the file do not.
    """
    parts = [f"{name}={_text(getattr(kpi, name))}" for name in (*_MEASURED, *_JUDGED)]
    return hashlib.sha256("\n".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def same_measure(one: Kpi, other: Kpi) -> bool:
    """Whether values taken under one definition are values of the other."""
    return (one.unit, one.period, one.window is None) == (other.unit, other.period, other.window is None)


def same_aggregation(one: Kpi, other: Kpi) -> bool:
    """Whether what was accumulated under one definition can be added to under the other."""
    return (one.aggregate, one.window) == (other.aggregate, other.window)


def unchanged(one: Kpi, other: Kpi) -> bool:
    """Whether two definitions are the same, wherever they stand in the files."""
    return one == other or replace(one, place=other.place) == other


def _text(value: object) -> str:
    return repr(sorted(value.items())) if isinstance(value, dict) else repr(value)
