"""Sending a report to a receiver: as a mail with attachments, to a chat with a link, to a webhook as JSON."""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from bsc_monitor.alert.routing import Channel
from bsc_monitor.notify.apprising import open_service, scheme, tell
from bsc_monitor.notify.outcome import Outcome, post
from bsc_monitor.notify.payload import signature
from bsc_monitor.plugin import Http, SourceError
from bsc_monitor.report import mail
from bsc_monitor.report.letter import Letter
from bsc_monitor.report.posting import is_smtp, post_mail

Receiver = Callable[[Mapping[str, Any], Mapping[str, Any]], Awaitable[None]]


async def send(
    channel: Channel, letter: Letter, http: Callable[[], Http], plugins: Mapping[str, Receiver], now: datetime,
    taken: set[str] | None = None,
) -> Outcome:  # fmt: skip
    """Send to one channel. ``taken``: the recipients that have it from an attempt before; those that get it are added."""
    if channel.kind == "apprise":
        address = channel.receiver.apprise[channel.place].get_secret_value()
        return await _apprise(address, letter, set() if taken is None else taken, now)
    if channel.kind == "webhook" and channel.receiver.webhook is not None:
        content = json.dumps(_body(letter), ensure_ascii=False).encode()
        headers = {"Content-Type": "application/json", "Idempotency-Key": letter.key}
        if (secret := channel.receiver.webhook.secret) is not None:
            moment = int(now.timestamp())
            headers["X-Bsc-Timestamp"] = str(moment)
            headers["X-Bsc-Signature"] = signature(secret.get_secret_value(), moment, content)
        return await post(http(), channel.receiver.webhook.url, content, headers)
    if channel.kind == "plugin" and channel.receiver.plugin in plugins:
        try:
            await plugins[channel.receiver.plugin](channel.receiver.config, _body(letter))
        except SourceError as error:
            return Outcome(error.message, sure=False)
        return Outcome()
    return Outcome(f"a receiver of the kind {channel.kind} takes no reports", dead=True)


async def _apprise(address: str, letter: Letter, taken: set[str], now: datetime) -> Outcome:
    from apprise import NotifyFormat, NotifyType

    service = await asyncio.to_thread(open_service, address)
    if service is None:
        return Outcome(f"the address {scheme(address)}://… is none that apprise understands")
    if is_smtp(service):
        return await post_mail(service, letter, taken, now)
    is_mail = "mailto" in service.schemas()
    attaches = bool(getattr(service, "attachment_support", False))
    with tempfile.TemporaryDirectory(prefix="bsc-report-") as folder:
        files = []
        for name, content in letter.files.items() if attaches else ():
            file = Path(folder) / name
            await asyncio.to_thread(file.write_bytes, content)
            files.append(str(file))
        return await tell(
            service, address, title=mail.subject(letter.data, letter.title), notify_type=NotifyType.INFO,
            body=mail.html(letter.data, letter.board) if is_mail else mail.plain(letter.data, letter.link),
            body_format=NotifyFormat.HTML if is_mail else NotifyFormat.TEXT, **({"attach": files} if files else {}),
        )  # fmt: skip


def _body(letter: Letter) -> dict[str, Any]:
    data = letter.data
    return {
        "type": "report", "key": letter.key, "scorecard": data.scorecard, "period": data.period, "owner": data.owner,
        "title": mail.subject(data, letter.title), "headline": data.headline, "score": data.standing.score,
        "status": str(data.standing.status), "final": data.final, "url": letter.link,
    }  # fmt: skip
