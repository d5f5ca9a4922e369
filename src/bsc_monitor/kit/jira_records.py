"""Jira's records as they are fetched: what to ask for, so that nothing that changed is missed."""

from collections.abc import AsyncIterator, MutableMapping
from datetime import datetime, timedelta
from typing import Any

from bsc_monitor.kit.issues import Issue, instant, issue_of
from bsc_monitor.kit.jira import JiraClient
from bsc_monitor.kit.jira_query import changed, in_sprints, literal
from bsc_monitor.kit.jira_site import Site
from bsc_monitor.kit.sprints import ClosedSprint, planned, tracked
from bsc_monitor.kit.statuses import remembered
from bsc_monitor.plugin import CollectorError, Context, SourceError

_CORRECTED_FOR, _REREAD_EVERY = timedelta(days=30), timedelta(days=1)  # of closed sprints


async def changed_issues(
    ctx: Context, client: JiraClient, site: Site, jql: str, since: datetime | None
) -> AsyncIterator[Issue]:
    """Issues that JQL finds and that changed since a moment (None: all), with the whole history of their status."""
    points, rated = site.points(), site.custom(":sd-request-feedback-date")
    statuses = remembered(site.statuses, ctx.checkpoint, ctx.now)
    if since is not None:  # ratings leave updated alone, and so does what an admin does to statuses
        jql = changed(jql, literal(since, site.zone), dates=rated, statuses=statuses.changed)
    fields = [
        "project", "issuetype", "status", "priority", "assignee", "components", "labels", "created", "updated",
        *([points] if points else []), *site.custom(":sd-sla-field"), *site.custom(":sd-request-feedback"), *rated,
    ]  # fmt: skip
    async for raw, changes in client.histories(ctx, site, f"{jql} ORDER BY key", fields, ["status"]):
        yield issue_of(raw, changes, site, statuses, points)


async def closed_sprints(
    ctx: Context, client: JiraClient, project: str, board: int, since: datetime | None
) -> AsyncIterator[ClosedSprint]:
    """Sprints of a project (of all its boards where ``board`` is 0) closed since a moment (None: all), with what was in them.

    Once a day those closed in the last thirty days come anew: what is corrected in them leaves their end alone. Raises
    SourceError(CONFIG) where there is no scrum board or no field Sprint.
    """
    site = await client.site(ctx)
    every = await _sprints(ctx, client, project, board)
    since = _with_corrected(since, ctx.checkpoint, ctx.now)
    closed = [sprint for sprint in every if since is None or sprint["completed"] >= since]
    if not closed:
        return
    membership = next(iter(site.custom(":gh-sprint")), None)
    if membership is None:
        raise SourceError("this Jira has no Sprint field", CollectorError.CONFIG, hint="is Jira Software installed?")
    points, statuses = site.points(), remembered(site.statuses, ctx.checkpoint, ctx.now)
    first = literal(min(sprint["start"] for sprint in closed), site.zone)
    jql = in_sprints(project, [sprint["id"] for sprint in closed], first)
    followed = ["status", membership, *([points] if points else [])]
    fields = ["status", "created", "issuetype", membership, *([points] if points else [])]
    lives = [
        tracked(raw, changes, statuses, membership, points)
        async for raw, changes in client.histories(ctx, site, f"{jql} ORDER BY key", fields, followed)
    ]
    for sprint in closed:
        found = (planned(life, sprint["id"], sprint["start"], sprint["completed"]) for life in lives)
        yield ClosedSprint(**sprint, issues=tuple(each for each in found if each))


def _with_corrected(since: datetime | None, checkpoint: MutableMapping[str, Any], now: datetime) -> datetime | None:
    """From when on closed sprints are told: since then, or once a day for as long as they are still corrected."""
    read = instant(checkpoint.get("reread_at"))
    if since is not None and read is not None and timedelta(0) <= now - read < _REREAD_EVERY:
        return since
    checkpoint["reread_at"] = now.isoformat()
    return None if since is None else min(since, now - _CORRECTED_FOR)


async def _sprints(ctx: Context, client: JiraClient, project: str, board: int) -> list[dict[str, Any]]:
    """The closed sprints of the boards; one that is on several is told once."""
    asked = {"projectKeyOrId": project, "type": "scrum"}
    boards = [board] if board else [b["id"] for b in await client.listed(ctx, "board", asked)]
    if not boards:
        raise SourceError(f"{project} has no scrum board that the user may see", CollectorError.CONFIG)
    found: dict[str, dict[str, Any]] = {}
    for number in boards:
        for raw in await client.listed(ctx, f"board/{number}/sprint", {"state": "closed"}):
            start = instant(raw.get("activatedDate") or raw.get("startDate"))
            completed = instant(raw.get("completeDate") or raw.get("endDate"))
            if start and completed:
                found[str(raw["id"])] = {
                    "id": str(raw["id"]), "name": str(raw.get("name", "")), "board": str(number),
                    "start": start, "completed": completed,
                }  # fmt: skip
    return list(found.values())
