"""The keys of config.toml, from the forms that check them."""

from collections.abc import Iterator, Mapping
from typing import Any

from scripts.docs.examples import EXAMPLES
from scripts.docs.markdown import code, head, table

from bsc_monitor.config.schema import json_schema
from bsc_monitor.config.things import SINGLE, TABLES

_ABOUT = """
A configuration is a TOML file (`config.toml`, or `--config FILE`); `include = ["kpis/*.toml"]` merges further files. Tables named
`[table.ID]` hold one thing each, and other tables refer to it by its id: small letters, digits, `-` and `_`. An id from a template
belongs to its scorecard (`payments/throughput`); the full name `scorecard/id` works everywhere, the short one where it is unique.

`bsc-monitor check` names every mistake with file, line and hint. `bsc-monitor schema > bsc-monitor.schema.json` writes the JSON
Schema, plugins' own keys included, so that an editor completes and checks the file.

Kinds of values: a **duration** is `90s`, `15m`, `2h`, `30d`, `3y` or `1h30m`; a **cron expression** has five fields; a **secret** is
`{ env = "NAME" }`, `{ file = "PATH" }` or text in quotes (which is warned about); a **level** is a number, a band `[lo, hi]` or a path
`[{ from = 2026-01-01, target = 12, red = 30 }, …]`; a **weight** is a number or a path `[{ from = 2026-01-01, weight = 2 }, …]`. Relative
paths are relative to the file that is named with `--config`. A key without a default and without *required* may be left out.
"""
_PARTS = {
    "PerspectiveForm": "scorecards.ID.perspectives.ID",
    "SegmentForm": "kpis.ID.segments.VALUE",
    "LevelStep": "a step of a level's path",
    "WeightStep": "a step of a weight's path",
    "ExpectForm": "initiatives.ID.expect",
    "ProgressForm": "initiatives.ID.progress",
    "WebhookForm": "receivers.ID.webhook",
}
_BEYOND = {
    "sources": "Each plugin has keys of its own beside these: see [the plugins](plugins/README.md).",
    "kpis": 'A KPI names `source` and `measure`, or a `formula`; `source = "manual"` stands for values that people enter with '
    "`bsc-monitor set` or on the board. Measures and their `params` are described with [the plugins](plugins/README.md).",
    "alerts": "Without any table here the [built-in rules](alert-rules.md) apply.",
    "templates": "`{parameter}` in any text stands for what a scorecard gives in `with`; write `{{` and `}}` for braces.",
}


def page() -> str:
    """The text of configuration.md."""
    parts = [
        head("Configuration", _ABOUT),
        '\n## include\n\nFiles to merge, with wildcards: `include = ["teams/*.toml"]`.\n',
    ]
    for name, title, schema in sections():
        parts.append(f"\n## {name}\n\n{title}: {_sentence(schema)}\n")
        if name in _BEYOND:
            parts.append(f"\n{_BEYOND[name]}\n")
        parts.append("\n" + table(("key", "type", "default", "meaning", "example"), list(_rows(name, schema))))
    return "".join(parts)


def sections() -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Heading, what is written in the file, and JSON Schema of every table and of the tables in them."""
    schema = json_schema({})
    for name in SINGLE:
        yield name, f"`[{name}]`", schema["properties"][name]
    for name in TABLES:
        yield name, f"`[{name}.ID]`", schema["properties"][name]["additionalProperties"]
    for form, where in _PARTS.items():
        yield form.removesuffix("Form").lower(), where if " " in where else f"`{where}`", schema["$defs"][form]


def example(table_: str, key: str, schema: Mapping[str, Any]) -> str:
    """How the key may be written: said by hand, or following from its type."""
    if said := EXAMPLES.get(f"{table_}.{key}") or EXAMPLES.get(f"*.{key}"):
        return said
    if "enum" in schema:
        return f'"{schema["enum"][-1]}"'
    if schema.get("type") == "boolean":
        return str(not schema.get("default", False)).lower()
    return '"30m"' if "pattern" in schema else ""


def _rows(name: str, schema: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    needed = schema.get("required", [])
    for key, each in schema["properties"].items():
        default = "required" if key in needed else code(_toml(each["default"])) if each.get("default", "") != "" else ""
        yield code(key), _type(each), default, each.get("description", ""), code(f"{key} = {example(name, key, each)}")


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return f"{value:g}" if isinstance(value, float) else str(value) if isinstance(value, int) else f'"{value}"'


def _type(schema: Mapping[str, Any]) -> str:
    if "$ref" in schema:
        return _named(schema["$ref"].rpartition("/")[2])
    if "enum" in schema:
        return ", ".join(code(f'"{value}"') for value in schema["enum"])
    options = [each for each in schema.get("anyOf", schema.get("oneOf", [])) if each.get("type") != "null"]
    if options:
        return _one_of(options)
    kind = schema.get("type")
    if kind == "array":
        return f"list of {_type(schema.get('items', {}))}"
    if kind == "object":
        inner = schema.get("additionalProperties")
        return f"table of {_type(inner)}" if isinstance(inner, dict) else "table"
    if kind == "string":
        return "duration" if "ms|s" in schema.get("pattern", "") else schema.get("format", "text")
    return {"boolean": "true / false", "integer": "whole number", "number": "number"}.get(str(kind), "any")


def _one_of(options: list[Mapping[str, Any]]) -> str:
    text = str(options)
    if "'env'" in text:
        return "secret"
    if "LevelStep" in text:
        return "[level](#levelstep)"
    if "WeightStep" in text:
        return "[weight](#weightstep)"
    return " or ".join(dict.fromkeys(_type(each) for each in options))


def _named(name: str) -> str:
    if name == "InsightKind":
        return "kind of insight"
    word = name.removesuffix("Form").lower()
    return f"[{word}](#{word})"


def _sentence(schema: Mapping[str, Any]) -> str:
    text = str(schema.get("description", "")).replace("``", "`").strip()
    return text[:1].lower() + text[1:]
