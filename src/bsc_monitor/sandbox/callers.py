"""How stand-ins of token-and-limit services treat their callers."""

import hmac
import time
from collections import deque
from dataclasses import dataclass, field


@dataclass(slots=True)
class Callers:
    """A token, and how many requests it may make within a sliding window."""

    token: str = "demo"  # noqa: S105 - the sandbox's documented token
    limit: int | None = None  #: requests of a window; beyond it refused
    window: float = 3600.0  #: seconds
    _calls: deque[float] = field(default_factory=deque)

    def knows(self, header: str, *schemes: str) -> bool:
        """Whether an Authorization header carries the token under one of the schemes (``bearer``, ``token``)."""
        scheme, _, given = header.partition(" ")
        return scheme.lower() in schemes and self.is_token(given.strip())

    def is_token(self, given: str) -> bool:
        """Whether this is the token."""
        return hmac.compare_digest(given.encode(), self.token.encode())

    def take(self) -> tuple[bool, int, float]:
        """Count a request: whether it may pass, how many more may, and when (epoch seconds) the window has room again."""
        now = time.time()
        while self._calls and self._calls[0] <= now - self.window:
            self._calls.popleft()
        allowed = self.limit is None or len(self._calls) < self.limit
        if allowed and self.limit is not None:
            self._calls.append(now)
        left = 5000 if self.limit is None else self.limit - len(self._calls)
        return allowed, left, (self._calls[0] if self._calls else now) + self.window
