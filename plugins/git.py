"""A local clone of a git repository: commits, releases (tags), and how long a commit waits for its release.

Reads with the ``git`` executable and never fetches: keep the clone fresh by other means (a mirror, a cron job).
"""

from __future__ import annotations

import asyncio
import os
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from itertools import pairwise
from pathlib import Path
from statistics import fmean, median, quantiles
from typing import Literal

from pydantic import Field

from bsc_monitor.plugin import (
    Collector,
    CollectorError,
    Context,
    Params,
    Reading,
    ReadingState,
    SourceConfig,
    SourceError,
    measure,
)


class Git(Collector):
    """One repository."""

    name = "git"

    class Config(SourceConfig):
        """Where the clone is."""

        path: Path = Field(description="Folder of the clone (bare or not)")
        branch: str = Field("HEAD", description="Whose commits count", pattern=r"^[^-].*")

    class Commits(Params):
        """Which commits."""

        folder: str = Field("", description="Only commits that touch this path")

    class Releases(Params):
        """Which tags are releases."""

        tags: str = Field("v*", description="Shell pattern of the tags that are releases")

    class LeadTime(Releases):
        """Which statistic of the lead times."""

        statistic: Literal["median", "mean", "p85"] = "median"

    async def check(self, ctx: Context) -> None:  # noqa: ARG002
        """See that there is a repository with that branch."""
        await self._git("rev-parse", "--verify", "--end-of-options", f"{self.config.branch}^{{commit}}")

    @measure(unit="count", title="Commits")
    async def commits(self, ctx: Context, p: Commits) -> Reading:
        """Commits of the branch, merges left out, by committer date inside the period."""
        found = await self._commits(self.config.branch, p.folder)
        inside = [at for at in found if _inside(at, ctx)]
        return Reading(float(len(inside)), samples=len(inside))

    @measure(unit="count", title="Releases")
    async def releases(self, ctx: Context, p: Releases) -> Reading:
        """Tags that match ``tags`` and were created (annotated) or committed (lightweight) inside the period."""
        inside = [name for name, at in await self._tags(p.tags) if _inside(at, ctx)]
        return Reading(float(len(inside)), samples=len(inside), note=", ".join(inside[-5:]) or None)

    @measure(unit="count", title="Deployment frequency")
    async def deployment_frequency(self, ctx: Context, p: Releases) -> Reading:
        """Releases a day: releases inside the period divided by its days so far (DORA: deployments per day)."""
        inside = [name for name, at in await self._tags(p.tags) if _inside(at, ctx)]
        days = (ctx.window.end - (ctx.window.start or ctx.now)) / timedelta(days=1)
        if days <= 0:
            return Reading(None, state=ReadingState.NO_DATA)
        return Reading(len(inside) / days, numerator=float(len(inside)), denominator=days, samples=len(inside))

    @measure(unit="h", better="lower", title="Lead time from commit to release")
    async def lead_time(self, ctx: Context, p: LeadTime) -> Reading:
        """Hours from a commit's committer date to the date of the first matching tag that contains it.

        Taken over the commits (no merges) of all releases inside the period; a release's commits are those that the
        release before it lacks. The very first release is left out, as its commits waited for nothing. A commit dated
        after its tag (a wrong clock) counts as 0. Rebasing renews the committer date, so it shortens lead times.
        """
        tags = await self._tags(p.tags)
        hours = [
            max(0.0, (released - at) / timedelta(hours=1))
            for (before, _), (tag, released) in pairwise(tags)
            if _inside(released, ctx)
            for at in await self._commits(f"refs/tags/{before}..refs/tags/{tag}")
        ]
        if not hours:
            return Reading(None, state=ReadingState.NO_DATA, samples=0)
        if p.statistic == "p85":
            value = quantiles(hours, n=100, method="inclusive")[84] if len(hours) > 1 else hours[0]
        else:
            value = median(hours) if p.statistic == "median" else fmean(hours)
        return Reading(value, samples=len(hours))

    async def _tags(self, pattern: str) -> list[tuple[str, datetime]]:
        """Matching tags and their dates, oldest first."""
        form = "--format=%(creatordate:unix) %(refname:strip=2)"
        lines = (await self._git("for-each-ref", form, "--sort=creatordate", "refs/tags")).splitlines()
        pairs = [line.partition(" ")[::2] for line in lines]
        return [(name, _instant(at)) for at, name in pairs if at and fnmatchcase(name, pattern)]

    async def _commits(self, revisions: str, folder: str = "") -> list[datetime]:
        out = await self._git(
            "log", "--no-merges", "--format=%ct", "--end-of-options", revisions, "--", *filter(None, [folder])
        )
        return [_instant(line) for line in out.split()]

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


def _inside(at: datetime, ctx: Context) -> bool:
    return (ctx.window.start or at) <= at < ctx.window.end
