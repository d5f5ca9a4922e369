"""Pages from templates: everything is escaped unless a template's own macro made it."""

from functools import cache
from typing import Any

from aiohttp import web
from jinja2 import Environment, PackageLoader, StrictUndefined

from bsc_monitor.web import words
from bsc_monitor.web.assets import address, assets
from bsc_monitor.web.board import BOARD
from bsc_monitor.web.guard import IDENTITY
from bsc_monitor.web.navigation import NAVIGATION
from bsc_monitor.web.routes import Policy
from bsc_monitor.web.view import charts


@cache
def environment() -> Environment:
    """The templates of this room, and what they may call."""
    made = Environment(
        loader=PackageLoader("bsc_monitor.web"), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True, auto_reload=False,
    )  # fmt: skip
    made.globals |= {name: getattr(words, name) for name in words.__all__}
    made.globals |= {name: getattr(charts, name) for name in charts.__all__}
    made.globals |= {"asset": address, "Policy": Policy}
    return made


def warm() -> None:
    """Have every template compiled and every file packed, so that the first person to look does not wait for it."""
    assets()
    for name in environment().list_templates():
        environment().get_template(name)


def fragment(template: str, name: str, *arguments: Any) -> str:
    """The text of one macro: the piece of a page that live updates replace."""
    macros = environment().get_template(template).module
    return str(getattr(macros, name)(*arguments))


def page(
    request: web.Request, template: str, *, status: int = 200, headers: dict[str, str] | None = None, **context: Any
) -> web.Response:
    """A whole page."""
    board = request.app[BOARD]
    identity = request.get(IDENTITY)
    role = identity.role if identity else Policy.PUBLIC
    text = environment().get_template(template).render(
        path=request.path, navigation=[item for item in NAVIGATION if role >= item.policy], may=role.__ge__,
        identity=identity, wall="wall" in request.query and request.query["wall"] != "0", version=board.version,
        notice=NOTICES.get(request.query.get("done", "")), reload=board.current.reload, **context,
    )  # fmt: skip
    response = web.Response(text=text, status=status, headers=headers, content_type="text/html")
    if len(text) > 1000:
        response.enable_compression()
    return response


NOTICES = {
    "acknowledge": "The alert is acknowledged.",
    "silence": "The silence is in force.",
    "expire": "The silence has ended.",
    "maintain": "The maintenance window is in force.",
    "end-maintenance": "The maintenance window has ended.",
    "value": "The value is stored.",
    "comment": "The comment is written.",
    "run": "The collection was asked for.",
    "retry": "The message is tried again.",
    "initiative": "The initiative is started.",
    "changed": "The initiative is changed.",
    "ticket": "The ticket is open.",
    "reload": "The configuration is in force.",
}
