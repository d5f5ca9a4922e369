"""The wheel: all that the service needs is in it, and nothing else."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.wheel import build

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel of this checkout."""
    return build(tmp_path_factory.mktemp("package"))


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


SCORES = """
import random
from bsc_monitor.model.organisation import Thresholds
from bsc_monitor.score.curve import threshold_curve
chance = random.Random(1)
for _ in range(20_000):
    worst, red, target, best = sorted(chance.uniform(-1e3, 1e3) for _ in range(4))
    curve = threshold_curve(Thresholds(target, red, worst=worst, best=best), "higher")
    print(curve.judge(chance.uniform(worst, best))[0].hex())
"""


def test_compiled_scoring_gives_the_same_bits_and_passes_every_test_of_scoring(tmp_path, soak):
    if not soak:
        pytest.skip("built in the soak only: it takes two minutes")
    if shutil.which("cc") is None:
        pytest.skip("no C compiler here")
    fused = {"CFLAGS": "-mfma"} if " fma " in Path("/proc/cpuinfo").read_text() else {}  # it must not be made use of
    build(tmp_path, HATCH_BUILD_HOOKS_ENABLE="1", **fused).extractall(tmp_path / "compiled")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "compiled")}

    def said(code, env):
        command = [sys.executable, "-c", code]
        return subprocess.run(command, env=env, cwd=tmp_path, check=True, capture_output=True, text=True).stdout

    assert said(SCORES, environment) == said(SCORES, os.environ)
    tree = said("import bsc_monitor.score.tree as tree; print(tree.__file__)", environment)
    assert tree.startswith(str(tmp_path))
    assert tree.strip().endswith(".so")

    tests = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/unit/score"]
    run = subprocess.run(tests, env=environment, cwd=ROOT, check=False, capture_output=True, text=True, timeout=900)

    assert run.returncode == 0, run.stdout[-3000:]
