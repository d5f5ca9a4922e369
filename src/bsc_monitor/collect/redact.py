"""Taking secrets out of text: a message, a trace or a log line must never carry one."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel, SecretStr

MASK = "***"
_SHORTEST = 3  #: masking shorter ones would blot out every message and protect nothing
_USERINFO = re.compile(r"(?<=://)[^/\s@]+@")
_NAMED = re.compile(
    r"(?i)\b((?:[a-z0-9_-]*(?:token|secret|password|passwd|api_?key|signature)|sig|auth|key|pwd)=)[^&\s\"'<>]+"
)
_HEADER = re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9+/=._~-]{6,}")


class Redactor:
    """Masks what is known to be secret, in every form in which it goes on the wire, and what looks like it."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._forms: set[str] = set()
        self._pattern: re.Pattern[str] | None = None
        for secret in secrets:
            self.add(secret)

    def __repr__(self) -> str:
        return f"Redactor({len(self._forms)} secrets)"

    def add(self, secret: str, user: str | None = None) -> None:
        """Learn a secret; with ``user``, also the form it has in a Basic header."""
        forms = {secret.strip()}
        if user is not None:
            forms.add(base64.b64encode(f"{user}:{secret}".encode()).decode())
        new = {form for form in forms if len(form) >= _SHORTEST} - self._forms
        if new:
            self._forms |= new
            longest_first = sorted(self._forms, key=len, reverse=True)  # a secret may be part of another one
            self._pattern = re.compile("|".join("".join(map(_any_form, form)) for form in longest_first))

    def text(self, value: object) -> str:
        """``str(value)`` without secrets."""
        text = str(value)
        if self._pattern is not None:
            text = self._pattern.sub(MASK, text)
        text = _USERINFO.sub(f"{MASK}@", text)
        text = _NAMED.sub(rf"\1{MASK}", text)
        return _HEADER.sub(rf"\1 {MASK}", text)


def _any_form(character: str) -> str:
    """A pattern for a character as it stands, percent-encoded, as a form's blank, or escaped in JSON."""
    if character.isascii() and character.isalnum():
        return character
    percent = "".join(f"%(?i:{byte:02x})" for byte in character.encode("utf-8", "surrogatepass"))
    forms = [re.escape(character), percent, re.escape(json.dumps(character)[1:-1])]
    return f"(?:{'|'.join(dict.fromkeys([*forms, *([chr(92) + '+'] if character == ' ' else [])]))})"


def secrets_of(value: Any, _depth: int = 0) -> list[str]:
    """Every secret inside a configuration, at any depth."""
    if _depth > 8:
        return []
    if isinstance(value, SecretStr):
        return [value.get_secret_value()]
    if isinstance(value, BaseModel):
        children: Iterable[Any] = (getattr(value, name) for name in type(value).model_fields)
    elif isinstance(value, Mapping):
        children = value.values()
    elif isinstance(value, (list, tuple, set, frozenset)):
        children = value
    else:
        return []
    return [secret for child in children for secret in secrets_of(child, _depth + 1)]
