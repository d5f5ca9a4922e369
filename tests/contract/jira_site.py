"""A small Jira of a test's own issues, served as Cloud and as Data Center, and the collector asked about it."""

from datetime import UTC, datetime

from aiohttp import web
from tests.contract.collector_run import run, total

from bsc_monitor.sandbox.jira import Behaviour, Site, cloud_app, data_center_app
from bsc_monitor.sandbox.jira.fields import POINTS, SPRINT
from bsc_monitor.sandbox.jira.site import Board, IssueType, Item, Person, Project, Sprint, Status, Step

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
STATUSES = {
    "todo": Status("1", "To Do", "new"), "doing": Status("2", "In Progress", "indeterminate"),
    "review": Status("3", "Review", "indeterminate"), "done": Status("4", "已完成", "done"),
    "closed": Status("5", "Closed", "done"),
}  # fmt: skip
TYPES = {
    "Story": IssueType("10", "Story"), "Bug": IssueType("11", "Bug"), "Epic": IssueType("12", "Epic", 1),
    "Sub-task": IssueType("13", "Sub-task", -1),
}  # fmt: skip
PROJECTS = (
    Project("100", "PAY", "Payments"),
    Project("101", "OPS", "Operations"),
    Project("102", "HELP", "Help", "service_desk"),
)


def at(text):
    """``2026-05-04 09:00`` in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def site(*issues, now=lambda: NOW, sprints=()):
    """A site with these issues: each what ``issue`` makes."""
    made = Site(
        now, projects=PROJECTS, statuses=STATUSES.values(), types=TYPES.values(), people=[Person("a1", "ada", "Ada Abe")],
        boards=[Board(1, "PAY board", "PAY")], sprints=sprints,
    )  # fmt: skip
    for key, steps in issues:
        made.tell(key, steps)
    return made


def issue(number, created, *moves, project="PAY", kind="Story", start="todo", key=None, **values):
    """An issue that enters statuses (``("2026-05-04 09:00", "doing")``) or whose fields change (``("…", {field: value})``)."""
    now_in = STATUSES[start].id
    base = {
        "issuekey": key or f"{project}-{number}", "project": project, "issuetype": TYPES[kind].id, "status": now_in,
        "summary": f"Number {number}", "labels": [], "components": [], **values,
    }  # fmt: skip
    steps, held = [Step(at(created), dict(base))], dict(base)
    for when, what in moves:
        changed = {"status": STATUSES[what].id} if isinstance(what, str) else what
        items = tuple(Item(f, text(held.get(f)), text(new), *names(f, held.get(f), new)) for f, new in changed.items())
        steps.append(Step(at(when), changed, "a1", items))
        held |= changed
    return str(number), steps


def text(value):
    return None if value in (None, []) else ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def names(field, old, new):
    known = {status.id: status.name for status in STATUSES.values()} if field == "status" else {}
    return known.get(text(old), text(old)), known.get(text(new), text(new))


def sprint(number, start, end):
    return Sprint(number, f"Sprint {number}", 1, at(start), at(end), at(end))


class Served:
    """A running Jira. ``config(side)`` is the collector's configuration for ``cloud`` or ``server``."""

    def __init__(self, made, **behaviour):
        self.site, self.behaviour = made, Behaviour(**behaviour)

    async def __aenter__(self):
        app = web.Application()
        app.add_subapp("/jira", cloud_app(lambda: self.site, self.behaviour))
        app.add_subapp("/jira-dc", data_center_app(lambda: self.site, self.behaviour))
        self.runner = web.AppRunner(app)
        await self.runner.setup()
        await web.TCPSite(self.runner, "127.0.0.1", 0).start()
        self.base = f"http://127.0.0.1:{self.runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_):
        await self.runner.cleanup()

    def config(self, side="cloud", token="demo", **more):
        if side == "cloud":
            return {"url": f"{self.base}/jira", "email": "demo@example.com", "token": token, **more}
        return {"url": f"{self.base}/jira-dc", "token": token, **more}


async def ask(made, measure, period, side="cloud", *, behaviour=None, zone="UTC", **params):
    """The total of a measure over a site's own issues."""
    async with Served(made, **(behaviour or {})) as served:
        params = params if {"jql", "epic"} & params.keys() else {"project": "PAY", **params}
        return total(await run("jira", served.config(side), measure, period, now=NOW, zone=zone, **params))


__all__ = ["NOW", "POINTS", "SPRINT", "Served", "ask", "at", "issue", "site", "sprint"]
