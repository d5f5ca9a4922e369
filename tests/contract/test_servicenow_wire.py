"""The sandbox's ServiceNow side on the wire: what the vendor's documents and recorded answers say it must do."""

import asyncio
import base64
import json
from datetime import UTC, datetime

import aiohttp
import pytest
from aiohttp import web
from pydantic import ValidationError
from tests.contract.servicenow_run import COLLECTOR, SHARED, check, month, parts, run, total

from bsc_monitor.model.status import CollectorError, ReadingState
from bsc_monitor.plugin import Secret, SourceError
from bsc_monitor.sandbox.servicenow import Behaviour, Instance, Table, servicenow_app
from bsc_monitor.sandbox.servicenow.tables import GROUP_COLUMNS, INCIDENT_COLUMNS

EXAMPLES = SHARED / "contracts" / "examples"
NOW = datetime(2026, 6, 1, tzinfo=UTC)
BASIC = {"Authorization": "Basic " + base64.b64encode(b"demo:demo").decode()}


def incident(number, opened, resolved="", **values):
    state = "6" if resolved else "2"
    return {
        "sys_id": f"{number:032x}", "number": f"INC{number:07d}", "state": state, "opened_at": opened, "resolved_at": resolved,
        "priority": "3", "assignment_group": "", "reopen_count": "0", "reassignment_count": "0", "made_sla": "true", **values,
    }  # fmt: skip


class Served:
    """A running instance over some incidents."""

    def __init__(self, rows, **behaviour):
        self.rows, self.behaviour = rows, Behaviour(**behaviour)

    async def __aenter__(self):
        groups = Table("sys_user_group", GROUP_COLUMNS)
        groups.add([{"sys_id": "g1", "name": "Database"}])
        incidents = Table("incident", INCIDENT_COLUMNS, shown_by="number", prefix="INC")
        incidents.add(self.rows)
        instance = Instance({"incident": lambda: incidents, "sys_user_group": lambda: groups}, lambda: NOW)
        app = web.Application()
        app.add_subapp("/servicenow", servicenow_app(instance, self.behaviour))
        self.runner = web.AppRunner(app)
        await self.runner.setup()
        await web.TCPSite(self.runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self.runner.addresses[0][1]}/servicenow"
        self.client = aiohttp.ClientSession(headers=BASIC)
        return self

    async def __aexit__(self, *_):
        await self.client.close()
        await self.runner.cleanup()

    async def get(self, path, headers=None, **params):
        async with self.client.get(f"{self.url}/api/now/{path}", params=params, headers=headers) as reply:
            return reply.status, reply.headers, json.loads(await reply.text())


TWO = [
    incident(1, "2026-04-01 10:00:00", "2026-04-02 10:00:00", assignment_group="g1", priority="1"),
    incident(2, "2026-04-03 10:00:00"),
]


async def test_values_are_strings_and_references_carry_links_unless_unwanted():
    async with Served(TWO) as served:
        _, _, plain = await served.get("table/incident", sysparm_query="ORDERBYnumber")
        _, _, bare = await served.get("table/incident", sysparm_exclude_reference_link="true", sysparm_limit=1)
        _, _, shown = await served.get(
            "table/incident", sysparm_display_value="all", sysparm_fields="priority,opened_at,nonsense"
        )

    first = plain["result"][0]
    assert first["assignment_group"] == {"link": f"{served.url}/api/now/table/sys_user_group/g1", "value": "g1"}
    assert plain["result"][1]["assignment_group"] == ""
    assert {type(value) for name, value in first.items() if name != "assignment_group"} == {str}
    assert bare["result"][0]["assignment_group"] == "g1"
    assert shown["result"][0] == {
        "priority": {"display_value": "1 - Critical", "value": "1"},
        "opened_at": {"display_value": "2026-04-01 10:00:00", "value": "2026-04-01 10:00:00"},
    }


async def test_a_display_value_is_in_the_zone_of_the_user_and_the_value_stays_utc():
    async with Served(TWO, timezone="Europe/Berlin") as served:
        _, _, body = await served.get(
            "table/incident", sysparm_display_value="all", sysparm_fields="opened_at", sysparm_limit=1
        )

    assert body["result"] == [{"opened_at": {"display_value": "2026-04-01 12:00:00", "value": "2026-04-01 10:00:00"}}]


async def test_pages_carry_the_total_and_links():
    async with Served([incident(n, "2026-04-01 10:00:00") for n in range(7)]) as served:
        _, headers, body = await served.get("table/incident", sysparm_limit=3, sysparm_offset=3)
        _, last, _ = await served.get("table/incident", sysparm_limit=3, sysparm_offset=6)

    assert headers["X-Total-Count"] == "7"
    assert len(body["result"]) == 3
    assert 'sysparm_offset=6>;rel="next"' in headers["Link"].replace("&sysparm_limit=3", "").replace(
        "sysparm_limit=3&", ""
    )
    assert 'rel="next"' not in last["Link"]


@pytest.mark.parametrize(
    ("example", "path", "behaviour", "headers"),
    [
        ("servicenow_401_real", "table/incident", {}, {"Authorization": "Basic d3Jvbmc6d3Jvbmc="}),
        ("servicenow_403_acl_real", "table/incident", {"forbidden": frozenset({"incident"})}, None),
        ("servicenow_429_doc", "table/incident", {"requests_per_window": 0}, None),
    ],
)
async def test_errors_have_the_form_of_the_recorded_ones(example, path, behaviour, headers):
    file = EXAMPLES / f"{example}.json"
    if not file.exists():
        pytest.skip("the recorded answers are not beside this checkout")
    recorded = json.loads(file.read_text())["response"]

    async with Served(TWO, **behaviour) as served:
        status, found, body = await served.get(path, headers)

    assert status == recorded["status"]
    assert body["error"]["message"] == recorded["body"]["error"]["message"]
    assert body.keys() == recorded["body"].keys()
    assert recorded["headers"].keys() <= set(found)


async def test_a_bearer_token_is_as_good_as_a_password():
    async with Served(TWO) as served:
        assert (await served.get("table/incident", {"Authorization": "Bearer demo"}))[0] == 200
        assert (await served.get("table/incident", {"Authorization": "Bearer other"}))[0] == 401


async def test_an_unknown_table_a_missing_record_and_an_empty_v1_answer_are_told_apart():
    async with Served(TWO) as served:
        assert (await served.get("table/nothing"))[0] == 400
        assert (await served.get("table/incident/none"))[0] == 404
        assert (await served.get("v1/table/incident", sysparm_query="number=none"))[0] == 404
        assert (await served.get("v2/table/incident", sysparm_query="number=none"))[2] == {"result": []}


async def test_a_request_without_accept_is_refused():
    async with Served(TWO) as served:
        reader, writer = await asyncio.open_connection("127.0.0.1", served.runner.addresses[0][1])
        writer.write(
            b"GET /servicenow/api/now/table/incident HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
            b"Authorization: " + BASIC["Authorization"].encode() + b"\r\n\r\n"
        )
        answer = await reader.read()
        writer.close()
        await writer.wait_closed()

    assert answer.startswith(b"HTTP/1.1 400")


async def test_a_record_is_created_and_changed():
    async with Served([]) as served:
        url = f"{served.url}/api/now/table/incident"
        async with served.client.post(url, json={"short_description": "down", "priority": 1, "nonsense": "x"}) as reply:
            created = (await reply.json())["result"]
            assert reply.status == 201
        async with served.client.patch(f"{url}/{created['sys_id']}", json={"state": "6"}) as reply:
            changed = (await reply.json())["result"]
        async with served.client.post(url, data=b"{") as reply:
            assert reply.status == 400

    assert created["priority"] == "1"
    assert "nonsense" not in created
    assert changed["state"] == "6"
    assert changed["sys_mod_count"] == "1"


async def test_statistics_are_strings_and_an_empty_group_is_unassigned():
    async with Served(TWO) as served:
        _, _, body = await served.get(
            "stats/incident",
            sysparm_count="true",
            sysparm_avg_fields="reopen_count",
            sysparm_group_by="assignment_group",
        )
        _, _, alone = await served.get("stats/incident", sysparm_count="true")

    assert body["result"] == [
        {"stats": {"count": "1", "avg": {"reopen_count": "0.0000"}}, "groupby_fields": [{"value": "", "field": "assignment_group"}]},
        {"stats": {"count": "1", "avg": {"reopen_count": "0.0000"}}, "groupby_fields": [{"value": "g1", "field": "assignment_group"}]},
    ]  # fmt: skip
    assert alone["result"] == {"stats": {"count": "2"}}


# ---- the collector against an awkward instance

APRIL = month("2026-04")


async def test_records_that_access_rules_hide_in_the_middle_of_a_walk_make_the_value_partial():
    rows = [incident(n, "2026-04-01 10:00:00", "2026-04-01 12:00:00") for n in range(10)]
    hidden = frozenset(row["sys_id"] for row in rows[2:6])  # a whole page and two halves of two records

    async with Served(rows, unreadable=hidden) as served:
        reading = total(await run(served.url, "mttr", APRIL, config={"page_size": 2}))

    assert (reading.value, reading.samples, reading.state) == (2.0, 6, ReadingState.PARTIAL)
    assert "4 records" in reading.note


async def test_a_misspelt_column_is_an_error_and_not_the_whole_table():
    async with Served(TWO) as served:
        with pytest.raises(SourceError, match="assigment_group") as caught:
            await run(served.url, "opened", APRIL, query="assigment_group=g1")
        with pytest.raises(SourceError, match="departmnt"):
            await run(served.url, "opened", APRIL, by=("departmnt",))
        with pytest.raises(SourceError, match="not a term"):
            await run(served.url, "opened", APRIL, query="priority is high")

    assert caught.value.reason is CollectorError.CONFIG


@pytest.mark.parametrize(
    ("behaviour", "reason", "words"),
    [
        ({"hibernating": True}, CollectorError.TRANSIENT, "hibernating"),
        ({"truncated": True}, CollectorError.SCHEMA, "JSON"),
        ({"password": "other"}, CollectorError.AUTH, "401"),
        ({"forbidden": frozenset({"incident"})}, CollectorError.PERMISSION, "Insufficient rights"),
    ],
)
async def test_an_instance_that_cannot_answer_is_told_in_words(behaviour, reason, words):
    async with Served(TWO, **behaviour) as served:
        with pytest.raises(SourceError, match=words) as caught:
            await run(served.url, "mttr", APRIL)

    assert caught.value.reason is reason
    assert "demo:demo" not in str(caught.value)


@pytest.mark.parametrize(
    ("example", "reason"),
    [
        ("servicenow_200_hibernating_html", CollectorError.TRANSIENT),
        ("servicenow_200_truncated_timeout_real", CollectorError.SCHEMA),
        ("servicenow_401_real", CollectorError.AUTH),
        ("servicenow_403_acl_real", CollectorError.PERMISSION),
        ("servicenow_stats_groupby_doc", CollectorError.SCHEMA),  # groups where one statistic was asked for
    ],
)
async def test_a_recorded_answer_fails_as_what_it_is(example, reason):
    file = EXAMPLES / f"{example}.json"
    if not file.exists():
        pytest.skip("the recorded answers are not beside this checkout")
    recorded = json.loads(file.read_text())["response"]
    body = recorded["body"] if isinstance(recorded["body"], str) else json.dumps(recorded["body"])
    kind = recorded["headers"].get("Content-Type", "application/json")

    async def answer(request):
        if "/table/" in request.path and "stats" in example:
            return web.json_response({"result": []}, headers={"X-Total-Count": "0"})
        return web.Response(text=body, status=recorded["status"], headers={"Content-Type": kind})

    assert (await failing(answer)).reason is reason


async def failing(answer):
    """What ``opened`` fails with where an instance gives this answer to everything."""
    app = web.Application()
    app.router.add_get("/{path:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        with pytest.raises(SourceError) as caught:
            await run(f"http://127.0.0.1:{runner.addresses[0][1]}", "opened", APRIL)
    finally:
        await runner.cleanup()
    return caught.value


@pytest.mark.parametrize(("status", "reason"), [(403, CollectorError.PERMISSION), (404, CollectorError.CONFIG)])
async def test_a_refusal_that_gives_no_reason_is_told_by_its_status(status, reason):
    async def answer(_):
        return web.json_response({"message": "go away"}, status=status)

    error = await failing(answer)

    assert error.reason is reason
    assert f"HTTP {status}" in error.message


async def test_a_rate_limit_is_waited_for():
    async with Served(TWO, requests_per_window=2, window_seconds=1) as served:
        assert total(await run(served.url, "opened", APRIL, by=("priority",))).value == 2


async def test_a_month_in_berlin_ends_two_hours_before_the_one_in_utc():
    rows = [incident(1, "2026-04-30 21:59:59"), incident(2, "2026-04-30 22:00:00")]
    berlin = month("2026-04")
    berlin = type(berlin)(
        datetime(2026, 3, 31, 22, tzinfo=UTC), datetime(2026, 4, 30, 22, tzinfo=UTC), berlin.kind, "2026-04"
    )

    async with Served(rows, timezone="America/New_York") as served:  # whatever the user's zone
        assert total(await run(served.url, "opened", berlin)).value == 1
        assert total(await run(served.url, "opened", APRIL)).value == 2


async def test_a_reopened_incident_counts_by_its_last_resolution_and_not_while_it_is_open():
    rows = [
        incident(1, "2026-03-01 00:00:00", "2026-04-02 00:00:00", reopen_count="1"),  # first resolved in March
        incident(2, "2026-04-01 00:00:00", "2026-04-05 00:00:00", reopen_count="1", state="2"),  # open again
        incident(3, "2026-04-01 00:00:00", "2026-04-02 00:00:00"),
    ]
    async with Served(rows) as served:
        rate = total(await run(served.url, "reopen_rate", APRIL))
        mean = total(await run(served.url, "mttr", APRIL))

    assert (rate.numerator, rate.denominator) == (1, 2)
    assert mean.value == (32 * 24 + 24) / 2  # hours, by hand


async def test_a_breakdown_names_what_has_no_value_and_keeps_groups_of_one_name_apart():
    async with Served(TWO) as served:
        found = parts(await run(served.url, "opened", APRIL, by=("assignment_group",)), "assignment_group")

    assert found == {"Database": 1, "none": 1}


@pytest.mark.parametrize(("statistic", "hours"), [("mean", 25.0), ("median", 15.0), ("p75", 32.5), ("p90", 55.0)])
async def test_a_statistic_of_four_durations(statistic, hours):
    # 0, 10, 20 and 70 hours: percentiles lie on the line between neighbours
    rows = [
        incident(n, "2026-04-01 00:00:00", f"2026-04-{1 + h // 24:02d} {h % 24:02d}:00:00")
        for n, h in enumerate((0, 10, 20, 70))
    ]
    async with Served(rows) as served:
        reading = total(await run(served.url, "mttr", APRIL, statistic=statistic))

    assert reading.value == pytest.approx(hours)


async def test_the_recorded_incident_has_its_elapsed_time_and_not_its_calendar_duration():
    file = EXAMPLES / "servicenow_table_incident_real.json"
    if not file.exists():
        pytest.skip("the recorded answers are not beside this checkout")
    recorded = json.loads(file.read_text())["response"]["body"]["result"][0]
    row = {k: v["value"] if isinstance(v, dict) else v for k, v in recorded.items()} | {"sys_id": "f" * 32}

    async with Served([{k: v for k, v in row.items() if k in INCIDENT_COLUMNS}]) as served:
        elapsed = total(await run(served.url, "mttr", month("2016-12")))
        business = total(await run(served.url, "mttr", month("2016-12"), business=True))

    assert elapsed.value == pytest.approx(109_397 / 3600)  # the record's note: 7,200 s more than calendar_stc
    assert business.value == 8
    assert "business_stc" in business.note


async def test_a_query_copied_from_a_list_may_end_with_the_vendors_end_mark():
    async with Served(TWO) as served:
        assert total(await run(served.url, "opened", APRIL, query="priority=1^EQ")).value == 1


async def test_the_check_tries_the_credentials_and_the_columns():
    async with Served(TWO) as served:
        await check(served.url)
        with pytest.raises(SourceError, match="401"):
            await check(served.url, password=Secret("wrong"))


def test_a_source_needs_a_password_or_a_token():
    with pytest.raises(ValidationError, match="username and password, or token"):
        COLLECTOR.Config(url="https://acme.service-now.com", username="bsc")
    assert COLLECTOR.Config(url="https://acme.service-now.com", token=Secret("t"))


async def test_an_evidence_link_opens_the_very_records_that_were_counted():
    rows = [*TWO, incident(3, "2026-04-04 10:00:00", short_description="<script>alert(1)</script>", priority="1")]
    async with Served(rows) as served:
        readings = await run(served.url, "opened", APRIL, by=("priority",))
        for reading in readings:
            async with served.client.get(reading.evidence) as reply:
                page = await reply.text()
            assert f"incident: {reading.value} records" in page
            assert "<script>" not in page
        async with aiohttp.ClientSession() as stranger, stranger.get(readings[0].evidence) as reply:
            assert reply.status == 401
