"""Jira over HTTP: Cloud's REST v3 (and v2) and Data Center's v2, over the same issues."""

import asyncio
import html
import json
from collections.abc import Callable, Mapping
from typing import Any

from aiohttp import web

from bsc_monitor.sandbox.jira import search
from bsc_monitor.sandbox.jira.agile import add_agile
from bsc_monitor.sandbox.jira.answer import Writer
from bsc_monitor.sandbox.jira.changelog import bulk_page, issue_page
from bsc_monitor.sandbox.jira.create import create
from bsc_monitor.sandbox.jira.door import CALLER, Behaviour, Door, failure
from bsc_monitor.sandbox.jira.match import Caller, select
from bsc_monitor.sandbox.jira.site import Issue, Person, Site

_NO_ISSUE = "Issue does not exist or you do not have permission to see it."
_LISTED = 500  # issues on the page for people


def cloud_app(load: Callable[[], Site], behaviour: Behaviour) -> web.Application:
    """A Jira Cloud site, to be mounted under a path of its own."""
    side = Side(load, behaviour, cloud=True)
    app = web.Application(middlewares=[side.door.gate])
    side.add_pages(app)
    for version in ("3", "2", "latest"):
        api = f"/rest/api/{version}"
        side.add_common(app, api)
        for path in ("/search", "/search/"):
            app.router.add_route("*", api + path, side.removed)
        app.router.add_get(f"{api}/search/jql", side.search)
        app.router.add_post(f"{api}/search/jql", side.search)
        app.router.add_post(f"{api}/search/approximate-count", side.count)
        app.router.add_get(f"{api}/issue/{{key}}/changelog", side.changelog)
        app.router.add_post(f"{api}/changelog/bulkfetch", side.changelogs)
        app.router.add_get(f"{api}/project/search", side.project_page)
        app.router.add_get(f"{api}/statuses/search", side.status_page)
        app.router.add_get(f"{api}/project/{{key}}", side.project)
    return app


def data_center_app(load: Callable[[], Site], behaviour: Behaviour) -> web.Application:
    """A self-managed Jira, to be mounted under a path of its own."""
    side = Side(load, behaviour, cloud=False)
    app = web.Application(middlewares=[side.door.gate])
    side.add_pages(app)
    for version in ("2", "latest"):
        api = f"/rest/api/{version}"
        side.add_common(app, api)
        app.router.add_get(f"{api}/search", side.search)
        app.router.add_post(f"{api}/search", side.search)
        app.router.add_get(f"{api}/project/{{key}}", side.project)
    return app


class Side:
    """The handlers of one side."""

    def __init__(self, load: Callable[[], Site], behaviour: Behaviour, *, cloud: bool) -> None:
        self.behaviour, self.cloud = behaviour, cloud
        self.door = Door(load, behaviour, cloud=cloud)

    @property
    def site(self) -> Site:
        """The site, by now loaded."""
        return self.door.site

    def add_common(self, app: web.Application, api: str) -> None:
        """Add what both sides answer."""
        app.router.add_get(f"{api}/myself", self.myself)
        app.router.add_get(f"{api}/serverInfo", self.server_info)
        app.router.add_get(f"{api}/status", self.statuses)
        app.router.add_get(f"{api}/field", self.fields)
        app.router.add_get(f"{api}/project", self.projects)
        app.router.add_get(f"{api}/issue/{{key}}", self.issue)
        app.router.add_post(f"{api}/issue", self.create)

    def add_pages(self, app: web.Application) -> None:
        """Add the pages for people, boards and requests."""
        app.router.add_get("/issues/", self.list_page)
        app.router.add_get("/browse/{key}", self.browse)
        add_agile(app, self)

    def base(self, request: web.Request) -> str:
        """The site's own address, as this caller reaches it."""
        prefix = request.path.partition("/rest/")[0]
        return f"{request.url.origin()}{prefix}"

    def writer(self, request: web.Request) -> Writer:
        """Writes for this caller."""
        return Writer(self.site, self.base(request), self.door.zone, cloud=self.cloud, agent=self.behaviour.agent)

    async def answered(self, work: Callable[[], web.Response]) -> web.Response:
        """Do the work in a thread, with the site as it is now and nobody else at it."""

        def locked() -> web.Response:
            with self.site.lock:
                self.site.advance()
                return work()

        return await asyncio.to_thread(locked)  # a large page must not hold up the other requests

    async def myself(self, request: web.Request) -> web.Response:
        """Who the caller is."""
        me = Person("5b10a2844c20165700ede21g", self.behaviour.username, "Demo User")
        found = self.writer(request).person(me) | {"locale": "en_GB", "emailAddress": self.behaviour.email}
        return web.json_response(found)

    async def server_info(self, request: web.Request) -> web.Response:
        """What kind of Jira this is."""
        version, kind = ("1001.0.0-SNAPSHOT", "Cloud") if self.cloud else ("9.12.5", "Server")
        return web.json_response({
            "baseUrl": self.base(request), "version": version, "deploymentType": kind, "buildNumber": 100_287,
            "versionNumbers": [1001, 0, 0] if self.cloud else [9, 12, 5], "serverTitle": "Sandbox",
            "serverTime": self.site.now().isoformat(timespec="milliseconds"),
        })  # fmt: skip

    async def statuses(self, request: web.Request) -> web.Response:
        """All statuses with their categories."""
        writer = self.writer(request)
        return web.json_response([writer.status(status) for status in self.site.statuses.values()])

    async def status_page(self, request: web.Request) -> web.Response:
        """Statuses page by page."""
        shown = [
            {"id": s.id, "name": s.name, "statusCategory": _CATEGORY[s.category], "description": "", "usages": []}
            for s in self.site.statuses.values()
        ]
        return self.paged(request, shown)

    async def fields(self, request: web.Request) -> web.Response:
        """All fields."""
        writer = self.writer(request)
        return web.json_response([writer.field(field) for field in self.site.fields.values()])

    async def projects(self, request: web.Request) -> web.Response:
        """All projects that the caller may browse."""
        return web.json_response(self._projects(request))

    async def project_page(self, request: web.Request) -> web.Response:
        """Projects page by page."""
        keys = request.query.getall("keys", [])
        return self.paged(request, [p for p in self._projects(request) if not keys or p["key"] in keys])

    async def project(self, request: web.Request) -> web.Response:
        """One project."""
        key = request.match_info["key"]
        found = next((p for p in self._projects(request) if key in (p["key"], p["id"])), None)
        return web.json_response(found) if found else failure(404, f"No project could be found with key '{key}'.")

    async def search(self, request: web.Request) -> web.Response:
        """One page of a search."""
        asked = await _asked(request)
        if asked is None:
            return failure(400, "There was an error parsing JSON. Check that your request body is valid.")
        page = search.token_page if self.cloud else search.offset_page
        writer, caller = self.writer(request), request[CALLER]
        try:
            return await self.answered(lambda: page(self.site, asked, caller, writer, self.behaviour))
        except (TypeError, ValueError) as error:
            return _wrong(error)

    async def removed(self, request: web.Request) -> web.Response:  # noqa: ARG002
        """Cloud's former search."""
        return search.removed()

    async def count(self, request: web.Request) -> web.Response:
        """How many issues a query finds, roughly."""
        asked = await _asked(request) or {}
        return await self.answered(lambda: search.count(self.site, asked, request[CALLER]))

    async def issue(self, request: web.Request) -> web.Response:
        """One issue."""
        fields, expand = request.query.get("fields", "*all"), request.query.get("expand", "")
        writer = self.writer(request)

        def work() -> web.Response:
            found = self.visible(request.match_info["key"], request[CALLER])
            if found is None:
                return failure(404, _NO_ISSUE)
            return web.json_response(writer.issue(found, [fields], changelog="changelog" in expand))

        return await self.answered(work)

    async def create(self, request: web.Request) -> web.Response:
        """A new issue."""
        asked = await _asked(request) or {}
        writer, caller = self.writer(request), request[CALLER]
        return await self.answered(lambda: create(self.site, asked, caller, writer))

    async def changelog(self, request: web.Request) -> web.Response:
        """One page of an issue's changelog."""
        writer = self.writer(request)

        def work() -> web.Response:
            found = self.visible(request.match_info["key"], request[CALLER])
            return issue_page(found, request, writer, self.behaviour) if found else failure(404, _NO_ISSUE)

        return await self.answered(work)

    async def changelogs(self, request: web.Request) -> web.Response:
        """One page of the changelogs of many issues."""
        asked = await _asked(request) or {}
        writer, caller = self.writer(request), request[CALLER]
        return await self.answered(lambda: bulk_page(asked, lambda key: self.visible(key, caller), writer))

    async def list_page(self, request: web.Request) -> web.Response:
        """The page that people see: where evidence links lead."""
        jql, base = request.query.get("jql", ""), request.path.removesuffix("/issues/")

        def work() -> web.Response:
            found = select(self.site, jql, request[CALLER])
            rows = "".join(
                f'<tr><td><a href="{base}/browse/{i.key}">{i.key}</a></td><td>{html.escape(str(i.values.get("summary", "")))}'
                f"</td><td>{html.escape(self.site.statuses[i.values['status']].name)}</td></tr>"
                for i in found[:_LISTED]
            )
            text = f"<!DOCTYPE html><title>Issues</title><h1>{len(found)} issues</h1><p><code>{html.escape(jql)}</code><table>{rows}</table>"
            return web.Response(text=text, content_type="text/html")

        return await self.answered(work)

    async def browse(self, request: web.Request) -> web.Response:
        """The page of one issue."""

        def work() -> web.Response:
            found = self.visible(request.match_info["key"], request[CALLER])
            if found is None:
                return web.Response(status=404, text=_NO_ISSUE)
            return web.Response(text=f"{found.key}: {found.values.get('summary', '')}")

        return await self.answered(work)

    def visible(self, key: str, caller: Caller) -> Issue | None:
        """An issue that exists and that the caller may see."""
        found = self.site.find(key)
        return None if found is None or found.values["project"] in caller.hidden else found

    def paged(self, request: web.Request, values: list[Any]) -> web.Response:
        """An offset page of a list."""
        start, size = int(request.query.get("startAt", 0)), min(int(request.query.get("maxResults", 50)), 100)
        page = values[start : start + size]
        return web.json_response({
            "self": str(request.url), "startAt": start, "maxResults": size, "total": len(values),
            "isLast": start + size >= len(values), "values": page,
        })  # fmt: skip

    def _projects(self, request: web.Request) -> list[dict[str, Any]]:
        writer, hidden = self.writer(request), request[CALLER].hidden
        return [writer.project(project) for project in self.site.projects.values() if project.key not in hidden]


_CATEGORY = {"new": "TODO", "indeterminate": "IN_PROGRESS", "done": "DONE"}


async def _asked(request: web.Request) -> Mapping[str, Any] | None:
    """What a search asks for, by body or by query; None where the body is no JSON object."""
    if request.method == "GET":
        found: dict[str, Any] = dict(request.query)
        if "fields" in found:
            found["fields"] = [name for entry in request.query.getall("fields") for name in entry.split(",")]
        return found
    try:
        body = json.loads(await request.text())
    except ValueError:
        return None
    return body if isinstance(body, dict) else None


def _wrong(error: Exception) -> web.Response:
    return failure(400, str(error))
