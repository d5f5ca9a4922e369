"""Options of the whole suite."""

import pytest


def pytest_addoption(parser):
    parser.addoption("--soak", action="store_true", help="the long fault runs in full; without it a small part of each")


@pytest.fixture(scope="session")
def soak(request):
    """Whether the long runs are wanted in full."""
    return request.config.getoption("--soak")
