"""Rigs for the fault tests."""

import os

import pytest
from tests.faults.nursery import Nursery


@pytest.fixture(scope="session")
def one_nursery():
    """What starts the real service without importing it anew each time."""
    with Nursery() as one:
        yield one


@pytest.fixture
def nursery(one_nursery):
    """The nursery, with nothing alive of the tests before."""
    yield one_nursery
    one_nursery.clear()


@pytest.fixture(scope="session")
def often(soak):
    """How often to do something: ``often(1000, 10)`` is 1,000 in a soak (times SOAK_SHARE, where set), else 10."""
    share = float(os.environ.get("SOAK_SHARE", "1"))
    return lambda full, few: max(few, round(full * share)) if soak else few


@pytest.fixture(scope="session")
def figures():
    """Collects the figures of the runs; printed in the end."""
    found = {}
    yield found
    for name, values in found.items():
        print(f"\n{name}: " + ", ".join(f"{count} {word}" for word, count in values.items()))
