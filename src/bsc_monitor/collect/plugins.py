"""Finding plugins. What is wrong with one file is a problem of that file alone; the rest runs."""

from __future__ import annotations

import inspect
import re
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType

import pluggy

from bsc_monitor.collect.modules import NoPluginError, load_file, load_point, read_before
from bsc_monitor.collect.opening import Open, check_openers
from bsc_monitor.collect.trial import Trial, fails_to_load
from bsc_monitor.hooks import Hooks
from bsc_monitor.plugin import API, Collector, SourceConfig, declared

_PROJECT = "bsc_monitor"  #: pluggy's project name and the entry point group
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")


@dataclass(frozen=True, slots=True)
class PluginProblem:
    """What is wrong with one plugin, for people."""

    file: str  #: the file, or ``entry point NAME (package)``
    message: str
    hint: str = ""

    def __str__(self) -> str:
        return f"{self.file}: {self.message}" + (f" ({self.hint})" if self.hint else "")


def _new_hooks() -> pluggy.PluginManager:
    manager = pluggy.PluginManager(_PROJECT)
    manager.add_hookspecs(Hooks)
    return manager


@dataclass(slots=True)
class Plugins:
    """Everything found: collectors by name with the file each comes from, hooks, and problems."""

    collectors: dict[str, type[Collector]] = field(default_factory=dict)
    origins: dict[str, str] = field(default_factory=dict)
    bundled: set[str] = field(default_factory=set)  #: names of the collectors that come with the service
    problems: list[PluginProblem] = field(default_factory=list)
    hooks: pluggy.PluginManager = field(default_factory=_new_hooks)
    openers: dict[str, Open] = field(default_factory=dict)  #: of tickets, by the collector whose sources they work on

    @property
    def isolated(self) -> dict[str, str]:
        """The collectors that are not bundled, each with its file or entry point: not trusted."""
        return {name: origin for name, origin in self.origins.items() if name not in self.bundled}

    @property
    def hooked(self) -> dict[str, frozenset[str]]:
        """The plugins that have hooks, by file or entry point: the names of their hooks."""
        found: dict[str, frozenset[str]] = {}
        for origin, plugin in self.hooks.list_name_plugin():
            found[origin] = frozenset(each.name for each in self.hooks.get_hookcallers(plugin) or ())
        return found

    def broken(self, plugin: str) -> PluginProblem | None:
        """Why a collector is missing: what is wrong with the file that has its name, or says it."""
        name = re.compile(rf"""^\s+name(?:\s*:[^=]*)?\s*=\s*["']{re.escape(plugin)}["']""", re.MULTILINE)
        for problem in self.problems:
            file = Path(problem.file)
            if file.is_file() and (file.stem == plugin or name.search(file.read_text("utf-8", "replace"))):
                return problem
        return None


class _Refused(Exception):  # noqa: N818 - not an error of ours: why a plugin is left out
    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


def bundled_folder() -> Path:
    """Where the bundled collectors are: inside the installed package, or ``plugins/`` of a checkout."""
    package = Path(__file__).resolve().parents[1]
    installed = package / "bundled"
    return installed if installed.is_dir() else package.parents[1] / "plugins"


def find_collectors(folders: Sequence[Path]) -> Mapping[str, type[Collector]]:
    """The collectors of ``find_plugins``, by name."""
    return find_plugins(folders).collectors


def find_plugins(folders: Sequence[Path], *, with_entry_points: bool = True) -> Plugins:
    """Load every plugin of the bundled folder, of ``folders`` and of installed packages, in this order.

    What is not bundled is tried in a process of its own first. Never raises for a plugin's sake: see ``problems``. Of
    two collectors with one name the first is kept.
    """
    found = Plugins()
    bundled = bundled_folder()
    for file in _files(bundled, found):
        _add(found, str(file), partial(load_file, file, bundled=True), bundled=True)
    others = {
        str(file): partial(load_file, file)
        for folder in dict.fromkeys(Path(f).resolve() for f in folders)
        if folder != bundled
        for file in _files(folder, found)
    }
    points = {_label(point): partial(load_point, point) for point in _entry_points(with_entry_points)}
    failed = fails_to_load([Trial(origin, _version(origin)) for origin in (*others, *points)])
    for origin, load in {**others, **points}.items():
        if origin in failed:
            _fail(found, origin, failed[origin], bundled=False)
        else:
            _add(found, origin, load, bundled=False)
    return found


def load_origin(origin: str) -> Plugins:
    """One plugin alone, by its file or the label of its entry point: for the process that it lives in, or for a check."""
    found, file = Plugins(), Path(origin)
    if file.is_file():
        _add(found, origin, partial(load_file, file), bundled=file.parent == bundled_folder())
        return found
    for point in _entry_points(wanted=True):
        if _label(point) == origin:
            _add(found, origin, partial(load_point, point), bundled=False)
    return found


def _entry_points(wanted: bool) -> Iterable[EntryPoint]:
    return entry_points(group=_PROJECT) if wanted else ()


def _label(point: EntryPoint) -> str:
    return f"entry point {point.name} ({point.dist.name if point.dist else '?'})"


def _version(origin: str) -> str:
    """What tells that a plugin is another than before; of an installed package nothing does while we run."""
    try:
        return Path(origin).read_text("utf-8", "replace")
    except OSError:
        return origin


def _files(folder: Path, found: Plugins) -> Iterator[Path]:
    if not folder.is_dir():
        found.problems.append(
            PluginProblem(str(folder), "this plugin folder does not exist", "see plugins in [service]")
        )
        return
    for path in (folder, *sorted(folder.glob("*.py"))):
        if path.name.startswith("_"):
            continue
        try:
            exposed = path.stat().st_mode & stat.S_IWOTH
        except OSError as error:
            found.problems.append(PluginProblem(str(path), f"cannot be read: {error.strerror}"))
            continue
        if exposed:
            what = "folder" if path == folder else "file"
            found.problems.append(
                PluginProblem(
                    str(path), f"anyone on this machine may change this {what}: not loaded", f"chmod o-w {path}"
                )
            )
            if path == folder:
                return
        elif path != folder:
            yield path


def _add(found: Plugins, label: str, load: Callable[[], ModuleType], *, bundled: bool) -> None:
    """Load one plugin, check all of it, and only then take it in."""
    try:
        module = load()
        _take(found, label, module, _check_module(module, found, label), bundled=bundled)
    except _Refused as refused:
        _fail(found, label, str(refused), refused.hint, bundled=bundled)
    except NoPluginError as refused:
        _fail(found, label, str(refused), bundled=bundled)
    except (Exception, SystemExit) as error:  # noqa: BLE001
        _fail(found, label, f"it cannot be loaded: {_describe(error, label)}", bundled=bundled)


def _take(found: Plugins, label: str, module: ModuleType, classes: list[type[Collector]], *, bundled: bool) -> None:
    found.openers |= check_openers(module, None if bundled else {cls.name for cls in classes})
    for cls in classes:
        found.collectors[cls.name] = cls
        found.origins[cls.name] = label
        if bundled:
            found.bundled.add(cls.name)
    if _has_hooks(module):
        found.hooks.register(module, name=label)


def _fail(found: Plugins, label: str, message: str, hint: str = "", *, bundled: bool) -> None:
    """Note what is wrong with a plugin. What it was when it could last be read stays in force, as all of a reload does."""
    module = read_before(Path(label))
    if module is not None:
        try:
            _take(found, label, module, _check_module(module, found, label), bundled=bundled)
            hint = "; ".join(filter(None, (hint, "what was read before goes on")))
        except (_Refused, NoPluginError):
            pass  # it was refused before, too
    found.problems.append(PluginProblem(label, message, hint))


def _check_module(module: ModuleType, found: Plugins, label: str) -> list[type[Collector]]:
    """The collector classes of a plugin. Raises _Refused with what is wrong first."""
    classes = _collectors_of(module)
    classes += [cls for cls in _check_hooks(module) if cls not in classes]
    if not classes and not _has_hooks(module):
        raise _Refused("it holds no Collector class and no hook", "derive a class from bsc_monitor.plugin.Collector")
    names = [_check_collector(cls) for cls in classes]
    for name in names:
        if name in found.collectors or names.count(name) > 1:
            where = found.origins.get(name, label)
            raise _Refused(f"the name {name!r} is taken by {where}", "give the collector another name")
    return classes


def _collectors_of(module: ModuleType) -> list[type[Collector]]:
    return [
        cls
        for name, cls in vars(module).items()
        if isinstance(cls, type)
        and issubclass(cls, Collector)
        and cls.__module__ == module.__name__
        and not name.startswith("_")
        and "name" in vars(cls)
    ]


def _check_collector(cls: type[Collector]) -> str:
    name = cls.name
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise _Refused(f"{cls.__name__}.name is {name!r}", "use small letters, digits, - and _")
    if cls.api != API:
        raise _Refused(
            f"{cls.__name__} was written for version {cls.api!r} of the plugin interface; this service has version {API}",
            "look for a release of the plugin for this version",
        )
    if not (isinstance(cls.Config, type) and issubclass(cls.Config, SourceConfig)):
        raise _Refused(f"{cls.__name__}.Config is not derived from SourceConfig")
    try:
        measures, streams = declared(cls, "measure"), declared(cls, "stream")
    except TypeError as error:
        raise _Refused(str(error)) from None
    if not measures:
        raise _Refused(f"{cls.__name__} has no method decorated with @measure(...)")
    for measure in measures.values():
        if measure.over is not None and measure.over not in streams:
            raise _Refused(f"{cls.__name__}.{measure.name} is over {measure.over!r}, which is no stream of it")
    for stream in streams.values():
        _check_stream(cls, stream.name, stream.record.model_fields, (stream.key, stream.cursor))
        if stream.ids is not None and not callable(getattr(cls, stream.ids, None)):
            raise _Refused(f"{cls.__name__}.{stream.name}: ids names {stream.ids!r}, which is no method of it")
    return name


def _check_stream(cls: type[Collector], stream: str, fields: Mapping[str, object], needed: tuple[str, ...]) -> None:
    for field_name in needed:
        if field_name not in fields:
            raise _Refused(f"{cls.__name__}.{stream}: its record has no field {field_name!r}")


def _has_hooks(module: ModuleType) -> bool:
    return any(hasattr(value, f"{_PROJECT}_impl") for value in vars(module).values())


def _check_hooks(module: ModuleType) -> list[type[Collector]]:
    """Try the hooks in a manager of their own (a misspelt one would otherwise pass in silence); collectors provided."""
    if not _has_hooks(module):
        return []
    probe = _new_hooks()
    try:
        probe.register(module)
        probe.check_pending()
    except pluggy.PluginValidationError as error:
        known = ", ".join(sorted(name for name in vars(Hooks) if name.startswith("bsc_")))
        words = str(error).strip().splitlines()[-1]
        raise _Refused(f"a hook is wrong: {words}", f"hooks are {known}") from None
    return [cls for classes in probe.hook.bsc_collectors() for cls in classes]


def _describe(error: BaseException, label: str) -> str:
    """The error with its line in the plugin, if it has one there."""
    if isinstance(error, SyntaxError):
        return f"line {error.lineno}: {error.msg}"
    lines = [frame.lineno for frame in inspect.getinnerframes(error.__traceback__) if frame.filename == label] \
        if error.__traceback__ else []  # fmt: skip
    place = f"line {lines[-1]}: " if lines else ""
    return f"{place}{type(error).__name__}: {error}"
