"""The columns of the tables that the sandbox serves, named and typed as the vendor's."""

from bsc_monitor.sandbox.servicenow.instance import (
    BOOLEAN,
    DATE,
    DECIMAL,
    DURATION,
    INTEGER,
    STRING,
    SYSTEM,
    choice,
    reference,
)

PRIORITIES = {"1": "1 - Critical", "2": "2 - High", "3": "3 - Moderate", "4": "4 - Low", "5": "5 - Planning"}
LEVELS = {"1": "1 - High", "2": "2 - Medium", "3": "3 - Low"}
INCIDENT_STATES = {
    "1": "New", "2": "In Progress", "3": "On Hold", "6": "Resolved", "7": "Closed", "8": "Canceled",
}  # fmt: skip
CHANGE_STATES = {
    "-5": "New", "-4": "Assess", "-3": "Authorize", "-2": "Scheduled", "-1": "Implement",
    "0": "Review", "3": "Closed", "4": "Canceled",
}  # fmt: skip

GROUP_COLUMNS = SYSTEM | {"name": STRING}
USER_COLUMNS = SYSTEM | {"name": STRING, "active": BOOLEAN, "department": STRING}
SERVICE_COLUMNS = SYSTEM | {"name": STRING, "busines_criticality": STRING}  # the vendor's own spelling

TASK_COLUMNS = SYSTEM | {
    "number": STRING, "sys_class_name": STRING, "active": BOOLEAN, "short_description": STRING, "description": STRING,
    "correlation_id": STRING, "correlation_display": STRING, "opened_at": DATE, "closed_at": DATE,
    "priority": choice(PRIORITIES), "impact": choice(LEVELS), "urgency": choice(LEVELS), "made_sla": BOOLEAN,
    "assignment_group": reference("sys_user_group"), "assigned_to": reference("sys_user"),
    "opened_by": reference("sys_user"), "reassignment_count": INTEGER,
    "business_duration": DURATION, "calendar_duration": DURATION, "business_service": reference("cmdb_ci_service"),
}  # fmt: skip

INCIDENT_COLUMNS = TASK_COLUMNS | {
    "state": choice(INCIDENT_STATES), "incident_state": choice(INCIDENT_STATES), "resolved_at": DATE,
    "resolved_by": reference("sys_user"), "caller_id": reference("sys_user"), "reopen_count": INTEGER,
    "business_stc": INTEGER, "calendar_stc": INTEGER, "contact_type": STRING, "category": STRING,
    "subcategory": STRING, "knowledge": BOOLEAN, "close_code": STRING, "caused_by": reference("change_request"),
    "problem_id": reference("problem"), "location": STRING, "u_symptom": STRING, "major_incident_state": STRING,
}  # fmt: skip

SLA_COLUMNS = SYSTEM | {
    "task": reference("incident"), "sla": reference("contract_sla"), "stage": STRING, "has_breached": BOOLEAN,
    "active": BOOLEAN, "start_time": DATE, "end_time": DATE, "planned_end_time": DATE, "business_percentage": DECIMAL,
}  # fmt: skip
SLA_DEFINITION_COLUMNS = SYSTEM | {"name": STRING, "target": STRING, "type": STRING}

CHANGE_COLUMNS = TASK_COLUMNS | {
    "state": choice(CHANGE_STATES), "type": STRING, "close_code": STRING, "risk": STRING,
    "start_date": DATE, "end_date": DATE,
}  # fmt: skip

PROBLEM_COLUMNS = TASK_COLUMNS | {"state": STRING, "resolved_at": DATE, "known_error": BOOLEAN}

REQUEST_COLUMNS = TASK_COLUMNS | {"state": STRING, "cat_item": STRING, "stage": STRING}

METRIC_RESULT_COLUMNS = SYSTEM | {
    "instance": reference("asmt_assessment_instance"), "metric": STRING, "actual_value": DECIMAL,
    "scaled_value": DECIMAL, "string_value": STRING,
}  # fmt: skip
ASSESSMENT_COLUMNS = SYSTEM | {
    "number": STRING, "state": STRING, "taken_on": DATE, "task_id": reference("incident"), "trigger_table": STRING,
}  # fmt: skip

OUTAGE_COLUMNS = SYSTEM | {
    "number": STRING, "cmdb_ci": reference("cmdb_ci_service"), "type": STRING, "begin": DATE, "end": DATE,
    "short_description": STRING,
}  # fmt: skip

KNOWLEDGE_LINK_COLUMNS = SYSTEM | {"task": reference("incident"), "kb_knowledge": STRING}
TRAINING_COLUMNS = SYSTEM | {
    "user": reference("sys_user"), "course": STRING, "hours": DECIMAL, "completed_on": DATE, "certificate": BOOLEAN,
}  # fmt: skip
EXPENSE_COLUMNS = SYSTEM | {
    "number": STRING, "date": DATE, "amount": DECIMAL, "type": STRING, "summary_type": STRING,
    "business_service": reference("cmdb_ci_service"),
}  # fmt: skip
AUDIT_COLUMNS = SYSTEM | {
    "tablename": STRING, "documentkey": STRING, "fieldname": STRING, "oldvalue": STRING, "newvalue": STRING,
}  # fmt: skip

COLUMNS = {
    "sys_user_group": GROUP_COLUMNS, "sys_user": USER_COLUMNS, "cmdb_ci_service": SERVICE_COLUMNS,
    "incident": INCIDENT_COLUMNS, "task_sla": SLA_COLUMNS, "contract_sla": SLA_DEFINITION_COLUMNS,
    "change_request": CHANGE_COLUMNS, "problem": PROBLEM_COLUMNS, "sc_req_item": REQUEST_COLUMNS,
    "asmt_metric_result": METRIC_RESULT_COLUMNS, "asmt_assessment_instance": ASSESSMENT_COLUMNS,
    "cmdb_ci_outage": OUTAGE_COLUMNS, "m2m_kb_task": KNOWLEDGE_LINK_COLUMNS, "sys_audit": AUDIT_COLUMNS,
}  # fmt: skip
