"""Building the wheel of this checkout."""

import importlib.util
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SHIPPED = ("pyproject.toml", "README.md", "LICENSE", "config.toml", "src", "plugins")


def build(folder, **environment):
    """A wheel built from a copy, so that the checkout stays as it is."""
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
    subprocess.run(command, check=True, capture_output=True, text=True, timeout=600, env={**os.environ, **environment})
    [built] = folder.glob("*.whl")
    return zipfile.ZipFile(built)
