"""Checking data against a pydantic form: each mistake once, at its own line, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from bsc_monitor.config.notes import Notes
from bsc_monitor.config.positions import Path
from bsc_monitor.config.problems import near

_M = TypeVar("_M", bound=BaseModel)

_EXPECTED = {
    "float_type": "a number", "float_parsing": "a number", "int_type": "a whole number", "int_parsing": "a whole number",
    "int_from_float": "a whole number", "string_type": "text in quotes", "bool_type": "true or false",
    "bool_parsing": "true or false", "list_type": "a list", "tuple_type": "a list", "dict_type": "a table",
    "model_type": "a table", "model_attributes_type": "a table", "date_type": "a date such as 2026-01-31",
    "date_parsing": "a date such as 2026-01-31", "date_from_datetime_inexact": "a date such as 2026-01-31",
    "is_instance_of": "text in quotes", "time_delta_type": 'a duration such as "15m"', "time_type": 'a time such as "09:00"',
    "path_type": "a path in quotes", "decimal_type": "a number",
}  # fmt: skip
_FOUND = {bool: "true or false", int: "a number", float: "a number", str: "text", dict: "a table", list: "a list"}


def validate(
    model: type[_M], data: Any, path: Path, notes: Notes, *, hide: tuple[str, ...] = (), spoilt: set[str] | None = None
) -> _M | None:
    """``data`` as ``model``; None when it has mistakes, which are noted.

    ``hide`` names secrets that no message may show; ``spoilt`` is filled with the outermost keys at fault.
    """
    try:
        return model.model_validate(data)
    except ValidationError as error:
        told: set[Path] = set()
        for details in error.errors(include_url=False):
            where, key = _locate(details, data)
            if key in told:
                continue
            told.add(key)
            if spoilt is not None and key:
                spoilt.add(str(key[0]))
            message, hint = _words(details, model, where)
            for secret in hide:
                message, hint = message.replace(secret, "***"), hint.replace(secret, "***")
            notes.error((*path, *key), message, hint)
    except RecursionError:
        notes.error(path, "lists or tables are nested too deeply")
    return None


def _locate(details: ErrorDetails, data: Any) -> tuple[Path, Path]:
    """The path of the surrounding thing and of the key at fault: pydantic's location without its union tags."""
    key: list[str | int] = []
    here = data
    for part in details["loc"]:
        if part == "[key]":
            break
        if isinstance(here, list):
            if not isinstance(part, int) or not -1 < part < len(here):
                continue
            here = here[part]
        elif isinstance(here, Mapping) and part in here:
            here = here[part]
        else:
            continue
        key.append(part)
    if details["type"] in ("missing", "missing_argument") and details["loc"]:
        key.append(details["loc"][-1])
    return tuple(key[:-1]), tuple(key)


def _words(details: ErrorDetails, model: type[BaseModel], where: Path) -> tuple[str, str]:
    """Message and hint of one of pydantic's errors. The input is told only where a word was to be chosen."""
    kind, context, found = details["type"], details.get("ctx", {}), details.get("input")
    if kind == "extra_forbidden":
        if (key := details["loc"][-1]) == "include":
            return "unknown key", "include stands at the head of the file, before the first [table]"
        return "unknown key", near(str(key), known_keys(model, where))
    if kind == "missing":
        return "is required", ""
    if kind == "float_type" and isinstance(found, int) and not isinstance(found, bool):
        return f"a number of {len(str(abs(found))):,} digits is too large", ""
    if kind in _EXPECTED:
        return f"expected {_EXPECTED[kind]}, found {_FOUND.get(type(found), 'something else')}", ""
    if kind in ("literal_error", "enum"):
        words = str(context.get("expected", ""))
        hint = near(found, words.replace("'", "").replace(" or ", ", ").split(", ")) if isinstance(found, str) else ""
        shown = f"{found[:60]!r}" if isinstance(found, str) else _FOUND.get(type(found), "this")
        return f"{shown} is not one of {words}", hint if hint.startswith("did") else ""
    if kind == "value_error":
        return str(context.get("error", details["msg"])), ""
    if kind == "finite_number":
        return "must be a finite number", ""
    if kind == "string_pattern_mismatch" and context.get("pattern") == "^https?://":
        return "expected an address that begins with http:// or https://", ""
    message = details["msg"]
    return message[:1].lower() + message[1:], ""


def known_keys(model: type[BaseModel], where: Path) -> list[str]:
    """The keys that the form knows at a path below it."""
    models = [model]
    for part in where:
        if isinstance(part, int):
            continue
        inner: list[type[BaseModel]] = []
        for each in models:
            for name, info in each.model_fields.items():
                if part in (name, info.alias):
                    inner.extend(_models(info.annotation))
        models = inner or models
    return [info.alias or name for each in models for name, info in each.model_fields.items()]


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models(argument)
