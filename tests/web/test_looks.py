"""Every page in every form: nothing wrong in the console, nothing asked of others, nothing serious for axe."""

from dataclasses import replace

import pytest
from tests.web.conftest import AXE, DESKTOP, PHONE, TELEVISION

from bsc_monitor.model.organisation import Organisation

pytestmark = pytest.mark.asyncio(loop_scope="session")
PAGES = ["/", "/scorecards/it", "/scorecards/it/map", "/scorecards/it/why", "/kpis/it/mttr", "/kpis/it/training", "/alerts",
         "/improvement", "/reports", "/sources", "/api", "/?at=2026-05", "/scorecards/it?at=2026-05", "/kpis/it/mttr?at=2026-05"]  # fmt: skip
FORMS = {
    "desktop, light": (DESKTOP, "light", ""),
    "phone, dark": (PHONE, "dark", ""),
    "wall, dark": (TELEVISION, "dark", "wall=1"),
}
SERIOUS = """async () => (await axe.run(document, {resultTypes: ["violations"]})).violations
  .filter(each => ["serious", "critical"].includes(each.impact))
  .map(each => `${each.id}: ${each.nodes.map(node => node.html.slice(0, 160) + " " + (node.any[0]?.message ?? "")).join("; ")}`)"""


@pytest.mark.parametrize(
    ("path", "form"),
    [(path, form) for path in PAGES for form in FORMS if form != "wall, dark" or path in PAGES[:4]],
)
async def test_a_page_is_sound_in_every_form(browse, calm, path, form):
    size, scheme, query = FORMS[form]
    address = path + ("&" if "?" in path else "?") + query if query else path
    page = await browse(calm, address, size=size, scheme=scheme)
    await settled(page, path)
    await page.evaluate(AXE)
    assert await page.evaluate(SERIOUS) == []
    width, seen = await page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert width <= seen, "the page is wider than the screen"


async def settled(page, path):
    """Wait until the page is as a person sees it: fonts, chart, stream."""
    await page.evaluate("document.fonts.ready")
    if path.startswith("/kpis/it/mttr"):
        await page.wait_for_selector("#chart canvas")
    if "at=" not in path and path not in ("/api", "/reports", "/scorecards/it/why"):
        await page.wait_for_selector("#live[data-state=on]")


async def test_every_detail_of_the_api_page_is_sound_when_opened(browse, calm):
    page = await browse(calm, "/api")
    await page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    await page.evaluate(AXE)
    assert await page.evaluate(SERIOUS) == []


async def test_every_control_on_the_alerts_page_is_sound_when_opened(browse, calm):
    page = await browse(calm, "/alerts", size=PHONE)
    await page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    await page.evaluate(AXE)
    assert await page.evaluate(SERIOUS) == []


@pytest.mark.parametrize(
    "path", ["/", "/scorecards/it", "/kpis/it/evil", "/scorecards/it/map", "/alerts", "/sources", "/scorecards/it/why"]
)
async def test_hostile_names_run_nothing(browse, hostile, path):
    page = await browse(hostile, path)
    assert await page.locator("script:not([src])").count() == 0
    assert await page.locator("a[href^='javascript']").count() == 0
    await page.evaluate(AXE)
    assert await page.evaluate(SERIOUS) == []


CLIPPED = """() => [...document.querySelectorAll("main, main .scroll:not(.map), .lane, .card, .attention, .tile, .course")]
  .filter(each => each.scrollWidth > each.clientWidth).map(each => `${each.className || each.id}: ${each.scrollWidth} > ${each.clientWidth}`)"""


@pytest.mark.parametrize("size", [DESKTOP, PHONE])
async def test_a_name_without_a_space_pushes_nothing_off_the_page(browse, served, size):
    at = await served()
    organisation, word = at.board.organisation, "Donaudampfschifffahrtsgesellschaft" * 5
    at.board.current.replace_organisation(
        Organisation(
            {
                name: replace(each, title=word, vision=word, owner=word)
                for name, each in organisation.scorecards.items()
            },
            {name: replace(each, title=word) for name, each in organisation.objectives.items()},
            {name: replace(each, title=word, owner=word) for name, each in organisation.kpis.items()},
            {name: replace(each, title=word) for name, each in organisation.initiatives.items()},
        )
    )
    for path in (
        "/",
        "/scorecards/it",
        "/scorecards/it/why",
        "/kpis/it/mttr",
        "/kpis/it/audit",
        "/improvement",
        "/alerts",
    ):
        page = await browse(at, path, size=size)
        await page.evaluate("document.fonts.ready")
        width, seen = await page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        assert width <= seen, path
        clipped = await page.evaluate(CLIPPED)
        assert [each for each in clipped if size is DESKTOP or not each.startswith("scroll")] == [], path


@pytest.mark.parametrize("chosen", ["", "dark"])
async def test_pages_print_dark_on_light_whatever_the_screen_shows(browse, calm, chosen):
    page = await browse(calm, "/scorecards/it", scheme="dark")
    await page.evaluate("theme => document.documentElement.dataset.theme = theme", chosen)
    await page.emulate_media(media="print")
    assert await page.evaluate("getComputedStyle(document.documentElement).colorScheme") == "light"
    assert (
        await page.evaluate("getComputedStyle(document.querySelector('.lane')).backgroundColor") == "rgb(255, 255, 255)"
    )


async def test_pages_print_without_what_is_only_for_the_screen(browse, calm):
    page = await browse(calm, "/scorecards/it")
    await page.emulate_media(media="print")
    assert not await page.locator("nav").is_visible()
    assert not await page.locator("#live").is_visible()
    assert await page.locator("#row\\.it\\.mttr").is_visible()
    assert (await page.pdf(format="A4")).startswith(b"%PDF")


async def test_pages_read_without_scripts(browse, calm):
    page = await browse(calm, "/", java_script_enabled=False)
    row = page.locator(".concerns tbody tr", has_text="Mean time to resolve")
    assert "10 Jun 2026" in await row.inner_text()


async def test_a_wall_has_nothing_to_click_and_larger_type(browse, calm):
    page = await browse(calm, "/?wall=1", size=TELEVISION)
    assert not await page.locator("nav").is_visible()
    assert not await page.locator("form.travel").is_visible()
    size = await page.evaluate("parseFloat(getComputedStyle(document.documentElement).fontSize)")
    assert size > 18


async def test_on_a_phone_the_place_in_the_navigation_is_in_sight(browse, calm):
    page = await browse(calm, "/api", size=PHONE)
    left, right = await page.evaluate(
        "(({left, right}) => [left, right])(document.querySelector('nav [aria-current]').getBoundingClientRect())"
    )
    assert 0 <= left < right <= PHONE[0]
