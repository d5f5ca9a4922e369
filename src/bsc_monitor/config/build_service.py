"""From ``[service]`` and ``[sandbox]`` to settings; refused here is what the service would refuse at its start."""

from __future__ import annotations

from ipaddress import ip_address
from pathlib import Path

from bsc_monitor.config.form import SandboxForm, ServiceForm
from bsc_monitor.config.notes import Notes
from bsc_monitor.config.secrets import SecretReader
from bsc_monitor.config.settings import SandboxSettings, ServiceSettings

NO_SIGN_IN = 'set service.auth = "web.toml" with users or tokens, or listen on 127.0.0.1'  #: what to do about it


def build_service(form: ServiceForm | None, base: Path, reader: SecretReader, notes: Notes) -> ServiceSettings:
    """The service's settings; relative paths start at ``base``."""
    if form is None:
        return ServiceSettings()
    host, _, port = form.listen.rpartition(":")
    host = host.strip("[]")
    if form.auth is None and not is_local(host):
        message = f"{host} can be reached from other machines, and there is no sign-in"
        notes.error(("service", "listen"), message, NO_SIGN_IN)
    return ServiceSettings(
        host=host, port=int(port), database=_database(form, base, reader, notes), timezone=form.timezone,
        retention=form.retention, plugins=tuple(base / folder for folder in form.plugins),
        auth=base / form.auth if form.auth else None, url=form.url,
        places={key: notes.place(("service", key)) for key in ("listen", "auth")},
    )  # fmt: skip


def build_sandbox(form: SandboxForm | None, base: Path) -> SandboxSettings | None:
    """The sandbox's settings; None: there is none."""
    if form is None:
        return None
    names = ("servicenow_incidents", "servicenow_tables", "jira_issues", "focus_folder")
    paths = {name: base / given for name in names if (given := getattr(form, name))}
    return SandboxSettings(
        port=form.port, seed=form.seed, since=form.since, requests_per_hour=form.requests_per_hour, **paths
    )


def is_local(host: str) -> bool:
    """Whether a host name or address is this machine's loopback."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _database(form: ServiceForm, base: Path, reader: SecretReader, notes: Notes) -> str:
    """The database's address, relative to nothing; noted is what the store would not open."""
    key = ("service", "database")
    said = reader.take(form.database, key, warn=False)
    if said is None:
        return ""
    scheme, found, file = said.partition(":///")
    if found and scheme.startswith("sqlite") and file and file != ":memory:":
        said = f"{scheme}:///{base / file}"
        if scheme == "sqlite" and (base / file).parent.is_dir():
            return said  # as nearly always: spares loading the database toolkit
    from bsc_monitor.store.engines import StoreError, build_engine, parse_url

    try:
        address = parse_url(said)
        if address.get_backend_name() == "postgresql":
            build_engine(address, reading=True).dispose()  # connects to nothing: tells of a missing driver
    except StoreError as error:
        notes.error(key, error.message, error.hint)
    return said
