"""Sending to a webhook: signed JSON, or CloudEvents."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from bsc_monitor.model.alert import Webhook
from bsc_monitor.notify.message import Message
from bsc_monitor.notify.outcome import OpenHttp, Outcome, Send, post
from bsc_monitor.notify.payload import body_of, cloud_event, encode, signature
from bsc_monitor.notify.render import Rendered
from bsc_monitor.notify.wording import Wording


def webhook_sender(
    channel: str, webhook: Webhook, open_http: OpenHttp, wording: Wording, clock: Callable[[], datetime]
) -> Send:
    """What sends to ``webhook``.

    Headers: ``Idempotency-Key``; with a secret, ``X-Bsc-Timestamp`` (seconds) and ``X-Bsc-Signature``, the HMAC-SHA256
    of ``timestamp.body``.
    """

    async def send(message: Message, words: Rendered) -> Outcome:
        body = body_of(message, words, wording)
        kind = "application/json"
        if webhook.cloudevents:
            body, kind = cloud_event(body, message, wording.board), "application/cloudevents+json; charset=utf-8"
        content = encode(body)
        headers = {"Content-Type": kind, "Idempotency-Key": message.key}
        if webhook.secret is not None:
            timestamp = int(clock().timestamp())
            headers["X-Bsc-Timestamp"] = str(timestamp)
            headers["X-Bsc-Signature"] = signature(webhook.secret.get_secret_value(), timestamp, content)
        return await post(open_http(channel), webhook.url, content, headers)

    return send
