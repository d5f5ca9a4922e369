"""Rigs for the fault tests."""

import os
import time
from datetime import datetime

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
def figures(request):
    """``figures(name, numbers)`` keeps what a run counted, shows it at once in a soak, and all of it in the end."""
    found = []

    def add(name, numbers):
        found.append(f"{name}: " + ", ".join(f"{count} {word}" for word, count in numbers.items()))
        _show(request, found[-1])

    yield add
    _show(request, *found)


@pytest.fixture(scope="session")
def tell(request):
    """``tell(name, done, of, begun, account)`` shows in a soak how far a run is, and what it counts until then."""

    def progress(name, done, of, begun, account):
        seconds = time.monotonic() - begun
        counts = ", ".join(f"{count} {word}" for word, count in account.items())
        _show(request, f"{name}: {done} of {of} after {seconds:.0f} s ({seconds / done:.2f} s each): {counts}")

    return progress


def _show(request, *lines):
    """Past pytest's capture: a run of an hour is watched."""
    if request.config.getoption("--soak"):
        with request.config.pluginmanager.getplugin("capturemanager").global_and_fixture_disabled():
            for line in lines:
                print(f"\n{datetime.now():%H:%M:%S} {line}", end="", flush=True)
