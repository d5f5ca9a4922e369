"""Checking AWS Signature Version 4, from the specification: a wrong key, a changed body or an old date is refused."""

from __future__ import annotations

import hashlib
import hmac
import re
import time
from calendar import timegm
from collections.abc import Mapping
from urllib.parse import quote

_FORM = re.compile(
    r"AWS4-HMAC-SHA256 Credential=([^/,]+)/(\d{8})/([a-z0-9-]+)/([a-z]+)/aws4_request, ?"
    r"SignedHeaders=([a-z0-9;-]+), ?Signature=([0-9a-f]{64})"
)
_SKEW = 900  #: seconds


class BadSignatureError(Exception):
    """Why a request is refused, by the vendor's name for it."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


def verify(
    method: str, path: str, query: Mapping[str, str], headers: Mapping[str, str], body: bytes, keys: Mapping[str, str]
) -> str:
    """The service that a request was signed for. Raises BadSignatureError.

    ``headers`` must be case-insensitive; ``keys`` maps access keys to their secrets.
    """
    match = _FORM.fullmatch(headers.get("Authorization", "").strip())
    if match is None:
        raise BadSignatureError("MissingAuthenticationTokenException", "Missing Authentication Token")
    key, day, region, service, signed, signature = match.groups()
    if key not in keys:
        raise BadSignatureError("UnrecognizedClientException", "The security token included in the request is invalid.")
    if region != "us-east-1":
        raise BadSignatureError(
            "InvalidSignatureException", "Credential should be scoped to a valid region, not 'us-east-1'."
        )
    stamp = headers.get("X-Amz-Date", "")
    _check_date(stamp, day)
    names = signed.split(";")
    if not {"host", "x-amz-date", "x-amz-target"} <= set(names):
        raise BadSignatureError("InvalidSignatureException", "'host', 'x-amz-date' and 'x-amz-target' must be signed.")
    canonical = "\n".join([
        method, quote(path, safe="/-_.~"),
        "&".join(f"{quote(k, safe='-_.~')}={quote(v, safe='-_.~')}" for k, v in sorted(query.items())),
        *(f"{name}:{' '.join(headers.get(name, '').split())}" for name in names),
        "", signed, hashlib.sha256(body).hexdigest(),
    ])  # fmt: skip
    if not hmac.compare_digest(
        _signature(canonical, stamp, (day, region, service, "aws4_request"), keys[key]), signature
    ):
        raise BadSignatureError(
            "InvalidSignatureException",
            "The request signature we calculated does not match the signature you provided. Check your AWS Secret"
            " Access Key and signing method. Consult the service documentation for details.",
        )
    return service


def _signature(canonical: str, stamp: str, scope: tuple[str, ...], key: str) -> str:
    text = "\n".join(["AWS4-HMAC-SHA256", stamp, "/".join(scope), hashlib.sha256(canonical.encode()).hexdigest()])
    secret = f"AWS4{key}".encode()
    for part in scope:
        secret = hmac.new(secret, part.encode(), hashlib.sha256).digest()
    return hmac.new(secret, text.encode(), hashlib.sha256).hexdigest()


def _check_date(stamp: str, day: str) -> None:
    try:
        at = timegm(time.strptime(stamp, "%Y%m%dT%H%M%SZ"))
    except ValueError:
        raise BadSignatureError("IncompleteSignatureException", "X-Amz-Date is missing or malformed.") from None
    if abs(time.time() - at) > _SKEW or not stamp.startswith(day):
        raise BadSignatureError("InvalidSignatureException", f"Signature expired: {stamp} is not within 15 minutes")
