"""Every further measure of the ServiceNow collector on a few records, against values computed by hand."""

from datetime import UTC, datetime

import pytest
from aiohttp import web
from tests.contract.servicenow_run import month, parts, run, total

from bsc_monitor.model.status import Completeness, ReadingState
from bsc_monitor.plugin import SourceError
from bsc_monitor.sandbox.servicenow import Behaviour, Instance, Table, servicenow_app, tables

APRIL = month("2026-04")
NOW = datetime(2026, 6, 1, tzinfo=UTC)
COLUMNS = {
    "incident": tables.INCIDENT_COLUMNS, "sys_user_group": tables.GROUP_COLUMNS, "task_sla": tables.SLA_COLUMNS,
    "contract_sla": tables.SLA_DEFINITION_COLUMNS, "change_request": tables.CHANGE_COLUMNS,
    "problem": tables.PROBLEM_COLUMNS, "sc_req_item": tables.REQUEST_COLUMNS, "cmdb_ci_outage": tables.OUTAGE_COLUMNS,
    "cmdb_ci_service": tables.SERVICE_COLUMNS, "asmt_metric_result": tables.METRIC_RESULT_COLUMNS,
    "sys_audit": tables.AUDIT_COLUMNS, "asmt_assessment_instance": tables.ASSESSMENT_COLUMNS, "m2m_kb_task": tables.KNOWLEDGE_LINK_COLUMNS,
}  # fmt: skip


@pytest.fixture
async def serve():
    """Serves tables given as lists of rows; a row without sys_id gets one."""
    runners = []

    async def start(behaviour=None, **given):
        def loader(name):
            table = Table(name, COLUMNS[name], shown_by="name" if "name" in COLUMNS[name] else "number")
            table.add({"sys_id": f"{name}{n}", **row} for n, row in enumerate(given[name]))
            return lambda: table

        app = web.Application()
        app.add_subapp(
            "/sn", servicenow_app(Instance({n: loader(n) for n in given}, lambda: NOW), behaviour or Behaviour())
        )
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        runners.append(runner)
        return f"http://127.0.0.1:{runner.addresses[0][1]}/sn"

    yield start
    for runner in runners:
        await runner.cleanup()


def incident(opened, resolved="", closed="", **values):
    return {
        "opened_at": opened,
        "resolved_at": resolved,
        "closed_at": closed,
        "state": "6" if resolved else "2",
        **values,
    }


DAY = "2026-04-{:02d} 00:00:00"


async def test_the_backlog_at_a_past_moment_is_what_was_open_then(serve):
    url = await serve(
        incident=[
            incident("2026-03-01 00:00:00"),  # still open: 61 days old on 1 May
            incident("2026-04-21 00:00:00", "2026-05-02 00:00:00"),  # resolved later: 10 days
            incident(
                "2026-04-11 00:00:00", "", "2026-05-03 00:00:00", state="7"
            ),  # closed later, resolution unknown: 20 days
            incident("2026-04-11 00:00:00", "", "2026-04-12 00:00:00", state="7"),  # closed before, resolution unknown
            incident("2026-04-11 00:00:00", "2026-04-30 23:59:59"),  # resolved a second before
            incident("2026-05-01 00:00:00"),  # opened after
        ]
    )

    assert total(await run(url, "backlog", APRIL)).value == 3
    assert total(await run(url, "backlog_age", APRIL)).value == 20
    assert total(await run(url, "backlog_age", APRIL, statistic="mean")).value == pytest.approx((61 + 10 + 20) / 3)
    assert total(await run(url, "aged_backlog", APRIL, days=15)).value == pytest.approx(2 / 3)


async def test_hands_that_an_incident_goes_through(serve):
    url = await serve(
        incident=[
            incident(DAY.format(1), DAY.format(2), reassignment_count="0", priority="1"),
            incident(DAY.format(1), DAY.format(2), reassignment_count="3", priority="1"),
            incident(DAY.format(1), DAY.format(2), reassignment_count="1", priority="2"),
            incident(DAY.format(1), reassignment_count="9", priority="2"),
        ]
    )

    moves = await run(url, "reassignments", APRIL, by=("priority",))

    assert total(await run(url, "first_contact_resolution", APRIL)).value == pytest.approx(1 / 3)
    assert total(moves).value == pytest.approx(4 / 3)
    assert parts(moves, "priority") == {"1 - Critical": 1.5, "2 - High": 1.0}
    assert total(moves).samples == 3


async def test_major_incidents_by_the_vendors_state_or_by_a_definition_of_ones_own(serve):
    url = await serve(
        incident=[
            incident(DAY.format(1), priority="1", major_incident_state="accepted"),
            incident(DAY.format(1), priority="1"),
            incident(DAY.format(1), priority="2"),
        ]
    )

    assert total(await run(url, "major_incidents", APRIL)).value == 1
    assert total(await run(url, "major_incidents", APRIL, definition="priority=1")).value == 2


SLA_TABLES = {
    "incident": [{"sys_id": "i1", "priority": "1"}, {"sys_id": "i2", "priority": "3"}],
    "contract_sla": [{"sys_id": "res", "name": "P1", "target": "resolution"}, {"sys_id": "rsp", "name": "R", "target": "response"}],
    "task_sla": [
        {"task": "i1", "sla": "res", "stage": "completed", "has_breached": "false", "end_time": DAY.format(3)},
        {"task": "i2", "sla": "res", "stage": "completed", "has_breached": "true", "end_time": DAY.format(4)},
        {"task": "i2", "sla": "res", "stage": "cancelled", "has_breached": "true", "end_time": DAY.format(4)},
        {"task": "i2", "sla": "res", "stage": "in_progress", "has_breached": "true", "end_time": ""},
        {"task": "i1", "sla": "rsp", "stage": "completed", "has_breached": "false", "start_time": DAY.format(5), "end_time": "2026-04-05 00:10:00"},
        {"task": "i2", "sla": "rsp", "stage": "completed", "has_breached": "false", "start_time": DAY.format(5), "end_time": "2026-04-05 00:40:00"},
    ],
}  # fmt: skip


async def test_service_levels_from_task_sla_and_a_query_on_the_incident(serve):
    url = await serve(**SLA_TABLES)

    whole = total(await run(url, "sla_met_ratio", APRIL))
    named = await run(url, "sla_met_ratio", APRIL, sla="P1", by=("priority",))
    urgent = total(await run(url, "sla_met_ratio", APRIL, query="priority=1^ORpriority=2^ORDERBYnumber"))
    odd = total(await run(url, "sla_met_ratio", APRIL, query="priority=3^short_descriptionNOT LIKEa^^b"))

    assert (whole.numerator, whole.denominator) == (3, 4)
    assert total(named).value == 0.5
    assert parts(named, "priority") == {"1 - Critical": 1.0, "3 - Moderate": 0.0}
    assert (urgent.numerator, urgent.denominator) == (2, 2)
    assert (odd.numerator, odd.denominator) == (1, 2)


async def test_time_to_acknowledge_is_that_of_the_response_records(serve):
    url = await serve(**SLA_TABLES)

    found = await run(url, "mtta", APRIL, by=("priority",))

    assert total(found).value == 25  # minutes
    assert "response records" in total(found).note
    assert parts(found, "priority") == {"1 - Critical": 10, "3 - Moderate": 40}


async def test_time_to_acknowledge_is_that_of_the_first_assignment_or_change_out_of_new(serve):
    def change(key, at, field, old, new, table="incident"):
        return {
            "tablename": table,
            "documentkey": key,
            "fieldname": field,
            "oldvalue": old,
            "newvalue": new,
            "sys_created_on": at,
        }

    url = await serve(
        incident=[incident(DAY.format(1), sys_id=key) for key in ("i1", "i2", "i3")],
        sys_audit=[
            change("i1", "2026-04-01 00:30:00", "assigned_to", "", "u1"),
            change("i1", "2026-04-01 00:20:00", "state", "1", "2"),  # the first
            change("i2", "2026-04-01 00:05:00", "assigned_to", "u1", ""),  # taken away: nobody acts
            change("i2", "2026-04-01 00:06:00", "state", "2", "3"),  # not out of New
            change("i2", "2026-04-01 00:07:00", "state", "1", "2", table="problem"),
            change("i2", "2026-04-01 01:00:00", "assigned_to", "", "u1"),
        ],
    )

    found = total(await run(url, "mtta", APRIL))

    assert (found.value, found.samples) == (40, 2)  # (20 + 60) / 2 minutes
    assert "1 incidents have no assignment" in found.note


async def test_without_response_records_the_time_to_acknowledge_is_not_offered(serve):
    url = await serve(Behaviour(forbidden=frozenset({"task_sla"})), **SLA_TABLES)

    with pytest.raises(SourceError, match="task_sla"):
        await run(url, "mtta", APRIL)


CHANGES = [
    {"closed_at": DAY.format(2), "state": "3", "close_code": "successful", "type": "normal"},
    {"closed_at": DAY.format(3), "state": "3", "close_code": "successful_issues", "type": "emergency"},
    {"closed_at": DAY.format(4), "state": "3", "close_code": "unsuccessful", "type": "normal"},
    {"closed_at": DAY.format(5), "state": "3", "close_code": "", "type": "normal"},  # closed without a code
    {"closed_at": DAY.format(6), "state": "4", "close_code": "", "type": "emergency"},  # cancelled
    {"closed_at": "2026-05-02 00:00:00", "state": "3", "close_code": "successful", "type": "normal"},
]


async def test_changes_succeed_are_emergencies_and_cause_incidents(serve):
    url = await serve(
        change_request=CHANGES,
        incident=[incident(DAY.format(7), caused_by="change_request0"), incident(DAY.format(7))],
    )

    assert total(await run(url, "change_success_rate", APRIL)).value == pytest.approx(1 / 3)
    assert total(await run(url, "change_success_rate", APRIL, with_issues=True)).value == pytest.approx(2 / 3)
    assert total(await run(url, "emergency_change_ratio", APRIL)).value == 1 / 4
    assert total(await run(url, "change_incident_ratio", APRIL)).value == 1 / 4


async def test_problems_and_requests_take_their_time(serve):
    url = await serve(
        problem=[
            {"opened_at": "2026-03-22 00:00:00", "resolved_at": DAY.format(1)},  # 10 days
            {"opened_at": DAY.format(1), "resolved_at": DAY.format(3)},  # 2 days
            {"opened_at": "", "resolved_at": DAY.format(3)},  # unknown
        ],
        sc_req_item=[
            {"opened_at": DAY.format(1), "closed_at": DAY.format(2), "state": "3"},  # 24 hours
            {"opened_at": DAY.format(1), "closed_at": DAY.format(9), "state": "4"},  # incomplete
        ],
    )

    fixed = total(await run(url, "problem_fix_time", APRIL))

    assert (fixed.value, fixed.samples) == (6, 2)
    assert "1 records lack a time" in fixed.note
    assert total(await run(url, "request_fulfilment_time", APRIL)).value == 24


async def test_durations_by_the_working_hours_of_the_configured_calendar(serve):
    # Friday 16:00 to Monday 10:00 in Berlin (UTC+2): an hour of working time on each side, 66 hours elapsed
    friday, monday = "2026-04-10 14:00:00", "2026-04-13 08:00:00"
    url = await serve(
        incident=[incident(friday, monday, business_stc="3600", sys_id="i1")],
        sys_audit=[{"tablename": "incident", "documentkey": "i1", "fieldname": "state", "oldvalue": "1", "newvalue": "2",
                    "sys_created_on": monday}],
        problem=[{"opened_at": friday, "resolved_at": monday}],
        sc_req_item=[{"opened_at": friday, "closed_at": monday, "state": "3"}],
    )  # fmt: skip

    async def ask(measure, **params):
        return total(await run(url, measure, APRIL, zone="Europe/Berlin", **params))

    by_calendar = await ask("mttr", by_calendar=True)
    assert (by_calendar.value, by_calendar.note) == (2, "in working hours of the configured calendar")
    assert (await ask("mttr")).value == 66
    assert (await ask("mttr", business=True)).value == 1, "as the instance computed it"
    assert (await ask("mtta", business=True)).value == 120
    assert (await ask("mtta")).value == 66 * 60
    assert (await ask("problem_fix_time", business=True)).value == pytest.approx(2 / 24)
    assert (await ask("request_fulfilment_time", business=True)).value == 2


async def test_satisfaction_is_scaled_to_points_and_says_its_response_rate(serve):
    sent = [{"sys_created_on": DAY.format(n), "taken_on": DAY.format(n) if n < 3 else ""} for n in range(1, 6)]
    url = await serve(
        incident=[],
        asmt_assessment_instance=sent,
        asmt_metric_result=[
            {"instance": "asmt_assessment_instance0", "actual_value": "5"},
            {"instance": "asmt_assessment_instance1", "actual_value": "2"},
        ],
    )

    found = total(await run(url, "csat", APRIL))

    assert (found.value, found.samples) == (62.5, 2)  # (100 + 25) / 2
    assert found.note == "response rate 40% (2 of 5)"


async def test_overlapping_outages_count_once_and_planned_ones_not_at_all(serve):
    url = await serve(
        cmdb_ci_service=[{"sys_id": "shop", "name": "Shop"}, {"sys_id": "mail", "name": "Mail"}],
        cmdb_ci_outage=[
            {"cmdb_ci": "shop", "type": "outage", "begin": "2026-03-31 12:00:00", "end": "2026-04-01 06:00:00"},  # 6 h in April
            {"cmdb_ci": "shop", "type": "outage", "begin": "2026-04-01 04:00:00", "end": "2026-04-01 10:00:00"},  # 4 h more
            {"cmdb_ci": "shop", "type": "planned", "begin": "2026-04-01 08:00:00", "end": "2026-04-01 20:00:00"},  # 12 h, 2 h of them down
            {"cmdb_ci": "mail", "type": "outage", "begin": "2026-04-30 23:00:00", "end": ""},  # 1 h in April, goes on
            {"cmdb_ci": "mail", "type": "outage", "begin": "2026-05-01 00:00:00", "end": ""},
        ],
    )  # fmt: skip

    found = await run(url, "availability", APRIL, by=("cmdb_ci",))

    assert parts(found, "cmdb_ci") == pytest.approx({"Shop": 1 - 8 / 708, "Mail": 1 - 1 / 720})
    assert total(found).value == pytest.approx(1 - 9 / 708)


async def test_a_month_without_outages_was_available_all_the_time(serve):
    url = await serve(cmdb_ci_service=[], cmdb_ci_outage=[])

    assert total(await run(url, "availability", APRIL)).value == 1


async def test_knowledge_is_reused_once_per_incident_however_many_articles_are_linked(serve):
    rows = [incident(DAY.format(1), DAY.format(2)) for _ in range(4)]
    links = [
        {"task": "incident0", "kb_knowledge": "a"},
        {"task": "incident0", "kb_knowledge": "b"},
        {"task": "incident1"},
    ]
    url = await serve(incident=rows, m2m_kb_task=links)

    assert total(await run(url, "knowledge_reuse", APRIL)).value == 0.5


async def test_any_table_can_be_aggregated(serve):
    url = await serve(
        incident=[
            incident(DAY.format(1), business_stc="100", priority="1"),
            incident(DAY.format(2), business_stc="300", priority="2"),
            incident("2026-05-02 00:00:00", business_stc="900", priority="2"),
        ]
    )
    asked = {"table": "incident", "field": "business_stc"}

    assert total(await run(url, "aggregate", APRIL, function="sum", **asked)).value == 1300
    assert total(await run(url, "aggregate", APRIL, function="avg", time_field="opened_at", **asked)).value == 200
    assert total(await run(url, "aggregate", APRIL, function="max", query="priority=1", **asked)).value == 100
    assert total(await run(url, "aggregate", APRIL, table="incident")).value == 3
    assert (
        total(await run(url, "aggregate", APRIL, function="min", query="priority=5", **asked)).state
        is ReadingState.NO_DATA
    )
    with pytest.raises(SourceError, match="which field"):
        await run(url, "aggregate", APRIL, function="sum", table="incident")
    with pytest.raises(SourceError, match="Invalid table"):
        await run(url, "aggregate", APRIL, table="incidnt")


async def test_the_value_of_an_open_period_is_provisional(serve):
    url = await serve(incident=[incident(DAY.format(1))])

    running = total(await run(url, "opened", APRIL, now=datetime(2026, 4, 15, tzinfo=UTC)))
    over = total(await run(url, "opened", APRIL))

    assert (running.completeness, over.completeness) == (Completeness.PROVISIONAL, Completeness.FINAL)
