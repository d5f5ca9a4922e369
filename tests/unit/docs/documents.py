"""The documents of the project, and their code blocks."""

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
REFERENCE = ROOT / "docs/reference"
_FENCE = re.compile(r"^```(\w+)([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A fenced code block."""

    file: str
    line: int
    language: str
    info: str
    text: str

    def __str__(self):
        return f"{self.file}:{self.line}"


def documents():
    """Every Markdown file that belongs to the project, relative to its root."""
    found = [
        *ROOT.glob("*.md"),
        *ROOT.glob("docs/**/*.md"),
        *(ROOT / each for each in ("plugins/README.md", "grafana/README.md", "prometheus/RUNBOOKS.md")),
    ]
    return sorted(path.relative_to(ROOT) for path in found)


def text(path):
    return (ROOT / path).read_text("utf-8")


def blocks(*languages):
    """The code blocks in some languages, of all documents."""
    found = []
    for path in documents():
        content = text(path)
        for match in _FENCE.finditer(content):
            if match[1] in languages:
                line = content.count("\n", 0, match.start()) + 1
                found.append(Block(str(path), line, match[1], match[2].strip(), match[3]))
    return found


def committed_files():
    """Every file that is, or is about to be, in the repository; those of the tree where there is none."""
    try:
        command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
        listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return [path for path in ROOT.rglob("*") if path.is_file() and ".venv" not in path.parts]
    return [ROOT / name.decode() for name in listed.split(b"\0") if name and (ROOT / name.decode()).is_file()]
