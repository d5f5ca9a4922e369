"""How a ServiceNow instance is asked: counts and averages of the Aggregate API, records of the Table API.

The vendor silently ignores query terms and fields that it does not understand, and would answer for the whole table: every
column used is therefore asked for by name first. Records are paged by offset in ``sys_id`` order up to ``X-Total-Count``; of
a long list that was walked before, only what changed since is asked for.
"""

import sys
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any
from urllib.parse import quote

from bsc_monitor.kit.servicenow_answers import Group, Labels, Records, Row, group_of, group_value, total_of
from bsc_monitor.kit.servicenow_query import both, columns, dotted, narrowed, utc
from bsc_monitor.kit.walks import Walked, Walks
from bsc_monitor.plugin import CollectorError, Context, Reply, Secret, SourceError

_REFUSALS = {400: CollectorError.CONFIG, 403: CollectorError.PERMISSION, 404: CollectorError.CONFIG}


class ServiceNowClient:
    """Asks one instance. A token, or a user with a password; lists of more than a page are kept in memory."""

    def __init__(self, url: str, username: str, password: Secret | None, token: Secret | None, page_size: int) -> None:
        self._url = url.rstrip("/")
        basic = (username, password) if token is None and password is not None else None
        self._credentials: dict[str, Any] = {"bearer": token, "basic": basic}
        self._page_size = page_size
        self._proven: set[tuple[str, str, date]] = set()
        self._walks = Walks[Row]()

    def link(self, table: str, query: str) -> str:
        """The address at which people see the records that a query finds."""
        return f"{self._url}/{table}_list.do?sysparm_query={quote(query, safe='')}"

    async def count(self, ctx: Context, table: str, query: str) -> int:
        """How many records match."""
        await self.prove(ctx, table, query, [])
        answer, _ = await self._ask(ctx, f"stats/{table}", {"sysparm_query": query, "sysparm_count": "true"})
        return group_of(answer, query, "count", "").count

    async def groups(
        self, ctx: Context, table: str, query: str, function: str = "count", field: str = "", *, prefix: str = ""
    ) -> dict[Labels, Group]:
        """Counts (and an aggregate of a field) of all matching records, and of each value of each dimension of the run."""
        dimensions = {name: dotted(prefix, name) for name in ctx.by}
        await self.prove(ctx, table, query, [*([field] if field else []), *dimensions.values()])
        asked = {"sysparm_query": query, "sysparm_count": "true"}
        if field:
            asked[f"sysparm_{function}_fields"] = field
        total, _ = await self._ask(ctx, f"stats/{table}", asked)
        found: dict[Labels, Group] = {(): group_of(total, query, function, field)}
        for name, path in dimensions.items():
            grouped, _ = await self._ask(
                ctx, f"stats/{table}", asked | {"sysparm_group_by": path, "sysparm_display_value": "all"}
            )
            for each in grouped:
                stored, shown = group_value(each)
                shown = f"{shown} ({stored})" if ((name, shown),) in found else shown  # two groups of one name
                found[((name, shown),)] = group_of(each, narrowed(query, path, stored), function, field)
        return found

    async def records(
        self, ctx: Context, table: str, query: str, fields: list[str], *, by: bool = True, prefix: str = ""
    ) -> Records:
        """All matching records; of a long list that was walked before, only what changed since is asked for."""
        paths = [*fields, *(dotted(prefix, name) for name in ctx.by if by)]
        changed = "sys_created_on" if table == "sys_audit" else "sys_updated_on"
        await self.prove(ctx, table, query, paths)
        worth = self._page_size if await self._has(ctx, table, changed) else sys.maxsize

        async def walk(since: datetime | None) -> Walked[Row]:
            return await self._walk(ctx, table, both(f"{changed}>={utc(since)}", query) if since else query, paths)

        async def count() -> int:
            asked: dict[str, str | int] = {"sysparm_query": query, "sysparm_fields": "sys_id", "sysparm_limit": 1}
            return total_of((await self._ask(ctx, f"table/{table}", asked))[1])

        open_end = query.replace(utc(ctx.window.end), "now")  # the running period's list grows with its end
        key = (table, open_end, tuple(paths), ctx.period.start)
        found = await self._walks.get(key, ctx.now, walk, count, worth=worth)
        return Records(list(found.records.values()), max(0, found.total - len(found.records)))

    async def _walk(self, ctx: Context, table: str, query: str, paths: list[str]) -> Walked[Row]:
        """Page by page in sys_id order until X-Total-Count, short pages notwithstanding."""
        size, found, total = self._page_size, dict[str, Row](), 0
        asked: dict[str, str | int] = {
            "sysparm_query": f"{query}^ORDERBYsys_id", "sysparm_fields": ",".join(["sys_id", *paths]), "sysparm_limit": size,
            "sysparm_display_value": "all", "sysparm_exclude_reference_link": "true",
        }  # fmt: skip

        async def fetch(offset: int) -> tuple[list[Any], int | None]:
            nonlocal total
            rows, reply = await self._ask(ctx, f"table/{table}", asked | {"sysparm_offset": offset})
            total = total_of(reply)
            ctx.progress(min(offset + size, total), total)
            return rows, offset + size if offset + size < total else None

        async for page in ctx.pages(fetch, first=0):
            for row in page:
                found[row["sys_id"]["value"]] = {k: (v["value"], v["display_value"]) for k, v in row.items()}
        return Walked(found, total)

    # ---- what may be asked for

    async def prove(self, ctx: Context, table: str, query: str, paths: Iterable[str]) -> None:
        """Make sure that the instance knows every column used; it would ignore the others without a word.

        Raises SourceError(CONFIG) on a column that the user may not read.
        """
        used = {*paths, *columns(query)}
        unproven = sorted(path for path in used if (table, path, ctx.now.date()) not in self._proven)
        if not unproven:
            return
        rows, _ = await self._ask(ctx, f"table/{table}", {"sysparm_limit": 1, "sysparm_fields": ",".join(unproven)})
        if not rows:
            return  # an empty table proves nothing, and has nothing to count wrongly
        missing = [path for path in unproven if path not in rows[0]]
        if missing:
            raise SourceError(
                f"{table} has no column {', '.join(missing)} that this user may read",
                CollectorError.CONFIG,
                hint="check the KPI's query, by and field names, and the user's roles",
            )
        self._proven.update((table, path, ctx.now.date()) for path in unproven)

    async def _has(self, ctx: Context, table: str, column: str) -> bool:
        """Whether the user may read a column of a table."""
        try:
            await self.prove(ctx, table, "", [column])
        except SourceError as error:
            if error.reason is CollectorError.CONFIG:
                return False
            raise
        return True

    async def readable(self, ctx: Context, table: str) -> bool:
        """Whether the user sees any record of a table."""
        try:
            rows, _ = await self._ask(ctx, f"table/{table}", {"sysparm_limit": 1, "sysparm_fields": "sys_id"})
        except SourceError as error:
            if error.reason in (CollectorError.CONFIG, CollectorError.PERMISSION):
                return False
            raise
        return bool(rows)

    # ---- one question

    async def _ask(self, ctx: Context, path: str, params: Mapping[str, str | int]) -> tuple[Any, Reply]:
        """The ``result`` of one request. Anything but a whole JSON answer fails it."""
        reply = await ctx.http.get(
            f"{self._url}/api/now/{path}", params=params, headers={"Accept": "application/json"},
            allow=tuple(_REFUSALS), **self._credentials,
        )  # fmt: skip
        if "html" in reply.headers.get("Content-Type", ""):
            raise _no_data(asleep="hibernating" in reply.text())
        body = reply.json()
        error = body.get("error") if isinstance(body, dict) else None
        if error or reply.status in _REFUSALS:
            said = f"{error.get('message')}: {error.get('detail')}" if isinstance(error, dict) else str(error or "")
            raise SourceError(
                f"{path}: {said or f'refused with HTTP {reply.status}'}",
                _REFUSALS.get(reply.status, CollectorError.TRANSIENT),
            )
        if not isinstance(body, dict) or "result" not in body:
            raise SourceError(f"{path}: the answer has no result", CollectorError.SCHEMA)
        return body["result"], reply


def _no_data(*, asleep: bool) -> SourceError:
    """A page where data was asked for: the instance sleeps, or is somewhere else."""
    return SourceError(
        "the instance is hibernating" if asleep else "ServiceNow answered with a page in place of data",
        CollectorError.TRANSIENT if asleep else CollectorError.SCHEMA,
        hint="log in to the instance once to wake it" if asleep else "check the url: it is the instance's root",
    )
