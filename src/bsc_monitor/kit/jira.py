"""How a Jira is asked: first who we are, then searches with changelogs and lists; Cloud by REST v3, Data Center by v2.

A search with wrong credentials can answer 200 and nothing, so every run asks first who it is. Lists go by token on Cloud and by
offset on Data Center; changelogs come many issues at a time on Cloud, with each issue on Data Center, and cut off on both.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import timedelta
from typing import Any, Literal, NamedTuple
from urllib.parse import quote
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from bsc_monitor.kit.issues import Change, expect, shown, told, values_of
from bsc_monitor.kit.jira_query import valued
from bsc_monitor.kit.jira_site import Site
from bsc_monitor.plugin import CollectorError, Context, Secret, SourceError

_PAGE, _IDS_PAGE, _BULK = 100, 5000, 1000  # as the vendor caps them
_KNOWN_FOR = timedelta(minutes=1)  # who we are, statuses and fields are asked again after this


class Values(NamedTuple):
    """Values of a field of some issues, and the JQL of those issues; without labels: of all."""

    labels: dict[str, str]
    jql: str
    values: list[float]


class JiraClient:
    """Asks one Jira. ``user`` empty: the token is a personal access token; ``deployment`` None: the site is asked what it is."""

    def __init__(
        self, url: str, user: str, token: Secret, deployment: Literal["cloud", "server"] | None, points_field: str
    ) -> None:
        self._url = url.rstrip("/")
        self._credentials: dict[str, Any] = {"basic": (user, token)} if user else {"bearer": token}
        self._deployment, self._points_field = deployment, points_field
        self._known: Site | None = None

    @property
    def cloud(self) -> bool:
        """Whether it was Cloud when it was last asked; Cloud before that."""
        return self._known is None or self._known.cloud

    def link(self, jql: str) -> str:
        """The address at which people see what JQL finds."""
        return f"{self._url}/issues/?jql={quote(jql, safe='')}"

    # ---- who we are

    async def check(self, ctx: Context) -> None:
        """Say who we are, then see at least one project. Raises SourceError(PERMISSION) when there is none."""
        site = await self.site(ctx)
        path = f"{site.api}/project/search" if site.cloud else f"{site.api}/project"
        found = await self._ask(ctx, path, params={"maxResults": 1} if site.cloud else {})
        if not (found.get("values") if isinstance(found, dict) else found):
            raise SourceError(
                "the user may browse no project",
                CollectorError.PERMISSION,
                hint="give the user the permission Browse projects",
            )

    async def site(self, ctx: Context) -> Site:
        """Who we are, and what this site has: wrong credentials are refused here, before any search could answer nothing."""
        if self._known is not None and timedelta(0) <= ctx.now - self._known.at < _KNOWN_FOR:
            return self._known
        cloud = self._deployment == "cloud"
        if self._deployment is None:
            info = await self._ask(ctx, "api/2/serverInfo")
            cloud = isinstance(info, dict) and info.get("deploymentType") == "Cloud"
        api = "api/3" if cloud else "api/2"
        me = await self._ask(ctx, f"{api}/myself")
        if not isinstance(me, dict) or not (me.get("accountId") or me.get("name") or me.get("key")):
            raise SourceError(
                "Jira does not say who we are",
                CollectorError.SCHEMA,
                hint="check the url of the source: it is the site's root",
            )
        statuses = {
            str(status["id"]): (shown(status, "name"), shown(status.get("statusCategory"), "key"))
            for status in await self._ask(ctx, f"{api}/status")
        }
        fields = await self._ask(ctx, f"{api}/field")
        self._known = Site(ctx.now, cloud, api, _zone(me.get("timeZone")), statuses, fields, self._points_field)
        return self._known

    # ---- issues

    async def search(
        self, ctx: Context, site: Site, jql: str, fields: Sequence[str], *, changelog: bool = False
    ) -> AsyncIterator[list[dict[str, Any]]]:
        """Pages of a search: by token on Cloud, where a short page is not the end; by offset on Data Center."""
        size = _IDS_PAGE if list(fields) == ["id"] else _PAGE
        asked: dict[str, Any] = {"jql": jql, "fields": list(fields), "maxResults": size}
        total = 0

        async def by_token(token: str | None) -> tuple[list[Any], str | None]:
            more = {"nextPageToken": token} if token else {}
            body = await self._ask(ctx, f"{site.api}/search/jql", body=asked | more)
            return expect(body, "issues", list), None if body.get("isLast") is True else body.get("nextPageToken")

        async def by_offset(start: int) -> tuple[list[Any], int | None]:
            nonlocal total
            more = {"expand": "changelog"} if changelog else {}
            params = asked | {"fields": ",".join(fields), "startAt": start} | more
            body = await self._ask(ctx, f"{site.api}/search", params=params)
            found, before = expect(body, "issues", list), total
            total = expect(body, "total", int)
            ctx.progress(min(start + len(found), total), total)
            following = start + len(found) - max(0, before - total)  # step back over what left the result meanwhile
            return found, following if found and following < total else None

        pages = ctx.pages(by_token) if site.cloud else ctx.pages(by_offset, first=0)
        async for page in pages:
            yield page

    async def histories(
        self, ctx: Context, site: Site, jql: str, fields: Sequence[str], followed: Sequence[str]
    ) -> AsyncIterator[tuple[dict[str, Any], list[Change]]]:
        """Issues of a search, each with the changes of the ``followed`` ones of its fields, oldest first."""
        async for page in self.search(ctx, site, jql, fields, changelog=True):
            changes = await self._changes(ctx, site, page, followed)
            for raw in page:
                yield raw, changes[raw["id"]]

    async def count(self, ctx: Context, site: Site, jql: str) -> int:
        """How many issues there are; on Cloud the vendor's estimate."""
        total: int
        if site.cloud:
            body = await self._ask(ctx, f"{site.api}/search/approximate-count", body={"jql": jql})
            total = expect(body, "count", int)
        else:
            body = await self._ask(ctx, f"{site.api}/search", params={"jql": jql, "maxResults": 0})
            total = expect(body, "total", int)
        return total

    async def values(self, ctx: Context, site: Site, jql: str, number: str | None = None) -> list[Values]:
        """Values of a field (1 where none is asked) of all issues, and of those of each value of each dimension of the run.

        Raises SourceError(CONFIG) on a dimension that is no field, and on a field that holds no numbers.
        """
        ids = {name: site.field(name) for name in ctx.by}
        groups: dict[tuple[str, str], list[float]] = {}
        every: list[float] = []
        async for page in self.search(ctx, site, jql, [*([number] if number else []), *ids.values()] or ["id"]):
            for raw in page:
                fields = raw.get("fields") or {}
                value = _value(fields, number)
                if value is None:
                    continue
                every.append(value)
                for name, field_id in ids.items():
                    for label in values_of(fields.get(field_id)):
                        groups.setdefault((name, label), []).append(value)
        parts = [Values({name: label}, valued(jql, name, label), values) for (name, label), values in groups.items()]
        return [Values({}, jql, every), *parts]

    # ---- their changelogs

    async def _changes(
        self, ctx: Context, site: Site, page: Sequence[Mapping[str, Any]], followed: Sequence[str]
    ) -> dict[str, list[Change]]:
        """Changes of some fields of a page's issues, oldest first: one request for many issues on Cloud."""
        names = site.field_ids()
        found: dict[str, list[Change]] = {str(raw["id"]): [] for raw in page}
        logs = self._bulk(ctx, site, list(found), followed) if site.cloud else self._expanded(ctx, site, page)
        async for key, histories in logs:
            found.setdefault(key, []).extend(told(histories, names, set(followed)))
        for changes in found.values():
            changes.sort(key=lambda change: (change.at, change.order))
        return found

    async def _bulk(
        self, ctx: Context, site: Site, ids: list[str], followed: Sequence[str]
    ) -> AsyncIterator[tuple[str, list[Any]]]:
        """Cloud: changelogs of many issues, some split over two pages."""
        asked = {"issueIdsOrKeys": ids, "fieldIds": list(followed), "maxResults": _BULK}

        async def fetch(token: str | None) -> tuple[list[Any], str | None]:
            more = {"nextPageToken": token} if token else {}
            body = await self._ask(ctx, f"{site.api}/changelog/bulkfetch", body=asked | more)
            return expect(body, "issueChangeLogs", list), body.get("nextPageToken")

        if ids:
            async for logs in ctx.pages(fetch):
                for log in logs:
                    yield str(log["issueId"]), log.get("changeHistories") or []

    async def _expanded(
        self, ctx: Context, site: Site, page: Sequence[Mapping[str, Any]]
    ) -> AsyncIterator[tuple[str, list[Any]]]:
        """Data Center: the changelog came with the issue; where it is cut off or missing the issue is asked for it."""
        for raw in page:
            log = raw.get("changelog")
            if log is None or len(log.get("histories") or []) < int(log.get("total") or 0):
                params = {"expand": "changelog", "fields": "id"}
                log = (await self._ask(ctx, f"{site.api}/issue/{raw['key']}", params=params)).get("changelog") or {}
            yield str(raw["id"]), log.get("histories") or []

    # ---- one question

    async def listed(self, ctx: Context, path: str, params: Mapping[str, str | int]) -> list[dict[str, Any]]:
        """All of an agile list."""

        async def fetch(start: int) -> tuple[list[Any], int | None]:
            body = await self._ask(ctx, f"agile/1.0/{path}", params={**params, "startAt": start, "maxResults": 50})
            found = expect(body, "values", list)
            return found, start + len(found) if found and body.get("isLast") is False else None

        return [each async for page in ctx.pages(fetch, first=0) for each in page]

    async def _ask(
        self, ctx: Context, path: str, *, body: Mapping[str, Any] | None = None,
        params: Mapping[str, str | int] | None = None,
    ) -> Any:  # fmt: skip
        """One answer. What Jira says of a 400 or 404 is quoted."""
        url, how = f"{self._url}/rest/{path}", self._credentials
        if body is None:
            reply = await ctx.http.get(url, params=params, allow=(400, 404), **how)
        else:
            reply = await ctx.http.post(url, json=body, allow=(400, 404), **how)
        answer = reply.json()
        if reply.status in (400, 404):
            raise _refused(path, reply.status, answer, (body or params or {}).get("jql"))
        return answer


def _value(fields: Mapping[str, Any], number: str | None) -> float | None:
    """The value of a numeric field; None where it is empty. Raises SourceError(CONFIG) on anything else."""
    value = 1.0 if number is None else fields.get(number)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise SourceError(f"the field {number} holds {str(value)[:40]!r}, not a number", CollectorError.CONFIG)
    return float(value)


def _refused(path: str, status: int, answer: Any, jql: Any) -> SourceError:
    """What Jira says is wrong, with the JQL it is about."""
    said: list[str] = []
    if isinstance(answer, dict):
        errors = answer.get("errors")
        said = [
            *map(str, answer.get("errorMessages") or []),
            *map(str, (errors if isinstance(errors, dict) else {}).values()),
        ]
        said = said or [str(answer["message"])] if answer.get("message") else said
    words = "; ".join(said) or "no reason given"
    if jql:
        hint = "try the JQL in Jira's own search with the source's user: what it may not browse does not exist for it"
        return SourceError(f"Jira refuses the JQL {jql}: {words}", CollectorError.CONFIG, hint=hint)
    hint = "check the url of the source: it is the site's root" if status == 404 else ""
    return SourceError(f"{path}: {words}", CollectorError.CONFIG, hint=hint)


def _zone(name: Any) -> ZoneInfo:
    """A user's time zone. Raises SourceError(SCHEMA)."""
    try:
        return ZoneInfo(str(name or "UTC"))
    except (ZoneInfoNotFoundError, ValueError):
        raise SourceError(f"the user's time zone {str(name)[:40]!r} is unknown here", CollectorError.SCHEMA) from None
