"""The page and the API of improvement: what was found, what is done about it, and who may act."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import pytest
from msgspec import structs
from tests.unit.web import site

from bsc_monitor.model.event import InitiativeChanged, InsightEnded, InsightFound, KpiJudged, TicketOpened
from bsc_monitor.model.insight import Direction, InitiativePhase, InitiativeState, Insight, InsightKind
from bsc_monitor.model.period_value import PeriodValue
from bsc_monitor.model.status import Freshness, ReadingState, Status
from bsc_monitor.store import Store
from bsc_monitor.store.periods import save_values
from bsc_monitor.web.improvement import Document
from bsc_monitor.web.operations import Rejected, Unknown

SINCE = datetime(2026, 3, 1, tzinfo=UTC)
DRIFT = Insight(
    InsightKind.TREND, "kpi", "it/mttr", SINCE, Direction.WORSENING, 0.8,
    "Mean time to resolve has been rising steadily.", "Find the cause.", "worsening", {"slope": 1.25, "p": 0.001}, found_at=site.NOW,
)  # fmt: skip


@dataclass
class Desk:
    """Notes what it is asked."""

    calls: list = field(default_factory=list)

    def actions(self):
        return {"jira": "jira (jira)"}

    async def open_ticket(self, insight, action, author):
        if action != "jira":
            raise Unknown(f"there is no action {action!r}")
        self.calls.append(("ticket", insight, author))
        return "https://jira.example.com/browse/OPS-1"

    async def start_initiative(self, draft, insight, author):
        if not draft.title:
            raise Rejected("an initiative needs a title")
        self.calls.append(("start", draft, insight))
        return "swarming"

    async def change_initiative(self, name, changes, note, author):
        self.calls.append(("change", name, changes, note))

    def started_by(self, name):
        return ""

    async def report(self, scorecard, period, form, owner):
        if scorecard != "it":
            raise Unknown("there is no such scorecard")
        return Document(b"%PDF", "application/pdf", "it.pdf", True)


@pytest.fixture
async def client(serving):
    found = await serving(improvement=Desk())
    found.board.bus.publish([InsightFound(site.NOW, DRIFT)])
    return found


async def text(client, path):
    reply = await client.get(path)
    assert reply.status == 200, await reply.text()
    return await reply.text()


async def test_the_page_tells_findings_with_evidence_next_step_and_what_can_be_done(client):
    page = await text(client, "/improvement")
    assert DRIFT.sentence in page
    assert "Find the cause." in page
    assert "1.25 h" in page
    assert "Ticket in jira" in page


async def test_an_open_ticket_takes_the_place_of_its_offer(client):
    client.board.bus.publish([TicketOpened(site.NOW, DRIFT.id, "jira", "https://jira.example.com/browse/OPS-1")])
    page = await text(client, "/improvement")
    assert 'href="https://jira.example.com/browse/OPS-1"' in page
    assert '<input type="hidden" name="action" value="jira">' not in page


async def test_a_finding_that_ended_leaves_the_page(client):
    client.board.bus.publish([InsightEnded(site.NOW, DRIFT)])
    assert DRIFT.sentence not in await text(client, "/improvement")


async def test_nothing_gets_worse_is_said_once_a_period_has_closed(serving, tmp_path):
    store = Store.open(f"sqlite:///{tmp_path}/new.db")
    new = await serving(of=store, improvement=Desk())
    needs = (await text(new, "/improvement")).partition('id="needs-title"')[2].partition("</section>")[0]
    assert "There is nothing to judge yet: no period has closed." in needs
    assert "glyph green" not in needs
    value = PeriodValue("it/mttr", site.month(5), value=3.0, state=ReadingState.OK, closed_at=site.NOW)
    store.write_now(lambda connection: save_values(connection, [value]))
    needs = (await text(new, "/improvement")).partition('id="needs-title"')[2].partition("</section>")[0]
    assert "Nothing gets worse beyond noise, and nothing is stuck." in needs
    store.close()


async def test_what_worked_is_proposed_as_the_standard_and_what_did_not_for_revision(client):
    for verdict, words in (("worked", "Make it the standard"), ("no_evidence", "Revise it or give it up")):
        state = InitiativeState(
            "swarming", InitiativePhase.CHECKING, SINCE, 1.0, verdict=verdict, kpi="it/mttr", achieved=-3.0
        )
        client.board.bus.publish([InitiativeChanged(site.NOW, state)])
        page = await text(client, "/improvement")
        assert words in page
        assert "−3 h so far" in page


async def test_what_became_the_standard_starts_a_phase_of_the_chart_as_it_does_for_the_findings(client):
    async def causes():
        chart = await (await client.get("/api/v1/kpis/it/mttr/chart")).json()
        return {each["cause"]: chart["points"][each["start"]]["period"] for each in chart["phases"]}

    assert "declared" not in await causes()
    state = InitiativeState("swarming", InitiativePhase.STANDARDISED, SINCE, 1.0, verdict="worked", kpi="it/mttr")
    client.board.bus.publish([InitiativeChanged(site.NOW, state)])
    assert (await causes())["declared"] == "2026-03"


async def test_an_initiative_that_does_not_work_is_no_action(client):
    assert "Swarm on major incidents" in await text(client, "/")
    state = InitiativeState("swarming", InitiativePhase.CHECKING, SINCE, 1.0, verdict="no_evidence", kpi="it/mttr")
    client.board.bus.publish([InitiativeChanged(site.NOW, state)])
    assert "Swarm on major incidents" not in await text(client, "/")
    idle = (await text(client, "/improvement")).partition("nobody acts")[2]
    assert "idle.it.sla" in idle
    assert "idle.it.mttr" not in idle, "somebody has taken its alert on"


async def test_an_initiative_of_nobody_begins_with_its_day(client):
    organisation = client.board.organisation
    initiatives = {name: replace(each, owner="") for name, each in organisation.initiatives.items()}
    client.board.current.replace_organisation(replace(organisation, initiatives=initiatives))
    assert ">due 1 Jun 2026<" in await text(client, "/improvement")
    assert ">from 1 Mar 2026 to 1 Jun 2026<" in await text(client, "/kpis/it/mttr")


async def test_outside_words_stay_words(client):
    client.board.bus.publish([InsightFound(site.NOW, Insight(
        InsightKind.SIGNAL, "kpi", "it/sla", SINCE, Direction.WORSENING, 0.5, site.HOSTILE, site.HOSTILE, "x",
        {site.HOSTILE: 1.0},
    ))])  # fmt: skip
    client.board.bus.publish([TicketOpened(site.NOW, DRIFT.id, "jira", "javascript:alert(1)")])
    page = await text(client, "/improvement")
    assert "<script>alert(1)" not in page
    assert "javascript:" not in page


async def test_forms_start_and_change_initiatives_and_open_tickets(client):
    given = {
        "title": "Swarm",
        "kpi": "it/mttr",
        "change": "−8",
        "start": "2026-06-01",
        "due": "2026-09-30",
        "insight": DRIFT.id,
    }
    reply = await client.post("/improvement/initiatives", data=given, allow_redirects=False)
    assert reply.status == 303
    _, draft, insight = client.board.improvement.calls[-1]
    assert (draft.expect.kpi, draft.expect.change, insight) == ("it/mttr", -8.0, DRIFT.id)
    await client.post(
        "/improvement/initiatives/swarming", data={"progress": "60", "note": "so far"}, allow_redirects=False
    )
    assert client.board.improvement.calls[-1] == ("change", "swarming", {"progress": 0.6}, "so far")
    await client.post("/improvement/tickets", data={"insight": DRIFT.id, "action": "jira"}, allow_redirects=False)
    assert client.board.improvement.calls[-1][:2] == ("ticket", DRIFT.id)
    assert (await client.post("/improvement/initiatives", data={"title": "x", "due": "soon"})).status == 409


async def test_the_api_lists_insights_and_initiatives(client):
    found = (await (await client.get("/api/v1/insights?kind=trend&scorecard=it")).json())["items"]
    assert [each["id"] for each in found] == [DRIFT.id]
    assert found[0]["evidence"] == {"slope": 1.25, "p": 0.001}
    assert (await (await client.get("/api/v1/insights?scorecard=company")).json())["items"] == []
    doing = (await (await client.get("/api/v1/initiatives")).json())["items"]
    assert doing[0]["id"] == "swarming"
    reply = await client.post("/api/v1/tickets", json={"insight": DRIFT.id, "action": "jira"})
    assert (reply.status, (await reply.json())["link"]) == (201, "https://jira.example.com/browse/OPS-1")
    assert (await client.post("/api/v1/tickets", json={"insight": DRIFT.id, "action": "none"})).status == 404


async def test_a_report_is_shown_as_a_document_that_can_do_nothing(client):
    reply = await client.get("/reports/it/2026-05.pdf")
    assert await reply.read() == b"%PDF"
    assert "script-src" not in reply.headers["Content-Security-Policy"]
    assert "default-src 'none'" in reply.headers["Content-Security-Policy"]
    assert reply.headers["Content-Disposition"].startswith("inline")
    assert (await client.get("/reports/it/2026-05.exe")).status == 404
    assert "Make a report" in await text(client, "/reports")


async def test_a_kpi_says_beside_its_chart_what_closed_periods_show(client):
    page = await text(client, "/kpis/it/mttr")
    assert "Variation" in page
    assert "80 % of outcomes" in page
    assert DRIFT.sentence in page


async def test_without_anybody_to_act_nothing_can_be_asked(serving):
    client = await serving()
    assert (await client.post("/api/v1/tickets", json={"insight": "x", "action": "y"})).status == 404
    assert (await client.get("/improvement")).status == 200


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ("scorecard=it&period=soon", "&#39;soon&#39; is no period: write 2026, 2026-Q2, 2026-06, 2026-W23 or 2026-06-14."),
        ("scorecard=it&period=2026-13", "there is no month &#39;2026-13&#39;: write 2026, 2026-Q2, 2026-06, 2026-W23"),
        ("scorecard=it&period=2031-01", "2031-01 has not begun."),
        ("scorecard=nothing&period=2026-05", "There is no scorecard &#39;nothing&#39;."),
    ],
)  # fmt: skip
async def test_what_makes_no_report_comes_back_to_the_form_with_words(client, asked, words):
    reply = await client.get(f"/reports/make?{asked}&format=xlsx", allow_redirects=False)
    told = await reply.text()

    assert reply.status == 400
    assert words in told
    assert '<option value="xlsx" selected>' in told
    assert 'aria-invalid="true"' in told


@pytest.mark.parametrize(("period", "label"), [("", "2026-05"), (" 2026-04 ", "2026-04"), ("2026-Q2", "2026-Q2")])
async def test_the_form_leads_to_the_report_of_its_period_or_of_the_last_month(client, period, label):
    reply = await client.get(
        "/reports/make", params={"scorecard": "it", "period": period, "format": "pdf"}, allow_redirects=False
    )
    assert (reply.status, reply.headers["Location"]) == (303, f"/reports/it/{label}.pdf")


async def idle(client):
    return (await text(client, "/improvement")).partition('id="idle-title"')[2].partition("</section>")[0]


async def test_that_somebody_works_on_all_that_is_red_is_said_of_what_is_known(client):
    judgements = client.board.current.judgements.values()
    calm = [structs.replace(each, status=Status.GREEN, freshness=Freshness.FRESH, score=99.0) for each in judgements]
    client.board.bus.publish([KpiJudged(site.NOW, each, None) for each in calm])
    assert "glyph green" in await idle(client)
    lost = structs.replace(calm[0], status=Status.UNKNOWN, freshness=Freshness.MISSING, value=None, score=None)
    client.board.bus.publish([KpiJudged(site.NOW, lost, calm[0])])
    said = await idle(client)
    assert "known to be red; 1 KPI has no data." in said
    assert "glyph green" not in said
