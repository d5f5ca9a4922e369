"""The generated company's Jira: two scrum teams, a platform team, a help desk, and 18 months of their tickets.

What there is to find (months as in ``story``: 0 is 18 months ago, 18 is the current one):

- **an initiative that works**: smaller batches from month 10 on bring SHOP's cycle time from about 9 to about 5 days
  (``cycle_time``), and with it more of each sprint's commitment is completed (``sprint_predictability``);
- **an initiative that does not**: PAY estimates more carefully from month 9 on, and completes no more of its sprints;
- **drifting to breach**: bugs found in production grow from 3 to about 12 a month in SHOP (``escaped_defects``), and the
  help desk meets its resolution times ever less often, from 97 to about 82 % (``sla_met_ratio``);
- **an epic on its way**: OPS-12, "Automate recovery", planned in months 12 and 13, two thirds done by now (``epic_progress``);
- **quiet**: PAY's throughput, OPS's cycle time, the help desk's satisfaction of about 4.3 of 5 (``csat``).

PAY's statuses have the names of its site's language (已完成 is done). Some issues skip "in progress", some come back from
done, some move from OPS to PAY.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta

from bsc_monitor.sandbox.company import help_desk, tickets
from bsc_monitor.sandbox.company.story import AHEAD, History
from bsc_monitor.sandbox.jira.site import Board, IssueType, Person, Project, Site, Sprint, Status

PROJECTS = (
    Project("10001", "SHOP", "Online shop"),
    Project("10002", "PAY", "Payments"),
    Project("10003", "OPS", "Platform operations"),
    Project("10004", "HELP", "IT help", "service_desk"),
)
STATUSES = (
    Status("10000", "To Do", "new"),
    Status("10001", "In Progress", "indeterminate"),
    Status("10002", "Waiting for review", "indeterminate"),
    Status("10003", "Done", "done"),
    Status("10010", "待办", "new"),
    Status("10011", "进行中", "indeterminate"),
    Status("10012", "等待评审", "indeterminate"),
    Status("10013", "已完成", "done"),
    Status("10020", "Waiting for support", "new"),
    Status("10021", "Work in progress", "indeterminate"),
    Status("10022", "Waiting for customer", "indeterminate"),
    Status("10023", "Resolved", "done"),
    Status("10024", "Closed", "done"),
)
TYPES = (
    IssueType("10100", "Epic", 1),
    IssueType("10101", "Story"),
    IssueType("10102", "Task"),
    IssueType("10103", "Bug"),
    IssueType("10104", "Sub-task", -1),
    IssueType("10105", "Service request"),
)
PEOPLE = tuple(
    Person(f"5b10ac8d82e05b22cc7d4e{number:02x}", name.lower(), f"{name} {last}")
    for number, (name, last) in enumerate(
        (("Ada", "Abe"), ("Ben", "Braun"), ("Chen", "Costa"), ("Dara", "Diaz"), ("Eva", "Eriksen"), ("Femi", "Fischer"),
         ("Gita", "Garcia"), ("Hugo", "Haddad"), ("Ines", "Ito"), ("Jan", "Jansen"), ("Kofi", "Kim"), ("Lena", "Lind"))
    )
)  # fmt: skip
BOARDS = (Board(1, "SHOP board", "SHOP"), Board(2, "PAY board", "PAY"), Board(3, "OPS board", "OPS", "kanban"))
_TWO_WEEKS = timedelta(days=14)


def jira_site(seed: int, now: Callable[[], datetime], since: date | None = None) -> Site:
    """The company's Jira as of ``now()``; it lives on for three weeks."""
    history = History(seed, now(), since)
    sprints = {board.project: _sprints(board, history) for board in BOARDS if board.kind == "scrum"}
    site = Site(
        now, projects=PROJECTS, statuses=STATUSES, types=TYPES, people=PEOPLE, boards=BOARDS,
        sprints=[sprint for mine in sprints.values() for sprint in mine],
    )  # fmt: skip
    people = [person.id for person in PEOPLE]
    for issue_id, steps in tickets.lives(history, people, sprints):
        site.tell(issue_id, steps)
    for issue_id, steps in help_desk.lives(history, people):
        site.tell(issue_id, steps)
    return site


def _sprints(board: Board, history: History) -> list[Sprint]:
    """Two weeks each, from Monday morning to the Friday after next."""
    first = datetime.combine(history.start, time(9), UTC)
    start = first + timedelta(days=(7 - first.weekday()) % 7)
    found: list[Sprint] = []
    while start < history.now + AHEAD + 2 * _TWO_WEEKS:
        number = len(found) + 1
        end = start + timedelta(days=11, hours=6)
        found.append(Sprint(board.id * 1000 + number, f"{board.project} sprint {number}", board.id, start, end, end))
        start += _TWO_WEEKS
    return found
