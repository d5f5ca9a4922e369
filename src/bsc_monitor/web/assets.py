"""Styles, scripts and pictures, from the package, under names that change with their content."""

import gzip
import hashlib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from aiohttp import web

from bsc_monitor.web.routes import Policy, Routes

ROUTES: Routes = Routes()
_KINDS = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".woff2": "font/woff2",
}
_FOREVER = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class Asset:
    """One file, with its compressed form."""

    body: bytes
    packed: bytes
    kind: str
    tag: str


@cache
def assets() -> dict[str, Asset]:
    """Every file of ``static/`` by name."""
    found = {}
    for file in sorted(files("bsc_monitor.web").joinpath("static").iterdir(), key=lambda file: file.name):
        kind = next((kind for ending, kind in _KINDS.items() if file.name.endswith(ending)), None)
        if kind is not None:
            body = file.read_bytes()
            found[file.name] = Asset(body, gzip.compress(body, mtime=0), kind, hashlib.sha256(body).hexdigest()[:12])
    return found


def address(name: str) -> str:
    """Where a page finds a file. Raises KeyError: there is none of that name."""
    return f"/static/{name}?v={assets()[name].tag}"


@ROUTES.get("/static/{name}", Policy.PUBLIC)
async def static(request: web.Request) -> web.Response:
    """A file by name, to be kept for good under its tag."""
    asset = assets().get(request.match_info["name"])
    if asset is None:
        raise web.HTTPNotFound
    etag = f'"{asset.tag}"'
    headers = {"ETag": etag, "Vary": "Accept-Encoding", "Content-Type": asset.kind}
    headers["Cache-Control"] = _FOREVER if request.query.get("v") == asset.tag else "no-cache"
    if request.headers.get("If-None-Match") == etag:
        return web.Response(status=304, headers=headers)
    if "gzip" in request.headers.get("Accept-Encoding", ""):
        return web.Response(body=asset.packed, headers={**headers, "Content-Encoding": "gzip"})
    return web.Response(body=asset.body, headers=headers)
