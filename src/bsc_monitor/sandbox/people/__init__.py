"""A stand-in for HR, learning and survey systems: their tables by REST, page by page."""

from bsc_monitor.sandbox.people.server import people_app

__all__ = ["people_app"]
