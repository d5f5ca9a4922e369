"""Programs of others that speak Jira, installed once into a cache folder; a test that cannot have one is skipped and says so."""

import fcntl
import json
import os
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.servers import free_port, wait_until

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "bsc-monitor-peers"
_SERVED = {
    f"/rest/api/3/{path}"
    for path in (
        "serverInfo", "myself", "status", "field", "project/search", "search/jql", "search/approximate-count",
        "changelog/bulkfetch",
    )
}  # fmt: skip
PRISM, JIRA820 = "@stoplight/prism-cli@5.16.0", "jira820==0.12.0"


def installed(name, marker, *commands):
    """The folder of a peer; the commands that install it run once, in it."""
    folder = CACHE / name
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # tests may run side by side
        if not (folder / marker).exists():
            for command in commands:
                try:
                    subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=300)
                except (OSError, subprocess.SubprocessError) as error:
                    pytest.skip(f"{name} cannot be installed here: {error}")
    return folder


@contextmanager
def running(command, url, folder, **environment):
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder, env={**os.environ, **environment})
        try:
            wait_until(lambda: process.poll() is not None or answers(url), command[0], 90)
            assert process.poll() is None, (folder / "server.log").read_text()
            yield
        finally:
            process.terminate()
            process.wait(20)


def answers(url):
    try:
        urllib.request.urlopen(url, timeout=5).close()
    except urllib.error.HTTPError as refusal:
        refusal.close()
    return True


@contextmanager
def prism(folder, specification):
    """Prism serving an OpenAPI file: it checks requests, and answers with the vendor's examples."""
    node = shutil.which("node")
    if node is None or shutil.which("npm") is None:
        pytest.skip("node and npm are not installed")
    home = installed(
        "prism", "node_modules/@stoplight/prism-cli/dist/index.js",
        ["npm", "install", "--no-audit", "--no-fund", "--prefix", ".", PRISM],
    )  # fmt: skip
    content = decoded(json.loads(specification.read_text()))
    content["paths"] = {path: item for path, item in content["paths"].items() if path in _SERVED}  # all 600 take long
    (folder / "openapi.json").write_text(json.dumps(content))
    port = free_port()
    script = home / "node_modules/@stoplight/prism-cli/dist/index.js"
    command = [node, str(script), "mock", "--host", "127.0.0.1", "--port", str(port), "openapi.json"]
    with running(command, f"http://127.0.0.1:{port}/rest/api/3/serverInfo", folder):
        yield f"http://127.0.0.1:{port}"


def decoded(value):
    """The vendor's examples are JSON written into a string, and would be answered as a string."""
    if isinstance(value, dict):
        return {k: parsed(v) if k == "example" and isinstance(v, str) else decoded(v) for k, v in value.items()}
    return [decoded(each) for each in value] if isinstance(value, list) else value


def parsed(text):
    try:
        return json.loads(text)
    except ValueError:
        return text


@contextmanager
def jira820(folder, day):
    """A stateful stand-in for Jira Data Center 8.20 that others wrote, with its own generated project JIRA820."""
    home = installed(
        "jira820", "venv/bin/jira820", [sys.executable, "-m", "venv", "venv"],
        ["venv/bin/python", "-m", "pip", "install", "--quiet", JIRA820],
    )  # fmt: skip
    url = f"http://127.0.0.1:{(port := free_port())}"
    with running(
        [str(home / "venv/bin/jira820")],
        f"{url}/rest/api/2/serverInfo",
        folder,
        JIRA820_PORT=str(port),
        JIRA820_DATE=day,
    ):
        yield url
