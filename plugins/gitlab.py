"""GitLab (gitlab.com and self-managed): deployments, incidents, merge requests and pipelines, measured as DORA defines them.

Reads the REST API v4: Deployments, Repository compare, Issues, Merge requests and their notes, Pipelines. The token needs the
scope ``read_api`` and the role Reporter. Listings are asked by change, newest first, so that what changes during a walk is seen
twice rather than never. A review is a colleague's comment or approval. Squashed or not: see ``first_commit_of_pull``.

Traps: a pipeline's list entry has neither start nor end of its own, so a build lasts from its creation to its last change;
pipelines in one project share a workflow name (``ci``).
"""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any
from urllib.parse import quote

from pydantic import Field

from bsc_monitor.kit.delivery import Build, Commit, Deliveries, Delivery, Pull, Repositories
from bsc_monitor.kit.forge import Page, answers_of
from bsc_monitor.kit.forge_source import ForgeConfig, ForgeSource, NotThere, named_commits, query_time
from bsc_monitor.plugin import Context, Reply, Secret, Window, stream

_PAGES: dict[Page, str] = {"deployments": "environments", "pulls": "merge_requests", "builds": "pipelines"}
_BUILT = {"success": "success", "failed": "failure", "canceled": "other", "skipped": "other"}


class GitLab(ForgeSource):
    """One GitLab server."""

    name, vendor = "gitlab", "GitLab"

    class Config(ForgeConfig):
        """Where it is and how to be let in."""

        url: str = Field(
            "https://gitlab.com", pattern=r"^https?://", description="root of the server", examples=["https://gitlab.example.com"],
        )  # fmt: skip
        token: Secret = Field(description="access token with scope read_api", examples=[{"env": "GITLAB_TOKEN"}])

    config: Config

    def page(self, repository: str, what: Page) -> str:
        """The project's page of environments, merge requests or pipelines."""
        return f"{self.url}/{repository}/-/{_PAGES[what]}"

    async def check(self, ctx: Context) -> None:
        """Ask who we are."""
        await self.get(ctx, f"{self.url}/api/v4/user")

    # ---- deployments and incidents

    async def deployments(
        self, ctx: Context, repository: str, scope: Deliveries, start: datetime | None
    ) -> list[Delivery]:
        """Those changed since ``start``, oldest first, each compared with the one that was live before it."""
        order = {"environment": scope.environment, "order_by": "updated_at", "sort": "desc"}
        since = {"updated_after": query_time(start)} if start else {}
        fetched = [found async for found in self.listed(ctx, repository, "deployments", **order, **since)]
        fetched.sort(key=lambda found: self.instant(found["updated_at"]))
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
            changed = self.instant(found["updated_at"])
            deliveries.append(
                Delivery(
                    key=f"{repository} deployment {found['id']}", kind="deployment", repository=repository, sha=sha,
                    at=self.instant(job.get("finished_at") or found["updated_at"]) if live else None, changed=changed,
                    text=f"{found.get('ref') or ''}\n{subject}"[:300], commits=commits,
                )
            )  # fmt: skip
            ctx.progress(number + 1, len(fetched))
        return deliveries

    async def _live_before(self, ctx: Context, repository: str, order: dict[str, str], start: datetime) -> str:
        """The commit that was live at a moment; "" where none was."""
        listed = self.listed(
            ctx, repository, "deployments", **order, status="success", updated_before=query_time(start), per_page="1"
        )
        async for found in listed:
            return str(found["sha"])
        return ""

    async def _between(
        self, ctx: Context, repository: str, base: str, head: str, *, first: bool
    ) -> tuple[Commit, ...] | None:
        """The commits of ``head`` that ``base`` lacks, merges left out; None where one of them no longer exists."""
        key = (repository, base, head)
        if key not in self.learnt:
            items = await self._compared(ctx, repository, f"from={base}&to={head}")
            own = [item for item in items or () if len(item["parent_ids"]) < 2]
            commits = tuple([await self._commit(ctx, repository, item, first=first) for item in own])
            self.learnt[key] = None if items is None else commits
        known: tuple[Commit, ...] | None = self.learnt[key]
        return known

    async def _compared(self, ctx: Context, repository: str, span: str) -> list[dict[str, Any]] | None:
        """The commits between two; None where one of the two no longer exists."""
        try:
            reply = await self.get(ctx, f"{self.address(repository)}/repository/compare?{span}")
        except NotThere:
            return None
        found: list[dict[str, Any]] = reply.json()["commits"]
        return found

    async def _commit(self, ctx: Context, repository: str, item: dict[str, Any], *, first: bool) -> Commit:
        started = None
        if first:
            path = f"repository/commits/{item['id']}/merge_requests"
            async for request in self.listed(ctx, repository, path):
                own = self.listed(ctx, repository, f"merge_requests/{request['iid']}/commits")
                started = min([self.instant(commit["authored_date"]) async for commit in own], default=None)
                break
        return Commit(sha=item["id"], authored=self.instant(item["authored_date"]), started=started)

    async def incidents(
        self, ctx: Context, repository: str, scope: Deliveries, start: datetime | None
    ) -> AsyncIterator[Delivery]:
        """Issues with the label; with an empty label, GitLab's own incidents."""
        which = {"labels": scope.incident_label} if scope.incident_label else {"issue_type": "incident"}
        since = {"updated_after": query_time(start)} if start else {}
        order = {"scope": "all", "order_by": "updated_at", "sort": "desc", "pagination": "keyset"}
        async for issue in self.listed(ctx, repository, "issues", **which, **order, **since):
            yield Delivery(
                key=f"{repository} incident {issue['iid']}", kind="incident", repository=repository,
                changed=self.instant(issue["updated_at"]), at=self.instant(issue["created_at"]),
                ended=self.instant(issue["closed_at"]) if issue.get("closed_at") else None,
                names=named_commits(f"{issue['title']} {issue.get('description') or ''}"),
            )  # fmt: skip

    # ---- merge requests and pipelines

    @stream(key="key", cursor="changed", record=Pull, overlap="1h")
    async def pulls(self, ctx: Context, scope: Repositories, window: Window) -> AsyncIterator[Pull]:
        """Merge requests with the first comment or approval by somebody else."""
        with answers_of("GitLab"):
            start = self.start(window)
            since = {"updated_after": query_time(start)} if start else {}
            order = {"scope": "all", "state": "all", "order_by": "updated_at", "sort": "desc"}
            for repository in scope.repositories:
                async for request in self.listed(ctx, repository, "merge_requests", **order, **since):
                    author = (request.get("author") or {}).get("username", "")
                    yield Pull(
                        key=f"{repository} {request['iid']}", repository=repository, author=author,
                        changed=self.instant(request["updated_at"]), target=request["target_branch"],
                        opened=self.instant(request["created_at"]),
                        merged=self.instant(request["merged_at"]) if request.get("merged_at") else None,
                        reviewed=await self._reviewed(ctx, repository, request, author),
                    )  # fmt: skip
            self.learnt.clear()

    async def _reviewed(self, ctx: Context, repository: str, request: dict[str, Any], author: str) -> datetime | None:
        key = (repository, "review", str(request["iid"]), request["updated_at"])
        if key not in self.learnt:
            self.learnt[key] = None
            path = f"merge_requests/{request['iid']}/notes"
            async for note in self.listed(ctx, repository, path, order_by="created_at", sort="asc"):
                said = not note["system"] or note["body"].startswith("approved this merge request")
                if said and note["author"]["username"] != author:
                    self.learnt[key] = self.instant(note["created_at"])
                    break
        known: datetime | None = self.learnt[key]
        return known

    @stream(key="key", cursor="changed", record=Build, overlap="1h")
    async def builds(self, ctx: Context, scope: Repositories, window: Window) -> AsyncIterator[Build]:
        """Pipelines that have ended."""
        with answers_of("GitLab"):
            start = self.start(window)
            since = {"updated_after": query_time(start)} if start else {}
            for repository in scope.repositories:
                listed = self.listed(ctx, repository, "pipelines", order_by="updated_at", sort="desc", **since)
                async for pipeline in listed:
                    if pipeline["status"] not in _BUILT:
                        continue
                    ended = self.instant(pipeline["updated_at"])
                    yield Build(
                        key=f"{repository} {pipeline['id']}", repository=repository, changed=ended, ended=ended, workflow="ci",
                        branch=pipeline["ref"], began=self.instant(pipeline["created_at"]),
                        outcome=_BUILT[pipeline["status"]],
                    )  # fmt: skip

    # ---- from questions to answers

    def address(self, repository: str) -> str:
        """Where the API has a project."""
        return f"{self.url}/api/v4/projects/{quote(repository, safe='')}"

    async def get(self, ctx: Context, address: str) -> Reply:
        """One answer."""
        reply = await ctx.http.get(address, bearer=self.config.token, allow=(404,))
        if reply.status == 404:
            raise self.not_found(address, "project")
        return reply
