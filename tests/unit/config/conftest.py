import pytest


@pytest.fixture(autouse=True)
def _password(monkeypatch):
    monkeypatch.setenv("DESK_PASSWORD", "correct-horse")
