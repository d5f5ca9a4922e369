"""The service: wires the rooms together, starts and stops them. The only room that knows all."""

from bsc_monitor.service.service import Service

__all__ = ["Service"]
