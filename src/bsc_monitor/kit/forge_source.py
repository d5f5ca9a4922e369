"""How a forge's REST API is read: lists by their ``Link`` headers, and what was learnt kept until a walk succeeds."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, time
from typing import Any, ClassVar
from urllib.parse import quote

from pydantic import Field

from bsc_monitor.kit.delivery import Deliveries, Delivery
from bsc_monitor.kit.forge import Forge, answers_of
from bsc_monitor.kit.table_source import next_link
from bsc_monitor.plugin import CollectorError, Context, Reply, SourceConfig, SourceError, Window, stream

_SHA = re.compile(r"\b[0-9a-f]{7,40}\b")
_MOST_NAMED = 10  #: commits that one incident may name


class NotThere(SourceError):  # noqa: N818 - names what happened
    """The forge does not have what was asked for, or not for this token."""


class ForgeConfig(SourceConfig):
    """Base of a forge's configuration: ``url`` and ``token`` are its own."""

    url: str
    since: date | None = Field(None, description="nothing before this day is fetched; all by default")


class ForgeSource(Forge):
    """Base of a collector that reads a forge's REST API. A vendor says how it lists deployments and incidents.

    What was learnt of one of them is remembered until a walk over all succeeds, so that a first fetch larger than the
    vendor's rate limit goes on where it stopped.
    """

    vendor: ClassVar[str]  #: its name, for people
    config: ForgeConfig

    def __init__(self, config: ForgeConfig) -> None:
        super().__init__(config)
        self.url = config.url.rstrip("/")
        self.learnt: dict[tuple[str, ...], Any] = {}

    async def get(self, ctx: Context, address: str) -> Reply:
        """One answer. Raises SourceError, and ``NotThere`` on a 404."""
        raise NotImplementedError

    async def deployments(
        self, ctx: Context, repository: str, scope: Deliveries, start: datetime | None
    ) -> list[Delivery]:
        """The deployments of a repository since ``start``, oldest first."""
        raise NotImplementedError

    def incidents(
        self, ctx: Context, repository: str, scope: Deliveries, start: datetime | None
    ) -> AsyncIterator[Delivery]:
        """The issues that are incidents, changed since ``start``."""
        raise NotImplementedError

    def address(self, repository: str) -> str:
        """Where the API has a repository."""
        raise NotImplementedError

    @stream(key="key", cursor="changed", record=Delivery, overlap="1h", ids="delivery_ids")
    async def deliveries(self, ctx: Context, scope: Deliveries, window: Window) -> AsyncIterator[Delivery]:
        """Deployments to the environment with the commits that were new in them, and issues that are incidents."""
        with answers_of(self.vendor):
            start = self.start(window)
            for repository in scope.repositories:
                for deployment in await self.deployments(ctx, repository, scope, start):
                    yield deployment
                async for incident in self.incidents(ctx, repository, scope, start):
                    yield incident
            self.learnt.clear()

    async def delivery_ids(self, ctx: Context, scope: Deliveries) -> AsyncIterator[str]:
        """The deployments and incidents that exist now."""
        for repository in scope.repositories:
            async for found in self.listed(ctx, repository, "deployments", environment=scope.environment):
                yield f"{repository} deployment {found['id']}"
            async for incident in self.incidents(ctx, repository, scope, None):
                yield incident.key

    def start(self, window: Window) -> datetime | None:
        """From when on: the window's start, or the configuration's; None: all."""
        since = datetime.combine(self.config.since, time(), UTC) if self.config.since else None
        return max(filter(None, (window.start, since)), default=None)

    async def listed(
        self, ctx: Context, repository: str, path: str, items: str = "", **params: str
    ) -> AsyncIterator[dict[str, Any]]:
        """Every item of a listing of a repository, page by page; ``items``: the field that holds them."""
        query = "&".join(f"{name}={quote(value, safe='')}" for name, value in {"per_page": "100", **params}.items())
        async for page in self.pages(ctx, f"{self.address(repository)}/{path}?{query}", items):
            for item in page:
                yield item

    def pages(self, ctx: Context, address: str, items: str = "") -> AsyncIterator[list[Any]]:
        """Pages from an address on, as their ``Link`` headers lead. Raises SourceError(SCHEMA) when one leads elsewhere."""

        async def fetch(address: str) -> tuple[list[Any], str | None]:
            reply = await self.get(ctx, address)
            body = reply.json()
            found = body.get(items) if items and isinstance(body, dict) else body
            if not isinstance(found, list):
                raise SourceError(f"{address}: the answer is no list", CollectorError.SCHEMA)
            link = next_link(reply.headers.get("Link", ""))
            if link and not link.startswith(f"{self.url}/"):
                raise SourceError(
                    f"{address}: the next page is on another host", CollectorError.SCHEMA,
                    hint="Give url as the server itself calls it.",
                )  # fmt: skip
            return found, link

        return ctx.pages(fetch, first=address)

    def instant(self, text: str) -> datetime:
        """A time of the vendor's. Raises SourceError(SCHEMA)."""
        try:
            return datetime.fromisoformat(text).astimezone(UTC)
        except (TypeError, ValueError):
            raise SourceError(f"{str(text)[:40]!r} is not a {self.vendor} time", CollectorError.SCHEMA) from None

    def not_found(self, address: str, what: str) -> NotThere:
        """What a 404 means of a repository, a project."""
        return NotThere(
            f"{address}: not found", CollectorError.CONFIG,
            hint=f"The {what} does not exist, or the token has no access to it ({self.vendor} does not say which).",
        )  # fmt: skip


def query_time(instant: datetime) -> str:
    """A time as forges take it in a query."""
    return f"{instant:%Y-%m-%dT%H:%M:%SZ}"


def named_commits(words: str) -> tuple[str, ...]:
    """The commits that a text names."""
    return tuple(_SHA.findall(words)[:_MOST_NAMED])
