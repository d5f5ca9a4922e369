"""``python -m grafana``: write every board's JSON to ``grafana/dashboards``; with ``--check`` only compare."""

import json
import sys
from pathlib import Path

from grafana.boards import BOARDS

FOLDER = Path(__file__).parent / "dashboards"


def rendered() -> dict[str, str]:
    """The boards' JSON by file name."""
    made = [module.make() for module in BOARDS]
    return {
        f"{each['uid']}.json": json.dumps(each, indent=2, sort_keys=True, ensure_ascii=False) + "\n" for each in made
    }


def main(folder: Path = FOLDER, *, check: bool = False) -> int:
    """Write the boards and remove what is none of them; 1 when ``check`` finds a difference."""
    wanted = rendered()
    found = {file.name: file.read_text() for file in folder.glob("*.json")}
    if check:
        stale = sorted(name for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name))
        if stale:
            sys.stderr.write(f"out of date: {', '.join(stale)}; run make grafana\n")
        return int(bool(stale))
    for name in found.keys() - wanted.keys():
        (folder / name).unlink()
    for name, text in wanted.items():
        (folder / name).write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(check="--check" in sys.argv))
