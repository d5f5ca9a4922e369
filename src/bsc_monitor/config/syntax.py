"""What keeps a file from being TOML, in words, with what to do about it."""

from __future__ import annotations

import ast

import tomli

_QUOTE = "does a closing quotation mark lack on this line?"
_HINTS = {
    "Illegal character '\\n'": _QUOTE,
    "Illegal character '\\r'": _QUOTE,
    "Unterminated string": _QUOTE,
    "Invalid value": 'text stands in straight quotes, "like this"; switches are true and false',
    "Expected newline or end of document after a statement": "one key = value a line; a decimal point, as in 20.5",
    "Expected '=' after a key in a key/value pair": "write key = value, and tables as [kpis.my-id]",
    "Invalid initial character for a key part": "write key = value; a comma too many?",
    "Unclosed inline table": "does a closing } lack, here or some lines above?",
    "Unclosed array": "does a closing ] lack, here or some lines above?",
    "Unescaped '\\' in a string": "write \\\\, or the text in single quotes",
}  # fmt: skip


def in_words(error: tomli.TOMLDecodeError) -> tuple[str, str]:
    """tomli's message in our words, and a hint where it has a usual cause."""
    message = error.msg.rstrip(".")
    if message.startswith("Cannot declare"):
        names = message.removeprefix("Cannot declare ").removesuffix(" twice")
        table = ".".join(map(str, ast.literal_eval(names)))
        return f"the table [{table}] is written twice", "give each thing an id of its own"
    if message == "Cannot overwrite a value":
        return "this key is written twice", "keep one of them"
    return f"this is not TOML: {message[:1].lower()}{message[1:]}", _HINTS.get(message, "")
