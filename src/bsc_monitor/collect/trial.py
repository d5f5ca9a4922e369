"""A first look at plugins in a process of its own: one that hangs, crashes or exits while it is loaded stays outside.

Run as ``python -m bsc_monitor.collect.trial``: loads the plugins named on its input, saying before each which one it is.
"""

from __future__ import annotations

import contextlib
import faulthandler
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Sequence
from typing import NamedTuple

SECONDS = 10.0  #: for each plugin
_START = 10.0  #: seconds for the process itself
_BEGUN, _LATE = "begun", "Timeout"  #: what it says before each plugin, and how Python begins to say where one stands
_LIMIT = 1 << 30  #: bytes of memory
_passed: set[tuple[str, str]] = set()


class Trial(NamedTuple):
    """A plugin to try: its file or entry point, and what changes when it does."""

    origin: str
    version: str


def fails_to_load(trials: Sequence[Trial]) -> dict[str, str]:
    """The plugins that hang or end their process while they are loaded, and how. What merely raises is no matter here."""
    left = [trial for trial in trials if trial not in _passed]
    failed: dict[str, str] = {}
    while left:
        begun, how = _try([trial.origin for trial in left])
        if not how:
            _passed.update(left)
            break
        good = max(begun - 1, 0)
        _passed.update(left[:good])
        failed[left[good].origin] = how
        left = left[good + 1 :]
    return failed


def _try(origins: list[str]) -> tuple[int, str]:
    """How many were begun, and what happened to the last of them; empty: all was well."""
    with subprocess.Popen(
        [sys.executable, "-P", "-s", "-m", "bsc_monitor.collect.trial"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, start_new_session=True, text=True,
    ) as process:  # fmt: skip
        try:
            task = json.dumps({"seconds": SECONDS, "origins": origins})
            said, _ = process.communicate(task, timeout=_START + SECONDS * len(origins))
            how = "" if process.returncode == 0 else f"it ends its process while it is loaded ({_code(process)})"
        except subprocess.TimeoutExpired:
            _kill(process)
            said, _ = process.communicate()
            how = f"it is not loaded within {SECONDS:.0f} s"
        _kill(process)  # what it started
    begun, late, stack = said.partition(_LATE)
    count = begun.count(_BEGUN)
    if late and count:
        how = f"it is not loaded within {SECONDS:.0f} s{_place(stack, origins[count - 1])}"
    return count, how


def _place(stack: str, origin: str) -> str:
    """Where a plugin stands, of a stack whose newest call comes first: its own line where it has one."""
    calls = re.findall(r'File "(.*)", line (\d+)', stack)
    own = [line for file, line in calls if file == origin]
    return f": it stands at line {own[0]}" if own else ""


def _kill(process: subprocess.Popen[str]) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


def _code(process: subprocess.Popen[str]) -> str:
    return f"signal {-process.returncode}" if process.returncode < 0 else f"exit code {process.returncode}"


def main() -> None:
    """Load what the input names. What the plugins print goes nowhere; the stack of one that is late goes to who asks."""
    from bsc_monitor.collect.plugins import load_origin
    from bsc_monitor.collect.worker import limit

    private = os.dup(1)
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, 1)
    limit(_LIMIT)
    task = json.load(sys.stdin)
    for origin in task["origins"]:
        os.write(private, f"{_BEGUN}\n".encode())
        faulthandler.dump_traceback_later(task["seconds"], exit=True, file=private)
        load_origin(origin)
    os._exit(0)  # threads of a plugin may hang


if __name__ == "__main__":
    main()
