"""Asking the running service. ``BSC_TOKEN`` holds the token where it wants one. Brings no store: most verbs do without."""

from __future__ import annotations

import json
import os
import urllib.error
import urllib.request
from typing import Any

import typer

from bsc_monitor.config import Configuration

_SECONDS = 10.0


def address_of(configuration: Configuration) -> str:
    """The address of the running service, as the configuration gives it."""
    service = configuration.service
    host = f"[{service.host}]" if ":" in service.host else service.host
    return (service.url or f"http://{host}:{service.port}").rstrip("/")


def api_of(configuration: Configuration) -> str:
    """The address of the running service's API."""
    return address_of(configuration) + "/api/v1"


def request_of(url: str, method: str = "GET") -> urllib.request.Request:
    """A request with the token."""
    request = urllib.request.Request(url, method=method)  # noqa: S310 - from the configuration
    if token := os.environ.get("BSC_TOKEN"):
        request.add_header("Authorization", f"Bearer {token}")
    return request


def ask_service(url: str, method: str, body: Any) -> Any:
    """What the service answers, as JSON. Raises typer.BadParameter with its refusal, OSError when there is none."""
    request = request_of(url, method)
    request.add_header("Content-Type", "application/json")
    data = None if body is None else json.dumps(body).encode()
    try:
        with urllib.request.urlopen(request, data, timeout=_SECONDS) as reply:  # noqa: S310
            text = reply.read(1 << 20)
    except urllib.error.HTTPError as error:
        raise typer.BadParameter(_refusal(error)) from None
    return json.loads(text) if text.strip() else None


def _refusal(error: urllib.error.HTTPError) -> str:
    try:
        said = json.loads(error.read(65_536))
        words = said.get("detail") or said.get("error") or said.get("message") or said.get("title")
    except (ValueError, AttributeError):
        words = None
    if error.code in (401, 403) and not words:
        words = "the service wants a token of an operator: set BSC_TOKEN"
    return str(words or f"the service answered {error.code}")
