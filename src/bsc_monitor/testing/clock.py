"""A clock that stands still until it is told to go on."""

from datetime import UTC, datetime, timedelta


class Clock:
    """Call it for the present instant. It starts at noon of 15 May 2026, UTC, unless told otherwise."""

    def __init__(self, now: datetime | None = None) -> None:
        self.now = now or datetime(2026, 5, 15, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        """The present instant."""
        return self.now

    def advance(self, **amount: float) -> datetime:
        """Let time pass, in the words of ``timedelta``: ``clock.advance(hours=2)``; the new present."""
        self.now += timedelta(**amount)
        return self.now
