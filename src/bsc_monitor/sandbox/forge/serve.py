"""What both forges do alike: the past of a project as of now, pages with a Link header, a page for people."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from html import escape
from typing import Any

from aiohttp import web

from bsc_monitor.sandbox.company.forge import Project

Projects = Callable[[str], Project | None]  #: by name; None where there is no such project
_MOST = 100


def stamp(at: datetime) -> str:
    """An instant as forges write it."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def known(project: Project, now: datetime) -> Project:
    """A project without its future."""
    return Project(
        project.name,
        [
            replace(
                change,
                reviewed=change.reviewed if change.reviewed and change.reviewed <= now else None,
                merged=change.merged if change.merged and change.merged <= now else None,
            )
            for change in project.changes
            if change.opened <= now
        ],
        [deployment for deployment in project.deployments if deployment.created <= now],
        [incident for incident in project.incidents if incident.opened <= now],
        [build for build in project.builds if build.began <= now],
    )


def between(project: Project, base: str, head: str) -> list[tuple[str, datetime, str, tuple[str, ...]]] | None:
    """Commits of ``head`` that ``base`` lacks: sha, authoring, message, parents. None where one does not exist."""
    merged = project.merged()
    order = {change.merge: place for place, change in enumerate(merged)}
    if base not in order or head not in order:
        return None
    found: list[tuple[str, datetime, str, tuple[str, ...]]] = []
    for change in merged[order[base] + 1 : order[head] + 1]:
        found += [(sha, authored, change.title, (base,)) for sha, authored in change.commits]
        message = f"Merge pull request #{change.number} from {change.branch}\n\n{change.title}"
        found.append((change.merge, change.merged or change.closed, message, (base, change.commits[-1][0])))
    return found


def whole_number(request: web.Request, name: str, default: int, most: int) -> int:
    """A paging parameter, in its bounds whatever is asked."""
    try:
        return max(1, min(most, int(request.query.get(name, default))))
    except ValueError:
        return default


def paged(request: web.Request, rows: Sequence[Any], write: Callable[[Any], Any], wrap: str = "") -> web.Response:
    """One page of rows with the Link header; in an object with a total where ``wrap`` names the list."""
    page, size = whole_number(request, "page", 1, 10**6), whole_number(request, "per_page", 30, _MOST)
    last = max(1, -(-len(rows) // size))
    places = (
        {"first": 1, "last": last}
        | ({"prev": page - 1} if page > 1 else {})
        | ({"next": page + 1} if page < last else {})
    )
    link = ", ".join(
        f'<{request.url.update_query(page=str(place), per_page=str(size))}>; rel="{name}"'
        for name, place in places.items()
    )
    items = [write(row) for row in rows[(page - 1) * size : page * size]]
    headers = {
        "Link": link, "X-Total": str(len(rows)), "X-Total-Pages": str(last), "X-Page": str(page), "X-Per-Page": str(size),
        "X-Next-Page": str(page + 1) if page < last else "", "X-Prev-Page": str(page - 1) if page > 1 else "",
    }  # fmt: skip
    return web.json_response({"total_count": len(rows), wrap: items} if wrap else items, headers=headers)


def people_page(title: str, rows: Iterable[str]) -> web.Response:
    """A plain page: where evidence links lead."""
    items = "".join(f"<li>{escape(row)}</li>" for row in rows)
    page = f"<!DOCTYPE html><html lang=en><title>{escape(title)}</title><h1>{escape(title)}</h1><ul>{items}</ul></html>"
    return web.Response(text=page, content_type="text/html")
