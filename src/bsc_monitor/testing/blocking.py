"""Calls that would block the event loop, or go round the one HTTP client, seen in a plugin's source."""

from __future__ import annotations

import ast
from collections.abc import Iterator

_BLOCKING = (
    "time.sleep", "requests.", "urllib.request.", "urllib3.", "http.client.", "httpx.get", "httpx.post", "httpx.request",
    "httpx.Client", "subprocess.run", "subprocess.call", "subprocess.check_", "subprocess.getoutput", "subprocess.Popen",
    "os.system", "os.popen", "os.wait", "socket.create_connection", "socket.socket", "socket.getaddrinfo",
    "socket.gethostby", "sqlite3.connect", "psycopg.connect", "pymysql.connect", "open", "input", "shutil.",
)  # fmt: skip
_ROUND = ("aiohttp.ClientSession", "aiohttp.request", "httpx.AsyncClient", "websockets.connect")


def blocking_calls(source: str) -> Iterator[tuple[int, str]]:
    """Line and words of each call in an ``async def`` that blocks, and of each that goes round ``ctx.http``."""
    tree = ast.parse(source)
    names = _imported(tree)
    asynchronous = {
        id(call)
        for function in ast.walk(tree)
        if isinstance(function, ast.AsyncFunctionDef)
        for call in _calls(function)
    }
    for call in ast.walk(tree):
        if not isinstance(call, ast.Call):
            continue
        name = _name(call.func, names)
        if id(call) in asynchronous and any(_is(name, each) for each in _BLOCKING):
            yield call.lineno, f"{name}() blocks the event loop: await something, or write def instead of async def"
        elif name == "print":
            yield call.lineno, "print() masks no secret and is read by nobody: write ctx.log.info(…)"
        elif any(_is(name, each) for each in _ROUND):
            yield call.lineno, f"{name}() goes round ctx.http, which has the limits, retries and masks of the service"


def lost_methods(source: str) -> Iterator[tuple[int, str]]:
    """Line and name of each method that another of the same name below it in its class takes the place of."""
    for cls in ast.walk(ast.parse(source)):
        if not isinstance(cls, ast.ClassDef):
            continue
        last: dict[str, int] = {}
        for method in cls.body:
            if isinstance(method, ast.FunctionDef | ast.AsyncFunctionDef) and _measures(method):
                if method.name in last:
                    yield last[method.name], method.name
                last[method.name] = method.lineno


def _measures(method: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    calls = (each.func if isinstance(each, ast.Call) else each for each in method.decorator_list)
    return any(isinstance(each, ast.Name) and each.id == "measure" for each in calls)


def gives_evidence(source: str) -> bool:
    """Whether a ``Reading`` is built with ``evidence`` anywhere."""
    calls = (each for each in ast.walk(ast.parse(source)) if isinstance(each, ast.Call))
    return any(keyword.arg == "evidence" for call in calls for keyword in call.keywords)


def _calls(function: ast.AsyncFunctionDef) -> Iterator[ast.Call]:
    """The calls of a function itself, not of plain functions within it, which may run in a thread."""
    waiting: list[ast.AST] = list(ast.iter_child_nodes(function))
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Call):
            yield node
        if not isinstance(node, (ast.FunctionDef, ast.Lambda, ast.AsyncFunctionDef)):
            waiting += ast.iter_child_nodes(node)


def _imported(tree: ast.Module) -> dict[str, str]:
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                names[alias.asname or alias.name.partition(".")[0]] = (
                    alias.name if alias.asname else alias.name.partition(".")[0]
                )
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    return names


def _name(node: ast.expr, names: dict[str, str]) -> str:
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return ""
    return ".".join([names.get(node.id, node.id), *reversed(parts)])


def _is(name: str, known: str) -> bool:
    return name == known or (known[-1:] in "._" and name.startswith(known))
