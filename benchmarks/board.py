"""The board: an overview of 50 scorecards with 5,000 KPIs, also as a browser paints it; 1,000 pages that follow 100 readings a second."""

import asyncio
import contextlib
import random
import resource
import statistics
import tempfile
import time
import zlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
from playwright.async_api import async_playwright

from bsc_monitor.bus import Bus
from bsc_monitor.current import Current
from bsc_monitor.export.metrics import Metrics
from bsc_monitor.model.event import KpiJudged, ScoreChanged
from bsc_monitor.model.judgement import Counts, Judgement, NodeScore
from bsc_monitor.model.organisation import Kpi, Objective, Organisation, Perspective, Scorecard, Thresholds
from bsc_monitor.model.period import Period, PeriodKind
from bsc_monitor.model.status import Freshness, Status
from bsc_monitor.store import Store
from bsc_monitor.web import Board, create_app, serve
from bsc_monitor.web.live.hub import HUB

CARDS, OBJECTIVES, KPIS = 50, 20, 5  # 50 × 20 × 5 = 5,000
VIEWERS, READINGS, SECONDS = 1000, 100, 20
LOOKS = 7
CHROMIUM = "/usr/bin/chromium"
PAINTED = """() => new Promise(done => new PerformanceObserver(list => {
  const painted = list.getEntriesByName("first-contentful-paint")[0]
  if (painted) {
    const came = performance.getEntriesByType("navigation")[0]
    done([came.responseEnd, painted.startTime])
  }
}).observe({type: "paint", buffered: true}))"""
NOW = datetime.now(UTC)
MONTH = Period(NOW.replace(day=1), NOW.replace(day=1) + timedelta(days=31), PeriodKind.MONTH, f"{NOW:%Y-%m}")
VIEWS = ("financial", "customer", "internal_process", "learning_growth")


def company():
    """A holding and its units, each with four perspectives."""
    cards, objectives, kpis = {}, {}, {}
    for number in range(CARDS):
        name = f"unit-{number}"
        views = tuple(Perspective(view, name, view.replace("_", " ").capitalize()) for view in VIEWS)
        parent = None if number == 0 else "unit-0" if number < 8 else f"unit-{number % 7 + 1}"
        cards[name] = Scorecard(
            name, f"Business unit {number}", owner=f"head-{number}@example.com", parent=parent, perspectives=views
        )
        for goal in range(OBJECTIVES):
            objective = Objective(f"goal-{goal}", name, VIEWS[goal % 4], f"Objective {goal} of unit {number}")
            objectives[objective.name] = objective
            for place in range(KPIS):
                kpi = Kpi(
                    f"k-{goal}-{place}",
                    name,
                    objective.perspective,
                    objective.name,
                    f"Measure {goal}.{place}",
                    unit="%",
                )
                kpis[kpi.name] = kpi
    return Organisation(cards, objectives, kpis)


def judged(rng, name, before=None):
    """A judgement as a reading would bring it: one in ten is red."""
    score = rng.uniform(0, 100) if rng.random() > 0.1 else 10.0
    status = Status.RED if score < 34 else Status.AMBER if score < 66 else Status.GREEN
    now = datetime.now(UTC)
    made = Judgement(
        name, score, Thresholds(95.0, 90.0), score, status, Freshness.FRESH, MONTH, observed_at=now, since=NOW
    )
    return KpiJudged(now, made, before)


def nodes(rng, organisation):
    """A score for everything above KPIs."""
    for card in organisation.scorecards.values():
        for kind, names in (("scorecard", [card.id]), ("perspective", [view.name for view in card.perspectives])):
            for name in names:
                score = rng.uniform(20, 90)
                yield ScoreChanged(
                    NOW, NodeScore(kind, name, score, Status.AMBER, 0.97, Counts(60, 25, 10, 5), since=NOW)
                )


async def ready(served):
    """Wait until the board says that it is."""
    async with aiohttp.ClientSession() as session:
        while (await session.get(f"{served.url}/-/ready")).status != 200:  # noqa: ASYNC110 - it is asked over the wire
            await asyncio.sleep(0.01)


async def overview(url):
    """Milliseconds on the server and bytes over the wire of the first page, as it stands and all made anew."""
    async with aiohttp.ClientSession(auto_decompress=False) as session:
        took, size = [], 0
        for _ in range(12):
            begun = time.perf_counter()
            async with session.get(url, headers={"Accept-Encoding": "gzip, deflate"}) as answer:
                size = len(await answer.read())
            took.append((time.perf_counter() - begun) * 1000)
    return took[0], statistics.median(took[2:]), size


async def painted(url):
    """Milliseconds from asking for a page to its last byte and its first paint, in Chromium.

    The first page with nothing kept, the median of further visits (the browser has its styles and scripts), and, to tell
    what the browser itself takes on this machine, those of a line of plain text.
    """
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        page, looks = await (await browser.new_context(viewport={"width": 1440, "height": 900})).new_page(), {}
        for path in ("/-/healthy", "/"):
            looks[path] = []
            for _ in range(LOOKS):
                await page.goto(url + path)
                looks[path].append(await page.evaluate(PAINTED))
        await browser.close()
    usual = {
        path: [statistics.median(column) for column in zip(*seen[1:], strict=True)] for path, seen in looks.items()
    }
    return {"first visit": looks["/"][0], "then": usual["/"], "a line of text": usual["/-/healthy"]}


async def watch(session, url, published, delays):
    """One page: how long each update took from its reading to here."""
    async with session.get(url) as answer:
        async for line in answer.content:
            if delays is not None and line.startswith(b"data:") and (at := line.find(b'id="row.')) > 0:
                name = line[at + 8 : line.index(b'"', at + 8)].decode().replace(".", "/", 1)
                delays.append(time.perf_counter() - published[name])


async def viewers(served, board, hub, rng):
    """1,000 pages on 50 scorecards while 100 readings a second arrive."""
    delays, published, names = [], {}, list(board.organisation.kpis)
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(
        connector=connector, timeout=aiohttp.ClientTimeout(), read_bufsize=2**22
    ) as session:
        pages = [
            asyncio.create_task(
                watch(
                    session,
                    f"{served.url}/events?on=scorecard/unit-{number % CARDS}",
                    published,
                    delays if number < CARDS else None,
                )
            )
            for number in range(VIEWERS)
        ]
        while hub.count() < VIEWERS:  # noqa: ASYNC110 - nothing tells when the last has come
            await asyncio.sleep(0.05)
        before, begun = memory(), time.process_time()
        for _ in range(SECONDS * 10):
            wanted = rng.sample(names, READINGS // 10)
            published |= dict.fromkeys(wanted, time.perf_counter())
            board.bus.publish([judged(rng, name, board.current.judgements[name]) for name in wanted])
            await asyncio.sleep(0.1)
        await asyncio.sleep(1)
        spent, grown = time.process_time() - begun, memory() - before
        for page in pages:
            page.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(*pages, return_exceptions=True)
    return delays, spent, grown


def memory():
    """Resident megabytes at their highest."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


async def main():
    rng = random.Random(4)
    with tempfile.TemporaryDirectory() as folder:
        store = Store.open(f"sqlite:///{Path(folder) / 'board.db'}")
        bus, organisation = Bus(), company()
        current = Current(bus, organisation)
        bus.publish(judged(rng, name) for name in organisation.kpis)
        bus.publish(nodes(rng, organisation))
        board = Board(current, Metrics(bus, current, "1"), bus, store, None)
        app = create_app(board)
        served = await serve(app, "127.0.0.1", 0)
        await ready(served)
        first, usual, size = await overview(f"{served.url}/")
        print(f"overview of {CARDS} scorecards, {len(organisation.kpis):,} KPIs")
        print(f"  on the server   first {first:7.1f} ms   then {usual:7.1f} ms   {size / 1024:6.1f} kB over the wire")
        for visit, (last, paint) in (await painted(served.url)).items():
            print(f"  in Chromium, {visit:14}   last byte {last:7.1f} ms   first paint {paint:7.1f} ms")
        delays, spent, grown = await viewers(served, board, app[HUB], rng)
        ordered = sorted(delays)
        p99 = ordered[int(len(ordered) * 0.99)] if ordered else float("nan")
        print(f"{VIEWERS:,} pages, {READINGS} readings a second for {SECONDS} s (pages and service share this process)")
        print(f"  update after: median {statistics.median(ordered):.3f} s, p99 {p99:.3f} s over {len(ordered):,} seen")
        print(
            f"  processor {spent / SECONDS * 100:.0f} % of a core, memory +{grown:.1f} MB, dropped {app[HUB].dropped}"
        )
        await served.stop()
        store.close()


if __name__ == "__main__":
    print(f"zlib {zlib.ZLIB_VERSION}")
    asyncio.run(main())
