"""A plugin that comes as a package: built as a real wheel, installed beside, found by its entry point, run isolated."""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.servers import wait_until
from tests.service_process import running

PROJECT = """
[build-system]
requires = ["hatchling>=1.27"]
build-backend = "hatchling.build"
[project]
name = "bsc-whereabouts"
version = "1.2"
[project.entry-points.bsc_monitor]
whereabouts = "bsc_whereabouts"
[tool.hatch.build.targets.wheel]
packages = ["bsc_whereabouts"]
"""
CODE = '''
"""Where a plugin runs."""

import os

from bsc_monitor.plugin import Collector, Reading, measure


class Whereabouts(Collector):
    """The process itself."""

    name = "whereabouts"

    @measure(unit="count", title="Process")
    async def process(self, ctx) -> Reading:
        """The number of the process that this runs in."""
        return Reading(os.getpid(), note="|".join(sorted(os.environ)))
'''
CONFIG = """
[service]
listen = "127.0.0.1:{port}"
database = "sqlite:///bsc.db"
[sources.here]
plugin = "whereabouts"
every = "1m"
[scorecards.it]
title = "IT"
[objectives.o]
scorecard = "it"
perspective = "internal_process"
title = "O"
[kpis.process]
objective = "o"
source = "here"
measure = "process"
period = "day"
"""


def pip(*arguments):
    """pip, or uv where the environment was made by it."""
    if importlib.util.find_spec("pip"):
        command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "-q", *arguments]
    else:
        command = [shutil.which("uv"), "pip", *arguments]
    subprocess.run(command, check=True, capture_output=True, text=True, timeout=300)


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The folder that the wheel was installed into."""
    folder = tmp_path_factory.mktemp("wheel")
    package = folder / "source" / "bsc_whereabouts"
    package.mkdir(parents=True)
    (package.parent / "pyproject.toml").write_text(PROJECT)
    (package / "__init__.py").write_text(CODE)
    if importlib.util.find_spec("pip"):
        pip("wheel", "--no-deps", "-w", str(folder), str(package.parent))
    else:
        subprocess.run([shutil.which("uv"), "build", "-q", "--wheel", "-o", folder, package.parent], check=True)
    [wheel] = folder.glob("*.whl")
    pip("install", "--no-deps", "--target", str(folder / "site"), str(wheel))
    return folder / "site"


def test_an_installed_plugin_is_listed_with_the_package_it_comes_from(installed):
    ran = subprocess.run(
        [sys.executable, "-m", "bsc_monitor", "plugin", "list", "--json"], capture_output=True, text=True, timeout=120,
        env={**os.environ, "PYTHONPATH": str(installed)},
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    [found] = [each for each in json.loads(ran.stdout)["collectors"] if each["name"] == "whereabouts"]
    assert (found["origin"], found["bundled"]) == ("entry point whereabouts (bsc-whereabouts)", False)


def test_an_installed_plugin_runs_in_a_process_of_its_own(installed, tmp_path):
    environment = {"PYTHONPATH": str(installed), "SOME_SECRET": "of another"}
    with running(tmp_path, CONFIG, environment=environment) as service:
        values = wait_until(lambda: service.metrics("bsc_kpi_value"), "a value", 60)
        [pid] = map(int, values.values())
        assert pid != service.process.pid
        stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        assert int(stat[1]) == service.process.pid, "a child of the service"
        [reading] = service.json("/api/v1/kpis/it/process/readings")["items"][:1]
        assert "SOME_SECRET" not in reading["note"]
        service.stop()
        wait_until(lambda: not Path(f"/proc/{pid}").exists(), "the worker ended with the service")
