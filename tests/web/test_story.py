"""What people do on the board: glance, look closer, act; and what changes by itself."""

import pytest
from msgspec.structs import replace
from tests.unit.web import site
from tests.web.conftest import PHONE

from bsc_monitor.model.alert import AlertState
from bsc_monitor.model.event import AlertChanged, CollectorFailed, ConfigReloaded, KpiJudged
from bsc_monitor.model.status import CollectorError, Status
from bsc_monitor.store.alerts import save_alerts

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def live(page):
    await page.wait_for_selector("#live[data-state=on]")
    await page.evaluate("window.sameDocument = true")


async def same(page):
    return await page.evaluate("window.sameDocument === true")


def judged(at, kpi, **changes):
    before = at.board.current.judgements[kpi]
    at.board.bus.publish([KpiJudged(site.NOW, replace(before, **changes), before)])


async def test_a_value_changes_on_the_scorecard_without_loading_the_page_anew(browse, served):
    at = await served()
    page = await browse(at, "/scorecards/it")
    await live(page)
    await page.evaluate("document.getElementById('row.it.sla').dataset.untouched = 'yes'")
    judged(at, "it/mttr", value=7.25, status=Status.GREEN, score=71.0, since=site.NOW)
    row = page.locator("#row\\.it\\.mttr")
    await row.get_by_text("7.25").wait_for()
    assert "Green" in await row.inner_text()
    assert await page.locator("#concerns\\.it .badge").inner_text() == "1"
    assert await page.locator("#row\\.it\\.sla[data-untouched]").count() == 1
    assert await same(page)


async def test_a_red_kpi_that_is_judged_anew_leaves_the_list_of_what_is_red_whole(browse, served):
    at = await served()
    page = await browse(at, "/scorecards/it")
    await live(page)
    judged(at, "it/mttr", value=33.25)
    await page.locator("#row\\.it\\.mttr").get_by_text("33.25").wait_for()
    await page.locator("#concerns\\.it").get_by_text("33.25").wait_for()
    assert await page.locator("#concerns\\.it tbody tr").count() == 2


async def test_what_turns_red_appears_on_the_overview_by_itself(browse, served):
    at = await served()
    page = await browse(at, "/", size=PHONE)
    await live(page)
    judged(at, "it/lead-time", value=9.0, status=Status.RED, score=11.0, since=site.NOW)
    await page.locator(".concerns").get_by_text("Lead time for changes").wait_for()
    assert await page.locator(".glance .red b").inner_text() == "3"
    assert await same(page)


async def test_a_kpis_page_follows_its_value_and_its_chart_comes_anew(browse, served):
    at = await served()
    page = await browse(at, "/kpis/it/mttr")
    await page.wait_for_selector("#chart canvas")
    await live(page)
    async with page.expect_response("**/chart"):
        judged(at, "it/mttr", value=6.5, status=Status.GREEN, score=75.0)
    await page.locator(".verdict").get_by_text("6.5").wait_for()
    assert await same(page)


async def test_a_failing_source_says_so_by_itself(browse, served):
    at = await served()
    page = await browse(at, "/sources")
    await live(page)
    at.board.bus.publish(
        [CollectorFailed(site.NOW, "itsm", "mttr", 3.0, CollectorError.TIMEOUT, "no answer within 60 s")]
    )
    await page.get_by_text("no answer within 60 s").wait_for()
    assert await same(page)


async def test_another_configuration_loads_the_page_anew(browse, served):
    at = await served()
    page = await browse(at, "/")
    await live(page)
    async with page.expect_navigation():
        at.board.bus.publish([ConfigReloaded(site.NOW, ok=True)])
    await page.wait_for_selector("#live[data-state=on]")
    assert not await same(page)


async def test_focus_stays_where_it_is_when_a_row_is_replaced(browse, served):
    at = await served()
    page = await browse(at, "/scorecards/it")
    await live(page)
    await page.locator("[id='to.it.mttr']").focus()
    judged(at, "it/mttr", value=7.25)
    await page.locator("#row\\.it\\.mttr").get_by_text("7.25").wait_for()
    assert await page.evaluate("document.activeElement.id") == "to.it.mttr"


async def test_a_glance_leads_from_the_red_kpi_to_why_and_back_up(browse, calm):
    page = await browse(calm, "/")
    await page.locator(".concerns").get_by_role("link", name="Mean time to resolve").click()
    await page.get_by_role("heading", name="Why this score").wait_for()
    assert "31.5" in await page.locator(".verdict .big").inner_text()
    await page.locator(".eyebrow").get_by_role("link", name="IT department").click()
    await page.get_by_role("link", name="Strategy map").click()
    await page.get_by_role("link", name="Restore service fast Red").click()
    await page.wait_for_url("**/scorecards/it#objective.it.restore-fast")
    await page.get_by_role("link", name="Why this score").click()
    await page.get_by_role("heading", name="What would raise it most").wait_for()


async def test_the_navigation_leads_everywhere(browse, calm):
    page = await browse(calm, "/")
    for name in ("Alerts", "Sources", "API", "Overview"):
        await page.locator("nav").get_by_role("link", name=name).click()
        await page.get_by_role("heading", level=1, name=name).wait_for()
        assert await page.locator("nav a[aria-current=page]").inner_text() == name


async def test_the_look_can_be_switched_and_stays_switched(browse, calm):
    page = await browse(calm, "/")
    ground = "getComputedStyle(document.documentElement).backgroundColor"
    light = await page.evaluate(ground)
    await page.get_by_role("button", name="Switch between light and dark").click()
    dark = await page.evaluate(ground)
    assert dark != light
    await page.goto("/alerts")
    assert await page.evaluate(ground) == dark


async def test_the_keyboard_reaches_everything(browse, calm):
    page = await browse(calm, "/")
    await page.keyboard.press("Tab")
    assert await page.evaluate("document.activeElement.className") == "skip"
    await page.keyboard.press("Enter")
    assert page.url.endswith("#main")
    await page.keyboard.press("Tab")
    assert await page.evaluate("document.activeElement.closest('main') !== null")


async def test_time_travel_and_back(browse, calm):
    page = await browse(calm, "/scorecards/it")
    await page.get_by_label("As of").fill("2026-05")
    await page.get_by_role("button", name="Show").click()
    await page.get_by_text("the state at the end of").wait_for()
    await page.locator("#row\\.it\\.sla").get_by_text("81.22").wait_for()
    await page.get_by_role("link", name="Back to now").click()
    await page.locator("#row\\.it\\.sla").get_by_text("86.4").wait_for()


async def test_the_chart_tells_the_point_under_the_pointer(browse, calm):
    page = await browse(calm, "/kpis/it/mttr")
    over = page.locator("#chart .u-over")
    await over.wait_for()
    box = await over.bounding_box()
    await page.mouse.move(box["x"] + 60, box["y"] + box["height"] / 2)
    await page.wait_for_function("document.getElementById('legend').textContent.startsWith('2025-06')")
    await page.mouse.move(box["x"] + box["width"] - 20, box["y"] + 20)
    await page.wait_for_function("document.getElementById('legend').textContent.includes('forecast')")


async def test_an_operator_takes_an_alert_on(browse, calm):
    page = await browse(calm, "/alerts")
    row = page.locator(".alerts tr", has_text="Incidents solved in time")
    await row.get_by_text("Acknowledge").click()
    await row.get_by_label("What will you do?").fill("Calling the vendor")
    await row.get_by_label("For", exact=True).first.select_option("1d")
    await row.get_by_role("button", name="Take it on").click()
    await page.get_by_text("The alert is acknowledged.").wait_for()
    asked = calm.calls[-1]
    assert (asked[0], asked[2], asked[4]) == ("acknowledge", "Calling the vendor", "local")


async def test_what_is_being_written_outlives_a_change_beside_it(browse, served):
    at = await served()
    page = await browse(at, "/alerts")
    await live(page)
    row = page.locator(".alerts tr", has_text="Incidents solved in time")
    await row.get_by_text("Acknowledge").click()
    await row.get_by_label("What will you do?").fill("Calling the ven")
    another = site.alert("it/lead-time", "kpi-red", AlertState.FIRING, 1)
    await at.board.store.write(lambda connection: save_alerts(connection, [another]))
    at.board.bus.publish([AlertChanged(site.NOW, another, AlertState.PENDING)])
    await page.locator(".alerts").get_by_role("link", name="Lead time for changes").wait_for()
    await page.keyboard.type("dor")
    assert await row.get_by_label("What will you do?").input_value() == "Calling the vendor"
    assert await same(page)


async def test_an_operator_silences_one_alert_and_ends_a_silence(browse, calm):
    page = await browse(calm, "/alerts")
    row = page.locator(".alerts tr", has_text="Incidents solved in time")
    await row.locator("summary", has_text="Silence").click()
    await row.get_by_role("button", name="Silence", exact=True).click()
    await page.get_by_text("The silence is in force.").wait_for()
    matchers = {(each.label, each.value) for each in calm.calls[-1][1]}
    assert matchers == {("alertname", "kpi-red"), ("scorecard", "it"), ("kpi", "sla")}
    await page.get_by_role("button", name="End now").click()
    await page.get_by_text("The silence has ended.").wait_for()
    assert calm.calls[-1][:2] == ("expire_silence", "5f9d2c1e-silence")


async def test_an_operator_makes_a_silence_by_hand_and_retries_a_dead_letter(browse, calm):
    page = await browse(calm, "/alerts")
    await page.get_by_text("New silence").click()
    await page.locator("#matchers").fill("scorecard=it")
    await page.locator("#why").fill("Moving house")
    await page.locator("form:has(#matchers)").get_by_role("button", name="Silence").click()
    await page.get_by_text("The silence is in force.").wait_for()
    assert calm.calls[-1][-1] == "Moving house"
    await page.get_by_role("button", name="Try again").click()
    await page.get_by_text("The message is tried again.").wait_for()
    assert calm.calls[-1] == ("retry_dead", ("dead-1",), "local")


async def test_an_operator_opens_a_maintenance_window_and_ends_one_but_not_that_of_the_file(browse, calm):
    page = await browse(calm, "/alerts")
    await page.get_by_text("New window").click()
    await page.get_by_label("Name").fill("patch-night")
    await page.locator("#window-match").fill("source=itsm")
    await page.get_by_label("Opens on").select_option("Tuesday")
    await page.locator("#window-why").fill("monthly patches")
    await page.get_by_role("button", name="Open the window").click()
    await page.get_by_text("The maintenance window is in force.").wait_for()
    name, wanted = calm.calls[-1]
    assert (name, wanted.id, wanted.cron, wanted.comment) == (
        "maintain",
        "patch-night",
        "0 22 * * 2",
        "monthly patches",
    )
    section = page.locator("section", has=page.get_by_role("heading", name="Maintenance"))
    configured = section.locator("li", has_text="of the configuration file")
    assert await configured.get_by_role("button").count() == 0
    await section.locator("li", has_text="deploys").get_by_role("button", name="End").click()
    await page.get_by_text("The maintenance window has ended.").wait_for()
    assert calm.calls[-1] == ("end_maintenance", "deploys", "local")


async def test_an_operator_enters_a_value_and_comments(browse, calm):
    page = await browse(calm, "/kpis/it/csat")
    await page.get_by_label("Value in points").fill("4.6")
    await page.get_by_label("Note").fill("June survey")
    await page.get_by_role("button", name="Store").click()
    await page.get_by_text("The value is stored.").wait_for()
    assert calm.calls[-1] == ("set_value", "it/csat", 4.6, site.NOW, "June survey", "local")
    await page.get_by_label("Add a comment").fill("Best in a year")
    await page.get_by_role("button", name="Write").click()
    await page.get_by_text("The comment is written.").wait_for()
    assert calm.calls[-1] == ("comment", "kpi:it/csat", "Best in a year", "local")


async def test_an_admin_runs_a_source_now(browse, calm):
    page = await browse(calm, "/sources")
    await page.get_by_role("button", name="Run now cloud").click()
    await page.get_by_text("The collection was asked for.").wait_for()
    assert calm.calls[-1] == ("run_now", "cloud")
