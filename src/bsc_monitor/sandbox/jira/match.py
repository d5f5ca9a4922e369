"""Which issues a query finds, in which order; refuses in the server's words what does not exist on the site."""

import operator as operator_
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from bsc_monitor.sandbox.jira.dates import computed, instant
from bsc_monitor.sandbox.jira.fields import Field
from bsc_monitor.sandbox.jira.history import was, when_changed
from bsc_monitor.sandbox.jira.jql import Both, Call, Clause, Either, Empty, JqlError, Negated, Node, Operand, parse
from bsc_monitor.sandbox.jira.site import Issue, Site

Test = Callable[[Issue], bool]

_CATEGORIES = {
    "new": ("new", "to do", "2"), "indeterminate": ("indeterminate", "in progress", "4"), "done": ("done", "3"),
}  # fmt: skip
_OPPOSITE = {
    "=": "!=", "!=": "=", "<": ">=", ">=": "<", ">": "<=", "<=": ">", "~": "!~", "!~": "~", "IN": "NOT IN", "NOT IN": "IN",
    "IS": "IS NOT", "IS NOT": "IS", "WAS": "WAS NOT", "WAS NOT": "WAS",
}  # fmt: skip
_ALLOWED = {
    "text": ("~", "!~", "IS", "IS NOT"),
    "date": ("=", "!=", "<", ">", "<=", ">=", "IN", "NOT IN", "IS", "IS NOT"),
    "number": ("=", "!=", "<", ">", "<=", ">=", "IN", "NOT IN", "IS", "IS NOT"),
    "name": ("=", "!=", "IN", "NOT IN", "IS", "IS NOT", "WAS", "WAS NOT", "CHANGED"),
}  # fmt: skip
_COMPARES: dict[str, Callable[[Any, Any], Any]] = {
    "=": operator_.eq, "!=": operator_.ne, "<": operator_.lt, ">": operator_.gt, "<=": operator_.le, ">=": operator_.ge,
}  # fmt: skip
_SHAPES = {"date": "date", "day": "date", "number": "number", "rating": "number", "text": "text"}


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: what ``currentUser()`` is, in which zone dates are read, and what must not be seen."""

    person: str
    zone: ZoneInfo
    hidden: frozenset[str] = frozenset()  #: projects without the permission to browse


def select(site: Site, text: str, caller: Caller, *, bounded: bool = False) -> list[Issue]:
    """The matching issues in the query's order (newest first where it names none). Raises JqlError."""
    query = parse(text)
    if bounded and query.where is None:
        raise JqlError("Unbounded JQL queries are not allowed here. Please add a search restriction to your query.")
    matcher = _Matcher(site, caller)
    test = matcher.test(query.where) if query.where else lambda _: True
    visible = (issue for issue in site.issues.values() if issue.values["project"] not in caller.hidden)
    found = [issue for issue in visible if test(issue)]
    found.sort(key=lambda issue: int(issue.id), reverse=True)
    for name, descending in reversed(query.order):
        found.sort(key=matcher.sort_key(name), reverse=descending)
    return found


class _Matcher:
    def __init__(self, site: Site, caller: Caller) -> None:
        self.site, self.caller = site, caller
        self.now = site.now()
        self.names = {name: each for each in site.fields.values() for name in each.names}

    def field(self, name: str) -> Field:
        found = self.names.get(name.lower())
        if found is None:
            raise JqlError(f"Field '{name}' does not exist or you do not have permission to view it.")
        return found

    def test(self, node: Node, negated: bool = False) -> Test:
        if isinstance(node, Negated):
            return self.test(node.part, not negated)
        if isinstance(node, (Both, Either)):
            tests = [self.test(part, negated) for part in node.parts]
            every = isinstance(node, Both) != negated
            return (lambda i: all(t(i) for t in tests)) if every else (lambda i: any(t(i) for t in tests))
        return self.clause(node, negated)

    def clause(self, clause: Clause, negated: bool) -> Test:
        field = self.field(clause.field)
        shape = _SHAPES.get(field.kind, "name")
        if clause.operator not in _ALLOWED[shape]:
            raise JqlError(f"The operator '{clause.operator.lower()}' is not supported by the '{clause.field}' field.")
        if clause.operator == "CHANGED":
            changed = when_changed(clause.predicates, lambda o: self.moment(o, clause.field))
            return lambda issue: changed(issue, field.id) != negated
        operator = _OPPOSITE[clause.operator] if negated else clause.operator
        if operator in ("IS", "IS NOT") or clause.operands == (Empty(),):
            empty = operator in ("IS", "=", "IN")
            return lambda issue: bool(self.values(issue, field)) != empty
        if operator in ("WAS", "WAS NOT"):
            wanted = self.wanted(clause, field)
            held = was(clause.predicates, lambda o: self.moment(o, clause.field))
            return lambda issue: held(issue, field.id, wanted) == (operator == "WAS")
        if shape == "text":
            return self.text(clause, field, operator == "~")
        if shape != "name":
            return self.compared(clause, field, operator)
        named = self.wanted(clause, field)
        absent = any(isinstance(operand, Empty) for operand in clause.operands)
        if operator in ("=", "IN"):
            return lambda i: bool(named & self.values(i, field)) or (absent and not self.values(i, field))
        return lambda issue: bool(found := self.values(issue, field)) and not named & found

    def values(self, issue: Issue, field: Field) -> set[str]:
        """Everything by which an issue's value may be named, in lower case; empty where it has none."""
        value = issue.values.get(field.id)
        if field.kind == "issuekey":
            return {issue.key.lower(), issue.id}
        if field.kind == "category":
            return set(_CATEGORIES[self.site.statuses[issue.values["status"]].category])
        if value is None or value == []:
            return set()
        if field.kind == "project":
            project = self.site.projects[value]
            return {project.key.lower(), project.name.lower(), project.id}
        if field.kind == "user":
            person = self.site.people[value]
            return {person.id.lower(), person.name.lower(), person.shown.lower()}
        if field.kind == "parent":
            parent = self.site.issues.get(value)
            return {parent.key.lower(), parent.id} if parent else {str(value)}
        many = value if isinstance(value, list) else [value]
        return {name.lower() for each in many for name in (str(each), self.site.text(field.id, each) or "")}

    def wanted(self, clause: Clause, field: Field) -> set[str]:
        """What the operands name. Raises JqlError where one names nothing on this site."""
        found = set()
        for operand in clause.operands:
            if isinstance(operand, Empty):
                continue
            if isinstance(operand, Call):
                found |= self.listed(operand, field)
                continue
            if not self.exists(operand.lower(), field):
                raise JqlError(f"The value '{operand}' does not exist for the field '{clause.field}'.")
            found.add(operand.lower())
        return found

    def listed(self, call: Call, field: Field) -> set[str]:
        name = call.name.lower()
        if name == "currentuser" and field.kind == "user":
            return {self.caller.person.lower()}
        if name in ("opensprints", "closedsprints", "futuresprints") and field.kind == "sprint":
            state = {"opensprints": "active", "closedsprints": "closed", "futuresprints": "future"}[name]
            return {str(sprint.id) for sprint in self.site.sprints.values() if sprint.state(self.now) == state}
        raise JqlError(f"Unable to find JQL function '{call.name}({', '.join(call.arguments)})'.")

    def exists(self, name: str, field: Field) -> bool:
        site = self.site
        if field.kind == "project":
            visible = [p for p in site.projects.values() if p.key not in self.caller.hidden]
            return any(name in (p.key.lower(), p.name.lower(), p.id) for p in visible)
        if field.kind == "status":
            return any(name in (s.id, s.name.lower()) for s in site.statuses.values())
        if field.kind == "issuetype":
            return any(name in (t.id, t.name.lower()) for t in site.types.values())
        if field.kind == "category":
            return any(name in names for names in _CATEGORIES.values())
        if field.kind == "sprint":
            return any(name in (str(s.id), s.name.lower()) for s in site.sprints.values())
        if field.kind in ("issuekey", "parent"):
            return site.find(name) is not None
        if field.kind == "user":
            return any(name in (p.id.lower(), p.name.lower(), p.shown.lower()) for p in site.people.values())
        if field.id == "labels":
            return True  # anybody can make up a label
        return any(name in self.values(issue, field) for issue in site.issues.values())

    def moment(self, operand: Operand, field: str) -> datetime:
        if isinstance(operand, str):
            return instant(operand, field, self.now, self.caller.zone)
        found = computed(operand, self.now, self.caller.zone) if isinstance(operand, Call) else None
        if found is None:
            raise JqlError(f"Unable to find JQL function '{getattr(operand, 'name', operand)}()'.")
        return found

    def compared(self, clause: Clause, field: Field, operator: str) -> Test:
        dated = field.kind in ("date", "day")
        wanted: list[Any] = [
            self.moment(o, clause.field) if dated else self.number(o, clause) for o in clause.operands
        ]  # fmt: skip
        test = _COMPARES.get(operator)

        def holds(issue: Issue) -> bool:
            value = self.stored(issue, field)
            if value is None:
                return False
            return bool(test(value, wanted[0])) if test else (value in wanted) == (operator == "IN")

        return holds

    def number(self, operand: Operand, clause: Clause) -> float:
        try:
            return float(str(operand))
        except ValueError:
            raise JqlError(f"Value '{operand}' for the field '{clause.field}' must be a number.") from None

    def stored(self, issue: Issue, field: Field) -> Any:
        if field.id in ("created", "updated"):
            return getattr(issue, field.id)
        value = issue.values.get(field.id)
        if field.kind == "day" and value is not None:
            return datetime.combine(value, datetime.min.time(), self.caller.zone)
        return value

    def text(self, clause: Clause, field: Field, wanted: bool) -> Test:
        phrase = str(clause.operands[0]).lower().strip('"')
        words = [re.escape(w).replace(r"\*", r"\w*") for w in re.findall(r"[\w*]+", phrase)]
        patterns = [re.compile(rf"\b{word}\b") for word in words]

        def holds(issue: Issue) -> bool:
            value = str(issue.values.get(field.id, "")).lower()
            return all(pattern.search(value) for pattern in patterns) == wanted

        return holds

    def sort_key(self, name: str) -> Callable[[Issue], Any]:
        field = self.field(name)
        if field.kind == "issuekey":
            return lambda i: (i.values["project"], int(i.key.rpartition("-")[2]))
        if field.kind in _SHAPES and field.kind != "text":
            return lambda i: (self.stored(i, field) is None, self.stored(i, field) or 0)
        if field.kind == "category":
            return lambda i: ("new", "indeterminate", "done").index(self.site.statuses[i.values["status"]].category)
        return lambda i: (i.values.get(field.id) in (None, []), self.site.text(field.id, i.values.get(field.id)) or "")
