"""Who works in the generated company, in which groups, on which services; what they learn and what it costs."""

from datetime import UTC, date, datetime, time, timedelta

from bsc_monitor.sandbox.company.story import History, around, sys_id
from bsc_monitor.sandbox.seed import chance
from bsc_monitor.sandbox.servicenow.instance import Table, stamp
from bsc_monitor.sandbox.servicenow.tables import (
    EXPENSE_COLUMNS,
    GROUP_COLUMNS,
    SERVICE_COLUMNS,
    SLA_DEFINITION_COLUMNS,
    TRAINING_COLUMNS,
    USER_COLUMNS,
)

GROUPS = {"Service Desk": 0.46, "Applications": 0.22, "Network": 0.14, "Database": 0.1, "Field Support": 0.08}  # shares
SERVICES = {
    "Online shop": 31_000,
    "Payments": 24_000,
    "Warehouse": 18_000,
    "Intranet": 6_500,
    "E-mail": 4_200,
}  # EUR a month
SLAS = {"Resolution": "resolution", "Response": "response"}
PEOPLE = 120
_FIRST = ("Ada", "Ben", "Chen", "Dara", "Eva", "Femi", "Gita", "Hugo", "Ines", "Jan", "Kofi", "Lena")
_LAST = ("Abe", "Braun", "Costa", "Diaz", "Eriksen", "Fischer", "Garcia", "Haddad", "Ito", "Jansen")
_COURSES = ("Cloud foundations", "Incident command", "Secure coding", "ITIL 4", "Kubernetes", "Data protection")
USERS = [sys_id(f"sys_user:{number}") for number in range(PEOPLE)]


def user_table(history: History) -> Table:
    """Everyone."""
    table = Table("sys_user", USER_COLUMNS)
    created = stamp(_midnight(history.start))
    table.add(
        {"sys_id": key, "name": f"{_FIRST[n % 12]} {_LAST[n // 12]}", "active": "true",
         "department": "IT" if n < 60 else "Sales", "sys_created_on": created}
        for n, key in enumerate(USERS)
    )  # fmt: skip
    return table


def group_table(history: History) -> Table:
    """The groups that work is assigned to."""
    table = Table("sys_user_group", GROUP_COLUMNS)
    created = stamp(_midnight(history.start))
    table.add({"sys_id": sys_id(f"group:{name}"), "name": name, "sys_created_on": created} for name in GROUPS)
    return table


def service_table(history: History) -> Table:
    """The business services."""
    table = Table("cmdb_ci_service", SERVICE_COLUMNS)
    created = stamp(_midnight(history.start))
    table.add(
        {
            "sys_id": sys_id(f"service:{name}"),
            "name": name,
            "busines_criticality": "1 - most critical",
            "sys_created_on": created,
        }
        for name in SERVICES
    )
    return table


def sla_definition_table(history: History) -> Table:
    """What is promised."""
    table = Table("contract_sla", SLA_DEFINITION_COLUMNS)
    created = stamp(_midnight(history.start))
    table.add(
        {"sys_id": sys_id(f"sla:{name}"), "name": name, "target": target, "type": "SLA", "sys_created_on": created}
        for name, target in SLAS.items()
    )
    return table


def training_table(history: History) -> Table:
    """Courses that people of IT completed."""
    table = Table("u_training", TRAINING_COLUMNS)
    for day, month, _ in history.days():
        rng = chance(history.seed, f"training:{day}")
        for number in range(rng.randint(0, 2) + (rng.random() < 0.02 * month)):
            key = sys_id(f"training:{day}:{number}")
            row = {
                "user": USERS[rng.randrange(60)], "course": rng.choice(_COURSES), "hours": str(rng.choice((2, 4, 8, 16))),
                "completed_on": stamp(_midnight(day) + timedelta(hours=16)), "certificate": str(rng.random() < 0.3).lower(),
            }  # fmt: skip
            table.unfold(history.now, key, [(_midnight(day) + timedelta(hours=16), row)])
    return table


def expense_table(history: History) -> Table:
    """What each service costs, booked every day, in EUR; change work grows faster than running."""
    table = Table("fm_expense_line", EXPENSE_COLUMNS)
    for day, month, _ in history.days():
        rng = chance(history.seed, f"expense:{day}")
        booked = _midnight(day) + timedelta(hours=2)
        for service, monthly in SERVICES.items():
            for kind, share, growth in (("Run", 0.7, 0.002), ("Change", 0.3, 0.012)):
                key = sys_id(f"expense:{day}:{service}:{kind}")
                amount = around(rng, monthly * share / 30.4 * (1 + growth) ** month, 0.1)
                row = {
                    "number": f"FXP{key[:8]}", "date": stamp(booked), "amount": f"{amount:.2f}", "type": kind,
                    "summary_type": kind.lower() + "_business", "business_service": sys_id(f"service:{service}"),
                }  # fmt: skip
                table.unfold(history.now, key, [(booked, row)])
    return table


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=UTC)
