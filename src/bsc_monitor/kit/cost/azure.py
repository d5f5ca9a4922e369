"""Calls of Azure Cost Management: by a service principal, page by page, columns by their names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bsc_monitor.kit.cost.days import Book
from bsc_monitor.plugin import CollectorError, Context, Secret, SourceError

_VERSION = "2025-03-01"


@dataclass(frozen=True, slots=True)
class AzurePrincipal:
    """By whose leave Azure is asked, and where it logs in."""

    tenant_id: str
    client_id: str
    client_secret: Secret
    login_url: str


class AzureClient:
    """A service principal's calls about one scope; ``book`` keeps what was said."""

    def __init__(self, principal: AzurePrincipal, url: str, scope: str, book: Book) -> None:
        self._principal, self._url = principal, url.rstrip("/")
        self._token: tuple[datetime, Secret] | None = None
        self.root = f"{self._url}/{scope.strip('/')}/providers/Microsoft.CostManagement"
        self.book = book

    async def get(self, ctx: Context, path: str) -> Any:
        """The answer about one thing."""
        bearer = await self._bearer(ctx)
        return (await ctx.http.get(f"{self.root}/{path}", params={"api-version": _VERSION}, bearer=bearer)).json()

    async def rows(self, ctx: Context, what: str, asked: Mapping[str, Any]) -> list[dict[str, Any]]:
        """All rows of an answer, each by column name. Later pages come by POSTing the same body to ``nextLink``; 204 is nothing."""
        rows: list[dict[str, Any]] = []

        async def fetch(link: str | None) -> tuple[list[Any], str | None]:
            reply = await ctx.http.post(
                link or f"{self.root}/{what}?api-version={_VERSION}", json=asked, bearer=await self._bearer(ctx)
            )
            if reply.status == 204:
                return [], None
            found = reply.json()
            try:
                properties = found["properties"]
                names = [column["name"] for column in properties["columns"]]
                page = [dict(zip(names, row, strict=True)) for row in properties["rows"]]
            except (KeyError, TypeError, ValueError) as error:
                raise SourceError(
                    f"{what}: the answer has no columns and rows: {error!r}", CollectorError.SCHEMA
                ) from None
            return page, self._same_host(properties.get("nextLink"))

        async for page in ctx.pages(fetch, max_pages=1000):
            rows += page
        return rows

    def _same_host(self, link: Any) -> str | None:
        """The next page's address: the token goes nowhere else."""
        if not link:
            return None
        if not str(link).startswith(f"{self._url}/"):
            raise SourceError(f"nextLink leads to another host: {str(link)[:100]!r}", CollectorError.SCHEMA)
        return str(link)

    async def _bearer(self, ctx: Context) -> Secret:
        """An access token, asked for again five minutes before it ends."""
        if self._token is None or ctx.now >= self._token[0]:
            principal = self._principal
            reply = await ctx.http.post(
                f"{principal.login_url.rstrip('/')}/{principal.tenant_id}/oauth2/v2.0/token",
                data={
                    "grant_type": "client_credentials", "client_id": principal.client_id,
                    "client_secret": principal.client_secret.reveal(), "scope": "https://management.azure.com/.default",
                },
            )  # fmt: skip
            found = reply.json()
            try:
                lasts = timedelta(seconds=max(0, int(found["expires_in"]) - 300))
                self._token = (ctx.now + lasts, Secret(found["access_token"]))
            except (KeyError, TypeError, ValueError):
                raise SourceError("the login gave no access token", CollectorError.SCHEMA) from None
        return self._token[1]
