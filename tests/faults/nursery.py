"""Starts the real service again and again, fast: a process that has everything imported forks one for each start.

Run as a program it reads one JSON object a line: ``{"run": [arguments], "log": file, "environment": {…}}`` answers with
the new process's id, ``{"wait": id}`` with its exit code (negative: the signal that ended it).
"""

import gc
import importlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

#: what a service imports as it starts: each of thousands would do it anew, after its fork
LATE = (
    "alembic.command", "alembic.config", "anyio.to_thread", "anyio._backends._asyncio", "apscheduler.executors.asyncio",
    "bsc_monitor.cli.backfill", "bsc_monitor.cli.run", "bsc_monitor.service.logs", "bsc_monitor.service.offline",
    "bsc_monitor.service.service", "bsc_monitor.store.open", "bsc_monitor.web.serve", "prometheus_client",
    "sqlalchemy.dialects.postgresql.psycopg", "sqlalchemy.dialects.sqlite", "sqlite3", "tree_sitter_toml", "watchfiles",
)  # fmt: skip


class Nursery:
    """The forking process, to be used in a ``with``. Its children are the real ``bsc-monitor``, as its own processes."""

    def __init__(self, **environment):
        self._environment = environment

    def __enter__(self):
        command, environment = [sys.executable, str(Path(__file__).resolve())], {**os.environ, **self._environment}
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )
        self._living = set()
        return self

    def __exit__(self, *_):
        self.clear()
        self._process.stdin.close()
        self._process.wait(30)
        self._process.stdout.close()

    def run(self, arguments, log, environment=None):
        """Start ``bsc-monitor`` with arguments; its process id."""
        pid = self._ask({"run": [str(each) for each in arguments], "log": str(log), "environment": environment or {}})
        self._living.add(pid)
        return pid

    def clear(self):
        """End what a test that failed has left behind."""
        for pid in tuple(self._living):
            os.kill(pid, signal.SIGKILL)
            self.wait(pid)

    def wait(self, pid):
        """Wait for the end of a process; its exit code."""
        self._living.discard(pid)
        return self._ask({"wait": pid})

    def _ask(self, what):
        self._process.stdin.write(json.dumps(what) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())


def _become_service(request):
    os.environ.update(request["environment"])
    log = os.open(request["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for old, new in ((nothing, 0), (log, 1), (log, 2)):
        os.dup2(old, new)
    from bsc_monitor import cli, crash

    importlib.reload(crash)  # it reads the environment as it is imported
    sys.argv = ["bsc-monitor", *request["run"]]
    cli.main()


def _fork(request):
    if pid := os.fork():
        return pid
    code = 70
    try:
        _become_service(request)
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _end_of(pid):
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def _serve():
    for late in LATE:
        importlib.import_module(late)
    importlib.import_module("bsc_monitor.collect.plugins").find_plugins(())
    gc.collect()
    gc.freeze()  # a collector that looked at all this would copy every page of it in each child
    for line in sys.stdin:
        request = json.loads(line)
        print(json.dumps(_fork(request) if "run" in request else _end_of(request["wait"])), flush=True)


if __name__ == "__main__":
    _serve()
