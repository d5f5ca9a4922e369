"""Sample values for a pydantic model: what a plugin can be tried with when nobody says better.

A field's own example (``Field(examples=[…])``, the first) goes before anything made up.
"""

from __future__ import annotations

import types
from collections.abc import Mapping
from datetime import date, datetime
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, SecretStr, ValidationError
from pydantic.fields import FieldInfo

_PLAIN: dict[type, Any] = {
    bool: False, int: 1, float: 1.0, str: "sample", date: "2026-05-01", datetime: "2026-05-01T00:00:00Z", Path: "sample.csv",
}  # fmt: skip


def accepted(model: type[BaseModel], given: Mapping[str, Any]) -> tuple[dict[str, Any] | None, str]:
    """Values that a model takes: those ``given`` that it has a field for, and made-up ones. Or None, and why there are none."""
    known, why = {name: value for name, value in given.items() if name in model.model_fields}, ""
    for every in (True, False):  # two examples may exclude each other
        values = sample_of(model, known, every=every)
        try:
            model.model_validate(values)
        except ValidationError as error:
            why = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()[:2])
        else:
            return values, ""
    return None, why


def sample_of(model: type[BaseModel], given: dict[str, Any], *, every: bool = True) -> dict[str, Any]:
    """Values for a model's required fields, and where ``every`` for those that have an example; ``given`` ones are kept.

    Whether they pass is for the model to say.
    """
    return given | {
        name: _value(name, field)
        for name, field in model.model_fields.items()
        if name not in given and (field.is_required() or (every and field.examples))
    }


def _value(name: str, field: FieldInfo) -> Any:
    if field.examples and not is_secret(field.annotation):  # a secret's example says where it is kept
        return field.examples[0]
    bounds = {
        key: each for part in field.metadata for key in ("ge", "gt") if (each := getattr(part, key, None)) is not None
    }
    value = _of_type(name, field.annotation)
    if isinstance(value, (int, float)) and not isinstance(value, bool) and bounds:
        return type(value)(max(bounds.values())) + (1 if "gt" in bounds else 0)
    return value


def is_secret(annotation: Any) -> bool:
    """Whether a field of this type holds a secret."""
    if isinstance(annotation, type):
        return issubclass(annotation, SecretStr)
    return any(map(is_secret, get_args(annotation)))


def _of_type(name: str, annotation: Any) -> Any:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _of_type(name, arguments[0])
    if origin is Literal:
        return arguments[0]
    if origin in (Union, types.UnionType):
        return _of_type(name, next((each for each in arguments if each is not type(None)), str))
    if origin in (list, tuple, set, frozenset):
        return [_of_type(name, arguments[0])] if arguments else []
    if origin is dict or not isinstance(annotation, type):
        return {}
    if issubclass(annotation, SecretStr):
        return "s3cret-of-the-check"
    if issubclass(annotation, BaseModel):
        return sample_of(annotation, {})
    if issubclass(annotation, Enum):
        return next(iter(annotation)).value
    return next((value for kind, value in _PLAIN.items() if issubclass(annotation, kind)), {})
