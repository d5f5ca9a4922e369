"""A board on a real port and Debian's Chromium, both in the session's loop."""

from pathlib import Path

import pytest_asyncio
from playwright.async_api import async_playwright
from tests.unit.web import site

from bsc_monitor.web import create_app, serve

CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-default-apps", "--no-first-run", "--no-default-browser-check",
]  # fmt: skip
AXE = (Path(__file__).parent / "vendor" / "axe.min.js").read_text()
DESKTOP, PHONE, TELEVISION = (1440, 900), (390, 844), (1920, 1080)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium():
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        await browser.close()


class Site:
    """A served board."""

    def __init__(self, board, served):
        self.board = board
        self.url = served.url

    @property
    def calls(self):
        return self.board.operations.calls


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def served(tmp_path_factory):
    """Starts boards; they end with the session."""
    running, stores = [], []

    async def start(*, hostile=False):
        store = site.open_store(tmp_path_factory.mktemp("board") / "board.db", hostile=hostile)
        board = site.make_board(store, hostile=hostile)
        now = await serve(create_app(board), "127.0.0.1", 0)
        running.append(now)
        stores.append(store)
        return Site(board, now)

    yield start
    for each in running:
        await each.stop()
    for store in stores:
        store.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def calm(served):
    """A board that tests only look at, or whose operations they ask."""
    return await served()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def hostile(served):
    return await served(hostile=True)


@pytest_asyncio.fixture(loop_scope="session")
async def browse(chromium):
    """Opens a page of a board; whatever goes wrong in it fails the test."""
    contexts, wrong = [], []

    async def open_page(at, path, *, size=DESKTOP, scheme="light", **more):
        context = await chromium.new_context(
            viewport={"width": size[0], "height": size[1]},
            color_scheme=scheme,
            base_url=at.url,
            timezone_id="UTC",
            **more,
        )
        contexts.append(context)
        page = await context.new_page()
        page.on("console", lambda said: wrong.append(said.text) if said.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("dialog", lambda dialog: wrong.append(f"dialog: {dialog.message}"))
        page.on("request", lambda asked: None if asked.url.startswith((at.url, "data:")) else wrong.append(asked.url))
        await page.clock.set_fixed_time(site.NOW)
        answer = await page.goto(path)
        assert answer.status == 200, await answer.text()
        return page

    yield open_page
    for context in contexts:
        await context.close()
    assert wrong == []
