"""GitHub and GitLab on a few records, over the wire, against values computed by hand; their limits and refusals."""

from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer
from tests.contract.collector_run import check, month, opened, parts, run, total

from bsc_monitor.collect.context import RunContext, RunLog
from bsc_monitor.model.period import Calendar
from bsc_monitor.plugin import CollectorError, ReadingState, SourceError, Window
from bsc_monitor.sandbox.callers import Callers
from bsc_monitor.sandbox.company.forge import Build, Change, Deployment, Incident, Project
from bsc_monitor.sandbox.forge import github_app, gitlab_app

MAY = month("2026-05")
REPOSITORY = {"repositories": ["acme/shop"]}


def at(day, hour=0.0):
    """An hour of a day of May (0: the last of April)."""
    return datetime(2026, 4, 30, tzinfo=UTC) + timedelta(days=day, hours=hour)


def sha(name):
    return name.encode().hex().ljust(40, "0")


def change(number, commits, opened, reviewed, merged, title="Add"):
    return Change(
        number, title, f"feature/{number}", "ada", tuple((sha(f"{number}.{n}"), when) for n, when in enumerate(commits)),
        opened, "ben", reviewed, merged, merged or opened + timedelta(hours=9), sha(f"m{number}"),
    )  # fmt: skip


def deployment(number, of, when, *, ok=True, description="Release"):
    return Deployment(number, sha(of), when - timedelta(minutes=5), when, ok, description)


def project():
    """Two releases of May after one of April, the second repaired by a hotfix; one that never went live, one repeated."""
    return Project(
        "acme/shop",
        changes=[
            change(1, [at(0)], at(0), None, at(0, 1)),
            change(2, [at(1), at(1, 4)], at(1, 6), at(1, 8), at(1, 12)),  # 24 h and 20 h to its release
            change(3, [at(3)], at(3, 1), at(3, 2), at(3, 4)),  # 30 h
            change(4, [at(4, 8)], at(4, 8), None, at(4, 9), title="Hotfix: repair"),  # 2 h
            change(5, [at(5)], at(5), at(5, 6), None),  # reviewed and thrown away
        ],
        deployments=[
            deployment(1, "m1", at(0, 2)), deployment(2, "m2", at(2)), deployment(3, "m2", at(2, 1)),
            deployment(4, "m3", at(4), ok=False), deployment(5, "m3", at(4, 6)),
            deployment(6, "m4", at(4, 10), description="Hotfix"),
        ],
        incidents=[Incident(9, "Checkout fails", "", at(4, 7), at(4, 11))],
        builds=[
            Build(1, sha("2.0"), "feature/2", at(1), at(1, 0.1), "success"),
            Build(2, sha("m2"), "main", at(2), at(2, 0.2), "success"),
            Build(3, sha("m3"), "main", at(3), at(3, 0.5), "failure"),
            Build(4, sha("m4"), "main", at(3), at(3, 0.6), "cancelled"),
        ],
    )  # fmt: skip


async def served(app):
    root = web.Application()
    root.add_subapp("/forge", app)
    server = TestServer(root, host="127.0.0.1")
    await server.start_server()
    return server


class Side:
    """One forge, serving one project; ``now`` and ``project`` may be moved on."""

    def __init__(self, kind):
        self.kind, self.project, self.now, self.callers = kind, project(), datetime(2026, 8, 1, tzinfo=UTC), Callers()

    async def start(self):
        make = github_app if self.kind == "github" else gitlab_app
        find = lambda name: self.project if name == "acme/shop" else None  # noqa: E731
        self.server = await served(make(find, self.callers, lambda: self.now))
        self.config = {"url": str(self.server.make_url("/forge")), "token": "demo"}

    async def run(self, measure, **params):
        return await run(self.kind, self.config, measure, MAY, **{**REPOSITORY, **params})

    async def value(self, measure, **params):
        return total(await self.run(measure, **params)).value


@pytest.fixture(params=["github", "gitlab"])
async def forge(request):
    side = Side(request.param)
    await side.start()
    yield side
    await side.server.close()


async def test_every_dora_measure_over_the_wire(forge):
    assert await forge.value("deployment_frequency") == pytest.approx(3 / 31)  # m2 once, m3, m4
    assert await forge.value("change_lead_time", statistic="mean") == pytest.approx((24 + 20 + 30 + 2) / 4)
    assert await forge.value("change_fail_rate") == pytest.approx(1 / 3)  # m3
    assert await forge.value("failed_deployment_recovery_time") == 3  # incident at 7, hotfix live at 10
    assert await forge.value("deployment_rework_rate") == pytest.approx(1 / 3)


async def test_changes_timed_from_the_first_commit_of_their_pull_request(forge):
    value = await forge.value("change_lead_time", statistic="mean", first_commit_of_pull=True)

    assert value == pytest.approx((24 + 24 + 30 + 2) / 4)  # both of the first pull request start with its first commit


async def test_reviews_and_merges(forge):
    first = total(await forge.run("review_time", statistic="mean"))
    merge = total(await forge.run("review_time", statistic="mean", until="merge"))

    assert (first.value, first.samples) == (pytest.approx((2 + 1 + 6) / 3), 3)  # a bot's comment is no review
    assert first.note == "1 were merged without a review"
    assert (merge.value, merge.samples) == (pytest.approx((6 + 3 + 1) / 3), 3)
    assert await forge.value("review_time", target="other") is None


async def test_builds(forge):
    assert await forge.value("build_success_rate") == pytest.approx(2 / 3)  # the cancelled one does not count
    assert await forge.value("build_success_rate", branch="main") == pytest.approx(1 / 2)
    assert await forge.value("build_time", statistic="mean") == pytest.approx(9)  # 6 and 12 minutes


async def test_measures_break_down_by_repository_and_lead_to_the_forges_page(forge):
    readings = await forge.run("change_fail_rate", by=("repository",))

    assert parts(readings, "repository") == {"acme/shop": pytest.approx(1 / 3)}
    assert readings[0].evidence.startswith(f"{forge.config['url']}/acme/shop/")
    async with ClientSession() as client, client.get(readings[0].evidence) as page:
        assert page.status == 200


async def test_a_month_without_deployments_has_no_rate(forge):
    reading = total(await run(forge.kind, forge.config, "change_fail_rate", month("2026-01"), **REPOSITORY))

    assert (reading.value, reading.state) == (None, ReadingState.NO_DATA)


def context(live, now):
    window = Window(None, now)
    return RunContext(live.client.run(), now, window, MAY, (), Calendar(), RunLog("s", "m", live.client.redactor))


async def fetched(forge, live, stream, window):
    scope = live.streams[stream].scope(**REPOSITORY)
    walk = getattr(live.collector, stream)(context(live, window.end), scope, window)
    return {record.key: record async for record in walk}


@pytest.mark.parametrize("stream", ["deliveries", "pulls", "builds"])
async def test_increments_bring_the_same_records_as_fetching_all(forge, stream):
    live, whole = opened(forge.kind, forge.config), forge.now
    known = {}
    before = None
    for day in (0, 2, 4, 5, 12):
        forge.now = at(day, 7.5)
        window = Window(before and before - timedelta(hours=1), forge.now)
        known |= await fetched(forge, live, stream, window)
        before = forge.now
    forge.now = whole
    known |= await fetched(forge, live, stream, Window(before, whole))
    everything = await fetched(forge, live, stream, Window(None, whole))
    await live.client.close()

    assert known == everything
    assert len(everything) > 3


async def test_an_increment_asks_little(forge):
    live = opened(forge.kind, forge.config)
    ctx = context(live, forge.now)
    scope = live.streams["deliveries"].scope(**REPOSITORY)
    window = Window(forge.now - timedelta(hours=1), forge.now)
    found = [record async for record in live.collector.deliveries(ctx, scope, window)]
    await live.client.close()

    assert found == []
    assert ctx.http.requests <= 4


async def test_the_records_that_exist_are_told_for_reconciliation(forge):
    live = opened(forge.kind, forge.config)
    scope = live.streams["deliveries"].scope(**REPOSITORY)
    everything = await fetched(forge, live, "deliveries", Window(None, forge.now))
    ids = {name async for name in live.collector.delivery_ids(context(live, forge.now), scope)}
    await live.client.close()

    assert ids == set(everything)


async def test_listings_longer_than_a_page_are_read_to_the_end(forge):
    forge.project.builds[:] = [
        Build(n, sha("m2"), "main", at(1, n / 60), at(1, n / 60 + 0.1), "success") for n in range(250)
    ]

    assert total(await forge.run("build_success_rate")).samples == 250


async def test_refusals_are_told_apart(forge):
    await check(forge.kind, forge.config)
    with pytest.raises(SourceError) as caught:
        await check(forge.kind, {**forge.config, "token": "wrong"})
    assert caught.value.reason is CollectorError.AUTH
    with pytest.raises(SourceError, match="not found") as caught:
        await forge.run("build_time", repositories=["acme/none"])
    assert caught.value.reason is CollectorError.CONFIG
    assert "has no access" in caught.value.hint


async def test_a_used_up_rate_limit_says_how_long_to_wait_and_the_next_attempt_goes_on_where_it_stopped(forge):
    live = opened(forge.kind, forge.config, timeout=1)
    forge.callers.limit = 5
    scope = live.streams["pulls"].scope(**REPOSITORY)
    ctx = context(live, datetime.now(UTC))

    async def walk():
        return [record.key async for record in live.collector.pulls(ctx, scope, Window(None, forge.now))]

    with pytest.raises(SourceError) as caught:
        await walk()  # one listing and five reviews are six requests
    assert caught.value.reason is CollectorError.RATE_LIMIT
    assert 3000 < caught.value.retry_after <= 3602

    forge.callers._calls.clear()
    assert len(await walk()) == 5
    await live.client.close()


@pytest.mark.parametrize("name", ["shop", "acme/../x?y", "a/b c", ""])
def test_a_repository_that_cannot_be_one_is_refused(forge, name):
    cls = opened(forge.kind, forge.config).streams["deliveries"].scope
    with pytest.raises(ValueError, match="repositories"):
        cls(repositories=[name])


async def test_a_permission_that_github_denies_is_no_rate_limit():
    async def handle(request):
        return web.json_response({"message": "Resource not accessible by personal access token"}, status=403)

    app = web.Application()
    app.router.add_get("/{rest:.*}", handle)
    server = TestServer(app, host="127.0.0.1")
    await server.start_server()
    with pytest.raises(SourceError, match="not accessible") as caught:
        await run("github", {"url": str(server.make_url("/")), "token": "t"}, "build_time", MAY, **REPOSITORY)
    await server.close()
    assert caught.value.reason is CollectorError.PERMISSION


@pytest.mark.parametrize("answer", [{}, [{"id": 1}], "text", [1]])
async def test_an_answer_that_is_not_the_vendors_is_an_error_in_words(answer):
    async def handle(request):
        return web.json_response(answer)

    app = web.Application()
    app.router.add_get("/{rest:.*}", handle)
    server = TestServer(app, host="127.0.0.1")
    await server.start_server()
    for kind in ("github", "gitlab"):
        for measure in ("change_fail_rate", "review_time", "build_time"):
            with pytest.raises(SourceError) as caught:
                await run(kind, {"url": str(server.make_url("/")), "token": "t"}, measure, MAY, **REPOSITORY)
            assert caught.value.reason is CollectorError.SCHEMA
    await server.close()
