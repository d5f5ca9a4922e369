"""Sample values for a pydantic model: what a plugin can be tried with when nobody says better."""

from __future__ import annotations

import types
from datetime import date, datetime
from enum import Enum
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

_PLAIN: dict[type, Any] = {
    bool: False, int: 1, float: 1.0, str: "sample", date: "2026-05-01", datetime: "2026-05-01T00:00:00Z", Path: "sample.csv",
}  # fmt: skip


def sample_of(model: type[BaseModel], given: dict[str, Any]) -> dict[str, Any]:
    """Values for a model's required fields; ``given`` ones are kept. Whether they pass is for the model to say."""
    return given | {
        name: _value(name, field)
        for name, field in model.model_fields.items()
        if field.is_required() and name not in given
    }


def _value(name: str, field: FieldInfo) -> Any:
    bounds = {
        key: each for part in field.metadata for key in ("ge", "gt") if (each := getattr(part, key, None)) is not None
    }
    value = _of_type(name, field.annotation)
    if isinstance(value, (int, float)) and not isinstance(value, bool) and bounds:
        return type(value)(max(bounds.values())) + (1 if "gt" in bounds else 0)
    return value


def _of_type(name: str, annotation: Any) -> Any:
    origin, arguments = get_origin(annotation), get_args(annotation)
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
