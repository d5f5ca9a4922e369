"""Continuous improvement: statistics on closed periods, and the insights that they give. Pure: no I/O, no clock."""
