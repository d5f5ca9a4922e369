"""The JSON Schema of a configuration, for editors that complete and check it; plugins' own keys included."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from bsc_monitor.config.form import SourceForm
from bsc_monitor.config.things import SINGLE, TABLES
from bsc_monitor.config.values import ID
from bsc_monitor.plugin import Collector, declared

_SECRET = {
    "anyOf": [
        {"type": "string"},
        {"type": "object", "properties": {"env": {"type": "string"}}, "required": ["env"], "additionalProperties": False},
        {"type": "object", "properties": {"file": {"type": "string"}}, "required": ["file"], "additionalProperties": False},
    ]
}  # fmt: skip


class _Generate(GenerateJsonSchema):
    """As pydantic does it, but a secret may be taken from the environment or a file."""

    def model_field_schema(self, schema: core_schema.ModelField) -> JsonSchemaValue:
        """See pydantic."""
        found = super().model_field_schema(schema)
        return dict(_SECRET) if _is_secret(found) else found

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        """See pydantic. TOML has no null."""
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        """See pydantic. A default of None is no default that TOML could write."""
        found = super().default_schema(schema)
        if found.get("default", 0) is None:
            del found["default"]
        return found


def _is_secret(found: Mapping[str, Any]) -> bool:
    return found.get("format") == "password" or found.get("writeOnly") is True


def json_schema(collectors: Mapping[str, type[Collector]]) -> dict[str, Any]:
    """The schema (draft 2020-12) of a file with these collectors at hand."""
    definitions: dict[str, Any] = {}
    properties: dict[str, Any] = {
        "include": {"type": "array", "items": {"type": "string"}, "description": "further files, with wildcards"}
    }
    for table, form in SINGLE.items():
        properties[table] = _of(form, definitions)
    for table, form in TABLES.items():
        entry = _of(form, definitions)
        if table == "sources":
            entry = _sources(entry, collectors, definitions)
        elif table == "kpis":
            entry = _kpis(entry, collectors, definitions)
        properties[table] = {
            "type": "object",
            "propertyNames": {"pattern": f"^{ID.pattern}$"},
            "additionalProperties": entry,
        }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "bsc-monitor configuration",
        "type": "object",
        "additionalProperties": False,
        "properties": properties,
        "$defs": definitions,
    }


def _of(model: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    found = model.model_json_schema(schema_generator=_Generate, ref_template="#/$defs/{model}")
    definitions.update(found.pop("$defs", {}))
    return dict(found)


def _sources(
    generic: dict[str, Any], collectors: Mapping[str, type[Collector]], definitions: dict[str, Any]
) -> dict[str, Any]:
    """A source: the keys that all have, and those of its plugin."""
    cases = []
    for name, cls in sorted(collectors.items()):
        own = _of(cls.Config, definitions)
        cases.append({
            "type": "object",
            "additionalProperties": False,
            "properties": {**generic["properties"], **own.get("properties", {}), "plugin": {"const": name}},
            "required": ["plugin", *own.get("required", [])],
        })  # fmt: skip
    return {"title": "Source", "description": SourceForm.__doc__, "oneOf": cases} if cases else generic


def _kpis(
    form: dict[str, Any], collectors: Mapping[str, type[Collector]], definitions: dict[str, Any]
) -> dict[str, Any]:
    """A KPI: what ``params`` may hold follows from its measure (two plugins may have one of that name)."""
    params: dict[str, list[dict[str, Any]]] = {}
    for cls in collectors.values():
        for name, measure in declared(cls, "measure").items():
            params.setdefault(name, []).append(_of(measure.params, definitions))
    cases = [
        {
            "if": {"properties": {"measure": {"const": name}}, "required": ["measure"]},
            "then": {"properties": {"params": found[0] if len(found) == 1 else {"anyOf": found}}},
        }
        for name, found in sorted(params.items())
    ]
    return {**form, "allOf": cases} if cases else form
