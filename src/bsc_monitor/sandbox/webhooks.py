"""Webhooks as the vendors send them: body, event id, and the vendor's way to prove who it is.

Sources: Jira's and GitHub's ``X-Hub-Signature`` families (HMAC-SHA256 of the body), GitLab's ``X-Gitlab-Token`` (the secret
itself), ServiceNow's outbound REST message (a bearer token that its author sets), and for anything else the
Standard Webhooks form (id, time and body signed).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

Vendor = Literal["jira", "servicenow", "github", "gitlab", "generic"]
VENDORS: tuple[Vendor, ...] = ("jira", "servicenow", "github", "gitlab", "generic")


@dataclass(frozen=True, slots=True)
class Webhook:
    """One request, ready to be POSTed to ``/webhooks/SOURCE``."""

    body: bytes
    headers: Mapping[str, str]


def webhook(vendor: Vendor, secret: str, now: datetime, *, id_: str = "", subject: str = "SHOP-1") -> Webhook:
    """What a vendor sends when something changed. ``id_``: of the event, so that it can be sent again."""
    event = id_ or str(uuid.uuid4())
    body = json.dumps(_body(vendor, subject, event, now)).encode()
    return Webhook(body, {"Content-Type": "application/json", **_proof(vendor, secret, event, body, now)})


def _body(vendor: Vendor, subject: str, event: str, now: datetime) -> dict[str, Any]:
    said = now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    bodies: dict[Vendor, dict[str, Any]] = {
        "jira": {
            "timestamp": int(now.timestamp() * 1000), "webhookEvent": "jira:issue_updated",
            "issue_event_type_name": "issue_generic", "issue": {"id": "10001", "key": subject, "fields": {"summary": "x"}},
            "changelog": {"id": "1", "items": [{"field": "status", "fromString": "To Do", "toString": "Done"}]},
        },
        "servicenow": {"sys_id": event.replace("-", ""), "table": "incident", "number": subject, "operation": "update"},
        "github": {
            "action": "created", "deployment_status": {"state": "success", "created_at": said},
            "repository": {"full_name": "acme/shop"}, "sender": {"login": subject},
        },
        "gitlab": {
            "object_kind": "deployment", "status": "success", "status_changed_at": said, "environment": "production",
            "project": {"path_with_namespace": "acme/warehouse"}, "short_sha": subject,
        },
        "generic": {"event": "changed", "subject": subject, "at": said},
    }  # fmt: skip
    return bodies[vendor]


def _proof(vendor: Vendor, secret: str, event: str, body: bytes, now: datetime) -> dict[str, str]:
    key = secret.encode()
    if vendor == "gitlab":
        return {"X-Gitlab-Event": "Deployment Hook", "X-Gitlab-Event-UUID": event, "X-Gitlab-Token": secret}
    if vendor == "servicenow":
        return {"Authorization": f"Bearer {secret}", "X-Event-Id": event}
    if vendor == "generic":
        stamp = str(int(now.timestamp()))
        proof = hmac.digest(key, f"{event}.{stamp}.".encode() + body, hashlib.sha256)
        signature = f"v1,{base64.b64encode(proof).decode()}"
        return {"Webhook-Id": event, "Webhook-Timestamp": stamp, "Webhook-Signature": signature}
    proof_of_body = f"sha256={hmac.digest(key, body, hashlib.sha256).hex()}"
    if vendor == "github":
        return {
            "X-GitHub-Event": "deployment_status", "X-GitHub-Delivery": event, "X-Hub-Signature-256": proof_of_body,
        }  # fmt: skip
    return {"X-Atlassian-Webhook-Identifier": event, "X-Hub-Signature": proof_of_body}
