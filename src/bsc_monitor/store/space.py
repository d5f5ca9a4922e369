"""Room on the disk: noticed before it is gone, with a ballast to throw off when it is.

On a full disk SQLite can neither fold its log back into the database nor delete anything. So collecting stops while
there is still a reserve, which alerts, acknowledgements and retention live on; should others fill that too, a ballast
file beside the database is given up.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from sqlalchemy import make_url

RESERVE = 32 * 2**20  #: bytes free below which nothing is collected
BALLAST = 8 * 2**20  #: bytes
_AGAIN = 1.25  #: times the reserve must be free before collecting goes on


class Space:
    """The room where a database lies. ``database`` None: elsewhere, and looked after there."""

    def __init__(self, database: Path | None) -> None:
        self._folder = database.absolute().parent if database else None
        self._ballast = database.with_name(f"{database.name}.ballast") if database else None
        self.short = False  #: too little is free to take anything new

    @classmethod
    def of(cls, url: str) -> Space:
        """The room of a store by its address."""
        parsed = make_url(url)
        return cls(Path(str(parsed.database)) if parsed.get_backend_name() == "sqlite" else None)

    def look(self) -> bool:
        """Look how much is free, keep or give up the ballast, and say whether it is too little. Never raises."""
        if self._folder is None or self._ballast is None:
            return False
        try:
            free = shutil.disk_usage(self._folder).free
            held = self._ballast.stat().st_blocks * 512 if self._ballast.exists() else 0
        except OSError:
            return self.short  # a disk that does not even answer says nothing new
        self.short = free < RESERVE * (_AGAIN if self.short else 1)
        if free < BALLAST // 2 and held:
            self._ballast.unlink(missing_ok=True)
        elif free > RESERVE * _AGAIN + BALLAST and held < BALLAST:
            _fill(self._ballast)
        return self.short


def _fill(ballast: Path) -> None:
    try:
        file = os.open(ballast, os.O_CREAT | os.O_RDWR, 0o600)
    except OSError:
        return
    try:
        os.posix_fallocate(file, 0, BALLAST)
    except OSError:  # not on every file system: without it the reserve alone has to do
        ballast.unlink(missing_ok=True)
    finally:
        os.close(file)
