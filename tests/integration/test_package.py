"""The wheel: all that the service needs is in it, and nothing else."""

import importlib.util
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = ("pyproject.toml", "README.md", "LICENSE", "config.toml", "src", "plugins")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel of this checkout, built from a copy so that the checkout stays as it is."""
    folder = tmp_path_factory.mktemp("package")
    source = folder / "source"
    source.mkdir()
    for name in SHIPPED:
        origin = ROOT / name
        if origin.is_dir():
            shutil.copytree(origin, source / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(origin, source / name)
    if importlib.util.find_spec("pip"):
        command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(folder), str(source)]
    else:
        command = [shutil.which("uv"), "build", "-q", "--wheel", "-o", str(folder), str(source)]
    subprocess.run(command, check=True, capture_output=True, text=True, timeout=300)
    [built] = folder.glob("*.whl")
    return zipfile.ZipFile(built)


def below(folder):
    return [
        path.relative_to(folder)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    ]


def test_every_file_of_the_package_is_in_the_wheel(wheel):
    wanted = {f"bsc_monitor/{path}" for path in below(ROOT / "src/bsc_monitor")}
    assert wanted - set(wheel.namelist()) == set()


def test_the_bundled_collectors_come_with_it(wheel):
    wanted = {f"bsc_monitor/bundled/{path}" for path in below(ROOT / "plugins")}
    assert wanted - set(wheel.namelist()) == set()


def test_the_demo_configuration_comes_with_it_as_it_is(wheel):
    assert wheel.read("bsc_monitor/example.toml") == (ROOT / "config.toml").read_bytes()


def test_licences_come_with_it(wheel):
    names = [name for name in wheel.namelist() if "LICENSE" in name]
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)
    assert len(names) > 4  # htmx and its extension, uPlot, Inter


def test_nothing_else_is_in_the_wheel(wheel):
    tops = {name.split("/")[0] for name in wheel.namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"bsc_monitor"}


def test_the_wheel_says_what_it_needs_and_how_it_is_called(wheel):
    [metadata] = [name for name in wheel.namelist() if name.endswith("METADATA")]
    [points] = [name for name in wheel.namelist() if name.endswith("entry_points.txt")]
    assert "Requires-Python: >=3.11" in wheel.read(metadata).decode()
    assert "bsc-monitor = bsc_monitor.cli:main" in wheel.read(points).decode()
