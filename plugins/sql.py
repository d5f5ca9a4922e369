"""Any database that SQLAlchemy speaks to (PostgreSQL, MySQL, SQLite, …): one SELECT, whose rows are readings.

The statement may name ``:start`` and ``:end``, the period's bounds (UTC). Its column ``value`` (or the only column) is the
reading; ``at``, ``samples``, ``numerator``, ``denominator`` and the columns that the KPI names in ``by`` may stand beside it.
It runs in a thread, on a connection of its own, inside a read-only transaction with a time limit where the database has
them (PostgreSQL, MySQL, MariaDB, SQLite; others: rolled back at the end), and is refused unless it is a single SELECT or WITH.
Still, give the source a database user that can only read.
"""

import asyncio
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator

from bsc_monitor.plugin import (
    Collector,
    CollectorError,
    Context,
    Params,
    Reading,
    ReadingState,
    Secret,
    SourceConfig,
    SourceError,
    measure,
)

if TYPE_CHECKING:  # imported where it is used: it takes long, and few configurations ask a database
    from sqlalchemy import Connection
    from sqlalchemy.exc import DBAPIError

_QUOTED = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|--[^\n]*|/\*.*?\*/|\$(\w*)\$.*?\$\1\$", re.DOTALL)
_AUTH = re.compile(r"password|authentication|access denied|role .* does not exist", re.IGNORECASE)
_LATE = re.compile(r"statement timeout|interrupted|max_statement_time|maximum statement execution time", re.IGNORECASE)


class Query(Params):
    """What to ask."""

    query: str = Field(
        description="one SELECT or WITH statement; :start and :end are the period's bounds",
        examples=["SELECT count(*) AS value FROM tickets WHERE opened >= :start AND opened < :end"],
    )

    @field_validator("query")
    @classmethod
    def _single(cls, given: str) -> str:
        bare = _QUOTED.sub(" ", given).strip().rstrip(";").strip()
        if ";" in bare:
            raise ValueError("give one statement, without ; inside")
        if not re.match(r"(?i)\(*\s*(select|with)\b", bare):
            raise ValueError("only SELECT and WITH can be asked")
        return given.strip().rstrip(";")


class Sql(Collector):
    """One database."""

    name = "sql"

    class Config(SourceConfig):
        """Where it is."""

        url: Secret = Field(
            description="SQLAlchemy URL, e.g. postgresql://bsc:…@host/db or sqlite:////var/lib/app.db",
            examples=[{"env": "DATABASE_URL"}],
        )
        row_cap: int = Field(1000, ge=1, le=20_000, description="More rows than that are an error")
        statement_timeout: float = Field(30, gt=0, description="Seconds that the statement may take")

        @field_validator("url")
        @classmethod
        def _address(cls, given: Secret) -> Secret:
            import sqlalchemy

            try:
                sqlalchemy.make_url(given.reveal())
            except (sqlalchemy.exc.ArgumentError, ValueError):
                raise ValueError("is no SQLAlchemy URL such as postgresql://user:password@host/database") from None
            return given

    config: Config

    async def check(self, ctx: Context) -> None:  # noqa: ARG002
        """Connect, and select nothing."""
        await asyncio.to_thread(self._rows, "SELECT 1", {})

    @measure(unit="", title="Query result")
    def value(self, ctx: Context, p: Query) -> list[Reading]:
        """The rows of the query. NULL and no row are "no data"; text that is a number counts as one.

        Several rows must differ in ``at`` or in the columns named in ``by``: each is a reading. NULL in such a column means
        "all" (as ROLLUP and GROUPING SETS give it): the row without any is the total.
        """
        import sqlalchemy

        names = set(sqlalchemy.text(p.query).compile().params)
        if unknown := sorted(names - {"start", "end"}):
            raise SourceError(
                f"the query names :{unknown[0]}", CollectorError.CONFIG, hint="It may name :start and :end."
            )
        rows = self._rows(p.query, {name: _bound(name, ctx) for name in names})
        readings = [self._reading(row, ctx) for row in rows]
        if len({(reading.at, *sorted(reading.labels.items())) for reading in readings}) < len(readings):
            raise SourceError(
                f"the query gives {len(readings)} rows where the KPI can tell fewer apart",
                CollectorError.CONFIG,
                hint="Aggregate in SQL, select at, or name the telling columns in by.",
            )
        return readings or [Reading(None, state=ReadingState.NO_DATA)]

    def _rows(self, query: str, bounds: dict[str, datetime]) -> list[dict[str, Any]]:
        import sqlalchemy

        try:
            with self._connected() as connection:
                given = {k: _plain(v, connection) for k, v in bounds.items()}
                result = connection.execute(sqlalchemy.text(query), given)
                found = [dict(row) for row in result.mappings().fetchmany(self.config.row_cap + 1)]
        except sqlalchemy.exc.DBAPIError as error:
            raise _failure(error) from None
        except (sqlalchemy.exc.SQLAlchemyError, ImportError) as error:
            raise SourceError(f"the database cannot be asked: {error}"[:300], CollectorError.CONFIG) from None
        if len(found) > self.config.row_cap:
            raise SourceError(
                f"the query gives more than {self.config.row_cap:,} rows",
                CollectorError.CONFIG,
                hint="Aggregate in SQL, or raise row_cap of the source.",
            )
        return found

    @contextmanager
    def _connected(self) -> "Iterator[Connection]":
        """A connection in a read-only transaction that is rolled back at the end."""
        import sqlalchemy

        url = sqlalchemy.make_url(self.config.url.reveal())
        if url.drivername in ("postgresql", "postgres"):
            url = url.set(drivername="postgresql+psycopg")
        kind = url.get_backend_name()
        if kind == "sqlite" and url.database not in (None, "", ":memory:") and not Path(str(url.database)).exists():
            raise SourceError(f"{url.database} does not exist", CollectorError.CONFIG)  # connecting would create it
        seconds = self.config.statement_timeout
        options = {"connect_timeout": max(1, round(seconds))} if kind in ("postgresql", "mysql", "mariadb") else {}
        try:
            engine = sqlalchemy.create_engine(url, poolclass=sqlalchemy.NullPool, connect_args=options)
        except (sqlalchemy.exc.NoSuchModuleError, ImportError) as error:
            raise SourceError(
                f"no driver for {url.drivername}: {error}", CollectorError.CONFIG, hint="Install its Python package."
            ) from None
        with engine.connect() as connection:
            _protect(connection, kind, seconds)
            yield connection
            connection.rollback()

    def _reading(self, row: dict[str, Any], ctx: Context) -> Reading:
        if "value" in row:
            found = row["value"]
        elif len(row) == 1:
            [found] = row.values()
        else:
            raise SourceError(
                "the query has no column value",
                CollectorError.CONFIG,
                hint=f"It has {', '.join(row)[:200]}. Write … AS value.",
            )
        missing = [name for name in ctx.by if name not in row]
        if missing:
            raise SourceError(
                f"the query has no column {missing[0]!r}", CollectorError.CONFIG, hint="The KPI names it in by."
            )
        labels = {name: str(row[name]) for name in ctx.by if row[name] is not None}
        samples = row.get("samples")
        return Reading(
            None if found is None else _number(found),
            at=_instant(row["at"], ctx) if row.get("at") is not None else None,
            labels=labels,
            samples=None if samples is None else int(_number(samples)),
            numerator=_optional(row.get("numerator")),
            denominator=_optional(row.get("denominator")),
            state=ReadingState.NO_DATA if found is None else ReadingState.OK,
        )


def _bound(name: str, ctx: Context) -> datetime:
    return ctx.window.end if name == "end" else ctx.window.start or datetime.min.replace(tzinfo=UTC)


def _protect(connection: "Connection", kind: str, seconds: float) -> None:
    """No writing, no longer than so many seconds."""
    from sqlalchemy import text

    milliseconds = round(seconds * 1000)
    if kind == "postgresql":
        connection.execute(text("SET TRANSACTION READ ONLY"))
        connection.execute(text(f"SET LOCAL statement_timeout = {milliseconds}"))
    elif kind in ("mysql", "mariadb"):
        limit = (
            f"max_statement_time = {seconds}"
            if connection.dialect.name == "mariadb"
            else f"max_execution_time = {milliseconds}"
        )
        connection.execute(text(f"SET SESSION {limit}"))
        connection.execute(text("SET SESSION TRANSACTION READ ONLY"))
        connection.commit()  # it takes hold with the next transaction
    elif kind == "sqlite":
        end = monotonic() + seconds
        connection.exec_driver_sql("PRAGMA query_only = ON")
        raw: Any = connection.connection.dbapi_connection
        raw.set_progress_handler(lambda: monotonic() > end, 10_000)


def _plain(instant: datetime, connection: "Connection") -> Any:
    """A bound as the database compares it: SQLite holds text, others take instants."""
    return f"{instant.astimezone(UTC):%Y-%m-%d %H:%M:%S}" if connection.dialect.name == "sqlite" else instant


def _failure(error: "DBAPIError") -> SourceError:
    words = str(error.orig).strip().partition("\n")[0][:300]
    if _LATE.search(words):
        return SourceError(words, CollectorError.TIMEOUT, hint="Make the query cheaper, or raise statement_timeout.")
    if _AUTH.search(words):
        return SourceError(words, CollectorError.AUTH, hint="Check user and password in the url of the source.")
    if "permission denied" in words.lower():
        return SourceError(words, CollectorError.PERMISSION, hint="Grant SELECT to the source's user.")
    away = error.connection_invalidated or re.search(r"(?i)connect|closed the|timeout expired|is locked", words)
    return SourceError(words, CollectorError.TRANSIENT if away else CollectorError.CONFIG)


def _number(found: Any) -> float:
    try:
        return float(found)
    except (TypeError, ValueError, OverflowError):
        raise SourceError(f"{str(found)[:60]!r} is no number", CollectorError.CONFIG) from None


def _optional(found: Any) -> float | None:
    return None if found is None else _number(found)


def _instant(found: Any, ctx: Context) -> datetime:
    """A date is its midnight in the scorecard's time zone; a time without zone is UTC."""
    try:
        if isinstance(found, str):
            found = datetime.fromisoformat(found)
        if isinstance(found, date) and not isinstance(found, datetime):
            found = datetime.combine(found, time(), ZoneInfo(ctx.calendar.timezone))
        moment: datetime = found if found.tzinfo else found.replace(tzinfo=UTC)
        return moment.astimezone(UTC)
    except (AttributeError, TypeError, ValueError):
        raise SourceError(f"at is {str(found)[:40]!r}, which is no time", CollectorError.CONFIG) from None
