"""Rigs for the fault tests."""

import pytest
from tests.faults.nursery import Nursery


@pytest.fixture(scope="session")
def nursery():
    """What starts the real service without importing it anew each time."""
    with Nursery() as one:
        yield one


@pytest.fixture(scope="session")
def figures():
    """Collects the figures of the runs; printed in the end."""
    found = {}
    yield found
    for name, values in found.items():
        print(f"\n{name}: " + ", ".join(f"{count} {word}" for word, count in values.items()))
