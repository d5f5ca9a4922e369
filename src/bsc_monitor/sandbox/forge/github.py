"""GitHub's REST API (2022-11-28): repositories, deployments, issues, pull requests, workflow runs; token, limit, paging."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

from aiohttp import web

from bsc_monitor.sandbox.callers import Callers
from bsc_monitor.sandbox.company.forge import Build, Change, Deployment, Incident, Project
from bsc_monitor.sandbox.forge.serve import Projects, between, known, paged, people_page, stamp

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def github_app(projects: Projects, callers: Callers, now: Callable[[], datetime]) -> web.Application:
    """The API at its root, and a page for people at ``/OWNER/REPOSITORY/…``."""
    side = _Side(projects, callers, now)
    app = web.Application(middlewares=[side.gate])
    repo = "/repos/{owner}/{name}"
    for path, handler in {
        "/rate_limit": side.rate_limit, repo: side.repository, f"{repo}/deployments": side.deployments,
        f"{repo}/deployments/{{id}}/statuses": side.statuses, f"{repo}/compare/{{basehead}}": side.compare,
        f"{repo}/issues": side.issues, f"{repo}/pulls": side.pulls, f"{repo}/pulls/{{number}}": side.pull,
        f"{repo}/pulls/{{number}}/reviews": side.reviews, f"{repo}/pulls/{{number}}/commits": side.pull_commits,
        f"{repo}/commits/{{sha}}/pulls": side.commit_pulls, f"{repo}/actions/runs": side.runs,
        "/{owner}/{name}/{page}": side.page,
    }.items():  # fmt: skip
        app.router.add_get(path, handler)
    return app


def _failure(status: int, message: str, headers: dict[str, str] | None = None) -> web.Response:
    body = {"message": message, "documentation_url": "https://docs.github.com/rest", "status": str(status)}
    return web.json_response(body, status=status, headers=headers)


class _Side:
    def __init__(self, projects: Projects, callers: Callers, now: Callable[[], datetime]) -> None:
        self.projects, self.callers, self.now = projects, callers, now

    @web.middleware
    async def gate(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Token and limit. GitHub answers 403 when the limit is used up, and hides what a stranger may not see."""
        api = "repos" in request.path.split("/") or request.path.endswith("/rate_limit")
        if not api:
            return await handler(request)
        if not self.callers.knows(request.headers.get("Authorization", ""), "bearer", "token"):
            return _failure(401, "Bad credentials")
        allowed, left, reset = self.callers.take()
        headers = {
            "X-RateLimit-Limit": str(self.callers.limit or 5000), "X-RateLimit-Remaining": str(left),
            "X-RateLimit-Reset": str(int(reset) + 1), "X-RateLimit-Resource": "core",
        }  # fmt: skip
        if not allowed:
            return _failure(403, "API rate limit exceeded for user ID 1.", headers)
        try:
            response = await handler(request)
        except web.HTTPNotFound:
            response = _failure(404, "Not Found")
        response.headers.update(headers)
        return response

    def _project(self, request: web.Request) -> Project:
        project = self.projects(f"{request.match_info['owner']}/{request.match_info['name']}")
        if project is None:
            raise web.HTTPNotFound
        return known(project, self.now())

    def _base(self, request: web.Request, project: Project) -> str:
        return f"{request.url.origin()}{request.path.partition('/repos/')[0]}/repos/{project.name}"

    async def rate_limit(self, request: web.Request) -> web.Response:  # noqa: ARG002
        """How much is left."""
        core = {"limit": self.callers.limit or 5000, "remaining": 5000, "reset": int(self.now().timestamp()) + 3600}
        return web.json_response({"resources": {"core": core}, "rate": core})

    async def repository(self, request: web.Request) -> web.Response:
        """One repository."""
        project = self._project(request)
        owner, name = project.name.split("/")
        web_address = self._base(request, project).replace("/repos/", "/")
        return web.json_response(
            {"id": len(project.name), "name": name, "full_name": project.name, "owner": {"login": owner}, "private": True,
             "default_branch": "main", "url": self._base(request, project), "html_url": web_address}
        )  # fmt: skip

    async def deployments(self, request: web.Request) -> web.Response:
        """Newest first; the one environment is production."""
        project = self._project(request)
        base, wanted = self._base(request, project), request.query.get("environment", "production")
        found = list(reversed(project.deployments)) if wanted == "production" else []
        sha = request.query.get("sha")
        return paged(request, [d for d in found if not sha or d.sha == sha], lambda d: _deployment(base, d))

    async def statuses(self, request: web.Request) -> web.Response:
        """Of one deployment, newest first."""
        project = self._project(request)
        found = [d for d in project.deployments if str(d.number) == request.match_info["id"]]
        if not found:
            raise web.HTTPNotFound
        deployment, now = found[0], self.now()
        steps = [(deployment.created, "in_progress"), (deployment.ended, "success" if deployment.ok else "failure")]
        base = f"{self._base(request, project)}/deployments/{deployment.number}"
        rows = [
            {"id": deployment.number * 10 + n, "url": f"{base}/statuses/{n}", "deployment_url": base, "state": state,
             "created_at": stamp(at), "updated_at": stamp(at), "environment": "production"}
            for n, (at, state) in enumerate(steps) if at <= now
        ]  # fmt: skip
        return paged(request, rows[::-1], lambda row: row)

    async def compare(self, request: web.Request) -> web.Response:
        """The commits of head that base lacks, oldest first."""
        base, _, head = request.match_info["basehead"].partition("...")
        found = between(self._project(request), base, head)
        if found is None:
            raise web.HTTPNotFound
        rows = [_commit(*item) for item in found]
        return paged(request, rows, lambda row: row, wrap="commits")

    async def issues(self, request: web.Request) -> web.Response:
        """Incidents and pull requests (which are issues too), changed since a moment, with a label."""
        project, query, now = self._project(request), request.query, self.now()
        base = self._base(request, project)
        rows = [_issue(base, incident, now) for incident in project.incidents]
        rows += [_pull(base, change, now) | {"pull_request": {}, "labels": []} for change in project.changes]
        labels = set(filter(None, query.get("labels", "").split(",")))
        state = query.get("state", "open")
        rows = [
            row for row in rows
            if labels <= {label["name"] for label in row["labels"]} and state in ("all", row["state"])
            and row["updated_at"] >= query.get("since", "")
        ]  # fmt: skip
        return paged(request, _sorted(rows, request), lambda row: row)

    async def pulls(self, request: web.Request) -> web.Response:
        """Pull requests."""
        project, now, state = self._project(request), self.now(), request.query.get("state", "open")
        base = self._base(request, project)
        rows = [_pull(base, change, now) for change in project.changes]
        return paged(request, _sorted([r for r in rows if state in ("all", r["state"])], request), lambda row: row)

    def _change(self, request: web.Request) -> tuple[Project, Change]:
        project = self._project(request)
        for change in project.changes:
            if str(change.number) == request.match_info["number"]:
                return project, change
        raise web.HTTPNotFound

    async def pull(self, request: web.Request) -> web.Response:
        """One pull request."""
        project, change = self._change(request)
        return web.json_response(_pull(self._base(request, project), change, self.now()))

    async def reviews(self, request: web.Request) -> web.Response:
        """Of one pull request: a bot's comment, and a colleague's approval if there was one."""
        _, change = self._change(request)
        rows = [_review(change.number * 10, "lint-bot", "Bot", "COMMENTED", change.opened)]
        if change.reviewed:
            rows.append(_review(change.number * 10 + 1, change.reviewer, "User", "APPROVED", change.reviewed))
        return paged(request, rows, lambda row: row)

    async def pull_commits(self, request: web.Request) -> web.Response:
        """Of one pull request, oldest first."""
        _, change = self._change(request)
        rows = [_commit(sha, at, change.title, ("0" * 40,)) for sha, at in change.commits]
        return paged(request, rows, lambda row: row)

    async def commit_pulls(self, request: web.Request) -> web.Response:
        """The pull requests that a commit came with."""
        project, sha, now = self._project(request), request.match_info["sha"], self.now()
        base = self._base(request, project)
        found = [c for c in project.changes if sha == c.merge or sha in {commit for commit, _ in c.commits}]
        return paged(request, [_pull(base, change, now) for change in found], lambda row: row)

    async def runs(self, request: web.Request) -> web.Response:
        """Workflow runs, newest first."""
        project, now = self._project(request), self.now()
        base = self._base(request, project)
        rows = sorted(project.builds, key=lambda build: build.began, reverse=True)
        return paged(request, rows, lambda build: _run(base, build, now), wrap="workflow_runs")

    async def page(self, request: web.Request) -> web.Response:
        """What people see."""
        project, what = self._project(request), request.match_info["page"]
        rows = {
            "deployments": [f"{stamp(d.created)} {d.description} {d.sha[:10]}" for d in project.deployments],
            "pulls": [f"#{c.number} {c.title}" for c in project.changes],
            "actions": [f"{stamp(b.began)} {b.outcome} {b.branch}" for b in project.builds],
        }.get(what)
        if rows is None:
            raise web.HTTPNotFound
        return people_page(f"{project.name}: {what}", rows[-200:][::-1])


def _sorted(rows: list[dict[str, Any]], request: web.Request) -> list[dict[str, Any]]:
    by = "updated_at" if request.query.get("sort") == "updated" else "created_at"
    return sorted(
        rows, key=lambda row: (row[by], row["number"]), reverse=request.query.get("direction", "desc") == "desc"
    )


def _user(login: str, kind: str = "User") -> dict[str, Any]:
    return {"login": login, "id": sum(login.encode()), "type": kind}


def _deployment(base: str, deployment: Deployment) -> dict[str, Any]:
    address = f"{base}/deployments/{deployment.number}"
    return {
        "id": deployment.number, "url": address, "statuses_url": f"{address}/statuses", "sha": deployment.sha,
        "ref": "main", "task": "deploy", "environment": "production", "description": deployment.description,
        "created_at": stamp(deployment.created), "updated_at": stamp(deployment.created), "creator": _user("ada"),
    }  # fmt: skip


def _commit(sha: str, authored: datetime, message: str, parents: tuple[str, ...]) -> dict[str, Any]:
    person = {"name": "Ada", "email": "ada@example.com", "date": stamp(authored)}
    return {
        "sha": sha, "commit": {"message": message, "author": person, "committer": person},
        "parents": [{"sha": parent} for parent in parents],
    }  # fmt: skip


def _issue(base: str, incident: Incident, now: datetime) -> dict[str, Any]:
    closed = incident.closed <= now
    return {
        "id": incident.number, "number": incident.number, "title": incident.title, "body": incident.body,
        "url": f"{base}/issues/{incident.number}", "state": "closed" if closed else "open", "user": _user("ben"),
        "labels": [{"id": 1, "name": "incident"}], "created_at": stamp(incident.opened),
        "updated_at": stamp(incident.closed if closed else incident.opened),
        "closed_at": stamp(incident.closed) if closed else None, "state_reason": "completed" if closed else None,
    }  # fmt: skip


def _pull(base: str, change: Change, now: datetime) -> dict[str, Any]:
    closed = change.closed <= now
    last = max(filter(None, (change.opened, change.reviewed, change.closed if closed else None)))
    return {
        "id": change.number, "number": change.number, "title": change.title, "url": f"{base}/pulls/{change.number}",
        "state": "closed" if closed else "open", "user": _user(change.author), "draft": False,
        "head": {"ref": change.branch, "sha": change.commits[-1][0]}, "base": {"ref": "main", "sha": "0" * 40},
        "created_at": stamp(change.opened), "updated_at": stamp(last), "closed_at": stamp(change.closed) if closed else None,
        "merged_at": stamp(change.merged) if change.merged else None, "merge_commit_sha": change.merge,
    }  # fmt: skip


def _review(number: int, login: str, kind: str, state: str, at: datetime) -> dict[str, Any]:
    return {"id": number, "user": _user(login, kind), "state": state, "submitted_at": stamp(at), "body": ""}


def _run(base: str, build: Build, now: datetime) -> dict[str, Any]:
    done = build.ended <= now
    return {
        "id": build.number, "name": "CI", "url": f"{base}/actions/runs/{build.number}", "head_branch": build.branch,
        "head_sha": build.sha, "event": "push", "status": "completed" if done else "in_progress", "run_attempt": 1,
        "conclusion": build.outcome if done else None, "created_at": stamp(build.began),
        "run_started_at": stamp(build.began), "updated_at": stamp(build.ended if done else build.began),
    }  # fmt: skip
