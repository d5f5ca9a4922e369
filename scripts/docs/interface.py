"""What a plugin imports, from the docstrings of ``bsc_monitor.plugin``."""

import inspect
import re
from typing import Any

from scripts.docs.markdown import code, head, plain, table

from bsc_monitor import plugin

_ABOUT = """
All that a plugin imports stands in `bsc_monitor.plugin` (interface version 1). [The tutorial](../tutorial/collector.md) builds a collector with
it, [hooks](hooks.md) lists what else a plugin may offer, and `bsc_monitor.testing` has what tests need.
"""


def page() -> str:
    """The text of plugin-interface.md."""
    parts = [head("The plugin interface", _ABOUT)]
    parts += [f"\n## {name}\n\n{_entry(name, getattr(plugin, name))}" for name in names()]
    return "".join(parts)


def names() -> list[str]:
    """What the module offers of its own kind, in the order of the alphabet; the rest comes from typing."""
    return sorted((name for name in plugin.__all__ if name not in ("AsyncIterator", "Iterable")), key=str.lower)


def _entry(name: str, thing: Any) -> str:
    if not callable(thing):
        return f"`{name} = {thing!r}`\n"
    doc = plain(inspect.getdoc(thing) or "")
    if inspect.isfunction(thing):
        return f"```python\ndef {name}{_signature(thing)}: ...\n```\n\n{doc}\n"
    if not inspect.isclass(thing):
        return "Mark a function of a plugin with it.\n" if name == "hookimpl" else "Marks a hook specification.\n"
    return f"{doc}\n{_members(thing)}"


def _members(cls: type) -> str:
    rows = []
    for name, kind in getattr(cls, "__annotations__", {}).items():
        if not name.startswith("_") and name != "model_config":
            rows.append((code(name), code(_short(str(kind)).strip("'")), ""))
    for name, member in vars(cls).items():
        if name.startswith("_") or name == "model_config":
            continue
        if isinstance(member, property):
            rows.append(
                (
                    code(name),
                    code(_short(str(inspect.signature(member.fget).return_annotation)).strip("'")),
                    _doc(member),
                )
            )
        elif inspect.isfunction(member):
            rows.append((code(f"{name}()"), code(f"{name}{_signature(member)}"), _doc(member)))
        elif hasattr(member, "value") and isinstance(member, cls):
            rows.append((code(name), code(repr(member.value)), ""))
    return "\n" + table(("name", "type", "meaning"), rows) if rows else ""


def _doc(member: Any) -> str:
    return inspect.getdoc(member) or ""


def _signature(function: Any) -> str:
    text = re.sub(r"(: |-> )'([^']*)'", r"\1\2", str(inspect.signature(function)))
    return re.sub(r"\bself, |\bself\b", "", _short(text))


def _short(text: str) -> str:
    text = re.sub(r"<(?:class|enum) '([^']+)'>", r"\1", text)
    return re.sub(r"\b(?:[a-z_]+\.)+(?=[A-Z_])|\bdatetime\.(?=datetime|date|time)", "", text)
