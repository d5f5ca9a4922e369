"""Messages as JSON for machines: the webhook's body, its CloudEvents 1.0 envelope, and its signature."""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import UTC, datetime
from typing import Any

from bsc_monitor.model.alert import AlertState
from bsc_monitor.notify.message import Item, Message
from bsc_monitor.notify.render import Rendered
from bsc_monitor.notify.wording import Wording, link


def body_of(message: Message, words: Rendered, wording: Wording) -> dict[str, Any]:
    """A message as JSON: what Alertmanager's webhook says, by its names, and more."""
    return {
        "version": "1",
        "key": message.key,
        "receiver": message.receiver,
        "route": message.route,
        "status": "firing" if message.firing else "resolved",
        "groupLabels": dict(message.group),
        "title": words.title,
        "text": words.text,
        "repeated": message.repeated,
        "escalated": message.escalated,
        "late": message.late,
        "test": message.test,
        "externalURL": wording.board,
        "alerts": [_alert(item, wording) for item in message.items],
    }


def cloud_event(body: dict[str, Any], message: Message, source: str) -> dict[str, Any]:
    """The body in CloudEvents 1.0's structured JSON form; ``id`` is the idempotency key."""
    return {
        "specversion": "1.0",
        "id": message.key,
        "source": source or "/bsc-monitor",
        "type": f"bsc-monitor.alerts.{body['status']}",
        "subject": message.route,
        "time": instant(message.at),
        "datacontenttype": "application/json",
        "data": body,
    }


def encode(value: Any) -> bytes:
    """JSON in UTF-8, without NaN."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def signature(secret: str, timestamp: int, body: bytes) -> str:
    """HMAC-SHA256 over ``timestamp.body``, so that neither can be changed or sent again later."""
    return "sha256=" + hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()


def instant(moment: datetime | None) -> str:
    """RFC 3339 in UTC; the zero time that Go writes for none."""
    if moment is None:
        return "0001-01-01T00:00:00Z"
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _alert(item: Item, wording: Wording) -> dict[str, Any]:
    alert, facts = item.alert, item.alert.facts
    return {
        "status": item.state,
        "fingerprint": alert.fingerprint,
        "labels": dict(alert.labels),
        "startsAt": instant(alert.starts_at),
        "endsAt": instant(alert.resolved_at if alert.state is not AlertState.FIRING else None),
        "transitions": [{"kind": moment.kind, "at": instant(moment.at), "key": moment.key} for moment in item.moments],
        "title": facts.title,
        "value": alert.value,
        "unit": facts.unit,
        "target": list(facts.target) if isinstance(facts.target, tuple) else facts.target,
        "kpiStatus": facts.status,
        "score": facts.score,
        "period": facts.period,
        "owner": facts.owner,
        "note": item.text or facts.note,
        "reason": alert.reason,
        "trend": list(item.trend),
        "evidence": link(facts.evidence),
        "runbookURL": item.runbook_url,
        "boardURL": wording.subject_link(alert),
        "acknowledgeURL": wording.alert_link(alert),
        "acknowledgedBy": item.acknowledged.author if item.acknowledged else "",
    }
