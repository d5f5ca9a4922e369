"""``bsc-monitor plugin docs``: a collector's reference, made from its types and docstrings."""

from __future__ import annotations

import inspect
import json
import re
import types
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import typer
from pydantic import BaseModel, SecretStr
from pydantic_core import PydanticUndefined

from bsc_monitor.cli.frame import DEFAULT_CONFIG, ConfigOption, JsonOption
from bsc_monitor.collect.plugins import Plugins, find_plugins
from bsc_monitor.plugin import Collector, Measure, Params, Record, SourceConfig, Stream, declared


def docs(folders: Callable[[Path], Sequence[Path]]) -> Callable[..., None]:
    """The command. ``folders`` gives the plugin folders that a configuration file names."""

    def command(
        name: Annotated[str | None, typer.Argument(help="A collector's name, or a plugin file")] = None,
        out: Annotated[
            Path | None, typer.Option(help="Write a page for every bundled collector into this folder")
        ] = None,
        config: ConfigOption = DEFAULT_CONFIG,
        as_json: JsonOption = False,
    ) -> None:
        """Print a collector's reference: configuration, measures, parameters, records; or write those of all bundled ones.

        Example: bsc-monitor plugin docs jira
        """
        if out is not None:
            write_pages(out)
        elif name is None:
            raise typer.BadParameter("name a collector, or give --out")
        else:
            cls = _collector(name, list(folders(config)) if config.exists() else [])
            typer.echo(json.dumps(described(cls), indent=2) if as_json else page(cls))

    return command


def write_pages(folder: Path) -> None:
    """Write the page of every bundled collector, and an index."""
    found = find_plugins([], with_entry_points=False)
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in pages(found).items():
        (folder / name).write_text(text, encoding="utf-8")
        typer.echo(str(folder / name))


def pages(found: Plugins) -> dict[str, str]:
    """The reference of all bundled collectors, by file name."""
    names = sorted(found.bundled)
    made = {f"{name}.md": page(found.collectors[name]) for name in names}
    lines = [f"- [{name}]({name}.md): {_summary(found.collectors[name])}" for name in names]
    head = (
        "# Collectors\n\nMade by `bsc-monitor plugin docs --out docs/reference/plugins` from types and docstrings.\n\n"
    )
    return {"README.md": head + "\n".join(lines) + "\n", **made}


def _collector(name: str, folders: list[Path]) -> type[Collector]:
    file = Path(name)
    given = [file.resolve().parent] if file.suffix == ".py" and file.is_file() else []
    found = find_plugins([*folders, *given])
    known = {
        str(file.resolve()): cls
        for cls_name, cls in found.collectors.items()
        if found.origins[cls_name] == str(file.resolve())
    }
    cls = found.collectors.get(name) or known.get(str(file.resolve()))
    if cls is None:
        problem = next((each for each in found.problems if each.file == str(file.resolve())), None) or found.broken(
            name
        )
        raise typer.BadParameter(
            str(problem) if problem else f"there is no {name!r}; there is {', '.join(sorted(found.collectors))}"
        )
    return cls


def described(cls: type[Collector]) -> dict[str, Any]:
    """A collector as plain data."""
    return {
        "name": cls.name,
        "summary": _summary(cls),
        "text": _text(cls),
        "config": [_field_json(each) for each in _fields(cls.Config, SourceConfig)],
        "measures": [
            {
                "name": m.name, "title": m.title, "unit": m.unit, "better": m.better, "over": m.over, "settle": m.settle,
                "text": m.doc, "params": [_field_json(each) for each in _fields(m.params, Params)],
            }
            for m in declared(cls, "measure").values()
        ],
        "streams": [
            {
                "name": s.name, "key": s.key, "cursor": s.cursor, "overlap": s.overlap, "reconciled": s.ids is not None,
                "fields": [_field_json(each) for each in _fields(s.record, Record)],
            }
            for s in declared(cls, "stream").values()
        ],
    }  # fmt: skip


def page(cls: type[Collector]) -> str:
    """A collector's page, in Markdown."""
    parts = [f"# `{cls.name}`", _prose(_text(cls)), "## Configuration"]
    parts += [f'```toml\n[sources.my-{cls.name.replace("_", "-")}]\nplugin = "{cls.name}"\n{_example(cls.Config)}```']
    parts += _table(_fields(cls.Config, SourceConfig))
    parts.append("## Measures")
    for measure in declared(cls, "measure").values():
        parts += _measure(measure)
    streams = declared(cls, "stream").values()
    if streams:
        parts.append("## Records")
    for stream in streams:
        parts += _stream(stream)
    return "\n\n".join(part for part in parts if part) + "\n"


def _summary(cls: type[Collector]) -> str:
    return _text(cls).partition("\n")[0].rstrip(".")


def _text(cls: type[Collector]) -> str:
    module = inspect.getmodule(cls)
    return inspect.cleandoc((module.__doc__ if module else None) or cls.__doc__ or "")


def _prose(text: str) -> str:
    """A docstring as Markdown: code marks as there, indented blocks kept."""
    return re.sub(r"``(.+?)``", r"`\1`", text)


def _measure(measure: Measure) -> Iterator[str]:
    yield f"### `{measure.name}`: {measure.title}"
    facts = [f"unit **{measure.unit}**" if measure.unit else "the KPI says its unit"]
    facts.append(
        {"higher": "higher is better", "lower": "lower is better", "target": "near its target is better"}[
            measure.better
        ]
    )
    if measure.over:
        facts.append(f"over the records `{measure.over}`, and so can be broken down by any field of theirs")
    if measure.settle:
        facts.append(f"provisional until {measure.settle} after the period's end")
    yield ("; ".join(facts) + ".")[:1].upper() + ("; ".join(facts) + ".")[1:]
    yield _prose(measure.doc)
    yield from _table(_fields(measure.params, Params))


def _stream(stream: Stream) -> Iterator[str]:
    yield f"### `{stream.name}`"
    gone = "those deleted at the source are found once a day" if stream.ids else "none is ever dropped"
    yield f"Told apart by `{stream.key}`; fetched by `{stream.cursor}`, reaching back {stream.overlap} each time; {gone}."
    yield from _table(_fields(stream.record, Record))


def _fields(model: type[BaseModel], base: type[BaseModel]) -> list[tuple[str, str, str, str]]:
    """Name, type, default and words of each field that the base has not."""
    found = []
    for name, field in model.model_fields.items():
        if name in base.model_fields:
            continue
        factory: Any = field.default_factory
        default = "" if field.is_required() else _default(factory() if factory else field.default)
        found.append(
            (name, _type(field.annotation), "required" if field.is_required() else default, field.description or "")
        )
    return found


def _default(value: Any) -> str:
    if value is None or value is PydanticUndefined:
        return "none"
    if isinstance(value, SecretStr):
        return "***"
    if isinstance(value, BaseModel):
        return "see there"
    if isinstance(value, (set, frozenset)):
        return ", ".join(sorted(map(str, value))) or "none"
    plain = json.dumps(value, default=str, ensure_ascii=False)
    return f"`{plain}`" if plain not in ("[]", "{}", '""') else "none"


def _type(annotation: Any) -> str:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return " or ".join(f"`{json.dumps(each)}`" for each in arguments)
    if origin in (Union, types.UnionType):
        return " or ".join(_type(each) for each in arguments if each is not type(None))
    if origin in (list, tuple, set, frozenset):
        inner = [_type(each) for each in arguments if each is not Ellipsis]
        return f"list of {', '.join(dict.fromkeys(inner))}" if inner else "list"
    if origin is dict:
        return f"table of {_type(arguments[1])}"
    if isinstance(annotation, type) and issubclass(annotation, SecretStr):
        return "secret"
    words = {"str": "text", "int": "whole number", "float": "number", "bool": "true or false", "Path": "path", "dict": "table",
             "datetime": "instant", "date": "date", "timedelta": "duration", "list": "list"}  # fmt: skip
    name = getattr(annotation, "__name__", str(annotation))
    return words.get(name, name)


def _table(fields: Sequence[tuple[str, str, str, str]]) -> Iterator[str]:
    if fields:
        rows = ["| key | type | default | |", "|---|---|---|---|"]
        rows += ["| " + " | ".join((f"`{name}`", *map(_cell, rest))) + " |" for name, *rest in fields]
        yield "\n".join(rows)


def _cell(text: str) -> str:
    return _prose(" ".join(text.split())).replace("|", "\\|")


def _field_json(field: tuple[str, str, str, str]) -> dict[str, str]:
    return dict(zip(("name", "type", "default", "text"), field, strict=True))


def _example(model: type[BaseModel]) -> str:
    """The required keys and those with an example of their own (``Field(examples=[…])``), as one writes them."""
    lines = []
    for name, field in model.model_fields.items():
        kind = field.annotation
        if field.examples:
            lines.append(f"{name} = {_toml(field.examples[0])}\n")
        elif field.is_required():
            secret = isinstance(kind, type) and issubclass(kind, SecretStr)
            lines.append(f"{name} = {_toml({'env': name.upper()} if secret else '…')}\n")
    return "".join(lines)


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{name} = {_toml(each)}" for name, each in value.items()) + " }"
    return json.dumps(value, ensure_ascii=False)  # of texts, numbers, truths and lists, TOML is JSON
