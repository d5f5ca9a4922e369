"""Answers kept in a folder and played back, so that a collector can be worked on without asking its source again."""

from __future__ import annotations

import base64
import hashlib
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from multidict import CIMultiDict

from bsc_monitor.collect.answer import Answer
from bsc_monitor.plugin import CollectorError, SourceError

_Key = tuple[str, str, str]  # method, masked url, masked body
_KEPT_HEADERS = frozenset({"content-type", "link", "x-total-count", "retry-after", "date", "location"})


class Tape:
    """A folder with one JSON file an exchange: what was asked (masked) and what was answered.

    The same question asked again gets its next answer, so that paging and polling replay as they happened.
    """

    def __init__(self, folder: Path, mode: Literal["record", "replay"]) -> None:
        self._folder = folder
        self._mode = mode
        self._asked: Counter[_Key] = Counter()
        if mode == "record":
            folder.mkdir(parents=True, exist_ok=True)

    def _file(self, key: _Key) -> Path:
        digest = hashlib.sha256("\0".join(key).encode()).hexdigest()[:16]
        return self._folder / f"{digest}-{self._asked[key]}.json"

    def record(self, key: _Key, answer: Answer, mask: Callable[[object], str]) -> None:
        """Keep an answer (nothing happens while replaying). Secrets that the source echoes are masked."""
        if self._mode != "record":
            return
        try:
            body = {"text": mask(answer.content.decode())}
        except UnicodeDecodeError:
            body = {"base64": base64.b64encode(answer.content).decode()}
        headers = {k: mask(v) for k, v in answer.headers.items() if _kept(k)}
        kept = {"asked": key, "status": answer.status, "headers": headers, **body}
        self._file(key).write_text(json.dumps(kept, indent=1, ensure_ascii=True), encoding="utf-8")
        self._asked[key] += 1

    def replay(self, key: _Key) -> Answer | None:
        """The kept answer; None while recording. Raises SourceError(CONFIG) when there is none."""
        if self._mode != "replay":
            return None
        file = self._file(key)
        try:
            kept = json.loads(file.read_text(encoding="utf-8"))
            content = kept["text"].encode() if "text" in kept else base64.b64decode(kept["base64"])
            answer = Answer(kept["status"], key[1], CIMultiDict(kept["headers"]), content)
        except FileNotFoundError:
            raise SourceError(
                f"{key[0]} {key[1]}: no recorded answer in {self._folder}",
                CollectorError.CONFIG,
                hint="Record it first with --record.",
            ) from None
        except (ValueError, KeyError, TypeError) as error:
            raise SourceError(f"{file}: not a recorded answer: {error}", CollectorError.CONFIG) from None
        self._asked[key] += 1
        return answer


def _kept(header: str) -> bool:
    return header.lower() in _KEPT_HEADERS or "ratelimit" in header.lower()
