"""Write every page of docs/reference that comes from the code; with ``--check`` only say which are out of date."""

import sys
from pathlib import Path

from scripts.docs.pages import FOLDER, PAGES


def main(arguments: list[str]) -> int:
    """Returns the exit code."""
    stale = []
    for name, make in PAGES.items():
        file, text = Path(FOLDER, name), make()
        if not file.exists() or file.read_text("utf-8") != text:
            stale.append(str(file))
            if "--check" not in arguments:
                file.write_text(text, "utf-8")
    for name in stale:
        sys.stdout.write(f"{name} {'is out of date' if '--check' in arguments else 'written'}\n")
    return 1 if stale and "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
