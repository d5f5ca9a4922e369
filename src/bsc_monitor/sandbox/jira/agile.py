"""Boards and sprints (Jira Software) and what Service Management tells of a request."""

from typing import TYPE_CHECKING, Any

from aiohttp import web

from bsc_monitor.sandbox.jira.door import CALLER, failure
from bsc_monitor.sandbox.jira.fields import SATISFACTION, SPRINT
from bsc_monitor.sandbox.jira.site import Issue, Site

if TYPE_CHECKING:
    from bsc_monitor.sandbox.jira.server import Side

_AGILE, _DESK = "/rest/agile/1.0", "/rest/servicedeskapi/request"


def add_agile(app: web.Application, side: "Side") -> None:
    """Add the routes to one side."""
    agile = _Agile(side)
    app.router.add_get(f"{_AGILE}/board", agile.boards)
    app.router.add_get(f"{_AGILE}/board/{{board}}/sprint", agile.sprints)
    app.router.add_get(f"{_AGILE}/sprint/{{sprint}}", agile.sprint)
    app.router.add_get(f"{_AGILE}/sprint/{{sprint}}/issue", agile.sprint_issues)
    app.router.add_get(f"{_DESK}/{{key}}/sla", agile.service_levels)
    app.router.add_get(f"{_DESK}/{{key}}/feedback", agile.feedback)


class _Agile:
    def __init__(self, side: "Side") -> None:
        self.side = side

    @property
    def site(self) -> Site:
        return self.side.site

    async def boards(self, request: web.Request) -> web.Response:
        """Boards, of one project where asked."""
        asked, kind = request.query.get("projectKeyOrId"), request.query.get("type")
        if asked and not any(asked in (p.key, p.id) for p in self.site.projects.values()):
            return failure(400, f"No project could be found with key or id '{asked}'.")
        writer, hidden = self.side.writer(request), request[CALLER].hidden
        found = [
            writer.board(board)
            for board in self.site.boards.values()
            if board.project not in hidden
            and (not asked or asked in (board.project, self.site.projects[board.project].id))
            and (not kind or kind == board.kind)
        ]
        return self.side.paged(request, found)

    async def sprints(self, request: web.Request) -> web.Response:
        """Sprints of a board, oldest first, of some states where asked."""
        board = self.site.boards.get(_number(request, "board"))
        if board is None or board.project in request[CALLER].hidden:
            return failure(404, "Board does not exist or you do not have permission to view it.")
        if board.kind != "scrum":
            return failure(400, "The board does not support sprints")
        states = {state for state in request.query.get("state", "").split(",") if state}
        writer, now = self.side.writer(request), self.site.now()
        mine = sorted((s for s in self.site.sprints.values() if s.board == board.id), key=lambda s: s.start)
        return self.side.paged(request, [writer.sprint(s) for s in mine if not states or s.state(now) in states])

    async def sprint(self, request: web.Request) -> web.Response:
        """One sprint."""
        found = self.site.sprints.get(_number(request, "sprint"))
        if found is None:
            return failure(404, "Sprint does not exist")
        return web.json_response(self.side.writer(request).sprint(found))

    async def sprint_issues(self, request: web.Request) -> web.Response:
        """The issues that are in a sprint today."""
        number, writer = _number(request, "sprint"), self.side.writer(request)

        def work() -> web.Response:
            hidden = request[CALLER].hidden
            mine = [i for i in self.site.issues.values() if number in (i.values.get(SPRINT) or [])]
            found = [writer.issue(i, ["*navigable"]) for i in mine if i.values["project"] not in hidden]
            return self.side.paged(request, found)

        return await self.side.answered(work)

    async def service_levels(self, request: web.Request) -> web.Response:
        """The service levels of a request, for agents."""
        writer = self.side.writer(request)

        def work() -> web.Response:
            issue = self._request(request)
            if issue is None or not self.side.behaviour.agent:
                return failure(403 if issue else 404, "You do not have permission to view the SLAs of this request.")
            fields = [f for f in self.site.fields.values() if f.kind == "sla" and issue.values.get(f.id)]
            return self.side.paged(request, [writer.sla(field, issue.values[field.id]) for field in fields])

        return await self.side.answered(work)

    async def feedback(self, request: web.Request) -> web.Response:
        """What the customer said of a request."""

        def work() -> web.Response:
            issue = self._request(request)
            rating = issue.values.get(SATISFACTION) if issue else None
            if rating is None:
                return failure(404, "No feedback was given.")
            body: dict[str, Any] = {"type": "csat", "rating": rating, "comment": {"body": ""}}
            return web.json_response(body)

        return await self.side.answered(work)

    def _request(self, request: web.Request) -> Issue | None:
        found = self.side.visible(request.match_info["key"], request[CALLER])
        return found if found and self.site.projects[found.values["project"]].kind == "service_desk" else None


def _number(request: web.Request, name: str) -> int:
    text = request.match_info[name]
    return int(text) if text.isdigit() else -1
