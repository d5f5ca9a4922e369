"""How an attempt to send went, and what an HTTP answer means for it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from bsc_monitor.notify.message import Message
from bsc_monitor.notify.render import Rendered
from bsc_monitor.plugin import Http, Reply, SourceError

ALL_ANSWERS = tuple(range(300, 600))  #: statuses that are answers to read, not errors to raise
_LONGEST_WAIT = 300.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an attempt went. Taken unless there is an ``error``."""

    error: str = ""  #: for people, without secrets
    dead: bool = False  #: refused for good
    sure: bool = True  #: the receiver surely has nothing of it
    retry_after: float | None = None  #: seconds it asked us to wait
    refused: Mapping[str, str] = field(default_factory=dict)  #: fingerprint → why, where only some were refused

    @property
    def ok(self) -> bool:
        """Whether it was taken, perhaps in part."""
        return not self.error


#: Sends a message in the words given; never raises for the receiver's sake.
Send = Callable[[Message, Rendered], Awaitable[Outcome]]

#: A fresh run of the HTTP client of one channel.
OpenHttp = Callable[[str], Http]


async def post(http: Http, url: str, body: bytes, headers: Mapping[str, str]) -> Outcome:
    """Post once and judge the answer. 2xx: taken; 4xx but 408, 425 and 429: refused for good; all else: not yet."""
    try:
        reply = await http.post(url, data=body, headers=headers, allow=ALL_ANSWERS, retry=False)
    except SourceError as error:
        what = error.message.partition(": ")[2] or error.message  # without the address: it may hold a token
        unreached = any(words in what for words in ("no connection", "cannot be resolved", "not allowed"))
        return Outcome(what, sure=unreached)
    return judge(reply)


def judge(reply: Reply) -> Outcome:
    """What an answer means."""
    status = reply.status
    if status < 300:
        return Outcome()
    words = " ".join(reply.text()[:300].split()) if status != 413 else ""
    error = f"answered {status}{f': {words}' if words else ''}"
    if 400 <= status < 500 and status not in (408, 425, 429):
        return Outcome(error, dead=True)
    return Outcome(error, sure=status != 408, retry_after=_retry_after(reply))


def _retry_after(reply: Reply) -> float | None:
    said = next((value for name, value in reply.headers.items() if name.lower() == "retry-after"), "").strip()
    if said.isdigit():
        return min(float(said), _LONGEST_WAIT)
    from email.utils import parsedate_to_datetime

    try:
        moment = parsedate_to_datetime(said)
    except (TypeError, ValueError):
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return min(max(0.0, (moment - datetime.now(UTC)).total_seconds()), _LONGEST_WAIT)
