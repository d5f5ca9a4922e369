"""The whole service: an insight opens one ticket whatever dies, initiatives of people outlive restarts, reports are frozen."""

import json
import os
from datetime import UTC, datetime, timedelta

import pytest
from tests.servers import free_port, wait_until
from tests.service_process import ServiceProcess
from tests.unit.improve.building import noise

from bsc_monitor.model.organisation import Thresholds
from bsc_monitor.model.period import Calendar, PeriodKind
from bsc_monitor.model.period_value import PeriodValue
from bsc_monitor.model.status import ReadingState, Status
from bsc_monitor.score.periods import period_at, previous
from bsc_monitor.store import Store, read_only
from bsc_monitor.store.events import events
from bsc_monitor.store.periods import save_values

CONFIG = """
[service]
listen = "127.0.0.1:{port}"
plugins = ["plugs"]
[sandbox]
port = {sandbox}
since = 2026-06-01
[sources.desk]
plugin = "jira"
url = "http://127.0.0.1:{sandbox}/jira"
email = "demo@example.com"
token = "demo"
every = "1d"
[sources.help]
plugin = "helpdesk"
token = "own-t0ken"
every = "1d"
[scorecards.it]
title = "IT department"
[objectives.restore]
scorecard = "it"
perspective = "internal_process"
[kpis.mttr]
objective = "restore"
title = "Mean time to resolve"
source = "manual"
unit = "h"
better = "lower"
target = 20
red = 60
owner = "ops@example.com"
[kpis.calm]
objective = "restore"
title = "Calm"
source = "manual"
unit = "h"
better = "lower"
target = 20
red = 60
[actions.jira]
source = "desk"
params = { project = "OPS" }
on = ["forecast", "trend"]
[actions.help]
source = "help"
params = { queue = "ops" }
"""

#: A plugin of somebody else, one file in a folder.
HELPDESK = """
import os
from bsc_monitor.plugin import Collector, Params, Reading, Secret, SourceConfig, hookimpl, measure

class Helpdesk(Collector):
    name = "helpdesk"
    class Config(SourceConfig):
        token: Secret
    @measure(unit="count", title="Open tickets")
    async def open(self, ctx):
        return Reading(1.0)

class How(Params):
    queue: str

@hookimpl
def bsc_actions():
    return {"helpdesk": open_ticket}

async def open_ticket(ctx, config, request, p: How):
    return f"https://help.example.com/{p.queue}/{request.key}?worker={os.getpid()}&{len(config.token.reveal())}"
"""


def past(name, values, status):
    """Closed months up to the last one."""
    period, found = period_at(datetime.now(UTC), PeriodKind.MONTH, Calendar()), []
    for value in reversed(values):
        period = previous(period, Calendar())
        found.append(
            PeriodValue(
                name, period, value=value, samples=9, state=ReadingState.OK, observed_at=period.end - timedelta(hours=1),
                thresholds=Thresholds(20.0, 60.0), score=50.0, status=status, closed_at=period.end + timedelta(days=1),
            )
        )  # fmt: skip
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("living")


@pytest.fixture(scope="module")
def service(folder):
    """One for all: a start takes a while."""
    store = Store.open(f"sqlite:///{folder / 'bsc-monitor.db'}")
    drift = [26 + 1.7 * at + more for at, more in enumerate(noise(3, 18, 0, 0.6))]
    quiet = [20 + more for more in noise(4, 18, 0, 1)]
    store.write_now(
        lambda connection: save_values(
            connection, past("it/mttr", drift, Status.AMBER) + past("it/calm", quiet, Status.GREEN)
        )
    )
    store.close()
    port, config = free_port(), folder / "config.toml"
    (folder / "plugs").mkdir()
    (folder / "plugs" / "helpdesk.py").write_text(HELPDESK)
    config.write_text(CONFIG.replace("{port}", str(port)).replace("{sandbox}", str(free_port())))
    process = ServiceProcess(config, port)
    begin(process)
    yield process
    process.kill()


def begin(process):
    """Start it; on a busy machine that takes its time."""
    process.start(ready=False)
    wait_until(process.is_ready, "the service", 120)


def tickets(service):
    return {
        each["id"]: each["tickets"]["jira"]
        for each in service.json("/api/v1/insights")["items"]
        if "jira" in each["tickets"]
    }


def test_a_rule_opens_one_ticket_for_an_insight_through_kills_and_restarts(service, folder):
    wait_until(lambda: any("forecast:it/mttr" in name for name in tickets(service)), "a ticket for the forecast", 60)
    before = tickets(service)
    assert not any("calm" in each["subject"] for each in service.json("/api/v1/insights")["items"]), "a quiet KPI"
    service.kill()
    begin(service)
    wait_until(lambda: tickets(service).keys() >= before.keys(), "the tickets after the restart")
    assert {name: tickets(service)[name] for name in before} == before
    name = next(iter(before))
    status, text = service.post("/api/v1/tickets", {"insight": name, "action": "jira"})
    assert (status, json.loads(text)["link"]) == (201, before[name])
    opened = read_only(f"sqlite:///{folder / 'bsc-monitor.db'}", lambda c: events(c, kinds=("ticket_opened",)))
    assert len(opened) == len(tickets(service))


def test_a_plugin_of_somebody_else_opens_tickets_too_in_its_own_process(service):
    insight = next(each["id"] for each in service.json("/api/v1/insights")["items"])
    status, text = service.post("/api/v1/tickets", {"insight": insight, "action": "help"})
    link = json.loads(text)["link"]
    assert status == 201
    assert link.startswith("https://help.example.com/ops/bsc-")
    worker = int(link.partition("worker=")[2].partition("&")[0])
    assert worker not in (service.process.pid, os.getpid())
    assert link.endswith(f"&{len('own-t0ken')}")
    assert json.loads(service.post("/api/v1/tickets", {"insight": insight, "action": "help"})[1])["link"] == link


def test_an_initiative_of_a_person_lives_on_and_is_on_record(service):
    def standing():
        return service.json("/api/v1/initiatives/swarm-on-incidents")

    body = {
        "title": "Swarm on incidents", "targets": ["it/mttr"], "owner": "ops@example.com", "start": "2026-01-01",
        "due": "2099-12-31", "expect": {"kpi": "it/mttr", "change": -8},
    }  # fmt: skip
    status, _ = service.post("/api/v1/initiatives", body)
    assert status == 201
    service.post("/api/v1/initiatives/swarm-on-incidents", {"progress": 0.4, "note": "two of five teams"})
    wait_until(lambda: standing()["phase"] == "doing", "it to be under way", 30)
    service.kill()
    begin(service)
    wait_until(lambda: standing()["phase"] == "doing" and standing()["progress"] == 0.4, "it after the restart", 30)
    assert "Swarm on incidents" in service.text("/improvement")
    told = service.json("/api/v1/events?subject=swarm-on-incidents")["items"]
    assert {"initiative_started", "initiative_changed"} <= {each["kind"] for each in told}
    assert service.status("/api/v1/initiatives/nothing") == 404


def test_what_makes_no_initiative_is_refused(service):
    import urllib.error

    for body in (
        {"title": "For nothing"},
        {"title": "For what is not", "targets": ["it/nothing"]},
        {"title": "Ends before it begins", "targets": ["it/mttr"], "start": "2026-05-01", "due": "2026-04-01"},
        {"title": "Too late", "targets": ["it/mttr"], "due": "9999-12-31"},
    ):
        with pytest.raises(urllib.error.HTTPError) as caught:
            service.post("/api/v1/initiatives", body)
        caught.value.close()
        assert caught.value.code == 409, body


def test_the_pages_of_improvement_and_reports_answer(service):
    month = previous(period_at(datetime.now(UTC), PeriodKind.MONTH, Calendar()), Calendar()).label
    wait_until(lambda: "Forecast" in service.text("/improvement"), "the forecast on the page", 60)
    assert "Start an initiative" in service.text("/improvement")
    assert service.status(f"/reports/it/{month}.html") == 200
    assert service.status(f"/reports/it/{month}.docx") == 404
    assert service.status("/reports/nothing/2026-01.pdf") == 404
    assert "Reports" in service.text("/reports")
    assert "Variation" in service.text("/kpis/it/mttr")
