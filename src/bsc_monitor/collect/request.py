"""What is sent: address, headers with credentials that the redactor knows from then on, and the body."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from yarl import URL

from bsc_monitor import __version__
from bsc_monitor.collect.redact import Redactor
from bsc_monitor.plugin import CollectorError, Secret, SourceError

Query = Mapping[str, str | int | float | bool]


@dataclass(frozen=True, slots=True)
class Request:
    """One request; ``retry`` says whether asking twice does no harm, ``price`` what it costs."""

    method: str
    url: URL
    headers: Mapping[str, str]
    body: bytes | None
    allow: tuple[int, ...]
    price: float
    retry: bool


def prepare(
    redactor: Redactor, method: str, url: str, *, params: Query | None, headers: Mapping[str, str] | None,
    bearer: Secret | None, basic: tuple[str, Secret] | None, body: bytes | None = None, allow: tuple[int, ...],
    price: float, retry: bool = True,
) -> Request:  # fmt: skip
    """A request as it goes on the wire. Raises SourceError(CONFIG) for an address that is none."""
    sent = {
        "User-Agent": f"bsc-monitor/{__version__}", "Accept": "application/json", "Accept-Encoding": "gzip, deflate",
    }  # fmt: skip
    if bearer is not None:
        redactor.add(bearer.reveal())
        sent["Authorization"] = f"Bearer {bearer.reveal()}"
    if basic is not None:
        redactor.add(basic[1].reveal(), user=basic[0])
        sent["Authorization"] = f"Basic {base64.b64encode(f'{basic[0]}:{basic[1].reveal()}'.encode()).decode()}"
    sent.update(headers or {})
    try:
        target = URL(url)
        if params:
            target = target.update_query({k: _word(v) for k, v in params.items()})
    except (ValueError, TypeError) as error:
        raise SourceError(redactor.text(f"{url!r} is no usable address: {error}"), CollectorError.CONFIG) from None
    if target.scheme not in ("http", "https") or not target.host:
        words = f"{url!r} is no usable address: it must start with http:// or https:// and name a host"
        raise SourceError(redactor.text(words), CollectorError.CONFIG)
    return Request(method, target, sent, body, allow, price, retry)


def encode(value: Any, data: bytes | str | Mapping[str, str] | None) -> tuple[bytes, str]:
    """A body and its media type: ``value`` as JSON, else a form, text or bytes."""
    if value is not None:
        return json.dumps(value, allow_nan=False).encode(), "application/json"
    if isinstance(data, Mapping):
        return URL.build(query=dict(data)).raw_query_string.encode(), "application/x-www-form-urlencoded"
    if isinstance(data, str):
        return data.encode(), "text/plain; charset=utf-8"
    return data or b"", "application/octet-stream"


def _word(value: str | float | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
