"""For authors of plugins: run a measure in a plain test, against answers of one's own or recorded ones, at a fixed time.

Fixtures are in ``bsc_monitor.testing.fixtures``: import them in a ``conftest.py``, or load it as a plugin of pytest. ``check_plugin`` is what
``bsc-monitor plugin check`` prints.
"""

from bsc_monitor.testing.clock import Clock
from bsc_monitor.testing.contract import Finding, check_plugin
from bsc_monitor.testing.measuring import Outcome, load_collector, run_measure
from bsc_monitor.testing.server import Asked, SourceServer

__all__ = ["Asked", "Clock", "Finding", "Outcome", "SourceServer", "check_plugin", "load_collector", "run_measure"]
