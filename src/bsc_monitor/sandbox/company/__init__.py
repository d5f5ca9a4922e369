"""A generated company with 18 months of history and a story to find; the same seed tells the same story.

It ends *now* and lives on: incidents keep arriving, being resolved and closed while the sandbox runs. ``story`` says what
there is to find.
"""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any, Literal

from bsc_monitor.sandbox.company import forge, incidents, operations, people, staff
from bsc_monitor.sandbox.company.story import History
from bsc_monitor.sandbox.servicenow.instance import Table

__all__ = ["forge_projects", "people_tables", "servicenow_tables"]

_TABLES: dict[str, Callable[[History], Table]] = {
    "incident": incidents.incident_table,
    "sys_audit": incidents.audit_table,
    "task_sla": incidents.sla_table,
    "m2m_kb_task": incidents.knowledge_table,
    "asmt_assessment_instance": incidents.assessment_table,
    "asmt_metric_result": incidents.answer_table,
    "change_request": operations.change_table,
    "problem": operations.problem_table,
    "sc_req_item": operations.request_table,
    "cmdb_ci_outage": operations.outage_table,
    "contract_sla": people.sla_definition_table,
    "sys_user": people.user_table,
    "sys_user_group": people.group_table,
    "cmdb_ci_service": people.service_table,
    "u_training": people.training_table,
    "fm_expense_line": people.expense_table,
}


def servicenow_tables(seed: int, now: datetime, since: date | None = None) -> Mapping[str, Callable[[], Table]]:
    """The company's ServiceNow, each table generated when it is first asked for."""
    history = History(seed, now, since)

    def loader(make: Callable[[History], Table]) -> Callable[[], Table]:
        return lambda: make(history)

    return {name: loader(make) for name, make in _TABLES.items()}


def people_tables(
    seed: int, now: Callable[[], datetime], since: date | None = None
) -> Callable[[str], list[dict[str, Any]] | None]:
    """The company's HR, learning and survey tables as of ``now()``, by name; None for a table that does not exist."""
    history = History(seed, now(), since)

    def table(name: str) -> list[dict[str, Any]] | None:
        return staff.rows(history, name, now().date()) if name in staff.TABLES else None

    return table


def forge_projects(
    seed: int, now: datetime, server: Literal["github", "gitlab"], since: date | None = None
) -> Callable[[str], forge.Project | None]:
    """The company's projects on one of its forges, by name or number, future included; None for one that does not exist."""
    history = History(seed, now, since)
    names = forge.GITHUB if server == "github" else forge.GITLAB
    known = {key: name for number, name in enumerate(names, 1) for key in (name, str(number))}
    return lambda key: forge.project(history, known[key]) if key in known else None
