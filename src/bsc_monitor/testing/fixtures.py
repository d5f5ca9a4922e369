"""Fixtures for pytest: import them in ``conftest.py``, or ``pytest -p bsc_monitor.testing.fixtures``."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from bsc_monitor.testing.clock import Clock
from bsc_monitor.testing.server import SourceServer


@dataclass(frozen=True, slots=True)
class SandboxUrls:
    """The stand-ins for real source systems, by address; their user, password and token are ``demo``."""

    port: int

    def __getattr__(self, name: str) -> str:
        """``sandbox.jira``, ``.servicenow``, ``.github``, ``.gitlab``, ``.people``, ``.aws``, ``.azure``, ``.opencost``."""
        if name.startswith("_"):
            raise AttributeError(name)
        return f"http://127.0.0.1:{self.port}/{name.replace('_', '-')}"


@pytest.fixture
def clock() -> Clock:
    """A clock that stands still until ``clock.advance(hours=1)``."""
    return Clock()


@pytest.fixture
def source_server() -> Iterator[SourceServer]:
    """A source system with the answers that the test gives it."""
    with SourceServer() as server:
        yield server


@pytest.fixture(scope="session")
def sandbox() -> Iterator[SandboxUrls]:
    """The sandbox with its generated company, in a process of its own."""
    with subprocess.Popen(
        [sys.executable, "-m", "bsc_monitor", "sandbox", "--port", "0", "--until-eof"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None  # noqa: S101 - opened as a pipe
            first = process.stdout.readline()
            port = first.partition("http://127.0.0.1:")[2].partition("/")[0]
            if not port:
                raise RuntimeError(f"the sandbox did not start: {first}")
            yield SandboxUrls(int(port))
        finally:
            assert process.stdin is not None  # noqa: S101 - opened as a pipe
            process.stdin.close()
