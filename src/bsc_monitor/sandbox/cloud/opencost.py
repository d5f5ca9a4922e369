"""OpenCost's ``/allocation/compute`` over the company's clusters: one set of allocations for every step of a window."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

from aiohttp import web

from bsc_monitor.sandbox.cloud.ledger import Ledger, Workload
from bsc_monitor.sandbox.cloud.refusal import RefusedError

_DAY = timedelta(days=1)


def opencost_app(ledger: Callable[[], Ledger]) -> web.Application:
    """The API as a web application, to be mounted under a path of its own. OpenCost itself asks nobody who they are."""

    async def compute(request: web.Request) -> web.Response:
        try:
            data = await asyncio.to_thread(_sets, ledger(), dict(request.query))
        except RefusedError as error:
            return web.json_response({"code": 400, "status": "error", "message": str(error)}, status=400)
        return web.json_response({"code": 200, "status": "success", "data": data})

    app = web.Application()
    app.router.add_get("/allocation/compute", compute)
    return app


def _sets(ledger: Ledger, asked: dict[str, str]) -> list[dict[str, Any]]:
    first, end = _window(asked.get("window", ""))
    step = asked.get("step", "")
    if step not in ("", "1d", "24h"):
        raise RefusedError("400", f"Invalid 'step' parameter: {step}")
    idle = asked.get("includeIdle", "false") == "true"
    dimensions = [name for name in asked.get("aggregate", "").split(",") if name]
    days = [first + number * _DAY for number in range((end - first).days)]
    groups = [[day] for day in days] if step else [days]
    return [_set(ledger, group, dimensions, idle=idle) for group in groups]


def _window(text: str) -> tuple[date, date]:
    try:
        start, end = (datetime.fromisoformat(part) for part in text.split(","))
    except ValueError:
        raise RefusedError("400", f"Invalid 'window' parameter: illegal window: {text}") from None
    if end <= start or (start.hour, end.hour) != (0, 0):
        raise RefusedError("400", f"Invalid 'window' parameter: whole UTC days are served here: {text}")
    return start.date(), end.date()


def _set(ledger: Ledger, days: list[date], dimensions: list[str], *, idle: bool) -> dict[str, Any]:
    costs: dict[str, float] = {}
    minutes: dict[str, float] = {}
    clusters: dict[str, str] = {}
    for day in days:
        start = datetime(day.year, day.month, day.day, tzinfo=UTC)
        passed = min(1.0, max(0.0, (ledger.now() - start) / _DAY))
        for work in ledger.workloads.get(day, ()) if passed else ():
            if work.namespace == "__idle__" and not idle:
                continue
            name = _name(work, dimensions)
            costs[name] = costs.get(name, 0.0) + work.cost * passed
            minutes[name] = max(minutes.get(name, 0.0), 1440 * passed)
            clusters[name] = work.cluster
    begin, finish = f"{days[0]}T00:00:00Z", f"{days[-1] + _DAY}T00:00:00Z"
    return {name: _allocation(name, clusters[name], begin, finish, minutes[name], cost) for name, cost in costs.items()}


def _allocation(name: str, cluster: str, begin: str, finish: str, minutes: float, cost: float) -> dict[str, Any]:
    cpu, ram = cost * 0.7, cost * 0.3
    zeroes = ("gpuCost", "networkCost", "loadBalancerCost", "pvCost", "sharedCost", "externalCost", "cpuCostAdjustment", "ramCostAdjustment")  # fmt: skip
    return {
        "name": name, "properties": {"cluster": cluster}, "window": {"start": begin, "end": finish}, "start": begin,
        "end": finish, "minutes": minutes, "cpuCost": cpu, "ramCost": ram, **dict.fromkeys(zeroes, 0.0), "pvs": None,
        "totalCost": cpu + ram, "rawAllocationOnly": None,
    }  # fmt: skip


def _name(work: Workload, dimensions: list[str]) -> str:
    """The key of an allocation: idle cost stays apart, what lacks a label is unallocated."""
    parts = []
    for dimension in dimensions or ["cluster", "namespace"]:
        kind, _, label = dimension.partition(":")
        if kind == "cluster":
            parts.append(work.cluster)
        elif work.namespace == "__idle__":
            parts.append("__idle__")
        elif kind == "namespace":
            parts.append(work.namespace)
        elif kind == "label":
            parts.append(work.labels.get(label, "__unallocated__"))
        else:
            raise RefusedError("400", f"Invalid 'aggregate' parameter: {dimension}")
    if work.namespace == "__idle__" and "__idle__" not in parts:
        return "__idle__"
    return "/".join(parts)
