"""The files of a FOCUS export, read by DuckDB in bounded memory, and again only when one changes."""

from __future__ import annotations

import json
import tempfile
import threading
from collections import OrderedDict
from pathlib import Path
from typing import Any

from bsc_monitor.kit.cost.focus_query import Export, Where, daily_sums
from bsc_monitor.plugin import CollectorError, SourceError

_KEPT = 32  # readings of the files, one for each scope and dimension
_SUFFIXES = (".csv", ".csv.gz", ".parquet")


class FocusTable:
    """One export: a file, a folder of files, or a pattern. Reading may take ``memory`` ("512MB"); the rest goes to disk."""

    def __init__(self, path: Path, memory: str) -> None:
        self._path, self._memory = path, memory
        self._kept: OrderedDict[tuple[Any, ...], Export] = OrderedDict()
        self._busy = threading.Lock()

    def files(self) -> list[Path]:
        """The files of the export, all of one format. Raises SourceError(CONFIG) where there are none."""
        path = self._path
        if path.is_file():
            return [path]
        pattern = path.name if not path.is_dir() else "**/*"
        folder = path if path.is_dir() else path.parent
        found = sorted(file for file in folder.glob(pattern) if file.is_file() and file.name.endswith(_SUFFIXES))
        if not found:
            raise SourceError(f"{path}: no .csv, .csv.gz or .parquet file is there", CollectorError.CONFIG)
        if len({file.suffix == ".parquet" for file in found}) > 1:
            raise SourceError(
                f"{path}: CSV and Parquet files together: is one a copy of the other?", CollectorError.CONFIG
            )
        return found

    def read(self, where: Where, dimension: str) -> Export:
        """Daily sums of all charges in scope, read once per state of the files; one reading at a time. Raises SourceError."""
        files = self.files()
        stamp = tuple((str(file), (known := file.stat()).st_mtime_ns, known.st_size) for file in files)
        key = (stamp, dimension, json.dumps(where))
        with self._busy:
            if key not in self._kept:
                self._kept[key] = self._read(files, where, dimension)
                while len(self._kept) > _KEPT:
                    self._kept.popitem(last=False)
            self._kept.move_to_end(key)
            return self._kept[key]

    def _read(self, files: list[Path], where: Where, dimension: str) -> Export:
        try:
            import duckdb
        except ImportError:
            raise SourceError("reading FOCUS needs duckdb", CollectorError.CONFIG, hint="Install bsc-monitor[focus].") from None  # fmt: skip
        with tempfile.TemporaryDirectory(prefix="bsc-focus-") as folder:
            settings: dict[str, Any] = {
                "memory_limit": self._memory, "threads": 2, "temp_directory": folder,
                "preserve_insertion_order": False, "autoinstall_known_extensions": False,
            }  # fmt: skip
            try:
                with duckdb.connect(config=settings) as connection:
                    return daily_sums(connection, files, where, dimension)
            except duckdb.OutOfMemoryException:
                raise SourceError(
                    f"{self._path}: reading needs more than {self._memory}", CollectorError.CONFIG,
                    hint="Raise memory of the source, or break down by fewer values.",
                ) from None  # fmt: skip
            except duckdb.Error as error:
                words = " ".join(str(error).split())[:300]
                raise SourceError(f"{self._path} is no readable export: {words}", CollectorError.SCHEMA) from None
