"""A local clone of a git repository: commits, releases (tags that stand for deployments), and the DORA measures over them.

Reads with the ``git`` executable and never fetches: keep the clone fresh by other means (a mirror, a cron job). A clone knows
no incidents: a release has failed when the next one is a hotfix or goes back to an older commit.
"""

from __future__ import annotations

import asyncio
import os
from dataclasses import replace
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from pathlib import Path

from pydantic import Field

from bsc_monitor.kit import dora
from bsc_monitor.kit.delivery import HOTFIX, Commit, Delivery, FailureRule, Repairs
from bsc_monitor.kit.statistics import Statistic
from bsc_monitor.plugin import Collector, CollectorError, Context, Params, Reading, SourceConfig, SourceError, measure


class Git(Collector):
    """One repository."""

    name = "git"

    class Config(SourceConfig):
        """Where the clone is."""

        path: Path = Field(description="Folder of the clone (bare or not)", examples=["/srv/git/shop.git"])
        branch: str = Field("HEAD", description="Whose commits count", pattern=r"^[^-].*")

    class Commits(Params):
        """Which commits."""

        folder: str = Field("", description="Only commits that touch this path")

    class Releases(Params):
        """Which tags are releases."""

        tags: str = Field("v*", description="Shell pattern of the tags that are releases")

    class LeadTime(Releases):
        """Which releases, and how the commits' times become one number."""

        statistic: Statistic = "median"

    class Failures(Releases, Repairs):
        """Which releases, and which of them repair another one."""

    class Recovery(Failures):
        """Which failures, and how their durations become one number."""

        statistic: Statistic = "median"

    async def check(self, ctx: Context) -> None:  # noqa: ARG002
        """See that there is a repository with that branch."""
        await self._git("rev-parse", "--verify", "--end-of-options", f"{self.config.branch}^{{commit}}")

    @measure(unit="count", title="Commits")
    async def commits(self, ctx: Context, p: Commits) -> Reading:
        """Commits of the branch, merges left out, by committer date inside the period."""
        out = await self._git(
            "log",
            "--no-merges",
            "--format=%ct",
            "--end-of-options",
            self.config.branch,
            "--",
            *filter(None, [p.folder]),
        )
        inside = [at for at in map(_instant, out.split()) if _inside(at, ctx)]
        return Reading(float(len(inside)), samples=len(inside), period=ctx.period)

    @measure(unit="count", title="Releases")
    async def releases(self, ctx: Context, p: Releases) -> Reading:
        """Tags that match ``tags`` and were created (annotated) or committed (lightweight) inside the period."""
        inside = [tag for tag in await self._tags(p.tags) if tag.at and _inside(tag.at, ctx)]
        note = ", ".join(tag.key for tag in inside[-5:]) or None
        return Reading(float(len(inside)), samples=len(inside), note=note, period=ctx.period)

    @measure(unit="count", title="Deployment frequency")
    async def deployment_frequency(self, ctx: Context, p: Releases) -> Reading:
        """Releases a day: commits released for the first time / days of the period so far (DORA: deployments per day)."""
        return _for_period(dora.frequency(await self._tags(p.tags), ctx.window, HOTFIX), ctx)

    @measure(unit="h", better="lower", title="Change lead time")
    async def change_lead_time(self, ctx: Context, p: LeadTime) -> Reading:
        """Hours from the authoring of a commit to the first matching tag that contains it, over the releases of the period.

        Merges are left out. The very first release is left out too, as its commits waited for nothing. A commit dated after
        its tag (a wrong clock) counts as 0. Rebasing keeps the author date, squashing renews it.
        """
        tags = await self._tags(p.tags)
        released = [
            tag.model_copy(update={"commits": await self._new(tags, place)}) if tag.at and _inside(tag.at, ctx) else tag
            for place, tag in enumerate(tags)
        ]
        return _for_period(dora.lead_time(released, ctx.window, HOTFIX, p.statistic), ctx)

    @measure(unit="ratio", better="lower", title="Change fail rate", settle="2d")
    async def change_fail_rate(self, ctx: Context, p: Failures) -> Reading:
        """Releases of the period followed by a hotfix or rollback within ``hours`` / releases of the period."""
        rule = FailureRule(hours=p.hours, hotfix=p.hotfix)
        return _for_period(dora.fail_rate(await self._tags(p.tags), ctx.window, rule), ctx)

    @measure(unit="h", better="lower", title="Failed deployment recovery time")
    async def failed_deployment_recovery_time(self, ctx: Context, p: Recovery) -> Reading:
        """Hours from a failed release to the hotfix or rollback after it, over those repaired in the period."""
        rule = FailureRule(hours=p.hours, hotfix=p.hotfix)
        return _for_period(dora.recovery_time(await self._tags(p.tags), ctx.window, rule, p.statistic), ctx)

    @measure(unit="ratio", better="lower", title="Deployment rework rate")
    async def deployment_rework_rate(self, ctx: Context, p: Failures) -> Reading:
        """Hotfixes and rollbacks / releases and rollbacks of the period."""
        return _for_period(dora.rework_rate(await self._tags(p.tags), ctx.window, p.hotfix), ctx)

    async def _tags(self, pattern: str) -> list[Delivery]:
        """Matching tags as deployments, oldest first; their commits are not looked up."""
        form = "%(creatordate:unix)%00%(refname:strip=2)%00%(objectname)%00%(*objectname)%00%(subject)%00%(*subject)"
        out = await self._git("for-each-ref", f"--format={form}", "--sort=creatordate", "refs/tags")
        found = []
        for line in out.splitlines():
            at, name, own, target, subject, target_subject = line.split("\0")
            if at and fnmatchcase(name, pattern):
                found.append(
                    Delivery(
                        key=name, kind="deployment", repository=str(self.config.path), at=_instant(at), changed=_instant(at),
                        sha=target or own, text=f"{name}\n{subject}\n{target_subject}", commits=(),
                    )
                )  # fmt: skip
        return found

    async def _new(self, tags: list[Delivery], place: int) -> tuple[Commit, ...] | None:
        """The commits of a tag that no earlier tag contains, merges left out; None for the very first."""
        if not place:
            return None
        earlier = [f"^{tag.sha}" for tag in tags[:place]]
        out = await self._git("log", "--no-merges", "--format=%H %at", tags[place].sha, *earlier, "--")
        pairs = [line.split() for line in out.splitlines()]
        return tuple(Commit(sha=sha, authored=_instant(at)) for sha, at in pairs)

    async def _git(self, *arguments: str) -> str:
        """What git prints. The environment is bare, so that nobody's settings or helpers take part."""
        environment = {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C", "GIT_CONFIG_NOSYSTEM": "1"}
        safe = ("-c", f"safe.directory={self.config.path}", "-c", "core.fsmonitor=false")
        try:
            process = await asyncio.create_subprocess_exec(
                "git", "-C", str(self.config.path), *safe, *arguments, env=environment,
                stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
            )  # fmt: skip
        except FileNotFoundError:
            raise SourceError("git is not installed", CollectorError.CONFIG, hint="Install git.") from None
        try:
            out, err = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
        if process.returncode:
            words = err.decode("utf-8", "replace").strip().removeprefix("fatal: ")[:300]
            raise SourceError(f"git: {words}", CollectorError.CONFIG, hint="Check path and branch of the source.")
        return out.decode("utf-8", "replace")


def _instant(seconds: str) -> datetime:
    return datetime.fromtimestamp(int(seconds), UTC)


def _for_period(reading: Reading, ctx: Context) -> Reading:
    return replace(reading, period=ctx.period)


def _inside(at: datetime, ctx: Context) -> bool:
    return (ctx.window.start or at) <= at < ctx.window.end
