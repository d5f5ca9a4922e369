"""Who is asking: an identity with a role, from a user's password, a token or a trusted proxy's word."""

import asyncio
import base64
import binascii
import hashlib
import hmac
import secrets
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_address

from aiohttp import web

from bsc_monitor.web.routes import Policy

_CACHED = 1000
_MOST_CHECKS = 2  #: bcrypt costs a core for a quarter of a second; the others wait
_LONGEST = 1024  #: of credentials, bytes


@dataclass(frozen=True, slots=True)
class Identity:
    """A person or program, and what it may do."""

    name: str
    role: Policy

    def may(self, policy: Policy) -> bool:
        """Whether the role includes what a route asks for."""
        return self.role >= policy


NOBODY = Identity("", Policy.PUBLIC)
LOCAL = Identity("local", Policy.ADMIN)  #: without an auth file: whoever sits at this machine


@dataclass(frozen=True, slots=True)
class User:
    """A user with a bcrypt hash."""

    name: str
    hash: bytes = field(repr=False)
    role: Policy


@dataclass(frozen=True, slots=True)
class Token:
    """A bearer token, kept as the SHA-256 of its text."""

    name: str
    digest: str = field(repr=False)
    role: Policy


@dataclass(frozen=True, slots=True)
class Proxy:
    """A reverse proxy that names the user in a header; believed only from these addresses."""

    peers: tuple[IPv4Network | IPv6Network, ...]
    user_header: str
    role: Policy
    role_header: str | None = None


@dataclass(slots=True)
class Auth:
    """What an auth file says. ``identify`` answers for a request."""

    users: Mapping[str, User] = field(default_factory=dict)
    tokens: tuple[Token, ...] = ()
    proxy: Proxy | None = None
    _seen: OrderedDict[bytes, Identity] = field(default_factory=OrderedDict, repr=False)
    _key: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)
    _checks: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_MOST_CHECKS), repr=False)

    async def identify(self, request: web.Request) -> Identity:
        """Who asks; ``NOBODY`` without valid credentials."""
        if (known := self._by_proxy(request)) is not None:
            return known
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        if not given or len(given) > _LONGEST:
            return NOBODY
        if scheme.lower() == "bearer":
            return self._by_token(given.strip())
        if scheme.lower() == "basic":
            return await self._by_password(given.strip())
        return NOBODY

    def _by_proxy(self, request: web.Request) -> Identity | None:
        if self.proxy is None or self.proxy.user_header not in request.headers:
            return None
        peer = request.transport.get_extra_info("peername") if request.transport else None
        if not peer or not any(ip_address(peer[0]) in network for network in self.proxy.peers):
            return None
        name, role = request.headers[self.proxy.user_header].strip(), self.proxy.role
        if self.proxy.role_header and (said := request.headers.get(self.proxy.role_header)):
            role = ROLES.get(said.strip().lower(), self.proxy.role)
        return Identity(name, role) if name else None

    def _by_token(self, given: str) -> Identity:
        digest = hashlib.sha256(given.encode("utf-8", "surrogateescape")).hexdigest()
        found = NOBODY
        for token in self.tokens:  # all of them: the time taken must not tell which one was near
            if hmac.compare_digest(token.digest, digest):
                found = Identity(token.name, token.role)
        return found

    async def _by_password(self, given: str) -> Identity:
        try:
            name, _, password = base64.b64decode(given, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return NOBODY
        proof = hmac.digest(self._key, f"{name}\0{password}".encode(), "sha256")
        if (known := self._seen.get(proof)) is not None:
            return known
        user = self.users.get(name)
        async with self._checks:
            good = await asyncio.to_thread(_matches, password.encode(), user.hash if user else _NO_HASH)
        if user is None or not good:
            return NOBODY
        self._seen[proof] = known = Identity(name, user.role)
        if len(self._seen) > _CACHED:
            self._seen.popitem(last=False)
        return known


ROLES: Mapping[str, Policy] = {"viewer": Policy.VIEWER, "operator": Policy.OPERATOR, "admin": Policy.ADMIN}

# Of a random password: an unknown user costs as much time as a known one.
_NO_HASH = b"$2b$10$POthzsg8/FUi50GV30I.UO/P4kAYV5r25h1Wd1XRU1eYQFPMZLq76"


def _matches(password: bytes, hashed: bytes) -> bool:
    import bcrypt

    try:
        return bcrypt.checkpw(password[:72], hashed)
    except ValueError:
        return False
