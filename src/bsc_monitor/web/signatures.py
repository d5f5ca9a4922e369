"""Whether a webhook comes from who holds the secret, in the ways that the vendors sign.

Each scheme is constant in time over the secret. A source has one secret, or a new and an old one during rotation.
"""

import base64
import binascii
import hashlib
import hmac
import json
import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

_HMAC_HEADERS = ("X-Hub-Signature-256", "X-Signature-256", "X-Signature", "X-Hub-Signature")
_ID_HEADERS = (
    "X-GitHub-Delivery", "X-Atlassian-Webhook-Identifier", "X-Gitlab-Event-UUID", "Webhook-Id", "X-Event-Id",
)  # fmt: skip
_TIME_HEADERS = ("Webhook-Timestamp", "X-Signature-Timestamp", "X-Timestamp")
_LATEST = 32503680000.0  #: the year 3000; later numbers are milliseconds


class Forged(Exception):  # noqa: N818 - names what happened
    """The sender did not prove that it holds the secret. ``str()`` says what is wrong, without the secret."""


def verify(headers: Mapping[str, str], body: bytes, secrets: Sequence[str]) -> None:
    """Raise ``Forged`` unless the headers prove knowledge of a secret.

    HMAC-SHA256 of the raw body (GitHub, Jira, generic; hex or base64), Standard Webhooks (id, time and body signed),
    GitLab's token, ServiceNow's bearer token.
    """
    keys = [secret.encode() for secret in secrets]
    if given := headers.get("Webhook-Signature"):
        signed = b".".join([_bytes(headers, "Webhook-Id"), _bytes(headers, "Webhook-Timestamp"), body])
        proofs = [part.partition(",")[2] for part in given.split()[:8]]
        good = any(_is_hmac(proof, signed, key) for proof in proofs for key in keys)
    elif given := next((headers[name] for name in _HMAC_HEADERS if name in headers), None):
        algorithm, equals, proof = given.strip().partition("=")
        if not equals or algorithm.lower() not in ("sha1", "sha256", "sha512"):
            algorithm, proof = "sha256", given.strip()
        if algorithm.lower() != "sha256":
            raise Forged(f"Only HMAC-SHA256 signatures are taken, not {algorithm.lower()}.")
        good = any(_is_hmac(proof, body, key) for key in keys)
    elif (given := _token(headers)) is not None:
        sent = given.encode("utf-8", "surrogateescape")
        good = any([hmac.compare_digest(sent, key) for key in keys])  # noqa: C419 - every secret, whatever matched
    else:
        raise Forged("The request is not signed: send an HMAC-SHA256 of the body, or the vendor's token.")
    if not good:
        raise Forged("The signature does not fit the body and the secret.")


def event_id(headers: Mapping[str, str]) -> str:
    """The sender's id of the event, so that a repeat is known; empty without one."""
    return next((headers[name] for name in _ID_HEADERS if headers.get(name)), "")


def signed_at(headers: Mapping[str, str]) -> datetime | None:
    """When the sender says it sent; None if it does not say. Raises ``Forged``: unreadable."""
    given = next((headers[name] for name in _TIME_HEADERS if headers.get(name)), None)
    if given is None:
        return None
    read = _instant(given)
    if read is None:
        raise Forged("The timestamp cannot be read: send seconds since 1970, or an ISO time with a zone.")
    return read


def event_time(body: bytes) -> datetime | None:
    """When the event happened, where a body says so as Jira does (``timestamp``, milliseconds); None: it does not."""
    if len(body) > 256 * 1024:
        return None
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return None
    given = document.get("timestamp") if isinstance(document, dict) else None
    return _instant(given) if isinstance(given, int | float | str) and not isinstance(given, bool) else None


def _instant(given: float | str) -> datetime | None:
    try:
        number = float(given)
    except OverflowError:
        return None
    except ValueError:
        return _iso(str(given))
    if not math.isfinite(number) or number < 0:
        return None
    number = number / 1000 if number > _LATEST else number
    return datetime.fromtimestamp(number, UTC) if number < _LATEST else None


def _iso(given: str) -> datetime | None:
    try:
        read = datetime.fromisoformat(given)
        return read.astimezone(UTC) if read.tzinfo else None
    except (ValueError, OverflowError):
        return None


def _is_hmac(proof: str, signed: bytes, key: bytes) -> bool:
    expected = hmac.digest(key, signed, hashlib.sha256)
    try:
        given = bytes.fromhex(proof) if len(proof) == 64 else base64.b64decode(proof, validate=True)
    except (ValueError, binascii.Error):
        return False
    return hmac.compare_digest(given, expected)


def _token(headers: Mapping[str, str]) -> str | None:
    if (given := headers.get("X-Gitlab-Token")) is not None:
        return given
    scheme, _, token = headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" and token else None


def _bytes(headers: Mapping[str, str], name: str) -> bytes:
    return headers.get(name, "").encode("utf-8", "surrogateescape")
