"""Scoring in machine code: ``scoring`` and ``judging`` on the compiled wheel: ``python -m benchmarks.compiled``."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.wheel import build


def main():
    """Build the wheel, which takes two minutes, and measure it."""
    if shutil.which("cc") is None:
        print("no C compiler here")
        return
    with tempfile.TemporaryDirectory() as folder:
        build(Path(folder), HATCH_BUILD_HOOKS_ENABLE="1").extractall(f"{folder}/compiled")
        environment = {**os.environ, "PYTHONPATH": f"{folder}/compiled"}
        for name in ("scoring", "judging"):
            subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], env=environment, check=True)


if __name__ == "__main__":
    main()
