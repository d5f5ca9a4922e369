"""Pages and webhooks that a plugin adds: plain data, so that its handler can live in another process."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class PageRequest:
    """What somebody asked of a plugin's page."""

    method: str
    path: str  #: as the route says it
    query: Mapping[str, str]
    headers: Mapping[str, str]  #: names in small letters; cookies and authorization are left out
    body: bytes
    user: str  #: who asks, as signed in


@dataclass(frozen=True, slots=True)
class Page:
    """What a plugin's page answers. The service adds its security headers: no scripts, no frames."""

    body: str
    status: int = 200
    content_type: str = "text/html"
    run: str = ""  #: id of a source of this plugin whose collections run soon, as a webhook wants


@dataclass(frozen=True, slots=True)
class PageRoute:
    """One page of a plugin, at ``/plugins/NAME/PATH``."""

    path: str  #: one word of small letters, digits, - and _
    handler: Callable[[PageRequest], Page | Awaitable[Page]]
    policy: Literal["public", "viewer", "operator", "admin"]  #: who may; a public webhook checks a signature itself
    method: Literal["GET", "POST"] = "GET"
