"""A FOCUS export as daily sums of charges that are alike: the SQL, and what comes of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from bsc_monitor.kit.cost.money import add
from bsc_monitor.plugin import CollectorError, SourceError

Where = Mapping[str, str | list[str]]  #: dimension or column → value or values

_NAMES = {"service": "ServiceName", "account": "SubAccountName", "provider": "ProviderName", "region": "RegionName"}
_NEEDED = ("BilledCost", "EffectiveCost", "ListCost", "ContractedCost", "BillingCurrency", "ChargeCategory", "ChargePeriodStart")  # fmt: skip
_COSTS = ("BilledCost", "EffectiveCost", "ListCost", "ContractedCost")
_OPTIONAL = ("CommitmentDiscountStatus", "CommitmentDiscountId", "PricingCategory")
_MOST_GROUPS = 200_000
_CSV = """all_varchar = true, header = true, union_by_name = true, delim = ',', quote = '"', escape = '"', nullstr = ['', 'NULL']"""


@dataclass(frozen=True, slots=True)
class Row:
    """A sum of charges of one day that are alike."""

    day: date
    category: str
    status: str  #: CommitmentDiscountStatus
    committed: bool  #: has a CommitmentDiscountId
    pricing: str
    key: str  #: of the breakdown
    currency: str
    charges: int
    costs: tuple[float, ...]  #: in the order of _COSTS
    missing: tuple[int, ...]  #: charges without a usable cost of each kind


@dataclass(frozen=True, slots=True)
class Export:
    """What the files hold of a scope."""

    rows: list[Row]
    undated: int  #: charges without a usable ChargePeriodStart
    latest: date | None  #: the last day of any charge, in scope or not

    def between(self, first: date, end: date) -> Export:
        """That of the days ``[first, end)``."""
        return replace(self, rows=[row for row in self.rows if first <= row.day < end])

    def only(self, counts: Callable[[Row], bool]) -> Export:
        """That of the rows that count."""
        return replace(self, rows=[row for row in self.rows if counts(row)])

    def by_key(self) -> Iterator[tuple[str, Export]]:
        """That of each value of the breakdown; "none" of those without one."""
        groups: dict[str, list[Row]] = {}
        for row in self.rows:
            groups.setdefault(row.key or "none", []).append(row)
        return ((key, replace(self, rows=rows)) for key, rows in groups.items())

    def sum(self, name: str, counts: Callable[[Row], bool] = lambda _: True) -> dict[str, float]:
        """A cost by currency; empty of no rows."""
        sums: dict[str, float] = {}
        for row in self.rows:
            if counts(row):
                add(sums, row.currency, row.costs[_COSTS.index(name)])
        return sums

    def lacking(self, *names: str) -> int:
        """How often a charge has no usable cost of these names."""
        return sum(row.missing[_COSTS.index(name)] for row in self.rows for name in names)


def daily_sums(connection: Any, files: list[Path], where: Where, dimension: str) -> Export:
    """Ask DuckDB for daily sums of what is alike. Out-of-scope charges only tell how far the export reaches.

    Raises SourceError(SCHEMA) on files that are no FOCUS, SourceError(CONFIG) on an unknown column or one of too many values.
    """
    given: dict[str, Any] = {"files": [str(file) for file in files]}
    reader = (
        "read_parquet($files, union_by_name = true)" if files[0].suffix == ".parquet" else f"read_csv($files, {_CSV})"
    )
    described = connection.execute(f"DESCRIBE SELECT * FROM {reader}", given).fetchall()  # noqa: S608
    columns = {name: kind for name, kind, *_ in described}
    missing = [name for name in _NEEDED if name not in columns]
    if missing:
        raise SourceError(
            f"{files[0].name}: no FOCUS export, it lacks {', '.join(missing)}", CollectorError.SCHEMA,
            hint=f"It has {', '.join(columns)[:200]}.",
        )  # fmt: skip
    found = connection.execute(_question(reader, columns, where, dimension, given), given).fetchall()
    if len(found) > _MOST_GROUPS:
        raise SourceError(f"{dimension} has too many values", CollectorError.CONFIG, hint="Narrow it by where.")
    inside = [row for row in found if row[1]]
    if any(row[6] is None for row in inside):
        raise SourceError("charges without a BillingCurrency", CollectorError.SCHEMA)
    rows = [
        Row(
            day, category or "", status or "", bool(committed), pricing or "", label or "", currency, charges,
            tuple(float(cost or 0) for cost in numbers[:4]), tuple(numbers[4:]),
        )
        for day, _, category, status, pricing, label, currency, committed, charges, *numbers in inside
        if day is not None
    ]  # fmt: skip
    undated = sum(row[8] for row in inside if row[0] is None)
    return Export(rows, undated, max((row[0] for row in found if row[0] is not None), default=None))


def _question(reader: str, columns: dict[str, str], where: Where, dimension: str, given: dict[str, Any]) -> str:
    """The SQL of an export; names come quoted from the files' own header, values go into ``given``."""

    def text(name: str) -> str:
        return _column(columns, name, given)

    conditions = []
    for name, values in where.items():
        marker = f"values{len(given)}"
        given[marker] = [values] if isinstance(values, str) else values
        conditions.append(f"list_contains(${marker}, {text(name)})")
    costs = ", ".join(f'TRY_CAST("{name}" AS DECIMAL(38, 12)) AS c{number}' for number, name in enumerate(_COSTS))
    masked = [f"CASE WHEN inside THEN {name} END" for name in ("category", "status", "pricing", "key", "currency")]
    return f"""
        WITH charges AS (
            SELECT CAST(TRY_CAST("ChargePeriodStart" AS TIMESTAMP) AS DATE) AS day, {" AND ".join(conditions) or "true"} AS inside,
                {text("ChargeCategory")} AS category, {text("CommitmentDiscountStatus")} AS status,
                {text("PricingCategory")} AS pricing, {text(dimension) if dimension else "''"} AS key,
                CAST("BillingCurrency" AS VARCHAR) AS currency, {text("CommitmentDiscountId")} <> '' AS committed, {costs}
            FROM {reader}
        )
        SELECT day, inside, {", ".join(masked)}, inside AND committed, count(*), sum(c0), sum(c1), sum(c2), sum(c3),
            count(*) - count(c0), count(*) - count(c1), count(*) - count(c2), count(*) - count(c3)
        FROM charges GROUP BY ALL LIMIT {_MOST_GROUPS + 1}
    """  # noqa: S608


def _column(columns: dict[str, str], name: str, given: dict[str, Any]) -> str:
    """SQL for the text of a dimension or column, '' where it is empty. Raises SourceError(CONFIG) on an unknown one."""
    kind, _, tag = name.partition(":")
    if kind == "tag" and tag:
        if "Tags" not in columns:
            return "''"
        marker = f"tag{len(given)}"
        given[marker] = "/" + tag.replace("~", "~0").replace("/", "~1")
        tags = '"Tags"' if columns["Tags"] in ("VARCHAR", "JSON") else 'CAST(to_json("Tags") AS VARCHAR)'
        return f"coalesce(CASE WHEN json_valid({tags}) THEN json_extract_string({tags}, ${marker}) END, '')"
    column = _NAMES.get(name, name)
    if column == "SubAccountName" and column not in columns:
        column = "SubAccountId"
    if column in columns:
        quoted = column.replace('"', '""')
        return f"""coalesce(CAST("{quoted}" AS VARCHAR), '')"""
    if column in _OPTIONAL:
        return "''"
    raise SourceError(
        f"the export has no column {column!r}", CollectorError.CONFIG, hint=f"It has {', '.join(columns)[:300]}."
    )
