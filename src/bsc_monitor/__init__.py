"""bsc-monitor: a live IT balanced scorecard."""

__version__ = "0.1.0"
