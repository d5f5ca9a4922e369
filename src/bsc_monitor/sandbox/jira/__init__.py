"""The Jira side of the sandbox: Cloud's REST v3 and Data Center's v2 as the vendor's servers answer, over one set of issues."""

from bsc_monitor.sandbox.jira.door import Behaviour
from bsc_monitor.sandbox.jira.server import cloud_app, data_center_app
from bsc_monitor.sandbox.jira.site import Site, once

__all__ = ["Behaviour", "Site", "cloud_app", "data_center_app", "once"]
