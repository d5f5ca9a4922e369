"""The real service as a process of its own, for tests: starts, answers, is killed."""

import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path

from tests.servers import free_port, wait_until

ROOT = Path(__file__).resolve().parents[1]


class ServiceProcess:
    """``bsc-monitor run`` over a configuration file."""

    def __init__(self, config: Path, port: int, environment=None):
        self.config, self.port = config, port
        self.url = f"http://127.0.0.1:{port}"
        self.log = config.parent / "service.log"
        self._environment = {**os.environ, **(environment or {})}
        self.process = None

    def start(self, ready=True):
        with self.log.open("ab") as log:
            command = [sys.executable, "-m", "bsc_monitor", "run", "--config", str(self.config)]
            self.process = subprocess.Popen(command, stdout=log, stderr=log, env=self._environment)
        if ready:
            wait_until(self.is_ready, f"{command}; see {self.log.read_text()[-2000:]}", 90)
        return self

    def is_ready(self):
        assert self.process.poll() is None, self.log.read_text()[-3000:]
        return self.status("/-/ready") == 200

    def status(self, path):
        try:
            with urllib.request.urlopen(self.url + path, timeout=10) as reply:
                return reply.status
        except urllib.error.HTTPError as error:
            return error.code

    def text(self, path):
        with urllib.request.urlopen(self.url + path, timeout=10) as reply:
            return reply.read().decode()

    def json(self, path):
        return json.loads(self.text(path))

    def post(self, path, body=b"", headers=None):
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        kind = {} if isinstance(body, bytes) else {"Content-Type": "application/json"}
        request = urllib.request.Request(self.url + path, data, {**kind, **(headers or {})}, method="POST")
        with urllib.request.urlopen(request, timeout=10) as reply:
            return reply.status, reply.read().decode()

    def metrics(self, name=""):
        """Samples of ``/metrics`` as {series text: float}."""
        lines = (line for line in self.text("/metrics").splitlines() if line.startswith(name) and line[0] != "#")
        return {series: float(value) for series, _, value in (line.rpartition(" ") for line in lines)}

    def stop(self, number=signal.SIGTERM, seconds=15):
        """Send a signal; the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(seconds)

    def kill(self):
        """``kill -9``."""
        self.process.kill()
        self.process.wait()


@contextmanager
def running(folder: Path, text: str, **settings):
    """The service over a configuration given as text; ``{port}`` and ``{sandbox}`` become free ports."""
    port, sandbox = free_port(), free_port()
    config = folder / "config.toml"
    config.write_text(text.replace("{port}", str(port)).replace("{sandbox}", str(sandbox)))
    service = ServiceProcess(config, port, settings.get("environment"))
    try:
        yield service.start()
    finally:
        if service.process.poll() is None:
            service.kill()


def demo_config():
    """The checked-in configuration, on ports of its own."""
    text = (ROOT / "config.toml").read_text()
    return text.replace("127.0.0.1:9877", "127.0.0.1:{port}").replace("9880", "{sandbox}")
