"""Real servers for tests, on free ports with folders of their own, ready when they are given out."""

import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
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


def wait_until(condition, what="the condition", seconds=60):
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


@contextmanager
def postgresql(*flags):
    """A PostgreSQL of Debian's newest installed version, with its own data; user ``postgres``, password ``secret``.

    ``url`` is SQLAlchemy's. Started as the user postgres where we are root, whom the server refuses.
    """
    binaries = max(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: float(path.parent.name))
    folder = Path(tempfile.mkdtemp(prefix="bsc-postgresql-"))  # not pytest's, which no other user may enter
    user = {"user": "postgres"} if os.geteuid() == 0 else {}
    (folder / "password").write_text("secret")
    if user:
        shutil.chown(folder, "postgres")
        shutil.chown(folder / "password", "postgres")
    port, data = free_port(), folder / "data"
    make = [binaries / "initdb", "-D", data, "-U", "postgres", "-A", "scram-sha-256", f"--pwfile={folder}/password",
            "--no-sync", "-E", "UTF8", "--locale=C.UTF-8"]  # fmt: skip
    subprocess.run(make, check=True, capture_output=True, cwd=folder, **user)
    command = [binaries / "postgres", "-D", data, "-p", str(port), "-c", "listen_addresses=127.0.0.1",
               "-c", "unix_socket_directories=", *flags]  # fmt: skip
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder, **user)
    try:
        ready = [binaries / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(port)]
        wait_until(lambda: process.poll() is not None or subprocess.run(ready).returncode == 0, "PostgreSQL")
        assert process.poll() is None, (folder / "server.log").read_text()
        yield Server(f"postgresql+psycopg://postgres:secret@127.0.0.1:{port}/postgres", process, folder)
    finally:
        process.send_signal(signal.SIGINT)  # fast shutdown: does not wait for clients
        process.wait(20)
        shutil.rmtree(folder, ignore_errors=True)
