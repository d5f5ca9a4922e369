"""A local stand-in for the source systems: their wire protocols over given or generated data.

For trying everything without an account anywhere, and for tests. It listens on 127.0.0.1 only.
"""

from bsc_monitor.sandbox.app import Sandbox, start

__all__ = ["Sandbox", "start"]
