"""Sources: how their collections go, and run now."""

from collections import Counter

from bsc_monitor.current import CollectorHealth
from bsc_monitor.model.health import CollectionHealth
from bsc_monitor.web.api import models
from bsc_monitor.web.api.endpoint import Api, Call
from bsc_monitor.web.operations import Unknown
from bsc_monitor.web.routes import Policy

API = Api("Sources")
ROUTES = API.table


@API.get("/sources")
async def sources(call: Call) -> models.Sources:
    """List sources and how their collections go."""
    health: dict[str, list[CollectorHealth]] = {}
    for each in call.board.current.collectors.values():
        health.setdefault(each.source, []).append(each)
    used = Counter(kpi.source for kpi in call.board.organisation.kpis.values())
    return models.Sources(
        items=[
            models.Source(
                id=each.id, plugin=each.plugin, webhook=bool(each.webhook_secrets), kpis=used[each.id],
                collectors=[_state(one) for one in sorted(health.get(each.id, []), key=lambda one: one.measure)],
            )
            for each in call.board.sources().values()
        ]
    )  # fmt: skip


@API.post("/sources/{source}/run", Policy.ADMIN, 202)
async def run(call: Call) -> models.Asked:
    """Ask for a run of every collection of a source, at once."""
    name = call.path("source")
    if name not in call.board.sources():
        raise Unknown(f"There is no source {name!r}.")
    return models.Asked(jobs=await call.board.operations.run_now(name))


def _state(of: CollectorHealth) -> models.CollectorState:
    return models.CollectorState(
        measure=of.measure, last_success=of.last_success, last_failure=of.last_failure, error=of.error,
        failing=[_failing(each) for alike in of.failing.values() for each in alike.values()],
        next_run=of.next_run, runs=of.runs, failures=of.failures.total(), duration=of.duration,
    )  # fmt: skip


def _failing(of: CollectionHealth) -> models.FailingCollection:
    return models.FailingCollection(
        kpis=list(of.kpis), initiatives=list(of.initiatives), error=of.error or "", reason=of.reason,
        last_success=of.last_success, last_failure=of.last_failure, next_run=of.next_run,
    )  # fmt: skip
