"""Plugin modules: read from a file or an installed package; a file that did not change is not read anew."""

from __future__ import annotations

import importlib.util
import re
import sys
from importlib.machinery import SourceFileLoader
from importlib.metadata import EntryPoint
from pathlib import Path
from types import CodeType, ModuleType

from bsc_monitor.plugin import Collector

_kept: dict[Path, tuple[bytes, ModuleType]] = {}  #: by file, with the text that it was read from


class NoPluginError(Exception):
    """What was named cannot be a plugin. ``str()`` says why."""


class _Loader(SourceFileLoader):
    """Compiles the text that was looked at: a byte-code cache misses a change within the same second, and is writable by itself."""

    def __init__(self, name: str, path: str, text: bytes) -> None:
        super().__init__(name, path)
        self._text = text

    def get_code(self, fullname: str) -> CodeType:  # noqa: ARG002
        return self.source_to_code(self._text, self.path)


def load_file(file: Path, *, bundled: bool = False) -> ModuleType:
    """The module of a plugin file: the same one until its text changes. Raises whatever its code raises.

    The first time, one that is ``bundled`` may come from its byte-code, as the rest of this program does.
    """
    text = file.read_bytes()
    known = _kept.get(file)
    if known is not None and known[0] == text:
        return known[1]
    name = f"bsc_monitor_plugin_{re.sub(r'[^0-9A-Za-z_]', '_', file.stem)}_{abs(hash(file.parent)) % 10**8}"
    as_cached = bundled and known is None
    loader = SourceFileLoader(name, str(file)) if as_cached else _Loader(name, str(file), text)
    spec = importlib.util.spec_from_file_location(name, file, loader=loader)
    if spec is None or spec.loader is None:
        raise NoPluginError("it is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # annotations are resolved through it
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    _kept[file] = text, module
    return module


def read_before(file: Path) -> ModuleType | None:
    """The module that a file was when it could last be read, in this process."""
    known = _kept.get(file)
    return known[1] if known is not None else None


def load_point(point: EntryPoint) -> ModuleType:
    """The module of an entry point that names a module or a Collector class. Raises whatever its code raises."""
    loaded = point.load()
    if isinstance(loaded, ModuleType):
        return loaded
    if isinstance(loaded, type) and issubclass(loaded, Collector):
        module = ModuleType(loaded.__module__)
        setattr(module, loaded.__name__, loaded)
        return module
    raise NoPluginError("it names neither a module nor a Collector class")
