"""Where a table of rows comes from: files in a drop folder, or a REST service that lists it page by page."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, Literal

import jmespath
from pydantic import Field, model_validator
from yarl import URL

from bsc_monitor.kit import tables
from bsc_monitor.kit.tables import SUFFIXES, Form, Row
from bsc_monitor.plugin import CollectorError, Context, Secret, SourceConfig, SourceError


class TableSource(SourceConfig):
    """Base of a configuration: a ``path`` or a ``url``, and how its tables are written."""

    path: Path | None = Field(None, description="A file, or a folder in which files are dropped", examples=["exports"])
    url: str | None = Field(None, pattern=r"^https?://", description="Base address of a REST service, instead of path")
    token: Secret | None = Field(None, description="Sent as bearer token")
    username: str | None = Field(None, description="With password, in place of token")
    password: Secret | None = None
    items: str = Field("items", description="JMESPath of the rows in an answer; @ where it is a bare list")
    next: str = Field("next", description="JMESPath of the next page's address; a Link header is followed too")
    query: dict[str, str] = Field(
        default_factory=dict, description="Query string; {start} and {end}: the period in UTC"
    )
    columns: dict[str, str] = Field(default_factory=dict, description="Our name of a column → the one in use there")
    sheet: str | None = Field(None, description="Of an XLSX file; the first by default")
    delimiter: str | None = Field(None, max_length=1, description="Of a CSV file; found out by default")
    decimal: Literal[".", ","] = Field(".", description="Decimal mark")
    encoding: str = Field("utf-8-sig", description="Of a CSV file")
    date_format: str | None = Field(None, description="e.g. %d.%m.%Y; ISO 8601 by default")

    @model_validator(mode="after")
    def _one(self) -> TableSource:
        if (self.path is None) == (self.url is None):
            raise ValueError("give path or url")
        for name in ("items", "next"):
            try:
                jmespath.compile(getattr(self, name))
            except jmespath.exceptions.JMESPathError as error:
                raise ValueError(f"{name} is no JMESPath expression: {error}") from None
        return self


async def rows(ctx: Context, source: TableSource, table: str = "") -> list[Row]:
    """All rows, under our names of the columns. Raises SourceError.

    ``table`` names one of several tables: a file or folder of that name inside ``path``, a sheet of an XLSX file, or a
    path below ``url``.
    """
    if source.url is not None:
        found = await _fetch(ctx, source, table)
    else:
        found = await asyncio.to_thread(_read, source, table)
    back = {theirs: ours for ours, theirs in source.columns.items()}
    return [{back.get(name, name): value for name, value in row.items()} for row in found] if back else found


def _read(source: TableSource, table: str) -> list[Row]:
    path, sheet = Path(source.path or ""), source.sheet
    if table and path.is_file():
        sheet = table
    elif table:
        names = (path / table, *(path / f"{table}{suffix}" for suffix in SUFFIXES))
        path = next((name for name in names if name.exists()), names[1])
    return list(tables.read(path, Form(sheet, source.delimiter, source.encoding)))


async def _fetch(ctx: Context, source: TableSource, table: str) -> list[Row]:
    start, end = (f"{at:%Y-%m-%dT%H:%M:%SZ}" for at in (ctx.window.start or ctx.now, ctx.window.end))
    first = URL(f"{str(source.url).rstrip('/')}/{table}".rstrip("/"))
    query = {name: text.replace("{start}", start).replace("{end}", end) for name, text in source.query.items()}
    basic = (source.username, source.password or Secret("")) if source.username else None
    items, following = jmespath.compile(source.items), jmespath.compile(source.next)

    async def fetch(address: str) -> tuple[list[Any], str | None]:
        reply = await ctx.http.get(address, bearer=source.token, basic=basic)
        body = reply.json()
        found = items.search(body)
        if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
            raise SourceError(f"{address}: items ({source.items!r}) finds no list of objects", CollectorError.SCHEMA)
        link = following.search(body) if isinstance(body, dict) else None
        return found, next_page(first, str(link) if link else next_link(reply.headers.get("Link", "")))

    address = str(first.update_query(query)) if query else str(first)
    return [row async for page in ctx.pages(fetch, first=address) for row in page]


def next_link(header: str) -> str | None:
    """The address that a ``Link`` header (RFC 8288) names as ``rel="next"``."""
    for part in header.split(","):
        address, _, relation = part.partition(";")
        if 'rel="next"' in relation.replace("'", '"'):
            return address.strip().strip("<>")
    return None


def next_page(base: URL, link: str | None) -> str | None:
    """The next page's full address. Raises SourceError(SCHEMA) when it is on another host: credentials stay at home."""
    if link is None:
        return None
    target = base.join(URL(link))
    if target.origin() != base.origin():
        raise SourceError(f"the next page is on another host, {target.host}", CollectorError.SCHEMA)
    return str(target)
