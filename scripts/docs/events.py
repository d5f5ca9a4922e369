"""The events of the bus, and the hooks of plugins."""

import ast
import inspect
import re
from types import ModuleType

from msgspec import structs
from scripts.docs.markdown import code, head, plain, table

from bsc_monitor import hooks
from bsc_monitor.model import event

_EVENTS = """
What happened, as typed values on the in-process bus, told after the commit that made it true. The board, `/metrics`, messages
and [plugins' hooks](hooks.md) hear of it; none of them is called by the core. Every event has `at`, an instant in UTC.
They are defined in `src/bsc_monitor/model/event.py`.
"""
_HOOKS = """
What a plugin's module-level `@hookimpl` function may be called (interface version 1). Import from `bsc_monitor.plugin`:

```python
from bsc_monitor.plugin import AlertChanged, hookimpl


@hookimpl
def bsc_alert_changed(event: AlertChanged) -> None:
    print(event.alert.labels, event.alert.state)
```

Hooks of a plugin that is not bundled run in a worker process of its own, with typed copies of what happened: one that raises,
blocks or dies disturbs nobody else. They may be `async`. A misspelt hook name is an error that `bsc-monitor plugin list` shows.
See [a collector in ten minutes](../tutorial/collector.md) for collectors, which need no hook at all.
"""


def page() -> str:
    """The text of events.md."""
    parts = [head("Events", _EVENTS)]
    notes = _field_comments(event)
    for kind in kinds():
        parts.append(f"\n## {kind.__name__}\n\n{plain(inspect.getdoc(kind) or '')}\n")
        rows = [
            (code(field.name), code(_type(field.type)), notes.get((kind.__name__, field.name), ""))
            for field in structs.fields(kind)
            if field.name != "at"
        ]
        if rows:
            parts.append("\n" + table(("field", "type", "meaning"), rows))
    return "".join(parts)


def kinds() -> list[type[event.Event]]:
    """Every kind of event, in the order of its module."""
    return [
        each
        for each in vars(event).values()
        if isinstance(each, type) and issubclass(each, event.Event) and each is not event.Event
    ]


def hooks_page() -> str:
    """The text of hooks.md."""
    parts = [head("Hooks", _HOOKS)]
    for name in hook_names():
        function = getattr(hooks.Hooks, name)
        signature = re.sub(r"^\(self(, )?", "(", str(inspect.signature(function))).replace("'", "")
        parts.append(
            f"\n## {name}\n\n```python\ndef {name}{_short(signature)}: ...\n```\n\n{plain(inspect.getdoc(function) or '')}\n"
        )
    return "".join(parts)


def hook_names() -> list[str]:
    """Every hook, in the order of its module."""
    return [name for name in vars(hooks.Hooks) if name.startswith("bsc_")]


def _type(annotation: object) -> str:
    return _short(
        annotation
        if isinstance(annotation, str)
        else getattr(annotation, "__name__", str(annotation))
        if isinstance(annotation, type)
        else str(annotation)
    )


def _short(text: str) -> str:
    return re.sub(r"\b(?:[a-z_]+\.)+(?=[A-Z])|\bdatetime\.(?=datetime)", "", text)


def _field_comments(module: ModuleType) -> dict[tuple[str, str], str]:
    """The comments beside the fields of a module's classes."""
    source = inspect.getsource(module)
    lines, found = source.splitlines(), {}
    for cls in ast.parse(source).body:
        if isinstance(cls, ast.ClassDef):
            for node in cls.body:
                if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                    _, _, comment = lines[node.lineno - 1].partition("#: ")
                    found[cls.name, node.target.id] = comment
    return found
