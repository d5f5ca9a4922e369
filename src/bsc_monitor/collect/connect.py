"""Connecting: which addresses a source may lead to, and what a failed connection means in words."""

from __future__ import annotations

import ipaddress
import socket
from typing import Any

import aiohttp

from bsc_monitor.model.source import Source
from bsc_monitor.plugin import CollectorError

_MARK = "this address is not allowed"


class _ForbiddenAddressError(OSError):
    pass


def connector(source: Source) -> aiohttp.TCPConnector:
    """A connection pool that looks at the *resolved* address before it connects, so that no name can lead elsewhere.

    Private and loopback addresses need ``allow_private``. Link-local ones (a cloud's metadata service answers there)
    are refused unless ``hosts`` names the very address.
    """

    def open_socket(info: Any) -> socket.socket:
        family, kind, proto, _, address = info
        _check_address(str(address[0]), source)
        return socket.socket(family=family, type=kind, proto=proto)

    return aiohttp.TCPConnector(limit=32, socket_factory=open_socket, ttl_dns_cache=60)


def _check_address(text: str, source: Source) -> None:
    address = ipaddress.ip_address(text.split("%", maxsplit=1)[0])
    mapped = getattr(address, "ipv4_mapped", None)
    address = mapped or address
    if str(address) in source.hosts:
        return
    if address.is_link_local or address.is_multicast or address.is_unspecified:
        raise _ForbiddenAddressError(f"{_MARK}: {address} is link-local, multicast or unspecified")
    if not address.is_global and not source.allow_private:
        raise _ForbiddenAddressError(f"{_MARK}: {address} is private")


def network_error(error: Exception) -> tuple[CollectorError, str, str]:
    """Class, sentence and hint of an exchange that failed below HTTP. The sentence still has to be masked."""
    text = str(getattr(error, "os_error", None) or error)
    if _MARK in text:
        what = text[text.index(_MARK) :]
        return CollectorError.CONFIG, what, "Set allow_private = true on the source if it is meant to be there."
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return CollectorError.CONFIG, f"its TLS certificate is not trusted: {error.certificate_error}", _TLS
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return CollectorError.TRANSIENT, "the host's name cannot be resolved", "Check the url of the source and DNS."
    if isinstance(error, aiohttp.ClientConnectorError):
        return CollectorError.TRANSIENT, f"no connection: {error.strerror or error.os_error}", _DOWN
    if isinstance(error, aiohttp.ServerDisconnectedError):
        return CollectorError.TRANSIENT, "the source closed the connection without an answer", ""
    if isinstance(error, aiohttp.ClientPayloadError):
        return CollectorError.TRANSIENT, "the answer broke off in the middle", ""
    if isinstance(error, aiohttp.InvalidURL):
        return CollectorError.CONFIG, "this is no usable address", "Check the url of the source."
    if isinstance(error, aiohttp.ClientResponseError):  # its repr holds the request's headers: never print it
        return CollectorError.SCHEMA, f"the answer is not HTTP as it should be: {error.message}", ""
    if isinstance(error, (aiohttp.ClientError, OSError)):
        return CollectorError.TRANSIENT, f"the connection failed: {type(error).__name__}", ""
    return CollectorError.CONFIG, f"the request cannot be sent: {text}", ""


_TLS = "Install the issuing authority's certificate on this machine (SSL_CERT_FILE); certificates are always verified."
_DOWN = "Check that the source is up and that its url and port are right."
