"""Secrets: taken from the environment or a file, or written bare (and then warned about). They never print."""

from __future__ import annotations

import os
import types
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel, SecretStr

from bsc_monitor.config.notes import Notes
from bsc_monitor.config.positions import Path as KeyPath

_LARGEST = 64 * 1024


class SecretReader:
    """Resolves ``{ env = … }`` and ``{ file = … }``; ``base`` is the folder that relative files are in."""

    def __init__(self, base: Path, notes: Notes, environment: Mapping[str, str] | None = None) -> None:
        self._base = base
        self._notes = notes
        self._environment = os.environ if environment is None else environment
        self.seen: list[str] = []  #: every secret read, so that messages can leave them out

    def take(self, value: Any, path: KeyPath, *, warn: bool = True) -> str | None:
        """The secret that ``value`` says; None when it cannot be had, which is noted."""
        if isinstance(value, str):
            if warn and value:
                said = (
                    "begins with $ and is sent as it stands"
                    if value[0] == "$"
                    else "stands in the file for all to read"
                )
                self._notes.warn(path, f"this secret {said}", 'use { env = "NAME" } or { file = "PATH" }')
            return self._keep(value)
        if isinstance(value, Mapping) and len(value) == 1:
            ((kind, name),) = value.items()
            if isinstance(name, str) and name and "\0" not in name:
                if kind == "env":
                    return self._from_environment(name, path)
                if kind == "file":
                    return self._from_file(name, path)
        if isinstance(value, Mapping) and set(value) == {"env", "file"}:
            self._notes.error(path, "env and file are both given: which holds the secret?", "keep one of them")
        else:
            self._notes.error(path, 'expected text in quotes, { env = "NAME" } or { file = "PATH" }')
        return None

    def _from_environment(self, name: str, path: KeyPath) -> str | None:
        value = self._environment.get(name)
        if not value:
            self._notes.error(path, f"missing secret: the environment variable {name} is not set", f"export {name}=…")
            return None
        return self._keep(value)

    def _from_file(self, name: str, path: KeyPath) -> str | None:
        try:
            with (self._base / name).open("rb") as file:
                content = file.read(_LARGEST + 1)
            value = content.decode().rstrip("\r\n")
        except OSError as error:
            self._notes.error(path, f"missing secret: {name} cannot be read: {error.strerror}")
        except ValueError:
            self._notes.error(path, f"missing secret: {name} is not UTF-8 text")
        else:
            if value and len(content) <= _LARGEST:
                return self._keep(value)
            self._notes.error(path, f"missing secret: {name} is {'too large' if value else 'empty'}")
        return None

    def _keep(self, value: str) -> str:
        if value:
            self.seen.append(value)
        return value


def resolve(
    data: Mapping[str, Any], model: type[BaseModel], path: KeyPath, reader: SecretReader
) -> dict[str, Any] | None:
    """A plugin's keys with the secrets among them resolved; None when one cannot be had."""
    found = _Resolver(reader)
    resolved = found.model(data, model, path)
    return None if found.failed else resolved


class _Resolver:
    def __init__(self, reader: SecretReader) -> None:
        self._reader = reader
        self.failed = False

    def model(self, data: Mapping[str, Any], model: type[BaseModel], path: KeyPath) -> dict[str, Any]:
        fields = {info.alias or name: info.annotation for name, info in model.model_fields.items()}
        return {
            key: self.value(value, fields[key], (*path, key)) if key in fields else value for key, value in data.items()
        }

    def value(self, value: Any, annotation: Any, path: KeyPath) -> Any:
        kinds = list(_members(annotation))
        secret = any(isinstance(kind, type) and issubclass(kind, SecretStr) for kind in kinds)
        reference = isinstance(value, Mapping) and bool(value) and set(value) <= {"env", "file"}
        if (secret and isinstance(value, str | Mapping)) or (reference and set(kinds) <= {str, type(None)}):
            taken = self._reader.take(value, path)
            self.failed = self.failed or taken is None
            return taken
        for kind in kinds:
            if isinstance(value, list) and get_origin(kind) in (list, tuple, set, frozenset) and get_args(kind):
                return [self.value(item, get_args(kind)[0], (*path, n)) for n, item in enumerate(value)]
            if isinstance(value, Mapping) and isinstance(kind, type) and issubclass(kind, BaseModel):
                return self.model(value, kind, path)
            if isinstance(value, Mapping) and len(get_args(kind)) == 2 and _is_mapping(kind):
                return {key: self.value(item, get_args(kind)[1], (*path, key)) for key, item in value.items()}
        return value


def _is_mapping(kind: Any) -> bool:
    origin = get_origin(kind)
    return isinstance(origin, type) and issubclass(origin, Mapping)


def _members(annotation: Any) -> Iterator[Any]:
    """The kinds that an annotation allows."""
    if get_origin(annotation) in (Union, types.UnionType):
        for argument in get_args(annotation):
            yield from _members(argument)
    elif hasattr(annotation, "__metadata__"):
        yield from _members(annotation.__origin__)
    else:
        yield annotation
