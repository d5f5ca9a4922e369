"""Delivery: what alerts tell, to the receivers that want to hear it, until they have."""

from bsc_monitor.notify.notifier import Notifier
from bsc_monitor.notify.office import Pace, Settings

__all__ = ["Notifier", "Pace", "Settings"]
