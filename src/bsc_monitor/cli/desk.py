"""Where alerts are acted on: at the running service, or at its store while it does not run."""

from __future__ import annotations

import urllib.parse
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Protocol, TypeVar

import typer
from sqlalchemy import Connection

from bsc_monitor.alert.defaults import effective_inhibitions, effective_rules
from bsc_monitor.alert.quiet import Quiet
from bsc_monitor.cli.asking import api_of, ask_service
from bsc_monitor.config import Configuration
from bsc_monitor.config.durations import format_duration
from bsc_monitor.model.alert import Alert, AlertState, Maintenance, Matcher, Silence
from bsc_monitor.notify import controls, windows
from bsc_monitor.store import Store, Taken, read_only
from bsc_monitor.store.alerts import load_alerts
from bsc_monitor.store.controls import load_acknowledgements, load_silences
from bsc_monitor.store.windows import load_windows

T = TypeVar("T")


class Desk(Protocol):
    """What people do about alerts. ``alerts`` and ``silences`` are as ``/api/v1`` shows them."""

    def acknowledge(self, fingerprint: str, note: str, until: datetime | None, author: str) -> None:
        """Take an alert on."""

    def silence(self, matchers: Sequence[Matcher], starts: datetime, ends: datetime, author: str, comment: str) -> str:
        """Silence alerts; returns the silence's id."""

    def expire(self, name: str, author: str) -> None:
        """End a silence."""

    def maintain(self, window: Maintenance) -> None:
        """Open a recurring maintenance window."""

    def end_maintenance(self, name: str, author: str) -> None:
        """End a person's maintenance window."""

    def comment(self, subject: str, text: str, author: str) -> None:
        """Write a comment."""


@contextmanager
def at_desk(configuration: Configuration) -> Iterator[Desk]:
    """The store while nobody else writes to it, the running service's API otherwise. Mistakes are told in words."""
    try:
        store = Store.open(configuration.service.database)
    except Taken:
        yield ServiceDesk(configuration)
        return
    try:
        yield StoreDesk(store, configuration)
    except (controls.NotThere, controls.NotPossible) as error:
        raise typer.BadParameter(str(error)) from None
    finally:
        store.close()


class StoreDesk:
    """Acts on the store itself. Durable when it returns."""

    def __init__(self, store: Store, configuration: Configuration) -> None:
        self._store = store
        self._windows = configuration.maintenance

    def acknowledge(self, fingerprint: str, note: str, until: datetime | None, author: str) -> None:
        """See ``Desk``."""
        now = datetime.now(UTC)
        self._write(lambda connection: controls.acknowledge(connection, fingerprint, note, until, author, now))

    def silence(self, matchers: Sequence[Matcher], starts: datetime, ends: datetime, author: str, comment: str) -> str:
        """See ``Desk``."""
        now = datetime.now(UTC)
        return self._write(
            lambda connection: controls.silence(connection, matchers, starts, ends, author, comment, now)
        )

    def expire(self, name: str, author: str) -> None:
        """See ``Desk``."""
        now = datetime.now(UTC)
        self._write(lambda connection: controls.expire_silence(connection, name, author, now))

    def maintain(self, window: Maintenance) -> None:
        """See ``Desk``."""
        now = datetime.now(UTC)
        self._write(lambda connection: windows.open_window(connection, window, self._windows, now))

    def end_maintenance(self, name: str, author: str) -> None:
        """See ``Desk``."""
        now = datetime.now(UTC)
        self._write(lambda connection: windows.end_window(connection, name, author, self._windows, now))

    def comment(self, subject: str, text: str, author: str) -> None:
        """See ``Desk``."""
        now = datetime.now(UTC)
        self._write(lambda connection: controls.comment(connection, subject, text, author, now))

    def _write(self, work: Callable[[Connection], T]) -> T:
        return self._store.write_now(work)


class ServiceDesk:
    """Acts through the running service."""

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration

    def acknowledge(self, fingerprint: str, note: str, until: datetime | None, author: str) -> None:  # noqa: ARG002
        """See ``Desk``; the author is whoever the token says."""
        body = {"fingerprint": fingerprint, "note": note, **({"until": until.isoformat()} if until else {})}
        self._ask("POST", "/acknowledgements", body)

    def silence(
        self,
        matchers: Sequence[Matcher],
        starts: datetime,
        ends: datetime,
        author: str,  # noqa: ARG002
        comment: str,
    ) -> str:
        """See ``Desk``; the author is whoever the token says."""
        body = {
            "matchers": [conditions(m) for m in matchers],
            "startsAt": starts.isoformat(),
            "endsAt": ends.isoformat(),
            "comment": comment,
        }
        return str(self._ask("POST", "/silences", body)["silenceID"])

    def expire(self, name: str, author: str) -> None:  # noqa: ARG002
        """See ``Desk``; the author is whoever the token says."""
        self._ask("DELETE", f"/silences/{urllib.parse.quote(name, safe='')}", None)

    def maintain(self, window: Maintenance) -> None:
        """See ``Desk``; the author is whoever the token says."""
        body = {
            "id": window.id, "cron": window.cron, "lasts": format_duration(window.lasts), "timezone": window.timezone,
            "matchers": [conditions(m) for m in window.match], "comment": window.comment,
            **({"endsAt": window.until.isoformat()} if window.until else {}),
        }  # fmt: skip
        self._ask("POST", "/maintenance", body)

    def end_maintenance(self, name: str, author: str) -> None:  # noqa: ARG002
        """See ``Desk``; the author is whoever the token says."""
        self._ask("DELETE", f"/maintenance/{urllib.parse.quote(name, safe='')}", None)

    def comment(self, subject: str, text: str, author: str) -> None:  # noqa: ARG002
        """See ``Desk``; the author is whoever the token says."""
        self._ask("POST", "/comments", {"subject": subject, "text": text})

    def _ask(self, method: str, path: str, body: Any) -> Any:
        try:
            return ask_service(self._configuration, method, path, body)
        except OSError as error:
            address, why = api_of(self._configuration), getattr(error, "reason", error)
            raise typer.BadParameter(f"a service has the database, but does not answer at {address}: {why}") from None


def read_alerts(configuration: Configuration, now: datetime) -> tuple[list[Alert], Quiet]:
    """Pending and firing alerts, firing first, and all that holds them back, beside whoever writes."""

    def read(connection: Connection) -> tuple[list[Alert], Quiet]:
        alerts = load_alerts(connection, states=[AlertState.FIRING, AlertState.PENDING])
        alerts.sort(key=lambda alert: (alert.state is not AlertState.FIRING, alert.starts_at or now, alert.fingerprint))
        rules = effective_rules(configuration.alert_rules)
        quiet = Quiet(
            tuple(load_silences(connection, since=now)),
            (*configuration.maintenance.values(), *load_windows(connection, since=now)),
            effective_inhibitions(rules, configuration.inhibitions.values()), tuple(alerts),
            load_acknowledgements(connection, firing=True),
        )  # fmt: skip
        return alerts, quiet

    return read_only(configuration.service.database, read)


def read_windows(configuration: Configuration, now: datetime) -> list[Maintenance]:
    """The maintenance windows that have not ended: the configuration's, then people's."""
    kept = read_only(configuration.service.database, lambda connection: load_windows(connection, since=now))
    return [*configuration.maintenance.values(), *kept]


def conditions(matcher: Matcher) -> dict[str, object]:
    """A matcher in the shape of Alertmanager's v2 API."""
    sign = matcher.operator
    return {"name": matcher.label, "value": matcher.value, "isRegex": sign.endswith("~"), "isEqual": sign[0] == "="}


def read_silences(configuration: Configuration, now: datetime) -> list[Silence]:
    """Silences that have not ended."""
    return read_only(configuration.service.database, lambda connection: load_silences(connection, since=now))
