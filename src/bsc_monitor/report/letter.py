"""A report ready to be sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bsc_monitor.report.data import ReportData


@dataclass(frozen=True, slots=True)
class Letter:
    """What every channel makes its message of."""

    key: str  #: the same at every attempt
    data: ReportData
    files: Mapping[str, bytes]  #: by name
    link: str  #: to it on the board; empty where nobody can follow one
    board: str
    title: str = ""  #: what the report is called; empty: as its scorecard
