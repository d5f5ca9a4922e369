"""References: from what people write (``mttr``, ``it/mttr``) to full names."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from bsc_monitor.config.notes import Notes
from bsc_monitor.config.positions import Path
from bsc_monitor.config.problems import near

_KINDS = {"objectives": "objective", "kpis": "KPI"}


class Names:
    """The full names of objectives and KPIs. A short id is enough inside its scorecard, and wherever it is unique."""

    def __init__(self, notes: Notes) -> None:
        self._notes = notes
        self._short: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
        self._full: dict[str, dict[str, Path]] = defaultdict(dict)
        self._lost: dict[str, set[str]] = defaultdict(set)

    def add(self, kind: str, scorecard: str, short: str, path: Path) -> str | None:
        """Take in a thing; None (and an error) when its full name is taken."""
        name = f"{scorecard}/{short}"
        if (other := self._full[kind].get(name)) is not None:
            self._notes.error(path, f"{name} is already defined in {self._notes.place(other)}", "give it another id")
            return None
        self._full[kind][name] = path
        self._short[kind][short].append(name)
        return name

    def lose(self, kind: str, ids: Iterable[str]) -> None:
        """These things have mistakes of their own: that they are missing is no second mistake."""
        self._lost[kind].update(name.rpartition("/")[2] for name in ids)

    def candidates(self, kind: str, short: str, scorecard: str | None) -> list[str]:
        """The full names that a short id may mean: that of the own scorecard, else all."""
        names = self._short[kind].get(short, [])
        own = f"{scorecard}/{short}"
        return [own] if own in names else names

    def is_lost(self, kind: str, reference: str) -> bool:
        """Whether a reference means a thing that has mistakes of its own."""
        return reference.rpartition("/")[2] in self._lost[kind]

    def find(self, kinds: tuple[str, ...], reference: str, scorecard: str | None, path: Path) -> tuple[str, str] | None:
        """Kind and full name of what ``reference`` means, seen from a scorecard; None when it is an error, or lost."""
        for kind in kinds:
            if reference in self._full[kind]:
                return kind, reference
            if "/" not in reference and (names := self.candidates(kind, reference, scorecard)):
                if len(names) == 1:
                    return kind, names[0]
                shown = ", ".join(sorted(names)[:4]) + (", …" if len(names) > 4 else "")
                self._notes.error(path, f"{reference!r} may be {shown}", "write scorecard/id")
                return None
        if not any(self.is_lost(kind, reference) for kind in kinds):
            self._report(kinds, reference, path)
        return None

    def _report(self, kinds: tuple[str, ...], reference: str, path: Path) -> None:
        known = [name for kind in kinds for name in (self._full[kind] if "/" in reference else self._short[kind])]
        what = " or ".join(_KINDS[kind] for kind in kinds)
        self._notes.error(path, f"there is no {what} {reference!r}", near(reference, known))
