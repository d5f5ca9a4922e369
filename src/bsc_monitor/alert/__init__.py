"""Alerting's decisions, pure: no I/O, no clock; ``now`` is a parameter."""
