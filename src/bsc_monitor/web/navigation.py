"""The pages that the head of every page leads to."""

from dataclasses import dataclass

from bsc_monitor.web.routes import Policy


@dataclass(frozen=True, slots=True)
class Item:
    """A place in the navigation."""

    title: str
    path: str
    policy: Policy = Policy.VIEWER


#: In the order shown. A page is entered here and its route table in ``app.TABLES``.
NAVIGATION: list[Item] = [
    Item("Overview", "/"),
    Item("Improvement", "/improvement"),
    Item("Reports", "/reports"),
    Item("Alerts", "/alerts"),
    Item("Sources", "/sources"),
    Item("API", "/api"),
]
