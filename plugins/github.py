"""GitHub (github.com and Enterprise Server): deployments, incidents, pull requests and builds, measured as DORA defines them.

Reads the Deployments, Issues, Pulls and Actions APIs (REST, version 2022-11-28). A fine-grained token needs read access to
Deployments, Contents, Issues, Pull requests and Actions of the repositories. Newest first, so that what changes during a walk
is seen twice rather than never. What was learnt of a deployment or pull request is remembered until a walk succeeds, so that a
first fetch larger than an hour's rate limit goes on where it stopped.

Traps: a deployment has no change date, so those of the last week before the window are asked again, and one that waited for
its approval for longer is missed; GitHub dates the end of a build by its last update.
"""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

from pydantic import Field

from bsc_monitor.kit.delivery import Build, Commit, Deliveries, Delivery, Pull, Repositories
from bsc_monitor.kit.forge import Page, answers_of
from bsc_monitor.kit.forge_source import ForgeConfig, ForgeSource, NotThere, named_commits, query_time
from bsc_monitor.plugin import CollectorError, Context, Reply, Secret, SourceError, Window, stream

_REACH = timedelta(days=7)  # how long a deployment or a build may take
_FAILED = {"failure", "timed_out", "startup_failure"}
_PAGES: dict[Page, str] = {"deployments": "deployments", "pulls": "pulls", "builds": "actions"}


class GitHub(ForgeSource):
    """One GitHub server."""

    name, vendor = "github", "GitHub"

    class Config(ForgeConfig):
        """Where it is and how to be let in."""

        url: str = Field(
            "https://api.github.com", pattern=r"^https?://", description="of its API; of a server: https://HOST/api/v3"
        )
        token: Secret = Field(description="personal access token or app token", examples=[{"env": "GITHUB_TOKEN"}])

    config: Config

    def page(self, repository: str, what: Page) -> str:
        """The repository's page of deployments, pull requests or builds."""
        web = "https://github.com" if self.url == "https://api.github.com" else self.url.removesuffix("/api/v3")
        return f"{web}/{repository}/{_PAGES[what]}"

    async def check(self, ctx: Context) -> None:
        """Ask who we are."""
        await self.get(ctx, f"{self.url}/rate_limit")

    # ---- deployments and incidents

    async def deployments(
        self, ctx: Context, repository: str, scope: Deliveries, start: datetime | None
    ) -> list[Delivery]:
        """Those of the window, oldest first; each is compared with the one before it, found by one look further back."""
        oldest = start - _REACH if start else None
        fetched: list[tuple[dict[str, Any], datetime | None]] = []
        async for found in self.listed(ctx, repository, "deployments", environment=scope.environment):
            at = await self._live_at(ctx, repository, found["id"])
            fetched.append((found, at))
            if oldest and self.instant(found["created_at"]) < oldest and at is not None:
                break
        before, seen, deliveries = "", set[str](), []
        fetched.sort(key=lambda pair: pair[1] or self.instant(pair[0]["created_at"]))
        for number, (found, at) in enumerate(fetched):
            sha = found["sha"]
            inside = oldest is None or self.instant(found["created_at"]) >= oldest
            commits: tuple[Commit, ...] | None = () if sha in seen else None
            if at is not None and before and sha not in seen:
                commits = await self._between(ctx, repository, before, sha, first=scope.first_commit_of_pull)
            if at is not None:
                before = sha
                seen.add(sha)
            if inside:
                subject = self.learnt.get((repository, "subject", sha), "")
                words = f"{found.get('ref') or ''}\n{found.get('description') or ''}\n{subject}"[:300]
                deliveries.append(
                    Delivery(
                        key=f"{repository} deployment {found['id']}", kind="deployment", repository=repository, at=at,
                        changed=at or self.instant(found["updated_at"]), sha=sha, text=words, commits=commits,
                    )
                )  # fmt: skip
            ctx.progress(number + 1, len(fetched))
        return deliveries

    async def _live_at(self, ctx: Context, repository: str, number: int) -> datetime | None:
        """When a deployment first succeeded."""
        key = (repository, "live", str(number))
        if key not in self.learnt:
            listed = self.listed(ctx, repository, f"deployments/{number}/statuses")
            good = [self.instant(status["created_at"]) async for status in listed if status["state"] == "success"]
            self.learnt[key] = min(good, default=None)
        known: datetime | None = self.learnt[key]
        return known

    async def _between(
        self, ctx: Context, repository: str, base: str, head: str, *, first: bool
    ) -> tuple[Commit, ...] | None:
        """The commits of ``head`` that ``base`` lacks, merges left out; None where one of them no longer exists."""
        key = (repository, base, head)
        if key not in self.learnt:
            items = await self._compared(ctx, repository, f"{base}...{head}")
            for item in items or ():
                self.learnt[repository, "subject", item["sha"]] = item["commit"]["message"].partition("\n")[0]
            own = [item for item in items or () if len(item["parents"]) < 2]
            commits = tuple([await self._commit(ctx, repository, item, first=first) for item in own])
            self.learnt[key] = None if items is None else commits
        known: tuple[Commit, ...] | None = self.learnt[key]
        return known

    async def _compared(self, ctx: Context, repository: str, span: str) -> list[dict[str, Any]] | None:
        """The commits between two; None where one of the two no longer exists."""
        address = f"{self.address(repository)}/compare/{span}?per_page=100"
        try:
            return [item async for page in self.pages(ctx, address, "commits") for item in page]
        except NotThere:
            return None

    async def _commit(self, ctx: Context, repository: str, item: dict[str, Any], *, first: bool) -> Commit:
        authored, started = self.instant(item["commit"]["author"]["date"]), None
        if first:
            pulls = [pull async for pull in self.listed(ctx, repository, f"commits/{item['sha']}/pulls")]
            if pulls:
                own = self.listed(ctx, repository, f"pulls/{pulls[0]['number']}/commits")
                started = min([self.instant(c["commit"]["author"]["date"]) async for c in own], default=None)
        return Commit(sha=item["sha"], authored=authored, started=started)

    async def incidents(
        self, ctx: Context, repository: str, scope: Deliveries, start: datetime | None
    ) -> AsyncIterator[Delivery]:
        """Issues with the label. One that was closed as not planned was no incident."""
        since = {"since": query_time(start)} if start else {}
        listed = self.listed(
            ctx,
            repository,
            "issues",
            labels=scope.incident_label,
            state="all",
            sort="updated",
            direction="desc",
            **since,
        )
        async for issue in listed:
            if "pull_request" in issue:
                continue
            real = issue.get("state_reason") not in ("not_planned", "duplicate")
            words = f"{issue['title']} {issue.get('body') or ''}"
            yield Delivery(
                key=f"{repository} incident {issue['number']}", kind="incident", repository=repository,
                changed=self.instant(issue["updated_at"]), at=self.instant(issue["created_at"]) if real else None,
                ended=self.instant(issue["closed_at"]) if issue.get("closed_at") else None,
                names=named_commits(words),
            )  # fmt: skip

    # ---- pull requests and builds

    @stream(key="key", cursor="changed", record=Pull, overlap="1h")
    async def pulls(self, ctx: Context, scope: Repositories, window: Window) -> AsyncIterator[Pull]:
        """Pull requests with their first review by somebody else (bots left out)."""
        with answers_of("GitHub"):
            start = self.start(window)
            for repository in scope.repositories:
                async for pull in self.listed(ctx, repository, "pulls", state="all", sort="updated", direction="desc"):
                    changed = self.instant(pull["updated_at"])
                    if start and changed < start:
                        break
                    author = (pull.get("user") or {}).get("login", "")
                    yield Pull(
                        key=f"{repository} {pull['number']}", repository=repository, changed=changed, author=author,
                        target=pull["base"]["ref"], opened=self.instant(pull["created_at"]),
                        merged=self.instant(pull["merged_at"]) if pull.get("merged_at") else None,
                        reviewed=await self._reviewed(ctx, repository, pull, author),
                    )  # fmt: skip
            self.learnt.clear()

    async def _reviewed(self, ctx: Context, repository: str, pull: dict[str, Any], author: str) -> datetime | None:
        key = (repository, "review", str(pull["number"]), pull["updated_at"])
        if key not in self.learnt:
            times = [
                self.instant(review["submitted_at"])
                async for review in self.listed(ctx, repository, f"pulls/{pull['number']}/reviews")
                if review.get("submitted_at")
                and (user := review.get("user") or {}).get("login") != author
                and user.get("type") != "Bot"
            ]
            self.learnt[key] = min(times, default=None)
        known: datetime | None = self.learnt[key]
        return known

    @stream(key="key", cursor="changed", record=Build, overlap="1h")
    async def builds(self, ctx: Context, scope: Repositories, window: Window) -> AsyncIterator[Build]:
        """Completed workflow runs; of one that was started again, the last attempt."""
        with answers_of("GitHub"):
            start = self.start(window)
            oldest = start - _REACH if start else None
            for repository in scope.repositories:
                async for run in self.listed(ctx, repository, "actions/runs", items="workflow_runs"):
                    if oldest and self.instant(run["created_at"]) < oldest:
                        break
                    if run["status"] != "completed":
                        continue
                    ended, outcome = self.instant(run["updated_at"]), run.get("conclusion")
                    yield Build(
                        key=f"{repository} {run['id']}", repository=repository, changed=ended, ended=ended,
                        workflow=run.get("name") or "", branch=run.get("head_branch") or "",
                        began=self.instant(run.get("run_started_at") or run["created_at"]),
                        outcome="success" if outcome == "success" else "failure" if outcome in _FAILED else "other",
                    )  # fmt: skip

    # ---- from questions to answers

    def address(self, repository: str) -> str:
        """Where the API has a repository."""
        return f"{self.url}/repos/{repository}"

    async def get(self, ctx: Context, address: str) -> Reply:
        """One answer."""
        headers = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}
        reply = await ctx.http.get(address, headers=headers, bearer=self.config.token, allow=(403, 404))
        if reply.status == 404:
            raise self.not_found(address, "repository")
        if reply.status == 403:
            raise _refused(ctx, reply)
        return reply


def _refused(ctx: Context, reply: Reply) -> SourceError:
    """GitHub says 403 both for a missing permission and for a used-up rate limit."""
    words = str((reply.json() or {}).get("message", ""))[:300]
    wait = reply.headers.get("Retry-After", "")
    if reply.headers.get("X-RateLimit-Remaining") == "0":
        wait = wait or str(float(reply.headers.get("X-RateLimit-Reset", "0")) - ctx.now.timestamp())
    elif not wait and "rate limit" not in words.lower():
        return SourceError(
            f"{reply.url}: {words}",
            CollectorError.PERMISSION,
            hint="Give the token read access to Deployments, Contents, Issues, Pull requests and Actions.",
        )
    return SourceError(
        f"{reply.url}: {words}",
        CollectorError.RATE_LIMIT,
        hint="Ask less often (every), or set since.",
        retry_after=max(1.0, float(wait)) if wait.replace(".", "").isdigit() else 60.0,
    )
