"""The fields of the sandbox's issues: what Jira calls them, in answers and in JQL."""

from dataclasses import dataclass
from typing import Literal

Kind = Literal[
    "issuekey", "project", "status", "category", "issuetype", "option", "options", "user", "text", "date", "day", "number",
    "parent", "sprint", "sla", "rating",
]  # fmt: skip

SPRINT = "customfield_10020"
POINTS = "customfield_10016"
EPIC_LINK = "customfield_10014"
FOUND_IN = "customfield_10041"
FIRST_RESPONSE = "customfield_10030"
RESOLUTION = "customfield_10031"
SATISFACTION = "customfield_10032"
SATISFACTION_DATE = "customfield_10033"


@dataclass(frozen=True, slots=True)
class Field:
    """One field. ``custom`` is the key of its type where it is a custom one; ``names`` are what JQL calls it."""

    id: str
    name: str
    kind: Kind
    names: tuple[str, ...]
    custom: str = ""


_GREENHOPPER = "com.pyxis.greenhopper.jira"
_DESK = "com.atlassian.servicedesk"
_PLAIN = "com.atlassian.jira.plugin.system.customfieldtypes"

FIELDS = (
    Field("issuekey", "Key", "issuekey", ("key", "issuekey", "issue", "id")),
    Field("project", "Project", "project", ("project",)),
    Field("status", "Status", "status", ("status",)),
    Field("statusCategory", "Status Category", "category", ("statuscategory",)),
    Field("issuetype", "Issue Type", "issuetype", ("issuetype", "type")),
    Field("priority", "Priority", "option", ("priority",)),
    Field("resolution", "Resolution", "option", ("resolution",)),
    Field("labels", "Labels", "options", ("labels",)),
    Field("components", "Components", "options", ("component",)),
    Field("fixVersions", "Fix versions", "options", ("fixversion",)),
    Field("assignee", "Assignee", "user", ("assignee",)),
    Field("reporter", "Reporter", "user", ("reporter",)),
    Field("summary", "Summary", "text", ("summary", "text")),
    Field("created", "Created", "date", ("created", "createddate")),
    Field("updated", "Updated", "date", ("updated", "updateddate")),
    Field("resolutiondate", "Resolved", "date", ("resolved", "resolutiondate")),
    Field("statuscategorychangedate", "Status Category Changed", "date", ("statuscategorychangeddate",)),
    Field("duedate", "Due date", "day", ("duedate", "due")),
    Field("parent", "Parent", "parent", ("parent", "parentepic")),
    Field(EPIC_LINK, "Epic Link", "parent", ("epic link", "cf[10014]"), f"{_GREENHOPPER}:gh-epic-link"),
    Field(SPRINT, "Sprint", "sprint", ("sprint", "cf[10020]"), f"{_GREENHOPPER}:gh-sprint"),
    Field(
        POINTS, "Story Points", "number", ("story points", "story point estimate", "cf[10016]"), f"{_PLAIN}:float"
    ),
    Field(FOUND_IN, "Found in", "option", ("found in", "cf[10041]"), f"{_PLAIN}:select"),
    Field(FIRST_RESPONSE, "Time to first response", "sla", ("time to first response",), f"{_DESK}:sd-sla-field"),
    Field(RESOLUTION, "Time to resolution", "sla", ("time to resolution",), f"{_DESK}:sd-sla-field"),
    Field(SATISFACTION, "Satisfaction", "rating", ("satisfaction", "cf[10032]"), f"{_DESK}:sd-request-feedback"),
    Field(
        SATISFACTION_DATE, "Satisfaction date", "date", ("satisfaction date", "cf[10033]"),
        f"{_DESK}:sd-request-feedback-date",
    ),
)  # fmt: skip
