"""The auth file, in the form that Prometheus exporters' web config has, as TOML: TLS, users, tokens, a trusted proxy."""

import re
import ssl
import tomllib
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from bsc_monitor.web.auth.access import ROLES, Auth, Proxy, Token, User

Role = Literal["viewer", "operator", "admin"]
_BCRYPT = re.compile(r"\$2[abxy]\$\d\d\$[./A-Za-z0-9]{53}")
_VERSIONS = {"TLS12": ssl.TLSVersion.TLSv1_2, "TLS13": ssl.TLSVersion.TLSv1_3}


class AuthFileError(Exception):
    """The file cannot be used; ``hint`` says what to do. Neither holds a secret."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Access:
    """What the file says."""

    auth: Auth | None  #: None: it names nobody, so the board stays on this machine
    tls: ssl.SSLContext | None


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


class _Tls(_Form):
    cert_file: Path
    key_file: Path
    client_ca_file: Path | None = None
    min_version: Literal["TLS12", "TLS13"] = "TLS12"


class _Token(_Form):
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-fA-F]{64}$")]
    role: Role = "viewer"


class _Proxy(_Form):
    peers: Annotated[list[IPv4Network | IPv6Network], Field(min_length=1)]
    user_header: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9-]+$")] = "X-Forwarded-User"
    role_header: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9-]+$")] | None = None
    role: Role = "viewer"


class _File(_Form):
    tls_server_config: _Tls | None = None
    basic_auth_users: dict[str, str] = Field(default_factory=dict)
    roles: dict[str, Role] = Field(default_factory=dict)
    tokens: dict[str, _Token] = Field(default_factory=dict)
    trusted_proxy: _Proxy | None = None


def load_access(file: Path) -> Access:
    """Read an auth file; paths in it are relative to it. Raises AuthFileError in words."""
    form = _read(file)
    for name, hashed in form.basic_auth_users.items():
        if not _BCRYPT.fullmatch(hashed):
            raise AuthFileError(
                f"{file}: basic_auth_users.{name} is not a bcrypt hash", "make one with: htpasswd -nBC 12 NAME"
            )
    if unknown := sorted(form.roles.keys() - form.basic_auth_users.keys()):
        raise AuthFileError(f"{file}: roles.{unknown[0]}: there is no such user", "name a user of [basic_auth_users]")
    users = {
        name: User(name, hashed.encode(), ROLES[form.roles.get(name, "viewer")])
        for name, hashed in form.basic_auth_users.items()
    }
    tokens = tuple(Token(name, each.sha256.lower(), ROLES[each.role]) for name, each in form.tokens.items())
    given = form.trusted_proxy
    proxy = Proxy(tuple(given.peers), given.user_header, ROLES[given.role], given.role_header) if given else None
    auth = Auth(users, tokens, proxy) if users or tokens or proxy else None
    return Access(auth, _context(form.tls_server_config, file) if form.tls_server_config else None)


def _read(file: Path) -> _File:
    try:
        return _File.model_validate(tomllib.loads(file.read_text("utf-8")))
    except OSError as error:
        raise AuthFileError(
            f"{file} cannot be read: {error.strerror}", "check service.auth and the file's rights"
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise AuthFileError(f"{file} is not TOML: {error}") from None
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise AuthFileError(f"{file}: {place}: {first['msg']}", "see the reference on sign-in for the form") from None


def _context(form: _Tls, file: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = _VERSIONS[form.min_version]
    try:
        context.load_cert_chain(file.parent / form.cert_file, file.parent / form.key_file)
        if form.client_ca_file is not None:
            context.load_verify_locations(file.parent / form.client_ca_file)
            context.verify_mode = ssl.CERT_REQUIRED
    except (OSError, ssl.SSLError) as error:
        raise AuthFileError(
            f"{file}: tls_server_config: the certificate cannot be used: {error.strerror or 'not a PEM file'}",
            "cert_file, key_file and client_ca_file are PEM files; the key must fit the certificate",
        ) from None
    return context
