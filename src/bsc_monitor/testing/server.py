"""A source system for tests: a small HTTP server with the answers that a test gives it, or with a fault."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Literal, Self
from urllib.parse import parse_qsl, urlsplit

Fault = Literal["401", "403", "429", "500", "time-out", "garbage", "html", "cut off", "other json"]
FAULTS: tuple[Fault, ...] = ("401", "403", "429", "500", "time-out", "garbage", "html", "cut off", "other json")

_PAGE = b"<!DOCTYPE html><html><head><title>Sign in</title></head><body>Please sign in.</body></html>"
_JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Asked:
    """One request that came."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]  #: names in small letters
    body: bytes


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    body: bytes
    headers: Mapping[str, str]


class SourceServer:
    """Use it as a context, or ``start`` and ``stop`` it. It listens on a free port of this machine alone.

    ``fault`` makes every answer fail in that way, whatever was set up.
    """

    def __init__(self) -> None:
        self.asked: list[Asked] = []  #: every request that came, oldest first
        self.fault: Fault | None = None
        self._answers: dict[tuple[str, str], list[_Answer]] = {}
        self._released = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True

    @property
    def url(self) -> str:
        """Its address, without a slash at the end."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def answer(
        self,
        path: str,
        json: Any = None,
        *,
        body: bytes | str | None = None,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        method: str = "GET",
    ) -> None:
        """Answer this path with JSON, or with a body. Given twice, the second request gets the second answer; the last stays."""
        content = _dumped(json) if body is None else body.encode() if isinstance(body, str) else body
        kind = {"Content-Type": _JSON} if body is None else {}
        self._answers.setdefault((method, path), []).append(_Answer(status, content, {**kind, **(headers or {})}))

    def start(self) -> SourceServer:
        """Begin to serve."""
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def stop(self) -> None:
        """Serve no more."""
        self._released.set()
        self._server.shutdown()
        self._server.server_close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        self.stop()

    def answer_to(self, asked: Asked) -> _Answer:
        """What a request gets. For the server itself."""
        self.asked.append(asked)
        if self.fault is not None:
            if self.fault == "time-out":
                self._released.wait(60)
            return _FAULTY[self.fault]
        answers = self._answers.get((asked.method, asked.path))
        if not answers:
            return _Answer(404, _dumped({"message": f"nothing is set up for {asked.method} {asked.path}"}), {})
        return answers.pop(0) if len(answers) > 1 else answers[0]


def _dumped(value: Any) -> bytes:
    return json.dumps(value).encode()


_FAULTY: dict[Fault, _Answer] = {
    "401": _Answer(401, _dumped({"message": "wrong credentials"}), {"Content-Type": _JSON}),
    "403": _Answer(403, _dumped({"message": "not allowed"}), {"Content-Type": _JSON}),
    "429": _Answer(429, _dumped({"message": "too many requests"}), {"Content-Type": _JSON, "Retry-After": "1"}),
    "500": _Answer(500, _dumped({"message": "something broke"}), {"Content-Type": _JSON}),
    "time-out": _Answer(200, b"{}", {"Content-Type": _JSON}),
    "garbage": _Answer(200, bytes(range(256)) * 4, {"Content-Type": _JSON}),
    "html": _Answer(200, _PAGE, {"Content-Type": "text/html; charset=utf-8"}),
    "cut off": _Answer(200, b'{"value": 1, "items": [{"na', {"Content-Type": _JSON}),
    "other json": _Answer(200, _dumped({"unexpected": [None]}), {"Content-Type": _JSON}),
}


def _handler(server: SourceServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            url = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            answer = server.answer_to(Asked(self.command, url.path, dict(parse_qsl(url.query)), headers, body))
            try:
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(answer.body)))
                self.end_headers()
                self.wfile.write(answer.body)
            except ConnectionError:
                self.close_connection = True  # the asker's deadline passed

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve  # noqa: N815 - the library's names

        def log_message(self, *_: object) -> None:
            """Nothing: the test looks at ``asked``."""

    return Handler
