"""``python -m bsc_monitor``: the command line."""

from bsc_monitor.cli import main

main()
