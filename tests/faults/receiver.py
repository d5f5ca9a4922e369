"""A receiver of alerts as a process of its own: it writes down what it got, and may be slow or down.

Run as a program: ``receiver.py PORT RECORD SECRET [SECONDS]``. Each message becomes a JSON line in RECORD, on disk before
it is answered; ``SECONDS`` is how long it thinks. While a file RECORD.down is there, it answers 503 and notes nothing.
"""

import contextlib
import hashlib
import hmac
import json
import os
import subprocess
import sys
import time
from collections import Counter, defaultdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.servers import free_port, wait_until

SECRET = "a secret of twenty signs"


class Receiver:
    """A running receiver, to be used in a ``with``; outlives any number of the service's deaths."""

    def __init__(self, folder, name, seconds=0.0):
        self.name, self.port, self._seconds = name, free_port(), seconds
        self.record = folder / f"{name}.jsonl"
        self._down = folder / f"{name}.jsonl.down"

    def __enter__(self):
        command = [sys.executable, "-m", "tests.faults.receiver", str(self.port), str(self.record), SECRET]
        self._process = subprocess.Popen([*command, str(self._seconds)], cwd=Path(__file__).parents[2])
        wait_until(self.record.exists, f"the receiver {self.name}")
        return self

    def __exit__(self, *_):
        self._process.kill()
        self._process.wait()

    def go_down(self):
        self._down.touch()

    def come_back(self):
        self._down.unlink()

    def messages(self):
        """All messages in the order in which they came: {key, body, at, signed}."""
        return [json.loads(line) for line in self.record.read_text().splitlines()]

    def repeats(self):
        """By idempotency key, how often a message came again; one that says something else is no repetition."""
        came = Counter(message["key"] for message in self.messages())
        return {key: count - 1 for key, count in came.items() if count > 1}

    def transitions(self):
        """By alert, the transitions told, each once, in the order in which they were told first: (key, kind, at)."""
        told, seen = defaultdict(list), {}
        for message in self.messages():
            assert message["signed"], message
            for alert in message["body"]["alerts"]:
                for one in alert["transitions"]:
                    under = seen.setdefault(one["key"], message["key"])
                    assert under == message["key"], f"{one['key']} was told under {under} and {message['key']}"
                    known = (one["key"], one["kind"], one["at"])
                    if known not in told[alert["fingerprint"]]:
                        told[alert["fingerprint"]].append(known)
        return told


def _main(port, record, secret, seconds="0"):
    file = os.open(record, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if Path(f"{record}.down").exists():
                return self._answer(503)
            time.sleep(float(seconds))
            stamp = self.headers.get("X-Bsc-Timestamp", "")
            signed = "sha256=" + hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
            line = {
                "key": self.headers["Idempotency-Key"],
                "signed": hmac.compare_digest(signed, self.headers.get("X-Bsc-Signature", "")),
                "at": time.time(),
                "body": json.loads(body),
            }
            os.write(file, json.dumps(line).encode() + b"\n")
            os.fsync(file)
            return self._answer(200)

        def _answer(self, status):
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

        def handle(self):
            with contextlib.suppress(OSError):  # the service died amid a message
                super().handle()

    ThreadingHTTPServer.daemon_threads = True
    ThreadingHTTPServer(("127.0.0.1", int(port)), Handler).serve_forever()


if __name__ == "__main__":
    _main(*sys.argv[1:])
