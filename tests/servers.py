"""Real servers for tests, on free ports with folders of their own, ready when they are given out."""

import json
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass
class Server:
    url: str
    process: subprocess.Popen
    folder: Path

    def get(self, path, **params):
        """The answer's body; ``{}`` values become the query string."""
        query = "?" + urllib.parse.urlencode(params) if params else ""
        with urllib.request.urlopen(self.url + path + query, timeout=10) as reply:
            return reply.read()

    def query(self, promql, **params):
        """Samples of an instant query as (labels, float) pairs."""
        data = json.loads(self.get("/api/v1/query", query=promql, **params))["data"]["result"]
        return [(sample["metric"], float(sample["value"][1])) for sample in data]


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def wait_until(condition, what="the condition", seconds=30):
    """Return the first true answer of ``condition()``; connection failures count as no."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if answer := condition():
                return answer
        except (OSError, urllib.error.URLError):
            pass
        time.sleep(0.05)
    raise AssertionError(f"{what} did not come about within {seconds} s")


@contextmanager
def _running(command, url, folder, ready):
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder)
        server = Server(url, process, folder)
        try:
            wait_until(lambda: process.poll() is not None or server.get(ready), command[0])
            assert process.poll() is None, (folder / "server.log").read_text()
            yield server
        finally:
            process.terminate()
            process.wait(20)


@contextmanager
def prometheus(folder, config, *flags):
    """A Prometheus with this configuration text; its data are in ``folder/data``."""
    (folder / "prometheus.yml").write_text(config)
    url = f"http://127.0.0.1:{(port := free_port())}"
    command = ["prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data",
               f"--web.listen-address=127.0.0.1:{port}", *flags]  # fmt: skip
    with _running(command, url, folder, "/-/ready") as server:
        yield server


@contextmanager
def alertmanager(folder, config):
    """An Alertmanager with this configuration text, without a cluster."""
    (folder / "alertmanager.yml").write_text(config)
    url = f"http://127.0.0.1:{(port := free_port())}"
    command = ["prometheus-alertmanager", f"--config.file={folder}/alertmanager.yml", f"--storage.path={folder}/data",
               f"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address="]  # fmt: skip
    with _running(command, url, folder, "/-/ready") as server:
        yield server
