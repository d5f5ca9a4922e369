"""What a good plugin keeps to, checked: declarations, words, no blocking, and sense when its source is sick."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args, get_type_hints

from pydantic import BaseModel

from bsc_monitor.collect.plugins import load_origin
from bsc_monitor.collect.trial import Trial, fails_to_load
from bsc_monitor.model import unit as units
from bsc_monitor.model.organisation import Better
from bsc_monitor.plugin import Collector, Measure, declared
from bsc_monitor.testing.blocking import blocking_calls, gives_evidence, lost_methods
from bsc_monitor.testing.sample import is_secret
from bsc_monitor.testing.sickness import sick_actions, sick_runs

Level = Literal["ok", "note", "wrong"]
_SECRET = ("password", "secret", "token", "api_key", "apikey", "private_key")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    check: str  #: loads, configuration, measure, documentation, blocking, evidence, sick source
    subject: str  #: the plugin, or one of its measures
    level: Level  #: ``note``: works, and could be better
    words: str


def check_plugin(
    file: Path | str, *, config: Mapping[str, Any] | None = None, params: Mapping[str, Any] | None = None
) -> list[Finding]:
    """Look at a plugin file in every respect. It keeps to the contract when no finding is ``wrong``.

    Its code is run: every measure, and every action that opens tickets, is asked once for each way in which a source can
    be sick, against a server of this machine. What fills its configuration and parameters is what ``config`` and ``params``
    say; else a field's first example (``Field(examples=[…])``); else, where it is required, something made up.
    The bundled plugins are checked with the privileges that the service gives them, any other with none.
    """
    origin = str(Path(file).resolve())
    if not Path(origin).is_file():
        return [Finding("loads", origin, "wrong", "there is no such file")]
    for words in fails_to_load([Trial(origin, Path(origin).read_text("utf-8", "replace"))]).values():
        return [Finding("loads", origin, "wrong", words)]
    found = load_origin(origin)
    if found.problems:
        return [
            Finding("loads", p.file, "wrong", p.message + (f" ({p.hint})" if p.hint else "")) for p in found.problems
        ]
    source = Path(origin).read_text("utf-8")
    findings = [Finding("loads", Path(origin).name, "ok", ", ".join(found.collectors) or "hooks alone")]
    findings += _blocking(Path(origin).name, source)
    for line, lost in lost_methods(source):
        words = f"{lost} is defined again below, and this one is lost: give each measure a name of its own"
        findings.append(Finding("measure", f"{Path(origin).name}:{line}", "wrong", words))
    for name, cls in found.collectors.items():
        findings += _declarations(name, cls)
        if not any(map(gives_evidence, _sources(cls))):
            findings.append(
                Finding("evidence", name, "note", "no reading has a link: give evidence=… to the query behind it")
            )
        findings += [
            Finding("sick source", *each) for each in asyncio.run(sick_runs(origin, cls, config or {}, params or {}))
        ]
    sick = sick_actions(origin, found, config or {}, params or {})
    return findings + [Finding("sick source", *each) for each in asyncio.run(sick)]


def _sources(cls: type[Collector]) -> Iterator[str]:
    """The text of the modules in which a collector and its bases are."""
    bases = [base for base in cls.__mro__ if issubclass(base, Collector) and base is not Collector]
    for module in {inspect.getmodule(base) for base in bases} - {None}:
        yield inspect.getsource(module)  # type: ignore[arg-type]


def _blocking(name: str, source: str) -> list[Finding]:
    seen = [Finding("blocking", f"{name}:{line}", "wrong", words) for line, words in blocking_calls(source)]
    return seen or [Finding("blocking", name, "ok", "no blocking call seen")]


def _declarations(name: str, cls: type[Collector]) -> Iterator[Finding]:
    yield from _configuration(name, cls.Config)
    if not (inspect.getdoc(inspect.getmodule(cls)) or cls.__doc__):
        yield Finding("documentation", name, "wrong", "it has no docstring: one sentence on what it reads")
    for measure in declared(cls, "measure").values():
        wrong = list(_measure(cls, measure))
        yield from (Finding("measure", f"{name}.{measure.name}", "wrong", words) for words in wrong)
        if not wrong:
            yield Finding(
                "measure", f"{name}.{measure.name}", "ok", f"{measure.title}, {measure.unit or 'unit by KPI'}"
            )
        yield from _described(f"{name}.{measure.name}", measure.params)


def _configuration(name: str, model: type[BaseModel]) -> Iterator[Finding]:
    try:
        model.model_json_schema()
    except Exception as error:  # noqa: BLE001 - pydantic raises what it likes
        yield Finding(
            "configuration", name, "wrong", f"Config has no JSON Schema: {' '.join(str(error).split())[:200]}"
        )
        return
    plain = [
        field for field, info in model.model_fields.items() if _sounds_secret(field) and not is_secret(info.annotation)
    ]
    for field in plain:
        yield Finding("configuration", name, "wrong", f"{field} sounds like a secret: give it the type Secret")
    if not plain:
        yield Finding("configuration", name, "ok", ", ".join(model.model_fields) or "needs none")
    yield from _described(name, model)


def _described(subject: str, model: type[BaseModel]) -> Iterator[Finding]:
    bare = [
        field for field, info in model.model_fields.items() if not info.description and not is_secret(info.annotation)
    ]
    if bare:
        words = f"{', '.join(bare)}: no description; Field(description=…) puts one into editors and the reference"
        yield Finding("documentation", subject, "note", words)


def _sounds_secret(field: str) -> bool:
    return any(field == word or field.endswith(f"_{word}") for word in _SECRET)


def _measure(cls: type[Collector], measure: Measure) -> Sequence[str]:
    """What is wrong with a measure's declaration."""
    wrong = []
    function = getattr(cls, measure.name)
    if not measure.title:
        wrong.append("its title is empty")
    if not measure.doc:
        wrong.append("it has no docstring: say what it computes, from which fields, and its traps")
    if measure.better not in get_args(Better):
        wrong.append(f"better is {measure.better!r}: write higher, lower or target")
    if units.canonical(measure.unit) != measure.unit:
        wrong.append(f"unit {measure.unit!r} is spelt {units.canonical(measure.unit)!r}")
    namespace = {**vars(inspect.getmodule(function) or object), **vars(cls)}
    if "return" not in get_type_hints(function, namespace):
        wrong.append("what it returns has no type: -> Reading, -> list[Reading] or -> AsyncIterator[Reading]")
    return wrong
