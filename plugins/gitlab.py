"""GitLab (gitlab.com and self-managed): deployments, incidents, merge requests and pipelines, measured as DORA defines them.

Reads the REST API v4: Deployments, Repository compare, Issues, Merge requests and their notes, Pipelines. The token needs the
scope ``read_api`` and the role Reporter. Listings are asked by change, newest first, so that what changes during a walk is seen
twice rather than never. A review is a colleague's comment or approval. Squashed or not: see ``first_commit_of_pull``.

Traps: a pipeline's list entry has neither start nor end of its own, so a build lasts from its creation to its last change;
pipelines in one project share a workflow name (``ci``).
"""

import re
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, time
from typing import Any
from urllib.parse import quote

from pydantic import Field

from bsc_monitor.kit.delivery import Build, Commit, Deliveries, Delivery, Pull, Repositories
from bsc_monitor.kit.forge import Forge, Page, answers_of
from bsc_monitor.kit.table_source import next_link
from bsc_monitor.plugin import CollectorError, Context, Reply, Secret, SourceConfig, SourceError, Window, stream

_SHA = re.compile(r"\b[0-9a-f]{7,40}\b")
_PAGES: dict[Page, str] = {"deployments": "environments", "pulls": "merge_requests", "builds": "pipelines"}
_BUILT = {"success": "success", "failed": "failure", "canceled": "other", "skipped": "other"}


class GitLab(Forge):
    """One GitLab server."""

    name = "gitlab"

    class Config(SourceConfig):
        """Where it is and how to be let in."""

        url: str = Field("https://gitlab.com", pattern=r"^https?://", description="root of the server")
        token: Secret = Field(description="access token with scope read_api")
        since: date | None = Field(None, description="nothing before this day is fetched; all by default")

    config: Config

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.url = config.url.rstrip("/")
        self._learnt: dict[tuple[str, ...], Any] = {}

    def page(self, repository: str, what: Page) -> str:
        """The project's page of environments, merge requests or pipelines."""
        return f"{self.url}/{repository}/-/{_PAGES[what]}"

    async def check(self, ctx: Context) -> None:
        """Ask who we are."""
        await self._get(ctx, f"{self.url}/api/v4/user")

    # ---- deployments and incidents

    @stream(key="key", cursor="changed", record=Delivery, overlap="1h", ids="delivery_ids")
    async def deliveries(self, ctx: Context, scope: Deliveries, window: Window) -> AsyncIterator[Delivery]:
        """Deployments to the environment with the commits that were new in them, and issues that are incidents."""
        with answers_of("GitLab"):
            for repository in scope.repositories:
                for deployment in await self._deployments(ctx, repository, scope, self._start(window)):
                    yield deployment
                async for issue in self._issues(ctx, repository, scope, self._start(window)):
                    yield issue
            self._learnt.clear()

    async def delivery_ids(self, ctx: Context, scope: Deliveries) -> AsyncIterator[str]:
        """The deployments and incidents that exist now."""
        for repository in scope.repositories:
            async for found in self._list(ctx, repository, "deployments", environment=scope.environment):
                yield f"{repository} deployment {found['id']}"
            async for issue in self._issues(ctx, repository, scope, None):
                yield issue.key

    async def _deployments(
        self, ctx: Context, repository: str, scope: Deliveries, start: datetime | None
    ) -> list[Delivery]:
        """Those changed since ``start``, oldest first, each compared with the one that was live before it."""
        order = {"environment": scope.environment, "order_by": "updated_at", "sort": "desc"}
        since = {"updated_after": _text(start)} if start else {}
        fetched = [found async for found in self._list(ctx, repository, "deployments", **order, **since)]
        fetched.sort(key=lambda found: _instant(found["updated_at"]))
        before = await self._live_before(ctx, repository, order, start) if start else ""
        deliveries, seen = [], {before}
        for number, found in enumerate(fetched):
            sha, live = found["sha"], found["status"] == "success"
            commits: tuple[Commit, ...] | None = () if sha in seen else None
            if live and before and sha not in seen:
                commits = await self._between(ctx, repository, before, sha, first=scope.first_commit_of_pull)
            if live:
                before = sha
                seen.add(sha)
            job = found.get("deployable") or {}
            subject = (job.get("commit") or {}).get("title") or ""
            changed = _instant(found["updated_at"])
            deliveries.append(
                Delivery(
                    key=f"{repository} deployment {found['id']}", kind="deployment", repository=repository, sha=sha,
                    at=_instant(job.get("finished_at") or found["updated_at"]) if live else None, changed=changed,
                    text=f"{found.get('ref') or ''}\n{subject}"[:300], commits=commits,
                )
            )  # fmt: skip
            ctx.progress(number + 1, len(fetched))
        return deliveries

    async def _live_before(self, ctx: Context, repository: str, order: dict[str, str], start: datetime) -> str:
        """The commit that was live at a moment; "" where none was."""
        listed = self._list(
            ctx, repository, "deployments", **order, status="success", updated_before=_text(start), per_page="1"
        )
        async for found in listed:
            return str(found["sha"])
        return ""

    async def _between(
        self, ctx: Context, repository: str, base: str, head: str, *, first: bool
    ) -> tuple[Commit, ...] | None:
        """The commits of ``head`` that ``base`` lacks, merges left out; None where one of them no longer exists."""
        key = (repository, base, head)
        if key not in self._learnt:
            address = f"{self._project(repository)}/repository/compare?from={base}&to={head}"
            reply = await self._get(ctx, address, missing=True)
            found = None if reply is None else reply.json()["commits"]
            self._learnt[key] = found and [
                await self._commit(ctx, repository, item, first=first) for item in found if len(item["parent_ids"]) < 2
            ]
        known = self._learnt[key]
        return None if known is None else tuple(known)

    async def _commit(self, ctx: Context, repository: str, item: dict[str, Any], *, first: bool) -> Commit:
        started = None
        if first:
            path = f"repository/commits/{item['id']}/merge_requests"
            async for request in self._list(ctx, repository, path):
                own = self._list(ctx, repository, f"merge_requests/{request['iid']}/commits")
                started = min([_instant(commit["authored_date"]) async for commit in own], default=None)
                break
        return Commit(sha=item["id"], authored=_instant(item["authored_date"]), started=started)

    async def _issues(
        self, ctx: Context, repository: str, scope: Deliveries, start: datetime | None
    ) -> AsyncIterator[Delivery]:
        """Issues with the label; with an empty label, GitLab's own incidents."""
        which = {"labels": scope.incident_label} if scope.incident_label else {"issue_type": "incident"}
        since = {"updated_after": _text(start)} if start else {}
        order = {"scope": "all", "order_by": "updated_at", "sort": "desc", "pagination": "keyset"}
        async for issue in self._list(ctx, repository, "issues", **which, **order, **since):
            yield Delivery(
                key=f"{repository} incident {issue['iid']}", kind="incident", repository=repository,
                changed=_instant(issue["updated_at"]), at=_instant(issue["created_at"]),
                ended=_instant(issue["closed_at"]) if issue.get("closed_at") else None,
                names=tuple(_SHA.findall(f"{issue['title']} {issue.get('description') or ''}")[:10]),
            )  # fmt: skip

    # ---- merge requests and pipelines

    @stream(key="key", cursor="changed", record=Pull, overlap="1h")
    async def pulls(self, ctx: Context, scope: Repositories, window: Window) -> AsyncIterator[Pull]:
        """Merge requests with the first comment or approval by somebody else."""
        with answers_of("GitLab"):
            start = self._start(window)
            since = {"updated_after": _text(start)} if start else {}
            order = {"scope": "all", "state": "all", "order_by": "updated_at", "sort": "desc"}
            for repository in scope.repositories:
                async for request in self._list(ctx, repository, "merge_requests", **order, **since):
                    author = (request.get("author") or {}).get("username", "")
                    yield Pull(
                        key=f"{repository} {request['iid']}", repository=repository, author=author,
                        changed=_instant(request["updated_at"]), target=request["target_branch"],
                        opened=_instant(request["created_at"]),
                        merged=_instant(request["merged_at"]) if request.get("merged_at") else None,
                        reviewed=await self._reviewed(ctx, repository, request, author),
                    )  # fmt: skip
            self._learnt.clear()

    async def _reviewed(self, ctx: Context, repository: str, request: dict[str, Any], author: str) -> datetime | None:
        key = (repository, "review", str(request["iid"]), request["updated_at"])
        if key not in self._learnt:
            self._learnt[key] = None
            path = f"merge_requests/{request['iid']}/notes"
            async for note in self._list(ctx, repository, path, order_by="created_at", sort="asc"):
                said = not note["system"] or note["body"].startswith("approved this merge request")
                if said and note["author"]["username"] != author:
                    self._learnt[key] = _instant(note["created_at"])
                    break
        known: datetime | None = self._learnt[key]
        return known

    @stream(key="key", cursor="changed", record=Build, overlap="1h")
    async def builds(self, ctx: Context, scope: Repositories, window: Window) -> AsyncIterator[Build]:
        """Pipelines that have ended."""
        with answers_of("GitLab"):
            start = self._start(window)
            since = {"updated_after": _text(start)} if start else {}
            for repository in scope.repositories:
                listed = self._list(ctx, repository, "pipelines", order_by="updated_at", sort="desc", **since)
                async for pipeline in listed:
                    if pipeline["status"] not in _BUILT:
                        continue
                    ended = _instant(pipeline["updated_at"])
                    yield Build(
                        key=f"{repository} {pipeline['id']}", repository=repository, changed=ended, ended=ended, workflow="ci",
                        branch=pipeline["ref"], began=_instant(pipeline["created_at"]),
                        outcome=_BUILT[pipeline["status"]],
                    )  # fmt: skip

    # ---- from questions to answers

    def _start(self, window: Window) -> datetime | None:
        since = datetime.combine(self.config.since, time(), UTC) if self.config.since else None
        return max(filter(None, (window.start, since)), default=None)

    def _project(self, repository: str) -> str:
        return f"{self.url}/api/v4/projects/{quote(repository, safe='')}"

    async def _list(self, ctx: Context, repository: str, path: str, **params: str) -> AsyncIterator[dict[str, Any]]:
        """Every item of a listing, page by page."""

        async def fetch(address: str) -> tuple[list[Any], str | None]:
            reply = await self._get(ctx, address)
            found = reply.json() if reply else None
            if reply is None or not isinstance(found, list):
                raise SourceError(f"{address}: the answer is no list", CollectorError.SCHEMA)
            link = next_link(reply.headers.get("Link", ""))
            if link and not link.startswith(f"{self.url}/"):
                raise SourceError(
                    f"{address}: the next page is on another host",
                    CollectorError.SCHEMA,
                    hint="Give url as the server itself calls it (external_url).",
                )
            return found, link

        query = "&".join(f"{name}={quote(value, safe='')}" for name, value in {"per_page": "100", **params}.items())
        async for page in ctx.pages(fetch, first=f"{self._project(repository)}/{path}?{query}"):
            for item in page:
                yield item

    async def _get(self, ctx: Context, address: str, *, missing: bool = False) -> Reply | None:
        reply = await ctx.http.get(address, bearer=self.config.token, allow=(404,))
        if reply.status != 404:
            return reply
        if missing:
            return None
        raise SourceError(
            f"{address}: not found",
            CollectorError.CONFIG,
            hint="The project does not exist, or the token has no access to it (GitLab does not say which).",
        )


def _instant(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (TypeError, ValueError):
        raise SourceError(f"{str(text)[:40]!r} is not a GitLab time", CollectorError.SCHEMA) from None


def _text(instant: datetime) -> str:
    return f"{instant:%Y-%m-%dT%H:%M:%SZ}"
