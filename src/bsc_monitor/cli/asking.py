"""Asking the running service. ``BSC_TOKEN`` holds the token where it wants one. Brings no store: most verbs do without."""

from __future__ import annotations

import json
import os
import ssl
import tomllib
import urllib.error
import urllib.request
from http.client import HTTPResponse
from pathlib import Path
from typing import Any, cast

import typer

from bsc_monitor.config import Configuration, ServiceSettings

_SECONDS = 10.0


def address_of(configuration: Configuration) -> str:
    """The address of the running service, as the configuration gives it."""
    service = configuration.service
    host = f"[{service.host}]" if ":" in service.host else service.host
    scheme = "https" if _certificate(service) else "http"
    return (service.url or f"{scheme}://{host}:{service.port}").rstrip("/")


def api_of(configuration: Configuration) -> str:
    """The address of the running service's API."""
    return address_of(configuration) + "/api/v1"


def request_of(url: str, method: str = "GET") -> urllib.request.Request:
    """A request with the token."""
    request = urllib.request.Request(url, method=method)  # noqa: S310 - from the configuration
    if token := os.environ.get("BSC_TOKEN"):
        request.add_header("Authorization", f"Bearer {token}")
    return request


def open_request(
    configuration: Configuration, request: urllib.request.Request, data: bytes | None = None, seconds: float = _SECONDS
) -> HTTPResponse:
    """The service's reply. Raises OSError; of it HTTPError for a refusal.

    Where no url is given, the service is asked where it listens, under a name that its certificate need not have: then
    that very certificate is trusted, and no other.
    """
    service, context = configuration.service, None
    certificate = None if service.url else _certificate(service)
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        context.load_verify_locations(certificate)
    opened = urllib.request.urlopen(request, data, timeout=seconds, context=context)  # noqa: S310 - from the configuration
    return cast("HTTPResponse", opened)


def _certificate(service: ServiceSettings) -> Path | None:
    """The certificate that the service shows, as its sign-in file says; None: it speaks without TLS, or does not run so."""
    if service.auth is None:
        return None
    try:
        file = tomllib.loads(service.auth.read_text("utf-8"))["tls_server_config"]["cert_file"]
    except (OSError, ValueError, LookupError, TypeError):
        return None
    return service.auth.parent / str(file)


def ask_service(configuration: Configuration, method: str, path: str, body: Any) -> Any:
    """What the service's API answers, as JSON. Raises typer.BadParameter with its refusal, OSError when there is none."""
    request = request_of(api_of(configuration) + path, method)
    request.add_header("Content-Type", "application/json")
    data = None if body is None else json.dumps(body).encode()
    try:
        with open_request(configuration, request, data) as reply:
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
