"""GitHub (github.com and Enterprise Server): deployments, incidents, pull requests and builds, measured as DORA defines them.

Reads the Deployments, Issues, Pulls and Actions APIs (REST, version 2022-11-28). A fine-grained token needs read access to
Deployments, Contents, Issues, Pull requests and Actions of the repositories. Newest first, so that what changes during a walk
is seen twice rather than never. What was learnt of a deployment or pull request is remembered until a walk succeeds, so that a
first fetch larger than an hour's rate limit goes on where it stopped.

Traps: a deployment has no change date, so those of the last week before the window are asked again, and one that waited for
its approval for longer is missed; GitHub dates the end of a build by its last update.
"""

import re
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from urllib.parse import quote

from pydantic import Field

from bsc_monitor.kit.delivery import Build, Commit, Deliveries, Delivery, Pull, Repositories
from bsc_monitor.kit.forge import Forge, Page, answers_of
from bsc_monitor.kit.table_source import next_link
from bsc_monitor.plugin import CollectorError, Context, Reply, Secret, SourceConfig, SourceError, Window, stream

_REACH = timedelta(days=7)  # how long a deployment or a build may take
_SHA = re.compile(r"\b[0-9a-f]{7,40}\b")
_FAILED = {"failure", "timed_out", "startup_failure"}
_PAGES: dict[Page, str] = {"deployments": "deployments", "pulls": "pulls", "builds": "actions"}


class GitHub(Forge):
    """One GitHub server."""

    name = "github"

    class Config(SourceConfig):
        """Where it is and how to be let in."""

        url: str = Field(
            "https://api.github.com", pattern=r"^https?://", description="of its API; of a server: https://HOST/api/v3"
        )
        token: Secret = Field(description="personal access token or app token")
        since: date | None = Field(None, description="nothing before this day is fetched; all by default")

    config: Config

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.url = config.url.rstrip("/")
        self._learnt: dict[tuple[str, ...], Any] = {}

    def page(self, repository: str, what: Page) -> str:
        """The repository's page of deployments, pull requests or builds."""
        web = "https://github.com" if self.url == "https://api.github.com" else self.url.removesuffix("/api/v3")
        return f"{web}/{repository}/{_PAGES[what]}"

    async def check(self, ctx: Context) -> None:
        """Ask who we are."""
        await self._get(ctx, f"{self.url}/rate_limit")

    # ---- deployments and incidents

    @stream(key="key", cursor="changed", record=Delivery, overlap="1h", ids="delivery_ids")
    async def deliveries(self, ctx: Context, scope: Deliveries, window: Window) -> AsyncIterator[Delivery]:
        """Deployments to the environment with the commits that were new in them, and issues that are incidents."""
        with answers_of("GitHub"):
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
        """Those of the window, oldest first; each is compared with the one before it, found by one look further back."""
        oldest = start - _REACH if start else None
        fetched: list[tuple[dict[str, Any], datetime | None]] = []
        async for found in self._list(ctx, repository, "deployments", environment=scope.environment):
            at = await self._live_at(ctx, repository, found["id"])
            fetched.append((found, at))
            if oldest and _instant(found["created_at"]) < oldest and at is not None:
                break
        before, seen, deliveries = "", set[str](), []
        fetched.sort(key=lambda pair: pair[1] or _instant(pair[0]["created_at"]))
        for number, (found, at) in enumerate(fetched):
            sha = found["sha"]
            inside = oldest is None or _instant(found["created_at"]) >= oldest
            commits: tuple[Commit, ...] | None = () if sha in seen else None
            if at is not None and before and sha not in seen:
                commits = await self._between(ctx, repository, before, sha, first=scope.first_commit_of_pull)
            if at is not None:
                before = sha
                seen.add(sha)
            if inside:
                subject = self._learnt.get((repository, "subject", sha), "")
                words = f"{found.get('ref') or ''}\n{found.get('description') or ''}\n{subject}"[:300]
                deliveries.append(
                    Delivery(
                        key=f"{repository} deployment {found['id']}", kind="deployment", repository=repository, at=at,
                        changed=at or _instant(found["updated_at"]), sha=sha, text=words, commits=commits,
                    )
                )  # fmt: skip
            ctx.progress(number + 1, len(fetched))
        return deliveries

    async def _live_at(self, ctx: Context, repository: str, number: int) -> datetime | None:
        """When a deployment first succeeded."""
        key = (repository, "live", str(number))
        if key not in self._learnt:
            listed = self._list(ctx, repository, f"deployments/{number}/statuses")
            good = [_instant(status["created_at"]) async for status in listed if status["state"] == "success"]
            self._learnt[key] = min(good, default=None)
        known: datetime | None = self._learnt[key]
        return known

    async def _between(
        self, ctx: Context, repository: str, base: str, head: str, *, first: bool
    ) -> tuple[Commit, ...] | None:
        """The commits of ``head`` that ``base`` lacks, merges left out; None where one of them no longer exists."""
        key = (repository, base, head)
        if key not in self._learnt:
            address = f"{self.url}/repos/{repository}/compare/{base}...{head}?per_page=100"
            found: list[Commit] | None = []
            async for page in ctx.pages(self._fetch(ctx, "commits", missing=True), first=address):
                if page == [None]:
                    found = None
                    break
                for item in page:
                    self._learnt[repository, "subject", item["sha"]] = item["commit"]["message"].partition("\n")[0]
                    if len(item["parents"]) < 2 and found is not None:
                        found.append(await self._commit(ctx, repository, item, first=first))
            self._learnt[key] = None if found is None else tuple(found)
        known: tuple[Commit, ...] | None = self._learnt[key]
        return known

    async def _commit(self, ctx: Context, repository: str, item: dict[str, Any], *, first: bool) -> Commit:
        authored, started = _instant(item["commit"]["author"]["date"]), None
        if first:
            pulls = [pull async for pull in self._list(ctx, repository, f"commits/{item['sha']}/pulls")]
            if pulls:
                own = self._list(ctx, repository, f"pulls/{pulls[0]['number']}/commits")
                started = min([_instant(c["commit"]["author"]["date"]) async for c in own], default=None)
        return Commit(sha=item["sha"], authored=authored, started=started)

    async def _issues(
        self, ctx: Context, repository: str, scope: Deliveries, start: datetime | None
    ) -> AsyncIterator[Delivery]:
        """Issues with the label. One that was closed as not planned was no incident."""
        since = {"since": _text(start)} if start else {}
        listed = self._list(
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
                changed=_instant(issue["updated_at"]), at=_instant(issue["created_at"]) if real else None,
                ended=_instant(issue["closed_at"]) if issue.get("closed_at") else None,
                names=tuple(_SHA.findall(words)[:10]),
            )  # fmt: skip

    # ---- pull requests and builds

    @stream(key="key", cursor="changed", record=Pull, overlap="1h")
    async def pulls(self, ctx: Context, scope: Repositories, window: Window) -> AsyncIterator[Pull]:
        """Pull requests with their first review by somebody else (bots left out)."""
        with answers_of("GitHub"):
            start = self._start(window)
            for repository in scope.repositories:
                async for pull in self._list(ctx, repository, "pulls", state="all", sort="updated", direction="desc"):
                    changed = _instant(pull["updated_at"])
                    if start and changed < start:
                        break
                    author = (pull.get("user") or {}).get("login", "")
                    yield Pull(
                        key=f"{repository} {pull['number']}", repository=repository, changed=changed, author=author,
                        target=pull["base"]["ref"], opened=_instant(pull["created_at"]),
                        merged=_instant(pull["merged_at"]) if pull.get("merged_at") else None,
                        reviewed=await self._reviewed(ctx, repository, pull, author),
                    )  # fmt: skip
            self._learnt.clear()

    async def _reviewed(self, ctx: Context, repository: str, pull: dict[str, Any], author: str) -> datetime | None:
        key = (repository, "review", str(pull["number"]), pull["updated_at"])
        if key not in self._learnt:
            times = [
                _instant(review["submitted_at"])
                async for review in self._list(ctx, repository, f"pulls/{pull['number']}/reviews")
                if review.get("submitted_at")
                and (user := review.get("user") or {}).get("login") != author
                and user.get("type") != "Bot"
            ]
            self._learnt[key] = min(times, default=None)
        known: datetime | None = self._learnt[key]
        return known

    @stream(key="key", cursor="changed", record=Build, overlap="1h")
    async def builds(self, ctx: Context, scope: Repositories, window: Window) -> AsyncIterator[Build]:
        """Completed workflow runs; of one that was started again, the last attempt."""
        with answers_of("GitHub"):
            start = self._start(window)
            oldest = start - _REACH if start else None
            for repository in scope.repositories:
                async for run in self._list(ctx, repository, "actions/runs", items="workflow_runs"):
                    if oldest and _instant(run["created_at"]) < oldest:
                        break
                    if run["status"] != "completed":
                        continue
                    ended, outcome = _instant(run["updated_at"]), run.get("conclusion")
                    yield Build(
                        key=f"{repository} {run['id']}", repository=repository, changed=ended, ended=ended,
                        workflow=run.get("name") or "", branch=run.get("head_branch") or "",
                        began=_instant(run.get("run_started_at") or run["created_at"]),
                        outcome="success" if outcome == "success" else "failure" if outcome in _FAILED else "other",
                    )  # fmt: skip

    # ---- from questions to answers

    def _start(self, window: Window) -> datetime | None:
        since = datetime.combine(self.config.since, time(), UTC) if self.config.since else None
        return max(filter(None, (window.start, since)), default=None)

    async def _list(
        self, ctx: Context, repository: str, path: str, items: str = "", **params: str
    ) -> AsyncIterator[dict[str, Any]]:
        """Every item of a listing, page by page."""
        query = "&".join(f"{name}={quote(value, safe='')}" for name, value in {**params, "per_page": "100"}.items())
        async for page in ctx.pages(self._fetch(ctx, items), first=f"{self.url}/repos/{repository}/{path}?{query}"):
            for item in page:
                yield item

    def _fetch(self, ctx: Context, items: str, *, missing: bool = False) -> Any:
        """A page and the address of the next one; ``[None]`` where there is none and that may be (``missing``)."""

        async def fetch(address: str) -> tuple[list[Any], str | None]:
            reply = await self._get(ctx, address, missing=missing)
            if reply is None:
                return [None], None
            body = reply.json()
            found = body.get(items) if items and isinstance(body, dict) else body
            if not isinstance(found, list):
                raise SourceError(f"{address}: the answer is no list", CollectorError.SCHEMA)
            link = next_link(reply.headers.get("Link", ""))
            if link and not link.startswith(f"{self.url}/"):
                raise SourceError(f"{address}: the next page is on another host", CollectorError.SCHEMA)
            return found, link

        return fetch

    async def _get(self, ctx: Context, address: str, *, missing: bool = False) -> Reply | None:
        headers = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}
        reply = await ctx.http.get(address, headers=headers, bearer=self.config.token, allow=(403, 404))
        if reply.status == 404:
            if missing:
                return None
            raise SourceError(
                f"{address}: not found",
                CollectorError.CONFIG,
                hint="The repository does not exist, or the token has no access to it (GitHub does not say which).",
            )
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


def _instant(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (TypeError, ValueError):
        raise SourceError(f"{str(text)[:40]!r} is not a GitHub time", CollectorError.SCHEMA) from None


def _text(instant: datetime) -> str:
    return f"{instant:%Y-%m-%dT%H:%M:%SZ}"
