"""Values of the model to and from JSON."""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import TypeAdapter

T = TypeVar("T")
_built: dict[Any, TypeAdapter[Any]] = {}


def adapter(kind: type[T]) -> TypeAdapter[T]:
    """pydantic's adapter of a type, built when it is first asked for: building them all would hold up the start."""
    found = _built.get(kind)
    if found is None:
        found = _built[kind] = TypeAdapter(kind)
    return found
