"""Calls of AWS's Cost Explorer and Budgets: signed, page by page, and what a refusal means."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from bsc_monitor.kit.cost.days import Book
from bsc_monitor.plugin import CollectorError, Context, Secret, SourceError

_PRICE = 0.01  # USD a page of Cost Explorer
_REASONS = {
    "AccessDenied": CollectorError.PERMISSION, "UnrecognizedClient": CollectorError.AUTH, "InvalidSignature": CollectorError.AUTH,
    "InvalidClientTokenId": CollectorError.AUTH, "ExpiredToken": CollectorError.AUTH, "MissingAuthentication": CollectorError.AUTH,
    "IncompleteSignature": CollectorError.AUTH, "LimitExceeded": CollectorError.RATE_LIMIT, "Throttling": CollectorError.RATE_LIMIT,
    "RequestChanged": CollectorError.TRANSIENT, "InternalFailure": CollectorError.TRANSIENT,
    "ServiceUnavailable": CollectorError.TRANSIENT,
}  # fmt: skip
_HINTS = {
    CollectorError.PERMISSION: "Allow ce:Get* and budgets:ViewBudget; a member account also needs the payer's consent.",
    CollectorError.AUTH: "Check access_key_id and secret_access_key, and this machine's clock.",
    CollectorError.RATE_LIMIT: "Ask less often (every), or let answers serve longer (refresh).",
}


@dataclass(frozen=True, slots=True)
class AwsKey:
    """By whose leave AWS is asked."""

    key_id: str
    secret: Secret
    session: Secret | None


class AwsClient:
    """One user's calls. ``url`` is the address of both services where it is not the vendor's; ``book`` keeps what was said."""

    def __init__(self, key: AwsKey, url: str, book: Book) -> None:
        self._key, self._url = key, url.rstrip("/")
        self.book = book

    async def call(self, ctx: Context, operation: str, asked: Mapping[str, Any], *, allow: str = "") -> dict[str, Any]:
        """One call; empty where AWS refuses with the kind of error that is allowed. Raises SourceError on any other."""
        budgets = operation.startswith("Describe")
        service, target = ("budgets", "AWSBudgetServiceGateway") if budgets else ("ce", "AWSInsightsIndexService")
        url = self._url or f"https://{'budgets' if budgets else 'ce.us-east-1'}.amazonaws.com"
        body = json.dumps(asked).encode()
        headers = _signed(self._key, f"{url}/", service, f"{target}.{operation}", body)
        reply = await ctx.http.post(
            f"{url}/", data=body, headers=headers, allow=(400, 403), price=0.0 if budgets else _PRICE
        )
        answer = reply.json()
        if not isinstance(answer, dict):
            raise SourceError(f"{operation}: the answer is no object", CollectorError.SCHEMA)
        if reply.status < 400:
            return answer
        kind = str(answer.get("__type", "")).rpartition("#")[2]
        if allow and kind.startswith(allow):
            return {}
        words = str(answer.get("Message") or answer.get("message") or "")[:300]
        other = CollectorError.PERMISSION if reply.status == 403 else CollectorError.CONFIG
        reason = next((r for k, r in _REASONS.items() if kind.startswith(k)), other)
        raise SourceError(f"{operation}: {kind or reply.status}: {words}", reason, hint=_HINTS.get(reason, ""))

    async def known(self, ctx: Context, operation: str, asked: Mapping[str, Any], *, allow: str = "") -> dict[str, Any]:
        """As ``call``, with an answer that serves all KPIs for as long as the book lets it."""
        key = json.dumps([operation, asked], sort_keys=True)
        ask = partial(self.call, ctx, operation, asked, allow=allow)
        found: dict[str, Any] = await self.book.answer(key, ctx.now, ask)
        return found

    def pages(
        self, ctx: Context, operation: str, asked: Mapping[str, Any], items: str, *, max_pages: int
    ) -> AsyncIterator[list[Any]]:
        """The lists ``items`` of an answer and of the pages that follow. Raises SourceError(SCHEMA) on one without it."""
        token = "NextPageToken"  # noqa: S105 - a field's name

        async def fetch(following: str | None) -> tuple[list[Any], str | None]:
            answer = await self.call(ctx, operation, {**asked, token: following} if following else asked)
            if not isinstance(answer.get(items), list):
                raise SourceError(f"{operation}: the answer has no {items}", CollectorError.SCHEMA)
            return answer[items], answer.get(token) or None

        return ctx.pages(fetch, max_pages=max_pages)


def _signed(key: AwsKey, url: str, service: str, target: str, body: bytes) -> dict[str, str]:
    """The headers of a call, with its signature (version 4)."""
    try:
        from botocore.auth import SigV4Auth
        from botocore.awsrequest import AWSRequest
        from botocore.credentials import Credentials
    except ImportError:
        raise SourceError("signing needs botocore", CollectorError.CONFIG, hint="Install bsc-monitor[aws].") from None
    session = key.session.reveal() if key.session else None
    headers = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": target}
    request = AWSRequest("POST", url, headers=headers, data=body)
    SigV4Auth(Credentials(key.key_id, key.secret.reveal(), session), service, "us-east-1").add_auth(request)
    return dict(request.headers.items())
