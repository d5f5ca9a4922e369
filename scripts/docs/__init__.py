"""Writes docs/reference from the code: ``python -m scripts.docs`` (or ``make docs``). A test fails when they differ."""
