"""The sandbox as a process of its own beside the service: its work never holds the service up."""

from __future__ import annotations

import asyncio
import contextlib
import sys

import structlog

from bsc_monitor.config.settings import SandboxSettings

_log = structlog.get_logger(__name__)
_READY = 30.0  #: seconds
_ENDING = 5.0


class StandInError(Exception):
    """The sandbox did not start; the message says why."""


class StandIn:
    """A sandbox of its own. It ends with ``stop``, and by itself when this process is gone."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.lines: list[str] = []  #: the addresses it serves, for people; known when it answers

    @classmethod
    async def begin(cls, settings: SandboxSettings) -> StandIn:
        """Start the process. It takes some seconds until it answers: time to start other things in."""
        arguments = ["--port", str(settings.port), "--seed", str(settings.seed), "--until-eof"]
        if settings.since:
            arguments += ["--since", f"{settings.since:%Y-%m}"]
        for name in ("servicenow_incidents", "servicenow_tables", "jira_issues", "focus_folder"):
            if path := getattr(settings, name):
                arguments += [f"--{name.replace('_', '-')}", str(path)]
        if settings.requests_per_hour:
            arguments += ["--requests-per-hour", str(settings.requests_per_hour)]
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bsc_monitor", "sandbox", *arguments,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is for the service, which stops it in order
        )  # fmt: skip
        return cls(process)

    async def ready(self) -> None:
        """Wait until it answers. Raises StandInError."""
        process = self._process
        try:
            async with asyncio.timeout(_READY):
                while process.stdout and (line := (await process.stdout.readline()).decode().strip()):
                    if line.startswith("Ctrl-C"):
                        return
                    self.lines.append(line)
        except TimeoutError:
            pass
        with contextlib.suppress(ProcessLookupError):
            process.kill()  # its last words come when it is gone
        words = (await process.stderr.read()).decode().strip() if process.stderr else ""
        await process.wait()
        raise StandInError(words or "the sandbox did not start")

    async def stop(self) -> None:
        """End it."""
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.terminate()
            try:
                async with asyncio.timeout(_ENDING):
                    await self._process.wait()
            except TimeoutError:
                _log.warning("the sandbox did not end by itself")
                self._process.kill()
                await self._process.wait()
