"""Changes, problems, requests and outages of the generated company."""

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache

from bsc_monitor.sandbox.company.people import GROUPS, SERVICES, USERS
from bsc_monitor.sandbox.company.story import History, around, fulfilment_hours, moment, sys_id, weekday
from bsc_monitor.sandbox.seed import chance
from bsc_monitor.sandbox.servicenow.instance import Table, stamp
from bsc_monitor.sandbox.servicenow.tables import CHANGE_COLUMNS, OUTAGE_COLUMNS, PROBLEM_COLUMNS, REQUEST_COLUMNS

_GROUP_IDS = [sys_id(f"group:{name}") for name in GROUPS]
_SERVICE_IDS = [sys_id(f"service:{name}") for name in SERVICES]
_OUTCOMES = {"successful": 0.88, "successful_issues": 0.06, "unsuccessful": 0.06}
_TYPES = {"normal": 0.52, "standard": 0.4, "emergency": 0.08}
_ITEMS = ("Laptop", "Access to an application", "Software licence", "Mailbox", "Virtual machine")


@lru_cache(maxsize=4)
def changes(history: History) -> dict[date, list[str]]:
    """The keys of the changes implemented on each day."""
    found = {}
    for day, _, _ in history.days():
        count = chance(history.seed, f"changes:{day}").randint(2, 7) if weekday(day) else 0
        found[day] = [sys_id(f"change:{day}:{number}") for number in range(count)]
    return found


def change_table(history: History) -> Table:
    """Changes, from planning to their close."""
    table = Table("change_request", CHANGE_COLUMNS, shown_by="number", prefix="CHG")
    number = 30_000
    for day, keys in changes(history).items():
        rng = chance(history.seed, f"change outcomes:{day}")
        for key in keys:
            number += 1
            begun = moment(day, rng)
            opened, closed = begun - timedelta(hours=around(rng, 96)), begun + timedelta(hours=around(rng, 5))
            plan = {
                "number": f"CHG{number:07d}", "sys_class_name": "change_request", "state": "-2", "active": "true",
                "opened_at": stamp(opened), "start_date": stamp(begun), "end_date": stamp(closed),
                "type": rng.choices(list(_TYPES), list(_TYPES.values()))[0], "priority": "3", "risk": "moderate",
                "assignment_group": rng.choice(_GROUP_IDS), "business_service": rng.choice(_SERVICE_IDS),
                "short_description": "Release", "opened_by": USERS[rng.randrange(60)],
            }  # fmt: skip
            if rng.random() < 0.04:
                end = {"state": "4", "active": "false", "closed_at": stamp(closed)}
            else:
                code = rng.choices(list(_OUTCOMES), list(_OUTCOMES.values()))[0]
                end = {"state": "3", "active": "false", "closed_at": stamp(closed), "close_code": code}
            table.unfold(history.now, key, [(opened, plan), (closed, end)])
    return table


def problem_table(history: History) -> Table:
    """Problems and how long their causes stayed."""
    table = Table("problem", PROBLEM_COLUMNS, shown_by="number", prefix="PRB")
    number = 4_000
    for day, _, _ in history.days():
        rng = chance(history.seed, f"problems:{day}")
        if not weekday(day) or rng.random() > 0.4:
            continue
        number += 1
        opened = moment(day, rng)
        resolved = opened + timedelta(days=around(rng, 16))
        row = {
            "number": f"PRB{number:07d}", "sys_class_name": "problem", "state": "103", "active": "true", "priority": "3",
            "opened_at": stamp(opened), "assignment_group": rng.choice(_GROUP_IDS), "known_error": "false",
            "business_service": rng.choice(_SERVICE_IDS), "short_description": "Recurring fault",
        }  # fmt: skip
        end = {"state": "106", "active": "false", "resolved_at": stamp(resolved), "closed_at": stamp(resolved)}
        table.unfold(history.now, sys_id(row["number"]), [(opened, row), (resolved, end)])
    return table


def request_table(history: History) -> Table:
    """Requested items; fulfilling them takes longer every month."""
    table = Table("sc_req_item", REQUEST_COLUMNS, shown_by="number", prefix="RITM")
    number = 50_000
    for day, month, _ in history.days():
        rng = chance(history.seed, f"requests:{day}")
        for _ in range(rng.randint(9, 15) if weekday(day) else rng.randint(0, 2)):
            number += 1
            opened = moment(day, rng)
            closed = opened + timedelta(hours=around(rng, fulfilment_hours(month), 0.6))
            row = {
                "number": f"RITM{number:07d}", "sys_class_name": "sc_req_item", "state": "2", "active": "true",
                "opened_at": stamp(opened), "priority": "4", "cat_item": rng.choice(_ITEMS), "stage": "fulfilment",
                "assignment_group": rng.choice(_GROUP_IDS), "opened_by": USERS[rng.randrange(60, 120)],
            }  # fmt: skip
            state = "3" if rng.random() < 0.96 else "4"  # closed complete, or incomplete
            end = {"state": state, "active": "false", "closed_at": stamp(closed), "stage": "complete"}
            table.unfold(history.now, sys_id(row["number"]), [(opened, row), (closed, end)])
    return table


def outage_table(history: History) -> Table:
    """Outages that nobody wanted, and planned ones on the first Saturday night of a month."""
    table = Table("cmdb_ci_outage", OUTAGE_COLUMNS, shown_by="number")
    for day, _, _ in history.days():
        rng = chance(history.seed, f"outages:{day}")
        if rng.random() < 0.1:
            _outage(table, history, "outage", moment(day, rng), around(rng, 40), rng.choice(_SERVICE_IDS))
        if day.weekday() == 5 and day.day <= 7:
            late = datetime.combine(day, time(22), tzinfo=UTC)
            for service in _SERVICE_IDS:
                _outage(table, history, "planned", late, 120, service)
    return table


def _outage(table: Table, history: History, kind: str, begin: datetime, minutes: float, service: str) -> None:
    key = sys_id(f"outage:{kind}:{begin}:{service}")
    end = begin + timedelta(minutes=int(minutes) + 1)
    row = {
        "number": f"OUTAGE{key[:7]}", "cmdb_ci": service, "type": kind, "begin": stamp(begin), "end": "",
        "short_description": "Maintenance" if kind == "planned" else "Service down",
    }  # fmt: skip
    table.unfold(history.now, key, [(begin, row), (end, {"end": stamp(end)})])
