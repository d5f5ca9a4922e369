"""The command line, from its own help."""

import inspect
import re
from collections.abc import Iterator
from typing import Any

import typer
from scripts.docs.markdown import code, head, table

from bsc_monitor.cli import build_app

_ABOUT = """
Every command takes `--help`. Commands that read the configuration take `--config FILE` (`config.toml` here by default), and
most that print a table also print `--json`. A mistake is told in words, with file and line where it stands in the
configuration, and the exit code is not 0.

`BSC_TOKEN` holds your token for a board with sign-in, for those commands that ask the running service.
`bsc-monitor --install-completion` sets up completion in your shell.
"""


def page() -> str:
    """The text of cli.md."""
    parts = [head("Command line", _ABOUT)]
    for name, command in verbs():
        parts.append(f"\n## bsc-monitor {name}\n\n{_help(command)}\n")
        rows = [_row(parameter) for parameter in command.params if parameter.name != "help"]
        if rows:
            parts.append("\n" + table(("parameter", "meaning"), rows))
    return "".join(parts)


def verbs() -> list[tuple[str, Any]]:
    """Every command with its full name, groups that do something by themselves included."""
    return sorted(_walk(typer.main.get_command(build_app()), ""), key=lambda pair: pair[0])


def _walk(command: Any, prefix: str) -> Iterator[tuple[str, Any]]:
    for name, each in getattr(command, "commands", {}).items():
        full = f"{prefix}{name}"
        if not hasattr(each, "commands") or each.invoke_without_command:
            yield full, each
        yield from _walk(each, f"{full} ")


def _help(command: Any) -> str:
    text = inspect.cleandoc(command.help or "").replace("\f", "")
    text = re.sub(r"\[/?[a-z]+\]", "", text)
    example = re.search(r"^Example: (.*?)(?=\n\n|\Z)", text, re.MULTILINE | re.DOTALL)
    if example is None:
        return text
    line = " ".join(example[1].split())
    return (text[: example.start()].rstrip() + f"\n\n```sh\n{line}\n```" + text[example.end() :]).strip()


def _row(parameter: Any) -> tuple[str, str]:
    shown = (
        ", ".join(map(code, parameter.opts))
        if parameter.param_type_name == "option"
        else code(parameter.metavar or parameter.name.upper())
    )
    words = (getattr(parameter, "help", "") or "").rstrip(".")
    default = parameter.default
    if default not in (None, "", False, ()) and not callable(default) and str(default) not in words:
        words += f" (default: {code(str(default))})"
    if parameter.required:
        words += " (required)"
    return shown, words
