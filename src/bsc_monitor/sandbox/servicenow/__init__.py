"""The ServiceNow side of the sandbox: Table API and Aggregate API as the vendor's instances answer."""

from bsc_monitor.sandbox.servicenow.instance import Column, Instance, Table
from bsc_monitor.sandbox.servicenow.server import Behaviour, servicenow_app

__all__ = ["Behaviour", "Column", "Instance", "Table", "servicenow_app"]
