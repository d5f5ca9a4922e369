"""Building the wheel of this checkout."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def build(folder, **environment):
    """The wheel as an archive, built in ``folder``."""
    environment = {**os.environ, "PYTHON": sys.executable, **environment}
    command = [ROOT / "scripts" / "wheel", folder]
    subprocess.run(command, env=environment, check=True, capture_output=True, text=True, timeout=600)
    [built] = folder.glob("*.whl")
    return zipfile.ZipFile(built)
