"""GitLab's REST API v4: projects, deployments, issues, merge requests, pipelines; token, limit, offset and keyset paging."""

import base64
import binascii
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

from aiohttp import web

from bsc_monitor.sandbox.callers import Callers
from bsc_monitor.sandbox.company.forge import Build, Change, Deployment, Incident, Project
from bsc_monitor.sandbox.forge.serve import Projects, between, known, paged, people_page, stamp, whole_number

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Row = dict[str, Any]
_OUTCOMES = {"success": "success", "failure": "failed", "cancelled": "canceled"}


def gitlab_app(projects: Projects, callers: Callers, now: Callable[[], datetime]) -> web.Application:
    """The API at ``/api/v4``, and a page for people at ``/GROUP/PROJECT/-/…``."""
    side = _Side(projects, callers, now)
    app = web.Application(middlewares=[side.gate])
    project = "/api/v4/projects/{id}"
    for path, handler in {
        "/api/v4/version": side.version, "/api/v4/user": side.user, project: side.project,
        f"{project}/deployments": side.deployments, f"{project}/repository/compare": side.compare,
        f"{project}/repository/commits/{{sha}}/merge_requests": side.commit_requests, f"{project}/issues": side.issues,
        f"{project}/merge_requests": side.requests, f"{project}/merge_requests/{{iid}}": side.one_request,
        f"{project}/merge_requests/{{iid}}/notes": side.notes, f"{project}/merge_requests/{{iid}}/commits": side.commits,
        f"{project}/pipelines": side.pipelines, "/{group}/{name}/-/{page}": side.page,
    }.items():  # fmt: skip
        app.router.add_get(path, handler)
    return app


def _failure(status: int, message: str, headers: dict[str, str] | None = None) -> web.Response:
    return web.json_response({"message": message}, status=status, headers=headers)


class _Side:
    def __init__(self, projects: Projects, callers: Callers, now: Callable[[], datetime]) -> None:
        self.projects, self.callers, self.now = projects, callers, now

    @web.middleware
    async def gate(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Token and limit."""
        if "/api/v4/" not in request.path:
            return await handler(request)
        bearer = self.callers.knows(request.headers.get("Authorization", ""), "bearer")
        if not bearer and not self.callers.is_token(request.headers.get("PRIVATE-TOKEN", "")):
            return _failure(401, "401 Unauthorized")
        allowed, left, reset = self.callers.take()
        headers = {"RateLimit-Remaining": str(left), "RateLimit-Reset": str(int(reset) + 1)}
        if not allowed:
            wait = max(1, int(reset - self.now().timestamp()) + 1)
            return web.Response(status=429, text="Retry later\n", headers=headers | {"Retry-After": str(wait)})
        try:
            response = await handler(request)
        except web.HTTPNotFound:
            response = _failure(404, "404 Project Not Found")
        response.headers.update(headers)
        return response

    def _project(self, request: web.Request) -> Project:
        match = request.match_info
        project = self.projects(match["id"] if "id" in match else f"{match['group']}/{match['name']}")
        if project is None:
            raise web.HTTPNotFound
        return known(project, self.now())

    def _change(self, request: web.Request) -> Change:
        for change in self._project(request).changes:
            if str(change.number) == request.match_info["iid"]:
                return change
        raise web.HTTPNotFound

    async def version(self, request: web.Request) -> web.Response:  # noqa: ARG002
        """Of the server."""
        return web.json_response({"version": "18.2.0", "revision": "sandbox"})

    async def user(self, request: web.Request) -> web.Response:  # noqa: ARG002
        """Whose token it is."""
        return web.json_response({"id": 1, "username": "demo", "name": "Demo", "state": "active"})

    async def project(self, request: web.Request) -> web.Response:
        """One project."""
        name = self._project(request).name
        number = next(n for n in range(1, 100) if (found := self.projects(str(n))) and found.name == name)
        return web.json_response(
            {"id": number, "path_with_namespace": name, "name": name.split("/")[-1], "default_branch": "main"}
        )

    async def deployments(self, request: web.Request) -> web.Response:
        """Deployments; the one environment is production. Filtering by change needs the order by it, as with the vendor."""
        project, query, now = self._project(request), request.query, self.now()
        if ("updated_after" in query or "updated_before" in query) and query.get("order_by") != "updated_at":
            return _failure(400, "400 Bad request - `updated_at` filter and `updated_at` sorting must be paired")
        wanted = query.get("environment", "production")
        rows = [_deployment(deployment, now) for deployment in project.deployments if wanted == "production"]
        if "status" in query:
            rows = [row for row in rows if row["status"] == query["status"]]
        return _listing(request, rows, "id", "asc")

    async def compare(self, request: web.Request) -> web.Response:
        """The commits of ``to`` that ``from`` lacks, oldest first."""
        found = between(self._project(request), request.query.get("from", ""), request.query.get("to", ""))
        if found is None:
            raise web.HTTPNotFound
        return web.json_response({"commits": [_commit(*item) for item in found], "compare_timeout": False})

    async def issues(self, request: web.Request) -> web.Response:
        """Issues, which are all incidents here."""
        project, query, now = self._project(request), request.query, self.now()
        rows = [_issue(incident, now) for incident in project.incidents]
        labels = set(filter(None, query.get("labels", "").split(",")))
        rows = [
            row for row in rows
            if labels <= set(row["labels"]) and query.get("state", "all") in ("all", row["state"])
            and query.get("issue_type", row["issue_type"]) == row["issue_type"]
        ]  # fmt: skip
        return _listing(request, rows, "created_at", "desc")

    async def requests(self, request: web.Request) -> web.Response:
        """Merge requests."""
        project, state, now = self._project(request), request.query.get("state", "all"), self.now()
        rows = [_request(change, now) for change in project.changes]
        return _listing(request, [row for row in rows if state in ("all", row["state"])], "created_at", "desc")

    async def one_request(self, request: web.Request) -> web.Response:
        """One merge request."""
        return web.json_response(_request(self._change(request), self.now()))

    async def notes(self, request: web.Request) -> web.Response:
        """What was said of a merge request: the system's own notes, and a colleague's approval if there was one."""
        change = self._change(request)
        rows = [_note(change.number * 10, change.author, change.opened, "added 1 commit", system=True)]
        if change.reviewed:
            text = "approved this merge request"
            rows.append(_note(change.number * 10 + 1, change.reviewer, change.reviewed, text, system=True))
        return _listing(request, rows, "created_at", "desc")

    async def commits(self, request: web.Request) -> web.Response:
        """Of one merge request, newest first."""
        change = self._change(request)
        rows = [_commit(sha, at, change.title, ("0" * 40,)) for sha, at in change.commits]
        return paged(request, rows[::-1], lambda row: row)

    async def commit_requests(self, request: web.Request) -> web.Response:
        """The merge requests that a commit came with."""
        project, sha, now = self._project(request), request.match_info["sha"], self.now()
        found = [c for c in project.changes if sha == c.merge or sha in {commit for commit, _ in c.commits}]
        return paged(request, [_request(change, now) for change in found], lambda row: row)

    async def pipelines(self, request: web.Request) -> web.Response:
        """Pipelines."""
        now = self.now()
        return _listing(request, [_pipeline(build, now) for build in self._project(request).builds], "id", "desc")

    async def page(self, request: web.Request) -> web.Response:
        """What people see."""
        project, what = self._project(request), request.match_info["page"]
        rows = {
            "environments": [f"{stamp(d.created)} {d.description} {d.sha[:10]}" for d in project.deployments],
            "merge_requests": [f"!{c.number} {c.title}" for c in project.changes],
            "pipelines": [f"{stamp(b.began)} {b.outcome} {b.branch}" for b in project.builds],
        }.get(what)
        if rows is None:
            raise web.HTTPNotFound
        return people_page(f"{project.name}: {what}", rows[-200:][::-1])


def _listing(request: web.Request, rows: list[Row], order: str, direction: str) -> web.Response:
    """Filtered by change, ordered, one page: by offset, or by key with ``pagination=keyset``."""
    query = request.query
    order, direction = query.get("order_by", order), query.get("sort", direction)
    after, before = query.get("updated_after", ""), query.get("updated_before", "~")
    rows = [row for row in rows if "updated_at" not in row or after <= row["updated_at"] <= before]
    rows.sort(key=lambda row: (row[order], row["id"]), reverse=direction == "desc")
    if query.get("pagination") != "keyset":
        return paged(request, rows, lambda row: row)
    size = whole_number(request, "per_page", 20, 100)
    place = 0
    if cursor := query.get("cursor"):
        try:
            key = tuple(base64.urlsafe_b64decode(cursor).decode().split("|"))
        except (binascii.Error, ValueError):
            return _failure(400, "400 Bad request - cursor is invalid")
        keys = [(str(row[order]), str(row["id"])) for row in rows]
        place = keys.index(key) + 1 if key in keys else 0
    items = rows[place : place + size]
    headers = {}
    if place + size < len(rows):
        last = base64.urlsafe_b64encode(f"{items[-1][order]}|{items[-1]['id']}".encode()).decode()
        headers["Link"] = f'<{request.url.update_query(cursor=last)}>; rel="next"'
    return web.json_response(items, headers=headers)


def _user(name: str) -> Row:
    return {"id": sum(name.encode()), "username": name, "name": name.capitalize()}


def _deployment(deployment: Deployment, now: datetime) -> Row:
    done = deployment.ended <= now
    status = ("success" if deployment.ok else "failed") if done else "running"
    return {
        "id": deployment.number, "iid": deployment.number, "ref": "main", "sha": deployment.sha, "status": status,
        "created_at": stamp(deployment.created), "updated_at": stamp(deployment.ended if done else deployment.created),
        "environment": {"id": 1, "name": "production"}, "user": _user("ada"),
        "deployable": {
            "name": "deploy", "status": status, "finished_at": stamp(deployment.ended) if done else None,
            "commit": {"id": deployment.sha, "title": deployment.description, "message": deployment.description},
        },
    }  # fmt: skip


def _commit(sha: str, authored: datetime, message: str, parents: tuple[str, ...]) -> Row:
    return {
        "id": sha, "short_id": sha[:8], "title": message.partition("\n")[0], "message": message,
        "authored_date": stamp(authored), "created_at": stamp(authored), "parent_ids": list(parents),
    }  # fmt: skip


def _issue(incident: Incident, now: datetime) -> Row:
    closed = incident.closed <= now
    return {
        "id": incident.number, "iid": incident.number, "title": incident.title, "description": incident.body,
        "state": "closed" if closed else "opened", "labels": ["incident"], "issue_type": "incident",
        "created_at": stamp(incident.opened), "updated_at": stamp(incident.closed if closed else incident.opened),
        "closed_at": stamp(incident.closed) if closed else None, "author": _user("ben"),
    }  # fmt: skip


def _request(change: Change, now: datetime) -> Row:
    closed = change.closed <= now
    last = max(filter(None, (change.opened, change.reviewed, change.closed if closed else None)))
    return {
        "id": change.number, "iid": change.number, "title": change.title, "author": _user(change.author),
        "state": "merged" if change.merged else "closed" if closed else "opened", "target_branch": "main",
        "source_branch": change.branch, "created_at": stamp(change.opened), "updated_at": stamp(last),
        "merged_at": stamp(change.merged) if change.merged else None, "merge_commit_sha": change.merge,
    }  # fmt: skip


def _note(number: int, author: str, at: datetime, body: str, *, system: bool) -> Row:
    return {"id": number, "author": _user(author), "created_at": stamp(at), "body": body, "system": system}


def _pipeline(build: Build, now: datetime) -> Row:
    done = build.ended <= now
    return {
        "id": build.number, "iid": build.number, "ref": build.branch, "sha": build.sha, "source": "push",
        "status": _OUTCOMES[build.outcome] if done else "running", "created_at": stamp(build.began),
        "updated_at": stamp(build.ended if done else build.began),
    }  # fmt: skip
