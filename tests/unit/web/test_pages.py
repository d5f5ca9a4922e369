"""What stands on the pages, in which order, and that outside text stays text."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace
from tests.unit.web import site

from bsc_monitor.model.event import ConfigReloaded, InsightFound, KpiJudged, ScoreChanged
from bsc_monitor.model.health import CollectionHealth
from bsc_monitor.model.insight import Direction, Insight, InsightKind
from bsc_monitor.model.judgement import Judgement, NodeScore
from bsc_monitor.model.status import Status

PAGES = [
    "/", "/scorecards/it", "/scorecards/company", "/scorecards/it/map", "/scorecards/it/why", "/kpis/it/mttr",
    "/kpis/it/training", "/kpis/it/audit", "/kpis/company/nps", "/alerts", "/sources", "/api",
    "/?at=2026-05", "/scorecards/it?at=2026-05", "/scorecards/it/map?at=2026-05", "/scorecards/it/why?at=2026-05",
    "/kpis/it/mttr?at=2026-05", "/?at=2026-Q1", "/?at=2026-06-10", "/?wall=1",
]  # fmt: skip


async def text(client, path):
    answer = await client.get(path, headers={"Accept": "text/html"})
    assert answer.status == 200, path
    return await answer.text()


@pytest.mark.parametrize("path", PAGES)
async def test_every_page_answers_without_inline_script_or_style(client, path):
    page = await text(client, path)
    assert "<style" not in page
    assert " style=" not in page
    assert not re.search(r"<script(?! src=)", page)
    assert not re.search(r"\son\w+=", page)
    assert not re.search(r'(?:src|href)="(?:https?:)?//(?!source\.example|wiki\.example)', page)


async def test_the_overview_says_what_is_red_since_when_who_owns_it_and_what_is_done_in_that_order(client):
    page = await text(client, "/")
    row = page[page.index("Mean time to resolve") :]
    order = ["Mean time to resolve", "31.5", "<time", "cio@example.com", "Swarm on major incidents", "ops@example.com"]
    places = [row.index(each) for each in order]
    assert places == sorted(places)
    assert page.index("Needs attention") < page.index("Scorecards</h2>")
    assert "Nothing yet" in page  # nobody does anything about the other red KPI


async def test_what_share_has_a_score_is_said_of_the_perspectives_that_it_is_of(client):
    card = replace(client.board.current.nodes["scorecard", "it"], coverage=1.0, reason="", score=60.0)
    client.board.bus.publish([ScoreChanged(site.NOW, card, None)])
    page = await text(client, "/scorecards/it")
    assert '<span class="word"> no data</span>' in page, "so it would be wrong that all has data"
    assert "100\u202f% of the perspectives' weight has a score" in page
    client.board.bus.publish([ScoreChanged(site.NOW, replace(card, coverage=0.75), None)])
    for path in ("/scorecards/it", "/", "/scorecards/it/why"):
        page = await text(client, path)
        assert "of the perspectives' weight has a score" in page, path
        assert "weight has data" not in page, path


async def test_that_too_little_has_a_score_is_said_in_words(client):
    reason = "coverage 0.25 is below 0.5"
    nodes = client.board.current.nodes
    few = [replace(nodes[key], coverage=0.25, score=None, status=Status.UNKNOWN, reason=reason) for key in
           (("scorecard", "it"), ("perspective", "it/financial"))]  # fmt: skip
    client.board.bus.publish([ScoreChanged(site.NOW, each, None) for each in few])
    for path in ("/scorecards/it", "/"):
        page = await text(client, path)
        assert "only 25 % of its weight has a score, and 50 % is needed" in page, path
        assert "coverage" not in page, path
    said = await (await client.get("/api/v1/scorecards/it")).text()
    assert reason not in said


async def test_an_objectives_owner_answers_where_a_kpi_names_none(client):
    assert "cio@example.com" in await text(client, "/kpis/it/mttr")


async def test_status_stands_in_a_word_and_a_shape_beside_its_colour(client):
    page = await text(client, "/scorecards/it")
    for status, word in (("red", "Red"), ("amber", "Amber"), ("green", "Green"), ("unknown", "No data")):
        assert re.search(
            rf'<span class="status {status}"><svg class="glyph {status}".*?</svg><b>{word}</b>', page, re.DOTALL
        )


async def test_a_missing_value_is_a_dash_and_not_zero(client):
    page = await text(client, "/kpis/it/training")
    assert '<b>–</b> <span class="unit">d</span>' in page
    assert "no value yet" in page
    assert "No score" in page


async def test_nothing_red_is_good_news_only_where_everything_has_data(client):
    judgements = client.board.current.judgements
    calm = {name: replace(each, status=Status.GREEN) for name, each in judgements.items()}
    await judge(client, calm)
    assert re.search(r'glyph green".*?</svg> Nothing is red\.', await text(client, "/"), re.DOTALL)
    await judge(client, {"it/sla": replace(judgements["it/sla"], status=Status.UNKNOWN)})
    for path in ("/", "/scorecards/it"):
        assert "Nothing is known to be red; 1 KPI has no data." in await text(client, path)
    assert "Nothing is red." in await text(client, "/scorecards/company")


async def test_why_says_that_nothing_is_known_rather_than_that_nothing_is_short(client):
    nothing = "Nothing below it has a score yet."
    assert nothing not in await text(client, "/scorecards/it/why")
    await judge(client, {name: Judgement(name) for name in client.board.current.judgements})
    client.board.bus.publish([ScoreChanged(site.NOW, NodeScore("scorecard", "it"), None)])
    assert nothing in await text(client, "/scorecards/it/why")


async def test_why_says_with_one_sign_what_a_green_without_data_would_take_away(client):
    high = {
        name: replace(each, status=Status.GREEN, score=99.0) for name, each in client.board.current.judgements.items()
    }
    await judge(client, high | {"it/lead-time": Judgement("it/lead-time")})
    nodes = [replace(each, score=99.0) for each in client.board.current.nodes.values()]
    client.board.bus.publish([ScoreChanged(site.NOW, each, None) for each in nodes])
    page = await text(client, "/scorecards/it/why")
    row = page[page.index("Lead time for changes") :]
    assert re.search(r'class="num">−\d+\.\d</td></tr>', row[: row.index("</tr>") + 5])
    assert "+-" not in page


async def test_a_value_that_never_came_is_not_awaited_in_the_past(client):
    assert "no value yet" not in await text(client, "/kpis/it/training?at=2026-05")
    assert "no value yet" not in await text(client, "/scorecards/it?at=2026-05")


async def test_the_form_for_a_value_says_in_whose_time_and_what_stands_for_yes(client):
    assert "Observed, in the time of UTC (empty: now)" in await text(client, "/kpis/it/mttr")
    assert "Value (1: yes, 0: no)" in await text(client, "/kpis/it/audit")


async def judge(client, judgements):
    """Have these judgements come, as from an evaluation."""
    before = dict(client.board.current.judgements)
    client.board.bus.publish([KpiJudged(site.NOW, each, before.get(name)) for name, each in judgements.items()])


async def test_a_kpi_that_is_only_shown_is_not_counted_as_without_data(client):
    page = await text(client, "/scorecards/it")
    row = page[page.index('id="row.it.tickets"') :]
    assert "Not scored" in row[: row.index("</tr>")]
    overview = await text(client, "/")
    assert re.search(r'<li class="unknown">.*?<b>1</b><span>no data', overview, re.DOTALL)


async def test_a_stale_value_says_so_and_counts_as_missing(client):
    page = await text(client, "/kpis/it/backlog")
    assert "stale ·" in page
    assert "counts as missing" in page


@pytest.mark.parametrize("path", ["/", "/scorecards/it", "/kpis/it/evil", "/scorecards/it/map", "/scorecards/it/why", "/alerts",
                                  "/sources", "/badge/it/evil.svg", "/api/v1/kpis/it/evil"])  # fmt: skip
async def test_hostile_names_stay_text(serving, hostile_store, path):
    client = await serving(of=hostile_store, hostile=True)
    answer = await client.get(path, headers={"Accept": "text/html"})
    page = await answer.text()
    assert answer.status == 200
    if "json" not in answer.headers["Content-Type"]:
        assert "<script>alert" not in page
        assert "<b>u" not in page
        assert 'href="javascript:' not in page
        assert "alert(1)" in page  # it is there, as text


async def test_a_refused_configuration_is_told_on_every_page(client):
    client.board.bus.publish([ConfigReloaded(site.NOW, ok=False, messages=("config.toml:3: <b>bad</b>",))])
    page = await text(client, "/sources")
    assert "The last configuration was refused" in page
    assert "config.toml:3: &lt;b&gt;bad" in page


async def test_the_past_is_shown_as_it_was_frozen(client):
    page = await text(client, "/scorecards/it?at=2026-05")
    assert "the state at the end of <strong>2026-05" in page
    assert "sse-connect" not in page
    assert 'href="/kpis/it/mttr?at=2026-05"' in page
    now, then = await text(client, "/kpis/it/sla"), await text(client, "/kpis/it/sla?at=2026-05")
    assert "<b>86.4</b>" in now
    assert "<b>81.22</b>" in then


@pytest.mark.parametrize("path", ["/", "/scorecards/it", "/scorecards/it/why", "/scorecards/it/map", "/kpis/it/mttr"])
async def test_from_the_past_every_way_to_a_kpi_or_a_scorecard_stays_in_the_past(client, path):
    page = await text(client, f"{path}?at=2026-05")
    ways = re.findall(r'href="(/(?:kpis|scorecards)/[^"]*)"', page.replace(f'<a href="{path}">Back to now</a>', ""))
    assert ways
    assert [way for way in ways if "?at=2026-05" not in way] == []


async def test_the_past_says_since_when_something_was_red_and_what_was_being_done(client):
    page = await text(client, "/?at=2026-05")
    assert '<td class="since" data-label="Since">1 Jun 2025</td>' in page
    assert "Swarm on major incidents" in page
    assert "from 1 Mar 2026" in page
    before = await text(client, "/?at=2026-02")
    assert "Swarm on major incidents" not in before
    assert "no initiative" in before
    assert "since 1 Jun 2025" in await text(client, "/kpis/it/mttr?at=2026-05")


async def test_the_overview_says_how_many_kpis_it_does_not_count(client):
    kpis = client.board.organisation.kpis
    unscored = sum(not kpi.scored for kpi in kpis.values())
    assert unscored > 0
    assert f"{len(kpis)} KPIs, {unscored} of them not scored and not counted" in await text(client, "/")


@pytest.mark.parametrize(
    ("at", "why"), [("2031-01", "has not begun yet"), ("junk", "is no period"), ("2026-13", "no month")]
)
async def test_a_period_that_cannot_be_shown_is_said_in_words(client, at, why):
    answer = await client.get(f"/?at={at}", headers={"Accept": "text/html"})
    assert answer.status == 404
    assert why in await answer.text()


async def test_the_running_period_is_the_present(client):
    assert "sse-connect" in await text(client, "/?at=2026-06")


async def test_what_is_not_there_is_said_in_words_to_people_and_as_a_problem_to_programs(client):
    page = await client.get("/kpis/it/nothing", headers={"Accept": "text/html"})
    assert (page.status, page.headers["Content-Type"][:9]) == (404, "text/html")
    assert "There is no KPI &#39;it/nothing&#39;" in await page.text()
    problem = await client.get("/api/v1/kpis/it/nothing", headers={"Accept": "text/html"})
    assert problem.headers["Content-Type"] == "application/problem+json; charset=utf-8"
    assert (await problem.json())["detail"] == "There is no KPI 'it/nothing'."


async def test_a_fault_inside_is_told_without_its_inside(client, monkeypatch):
    def broken(*_):
        raise RuntimeError("secret-password")

    monkeypatch.setattr(client.board, "sources", broken)
    answer = await client.get("/sources", headers={"Accept": "text/html"})
    assert answer.status == 500
    assert "secret-password" not in await answer.text()


FORMS = [
    ("/kpis/it/mttr/value", {"value": "1,234.5", "note": "by hand"}, ("set_value", "it/mttr", 1234.5, site.NOW, "by hand", "local")),
    ("/kpis/it/mttr/comment", {"text": "looks better"}, ("comment", "kpi:it/mttr", "looks better", "local")),
    ("/sources/itsm/run", {}, ("run_now", "itsm")),
    ("/alerts/retry", {"key": "dead-1"}, ("retry_dead", ("dead-1",), "local")),
    ("/alerts/silences/s-1/expire", {}, ("expire_silence", "s-1", "local")),
    ("/alerts/maintenance/patch-day/end", {}, ("end_maintenance", "patch-day", "local")),
    ("/alerts/0123456789abcdef/acknowledge", {"note": "mine", "for": ""}, ("acknowledge", "0123456789abcdef", "mine", None, "local")),
]  # fmt: skip


@pytest.mark.parametrize(("path", "fields", "call"), FORMS)
async def test_each_form_does_what_it_says_and_comes_back(client, path, fields, call):
    answer = await client.post(path, data=fields or {"x": ""}, allow_redirects=False)
    assert answer.status == 303
    assert call in client.board.operations.calls
    back = await client.get(answer.headers["Location"])
    assert 'class="banner good"' in await back.text()


@pytest.mark.parametrize(
    ("given", "cron"),
    [
        ({"days": "every day", "at": "22:05"}, "5 22 * * *"),
        ({"days": "Monday to Friday", "at": "07:00:00"}, "0 7 * * 1-5"),
        ({"days": "the first of the month", "at": "00:30"}, "30 0 1 * *"),
        ({"days": "Monday", "at": "", "cron": "0 1 */2 * *"}, "0 1 */2 * *"),
    ],
)
async def test_a_window_is_opened_by_a_day_and_a_time_or_as_cron_writes_it(client, given, cron):
    fields = {"name": "patch", "matchers": "source=itsm", "lasts": "3h", "until": "2026-12-31T00:00", **given}
    answer = await client.post("/alerts/maintenance", data=fields, allow_redirects=False)
    assert answer.status == 303, await answer.text()
    name, wanted = client.board.operations.calls[-1]
    assert (name, wanted.id, wanted.cron, wanted.lasts, wanted.author) == (
        "maintain", "patch", cron, timedelta(hours=3), "local",
    )  # fmt: skip
    assert wanted.until == datetime(2026, 12, 31, tzinfo=UTC)


async def test_windows_of_the_configuration_and_of_people_are_told_apart(client):
    page = await text(client, "/alerts")
    assert "of the configuration file" in page
    assert 'action="/alerts/maintenance/deploys/end"' in page
    assert page.count('/end"') == 1


async def test_a_window_that_nothing_meets_says_so(client):
    page = await text(client, "/alerts")
    assert "nothing is called &#39;git&#39; now; there is" in page
    assert "nothing is called &#39;itsm&#39;" not in page


async def test_a_silence_form_reads_matchers(client):
    fields = {"matchers": 'scorecard=it, severity=~"warning|info",', "for": "4h", "comment": "patching"}
    assert (await client.post("/alerts/silence", data=fields, allow_redirects=False)).status == 303
    _, matchers, starts, ends, author, comment = client.board.operations.calls[-1]
    assert [(each.label, each.operator, each.value) for each in matchers] == [
        ("scorecard", "=", "it"),
        ("severity", "=~", "warning|info"),
    ]
    assert ((ends - starts).total_seconds(), author, comment) == (4 * 3600, "local", "patching")


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/kpis/it/mttr/value", {"value": "many"}),
        ("/kpis/it/mttr/value", {"value": "nan"}),
        ("/kpis/it/mttr/value", {"value": "1e999"}),
        ("/kpis/it/mttr/value", {"value": "1", "at": "yesterday"}),
        ("/kpis/it/mttr/comment", {"text": "  "}),
        ("/alerts/silence", {"matchers": "everything", "for": "1h"}),
        ("/alerts/maintenance", {"name": "p", "days": "Monday", "at": "22:00", "lasts": "3h", "matchers": ""}),
        ("/alerts/maintenance", {"name": "p", "days": "Moonday", "at": "22:00", "lasts": "3h", "matchers": "a=b"}),
        ("/alerts/maintenance", {"name": "p", "days": "Monday", "at": "late", "lasts": "3h", "matchers": "a=b"}),
        ("/alerts/maintenance", {"name": "p", "days": "Monday", "at": "22:00", "lasts": "long", "matchers": "a=b"}),
        ("/alerts/silence", {"matchers": "a=~(", "for": "1h"}),
        ("/alerts/silence", {"matchers": "a=~.*", "for": "1h"}),
        ("/alerts/silence", {"matchers": "a=b", "for": "1y"}),
        ("/alerts/0123456789abcdef/acknowledge", {"for": "for ever"}),
    ],
)
async def test_a_form_filled_in_wrongly_changes_nothing(client, path, fields):
    assert (await client.post(path, data=fields)).status == 409
    assert client.board.operations.calls == []


async def test_files_come_packed_for_good_under_their_tag_and_licences_are_there(client):
    page = await text(client, "/")
    address = re.search(r'href="(/static/board\.css\?v=\w+)"', page)[1]
    answer = await client.get(address)
    assert "immutable" in answer.headers["Cache-Control"]
    again = await client.get(address, headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status == 304
    for name in ("htmx", "htmx-sse", "uplot", "inter"):
        assert (await client.get(f"/static/{name}.LICENSE.txt")).status == 200
    assert (await client.get("/static/..%2Fapp.py")).status == 404


async def test_an_arrow_of_the_map_shows_what_the_data_say_of_it_and_says_it_in_words(client):
    link = Insight(
        InsightKind.DRIVER, "link", "it/skills → it/ship-safely", site.NOW, Direction.NONE, 0.7, "", "", aspect="contradicted"
    )  # fmt: skip
    assert 'class="arrow contradicted"' not in await text(client, "/scorecards/it/map")
    client.board.bus.publish([InsightFound(site.NOW, link)])
    page = await text(client, "/scorecards/it/map")
    assert 'class="arrow contradicted"' in page
    assert "Skills for tomorrow drives Ship small and safely; the data contradict it" in page


async def test_a_source_tells_how_its_runs_went_before_the_service_started(client):
    client.board.current.restore(
        [CollectionHealth("cloud", "net_cost", "", (), (), site.NOW, site.NOW, "the key was refused")]
    )
    said = await text(client, "/sources")
    row = re.sub(r"<[^>]+>", " ", said[said.index(">net_cost<") : said.index(">itsm<")])
    assert re.findall(r"the key was refused|14 Jun 2026, 09:30", row) == [
        "14 Jun 2026, 09:30", "the key was refused", "14 Jun 2026, 09:30",
    ]  # fmt: skip


async def test_changes_that_wait_for_a_restart_are_told_on_every_page(client):
    client.board.bus.publish([ConfigReloaded(site.NOW, ok=True, waiting=("service.listen", "service.database"))])
    for path in ("/", "/sources"):
        assert "Changes to <strong>service.listen, service.database</strong>" in await text(client, path)
    client.board.bus.publish([ConfigReloaded(site.NOW, ok=True)])
    assert "wait for a restart" not in await text(client, "/sources")


async def test_a_badge_shows_a_score_and_a_kpi_its_value(client):
    card = await (await client.get("/badge/it.svg")).text()
    assert "IT department" in card
    assert "61 · Amber" in card
    kpi = await (await client.get("/badge/it/mttr.svg")).text()
    assert "31.5\u202fh · Red" in kpi
    assert "stale" in await (await client.get("/badge/it/backlog.svg")).text()
    assert (await client.get("/badge/none.svg")).status == 404
