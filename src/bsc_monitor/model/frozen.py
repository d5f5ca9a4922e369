"""Values that are made for every reading."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def frozen(cls: type[T]) -> type[T]:
    """A dataclass with slots that the type checker holds to be frozen.

    ``dataclass(frozen=True)`` guards every field at run time too, and so takes ten times as long to make a value.
    """
    return dataclass(slots=True, unsafe_hash=True)(cls)
