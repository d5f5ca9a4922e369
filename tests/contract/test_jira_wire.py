"""Jira on the wire: what the vendor's documents and recorded answers say the sandbox must do, and what the collector makes of it."""

import json
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import aiohttp
import pytest
from tests.contract.collector_run import check, month, opened, run, total
from tests.contract.jira_site import NOW, Served, at, issue, site

from bsc_monitor.collect.context import RunContext, RunLog
from bsc_monitor.kit.issues import instant
from bsc_monitor.kit.jira_query import literal
from bsc_monitor.model.period import Calendar
from bsc_monitor.model.status import CollectorError, ReadingState
from bsc_monitor.plugin import SourceError, Window
from bsc_monitor.sandbox.jira.fields import FIRST_RESPONSE, SATISFACTION, SATISFACTION_DATE

MAY = month("2026-05")
BASIC = aiohttp.encode_basic_auth("demo@example.com", "demo")
DONE = ("2026-05-05 10:00", "done")


def many(count, project="PAY"):
    return [issue(n, "2026-05-01 08:00", DONE, project=project) for n in range(1, count + 1)]


async def call(served, method, path, *, auth=BASIC, side="jira", **request):
    headers = {"Authorization": auth} if auth else {}
    async with (
        aiohttp.ClientSession(headers=headers) as client,
        client.request(method, f"{served.base}/{side}{path}", **request) as reply,
    ):
        return reply.status, reply.headers, await reply.json(content_type=None)


# ---- Cloud's search


async def test_a_search_goes_by_tokens_without_total_and_caps_its_pages():
    async with Served(site(*many(150))) as served:
        asked = {"jql": "project = PAY", "fields": ["summary"], "maxResults": 1000}
        _, _, first = await call(served, "POST", "/rest/api/3/search/jql", json=asked)
        _, _, second = await call(
            served, "POST", "/rest/api/3/search/jql", json={**asked, "nextPageToken": first["nextPageToken"]}
        )
        _, _, ids = await call(served, "GET", "/rest/api/3/search/jql?jql=project=PAY&maxResults=1000")

    assert set(first) == {"issues", "isLast", "nextPageToken"}
    assert (len(first["issues"]), first["isLast"]) == (100, False)
    assert set(second) == {"issues", "isLast"}
    assert (len(second["issues"]), second["isLast"]) == (50, True)
    assert len(ids["issues"]) == 150
    assert "fields" not in ids["issues"][0]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"jql": ""}, "Unbounded JQL queries are not allowed here"),
        ({"jql": "order by created"}, "Unbounded JQL queries are not allowed here"),
        ({"jql": "project = PAY", "startAt": 0}, "Invalid request payload"),
        ({"jql": "project = PAY", "expand": ["changelog"]}, "Invalid request payload"),
        ({"jql": "project = GONE"}, "The value 'GONE' does not exist for the field 'project'."),
        ({"jql": "colour = red"}, "Field 'colour' does not exist or you do not have permission to view it."),
        ({"jql": "project = PAY AND"}, "Error in the JQL Query"),
        ({"jql": "project = PAY", "nextPageToken": "nonsense"}, "token"),
    ],
)
async def test_what_cloud_refuses_it_refuses_in_its_own_words(body, words):
    async with Served(site(*many(1))) as served:
        status, _, answer = await call(served, "POST", "/rest/api/3/search/jql", json=body)

    assert status == 400
    assert words in answer["errorMessages"][0]


async def test_the_former_search_is_gone():
    async with Served(site()) as served:
        status, _, answer = await call(served, "GET", "/rest/api/3/search?jql=project=PAY")

    assert status == 410
    assert "/rest/api/3/search/jql" in answer["errorMessages"][0]


async def test_others_are_turned_away_and_an_open_site_answers_them_nothing():
    async with Served(site(*many(3)), anonymous=True) as served:
        me, _, _ = await call(served, "GET", "/rest/api/3/myself", auth=None)
        search, _, found = await call(
            served, "POST", "/rest/api/3/search/jql", auth=None, json={"jql": "created > 2000-01-01"}
        )

    assert (me, search, found["issues"]) == (401, 200, [])


async def test_changelogs_come_oldest_first_a_hundred_a_page():
    moves = [
        (f"2026-05-{day:02d} {hour:02d}:00", "doing" if hour % 2 else "todo")
        for day in range(2, 8)
        for hour in range(24)
    ]
    async with Served(site(issue(1, "2026-05-01 08:00", *moves))) as served:
        _, _, page = await call(served, "GET", "/rest/api/3/issue/PAY-1/changelog?maxResults=1000")
        _, _, rest = await call(served, "GET", "/rest/api/3/issue/PAY-1/changelog?startAt=100")
        _, _, issue_1 = await call(served, "GET", "/rest/api/3/issue/PAY-1?fields=status&expand=changelog")

    assert (len(page["values"]), page["total"], page["isLast"]) == (100, 144, False)
    assert (len(rest["values"]), rest["isLast"]) == (44, True)
    assert page["values"][0]["created"] < rest["values"][0]["created"]
    newest = issue_1["changelog"]["histories"][0]["created"]
    assert newest == rest["values"][-1]["created"]


async def test_data_center_pages_by_offset_knows_people_by_name_and_takes_a_bearer_token():
    async with Served(site(*many(7)), page=3) as served:
        asked = {"jql": "project = PAY ORDER BY key", "maxResults": 1000, "startAt": 6, "fields": ["assignee"]}
        status, _, found = await call(
            served, "POST", "/rest/api/2/search", side="jira-dc", auth="Bearer demo", json=asked
        )
        refused, _, _ = await call(served, "GET", "/rest/api/2/myself", side="jira-dc", auth="Bearer wrong")
        _, _, me = await call(served, "GET", "/rest/api/2/myself", side="jira-dc", auth="Bearer demo")

    assert (status, found["total"], found["maxResults"], len(found["issues"])) == (200, 7, 3, 1)
    assert refused == 401
    assert (me["name"], "accountId" in me) == ("demo", False)


# ---- what the collector makes of it


@pytest.mark.parametrize("side", ["cloud", "server"])
async def test_every_page_is_fetched_however_short(side):
    async with Served(site(*many(57)), page=10, changelog_page=3) as served:
        reading = total(await run("jira", served.config(side), "throughput", MAY, now=NOW, project="PAY"))

    assert reading.value == 57


@pytest.mark.parametrize("side", ["cloud", "server"])
@pytest.mark.parametrize("zone", ["UTC", "America/Los_Angeles", "Asia/Kolkata"])
async def test_an_increment_misses_nothing_whatever_the_callers_zone(side, zone):
    """Known to be lost elsewhere: issues that change faster than the zone's offset, when the window is written in UTC."""
    clock = [NOW]
    made = site(*many(3), now=lambda: clock[0])
    async with Served(made, timezone=zone) as served:
        live = opened("jira", served.config(side))
        try:
            for minutes in (0, 20, 40, 60):
                made.change("2", NOW + timedelta(minutes=minutes), summary=f"changed {minutes}")
            clock[0] = NOW + timedelta(hours=1)
            found = {
                i.id: i
                async for i in stream(live, "issues", {"project": "PAY"}, Window(NOW + timedelta(minutes=50), clock[0]))
            }
            earlier = [
                i.id
                async for i in stream(
                    live, "issues", {"project": "PAY"}, Window(clock[0] + timedelta(minutes=1), clock[0])
                )
            ]
        finally:
            await live.client.close()

    assert list(found) == ["2"]
    assert found["2"].updated == NOW + timedelta(hours=1)
    assert earlier == []


@pytest.mark.parametrize("minute", [0, 29, 35, 59, 60, 89, 119])
def test_a_window_that_begins_in_the_hour_that_the_clocks_repeat_misses_nothing_whichever_jira_means(minute):
    """25 October, Berlin: 2:00 to 2:59 comes twice."""
    berlin = ZoneInfo("Europe/Berlin")
    start = datetime(2026, 10, 25, 0, 0, tzinfo=UTC) + timedelta(minutes=minute)

    written = datetime.strptime(literal(start, berlin), '"%Y-%m-%d %H:%M"').replace(tzinfo=berlin)

    for meant in (written, written.replace(fold=1)):
        assert timedelta(0) <= start - meant.astimezone(UTC) < timedelta(hours=2, minutes=30)


async def test_what_was_deleted_or_moved_away_is_no_longer_among_the_ids():
    made = site(*many(3))
    async with Served(made) as served:
        live = opened("jira", served.config())
        try:
            made.delete("1")
            made.change("2", NOW, project="OPS", issuekey="OPS-50")
            scope = live.streams["issues"].scope.model_validate({"project": "PAY"})
            ids = [key async for key in live.collector.existing(context(live), scope)]
        finally:
            await live.client.close()

    assert ids == ["3"]


async def test_a_rating_is_fetched_though_it_leaves_updated_alone():
    made = site(issue(1, "2026-05-01 08:00", DONE, project="HELP"))
    made.issues["1"].values |= {SATISFACTION: 4, SATISFACTION_DATE: at("2026-06-14 10:00")}
    async with Served(made) as served:
        live = opened("jira", served.config())
        try:
            window = Window(at("2026-06-14 09:00"), NOW)
            found = [i.rating async for i in stream(live, "issues", {"project": "HELP"}, window)]
        finally:
            await live.client.close()

    assert found == [4]


def context(live, now=NOW):
    log = RunLog("s", "test", live.client.redactor)
    return RunContext(live.client.run(), now, Window(MAY.start, MAY.end), MAY, (), Calendar(), log)


async def stream(live, name, scope, window, now=NOW):
    given = live.streams[name].scope.model_validate(scope)
    async for record in getattr(live.collector, name)(context(live, now), given, window):
        yield record


# ---- what goes wrong


async def failing(served, measure="throughput", side="cloud", token="demo", **params):
    with pytest.raises(SourceError) as caught:
        await run("jira", served.config(side, token), measure, MAY, now=NOW, **(params or {"project": "PAY"}))
    return caught.value


@pytest.mark.parametrize("side", ["cloud", "server"])
async def test_wrong_credentials_are_an_error_even_where_a_search_would_answer_nothing(side):
    async with Served(site(*many(3)), anonymous=True) as served:
        error = await failing(served, side=side, token="wrong")
        counted = await failing(served, "count", side=side, token="wrong", jql="project = PAY")
        with pytest.raises(SourceError) as checked:
            await check("jira", served.config(side, "wrong"))

    assert error.reason is counted.reason is checked.value.reason is CollectorError.AUTH
    assert "wrong" not in error.message


@pytest.mark.parametrize("side", ["cloud", "server"])
async def test_refused_jql_a_deleted_project_and_an_unknown_field_are_quoted(side):
    async with Served(site(*many(3)), forbidden=frozenset({"OPS"})) as served:
        gone = await failing(served, side=side, project="GONE")
        hidden = await failing(served, side=side, project="OPS")
        field = await failing(served, side=side, jql="colour = red")
        broken = await failing(served, "count", side=side, jql="project = (")
        await check("jira", served.config(side))

    assert {e.reason for e in (gone, hidden, field, broken)} == {CollectorError.CONFIG}
    assert 'project = "GONE"' in gone.message
    assert "The value 'GONE' does not exist for the field 'project'." in gone.message
    assert "OPS" in hidden.message
    assert "may not browse" in hidden.hint
    assert "Field 'colour' does not exist" in field.message
    assert "Error in the JQL Query" in broken.message


@pytest.mark.parametrize("side", ["cloud", "server"])
async def test_a_user_who_may_browse_nothing_is_told_so_by_the_check(side):
    async with Served(site(*many(1)), forbidden=frozenset({"PAY", "OPS", "HELP"})) as served:
        with pytest.raises(SourceError, match="no project") as caught:
            await check("jira", served.config(side))

    assert caught.value.reason is CollectorError.PERMISSION


@pytest.mark.parametrize("side", ["cloud", "server"])
async def test_a_login_page_with_200_and_json_that_breaks_off_are_failures(side):
    async with Served(site(*many(3)), login_page=True) as served:
        page = await failing(served, side=side)
    async with Served(site(*many(3)), truncated=True) as served:
        cut = await failing(served, side=side)

    assert page.reason is cut.reason is CollectorError.SCHEMA
    assert "web page titled “Log in with Atlassian account”" in page.message
    assert "stops in the middle" in cut.message or "not valid JSON" in cut.message


@pytest.mark.parametrize("side", ["cloud", "server"])
async def test_a_burst_of_failures_is_outlived(side, monkeypatch):
    monkeypatch.setattr("bsc_monitor.collect.http._BACKOFF", 0.001)
    async with Served(site(*many(3)), failures=2) as served:
        reading = total(await run("jira", served.config(side), "throughput", MAY, now=NOW, project="PAY"))

    assert reading.value == 3


@pytest.mark.parametrize("side", ["cloud", "server"])
@pytest.mark.parametrize("says_when", [True, False])
async def test_too_many_requests_end_the_run_when_the_wait_is_long_and_pass_when_it_is_short(
    side, says_when, monkeypatch
):
    monkeypatch.setattr("bsc_monitor.collect.http._BACKOFF", 0.001)
    async with Served(site(*many(3)), requests_per_window=2, window_seconds=3600, says_when=says_when) as served:
        error = await failing(served, side=side)
    async with Served(site(*many(3)), requests_per_window=5, window_seconds=0.2, says_when=True) as served:
        reading = total(await run("jira", served.config(side), "throughput", MAY, now=NOW, project="PAY"))

    assert error.reason is CollectorError.RATE_LIMIT
    assert reading.value == 3


async def test_a_quota_that_is_used_up_is_named_and_ends_the_run_at_once(monkeypatch):
    monkeypatch.setattr("bsc_monitor.collect.http._BACKOFF", 0.001)
    limits = {"requests_per_window": 4, "window_seconds": 0.5, "says_when": True}  # a wait that a burst would be given
    async with Served(site(*many(3)), reason="jira-quota-tenant-based", **limits) as served:
        error = await failing(served)
    async with Served(site(*many(3)), **limits) as served:
        reading = total(await run("jira", served.config(), "throughput", MAY, now=NOW, project="PAY"))

    assert error.reason is CollectorError.RATE_LIMIT
    assert "its quota is used up" in error.message
    assert "jira-quota-tenant-based" in error.message
    assert "Ask less often" in error.hint
    assert reading.value == 3


async def test_limits_are_told_in_the_vendors_headers():
    async with Served(site(), requests_per_window=1) as served:
        await call(served, "GET", "/rest/api/3/myself")
        status, headers, _ = await call(served, "GET", "/rest/api/3/myself")
        _, mine, _ = await call(served, "GET", "/rest/api/2/myself", side="jira-dc", auth="Bearer demo")

    assert status == 429
    assert int(headers["Retry-After"]) > 0
    assert datetime.strptime(headers["X-RateLimit-Reset"], "%Y-%m-%dT%H:%MZ")
    assert headers["RateLimit-Reason"] == "jira-burst-based"
    assert {"X-RateLimit-Interval-Seconds", "X-RateLimit-FillRate"} <= set(mine)


async def test_service_levels_hidden_from_a_user_who_is_no_agent_are_no_data_and_say_why():
    levels = {
        FIRST_RESPONSE: [
            {
                "start": at("2026-05-01 08:00"),
                "stop": at("2026-05-01 09:00"),
                "breached": False,
                "elapsed": 1,
                "goal": 2,
            }
        ]
    }
    async with Served(site(issue(1, "2026-05-01 08:00", project="HELP", **levels)), agent=False) as served:
        reading = total(await run("jira", served.config(), "sla_met_ratio", MAY, now=NOW, project="HELP"))

    assert reading.state is ReadingState.NO_DATA
    assert "agent role" in reading.note


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("2021-01-25T11:09:27.985+0800", datetime(2021, 1, 25, 3, 9, 27, 985_000, UTC)),
        ("2020-06-26T00:38:00.000Z", datetime(2020, 6, 26, 0, 38, tzinfo=UTC)),
        (1492070429, datetime(2017, 4, 13, 8, 0, 29, tzinfo=UTC)),
        (1550286940507, datetime(2019, 2, 16, 3, 15, 40, 507_000, UTC)),
        ("", None),
        (None, None),
    ],
)
def test_times_are_read_in_every_form_that_was_seen(given, expected):
    found = instant(given)

    assert found is None if expected is None else abs(found - expected) < timedelta(milliseconds=1)


@pytest.mark.parametrize("nonsense", ["yesterday", "2021-99-01T00:00:00.000+0000", 1e300])
def test_a_time_that_is_none_is_an_error_in_words(nonsense):
    with pytest.raises(SourceError, match="not a time of Jira"):
        instant(nonsense)


@pytest.mark.parametrize("params", [{}, {"project": " "}, {"project": "PAY", "statistic": "mode"}])
async def test_parameters_that_make_no_sense_are_refused(params):
    async with Served(site()) as served:
        with pytest.raises(SourceError) as caught:
            await run("jira", served.config(), "cycle_time", MAY, **params)

    assert caught.value.reason is CollectorError.CONFIG
    assert json.dumps(caught.value.message)
