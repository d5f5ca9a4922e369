"""Templates: one definition, many scorecards. ``{parameter}`` in a text is filled in from the scorecard's ``with``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from bsc_monitor.config.form_scorecard import ScorecardForm, TemplateForm
from bsc_monitor.config.notes import Notes
from bsc_monitor.config.positions import Path
from bsc_monitor.config.problems import near
from bsc_monitor.config.things import Thing, Things, add

_HOLE = re.compile(r"\{\{|\}\}|\{([a-z][a-z0-9_-]*)\}")
_BRACES = re.compile(_HOLE.pattern + r"|[{}]")
_BEGUN = re.compile(r"\{([a-z][a-z0-9_-]*)")
_PARTS = ("objectives", "kpis", "initiatives")


def expand(things: Things, notes: Notes) -> None:
    """Write out every template for every scorecard that uses it."""
    templates = {thing.id: thing for thing in things.of("templates", TemplateForm)}
    for template in templates.values():
        _check_holes(template, notes)
    cards = list(things.of("scorecards", ScorecardForm))
    for card in cards:
        name = card.form.template
        if name is None:
            if card.form.arguments:
                notes.error((*card.path, "with"), "there is no template to give this to", 'add template = "…"')
        elif name in templates:
            if _arguments_fit(card, templates[name], notes):
                _write_out(card, templates[name], things, notes)
        elif name not in things.known("templates"):
            known = things.known("templates")
            notes.error((*card.path, "template"), f"there is no template {name!r}", near(name, known))
    used = {card.form.template for card in cards}
    for template in templates.values():
        if template.id not in used:
            notes.warn(template.path, "no scorecard uses this template")


def _arguments_fit(card: Thing[ScorecardForm], template: Thing[TemplateForm], notes: Notes) -> bool:
    given, wanted = card.form.arguments, template.form.parameters
    fits = True
    for name in given:
        if name not in wanted:
            notes.error(
                (*card.path, "with", name), f"template {template.id!r} has no such parameter", near(name, wanted)
            )
            fits = False
    missing = [name for name in wanted if name not in given]
    if missing:
        key = (*card.path, "with") if "with" in card.data else (*card.path, "template")
        notes.error(key, f"template {template.id!r} also needs {', '.join(missing)}", f"with = {{ {missing[0]} = … }}")
    return fits and not missing


def _write_out(card: Thing[ScorecardForm], template: Thing[TemplateForm], things: Things, notes: Notes) -> None:
    for part in _PARTS:
        for name, entry in getattr(template.form, part).items():
            path: Path = (*template.path, part, name)
            if isinstance(entry, Mapping) and part == "objectives" and "scorecard" in entry:
                notes.error((*path, "scorecard"), "an objective of a template belongs to the scorecard that uses it")
                things.names.setdefault(part, set()).add(f"{card.id}/{name}")
                continue
            filled = fill(entry, card.form.arguments)
            add(things, part, name, filled, path, notes, scorecard=card.id)


def fill(value: Any, arguments: Mapping[str, Any]) -> Any:
    """``value`` with the parameters in all its texts filled in; a text that is one parameter alone keeps its type."""
    if isinstance(value, str):
        if "{" not in value and "}" not in value:
            return value
        whole = _HOLE.fullmatch(value)
        if whole and whole[1] in arguments:
            return arguments[whole[1]]
        return _HOLE.sub(lambda hole: _one(hole, arguments), value)
    if isinstance(value, dict):
        return {key: fill(item, arguments) for key, item in value.items()}
    return [fill(item, arguments) for item in value] if isinstance(value, list) else value


def _one(hole: re.Match[str], arguments: Mapping[str, Any]) -> str:
    if hole[1] is None:
        return hole[0][0]
    return str(arguments.get(hole[1], hole[0]))


def _check_holes(template: Thing[TemplateForm], notes: Notes) -> None:
    """Every ``{word}`` must be a parameter: a misspelt one would otherwise reach the source system as it stands."""
    used: set[str] = {"title"}  # fills the scorecard's title
    for part in ("vision", "description", "owner", "perspectives", *_PARTS):
        _walk(template.data.get(part, ""), (*template.path, part), template.form.parameters, used, notes)
    for place, name in enumerate(template.form.parameters):
        if name not in used:
            notes.warn((*template.path, "parameters", place), f"nothing uses the parameter {name!r}")


def _walk(value: Any, path: Path, known: list[str], used: set[str], notes: Notes) -> None:
    if isinstance(value, str):
        for hole in _HOLE.finditer(value):
            if hole[1] is None:
                continue
            used.add(hole[1])
            if hole[1] not in known:
                hint = f"{near(hole[1], known)}; write {{{{ and }}}} for braces".removeprefix("; ")
                notes.error(path, f"there is no parameter {hole[1]!r}", hint)
        if fault := _unclosed(value, known):
            notes.error(path, fault, "write {parameter} for a parameter, {{ and }} for braces")
    elif isinstance(value, Mapping):
        for key, item in value.items():
            _walk(item, (*path, key), known, used, notes)
    elif isinstance(value, list):
        for place, item in enumerate(value):
            _walk(item, (*path, place), known, used, notes)


def _unclosed(text: str, known: list[str]) -> str:
    """What is wrong with the braces of a text: ``{{`` wants its ``}}``, and a parameter its ``}``; empty: nothing."""
    opened: list[re.Match[str]] = []
    for brace in _BRACES.finditer(text):
        if brace[0] in ("{", "{{"):
            opened.append(brace)
        elif brace[1] is None and opened and (opened[-1][0] == "{{") == (brace[0] == "}}"):
            opened.pop()
    for brace in opened:
        begun = _BEGUN.match(text, brace.end() - 1)
        if brace[0] == "{{" or (begun and begun[1] in known):
            return f"{text[brace.start() : brace.start() + 30]!r} is never closed"
    return ""
