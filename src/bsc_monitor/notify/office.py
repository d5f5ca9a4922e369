"""What all lanes share: the store, the configuration in force, the alerts that may inhibit others."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection

from bsc_monitor.alert.defaults import effective_inhibitions, effective_rules
from bsc_monitor.alert.quiet import Quiet, may_inhibit
from bsc_monitor.alert.routing import Channel, Routing
from bsc_monitor.bus import Bus
from bsc_monitor.model.alert import Alert, AlertRule, AlertState, Inhibition, Maintenance, Receiver, Route
from bsc_monitor.notify.alertmanager import alertmanager_sender
from bsc_monitor.notify.apprising import apprise_sender
from bsc_monitor.notify.compose import Composer, Trend
from bsc_monitor.notify.outcome import OpenHttp, Send
from bsc_monitor.notify.plugged import PluginReceiver, plugin_sender
from bsc_monitor.notify.webhook import webhook_sender
from bsc_monitor.notify.wording import Wording
from bsc_monitor.store import Store
from bsc_monitor.store.controls import load_acknowledgements, load_silences
from bsc_monitor.store.windows import load_windows

_REMEMBERED = timedelta(days=2)  #: how long an ended silence or inhibiting alert explains what was held back


@dataclass(frozen=True, slots=True)
class Settings:
    """What the configuration says of delivery."""

    rules: Mapping[str, AlertRule] = field(default_factory=dict)
    routes: Mapping[str, Route] = field(default_factory=dict)
    receivers: Mapping[str, Receiver] = field(default_factory=dict)
    maintenance: Mapping[str, Maintenance] = field(default_factory=dict)
    inhibitions: Mapping[str, Inhibition] = field(default_factory=dict)
    timezone: str = "UTC"
    board: str = ""  #: address of the board as people reach it
    titles: Mapping[str, str] = field(default_factory=dict)  #: of scorecards, perspectives, objectives: ``kind:name``

    @property
    def routing(self) -> Routing:
        """Who is told."""
        return Routing(self.routes, self.receivers)

    @property
    def wording(self) -> Wording:
        """How it is told."""
        return Wording(self.timezone, self.board, self.titles)

    @property
    def all_inhibitions(self) -> tuple[Inhibition, ...]:
        """Those configured and the built-in one."""
        return effective_inhibitions(effective_rules(self.rules), self.inhibitions.values())


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast delivery goes. Tests scale it."""

    first: float = 1.0  #: seconds to wait after a first failure; doubled with each further one …
    longest: float = 30.0  #: … up to this, for ever
    resend: timedelta = timedelta(minutes=1)  #: an Alertmanager is told again this often
    again: int = 3  #: how often it is told of an end again
    lease: timedelta = timedelta(minutes=1)  #: for how long a message belongs to the instance that sends it
    gather: float = 0.05  #: seconds to wait for company after news
    look: float = 30.0  #: seconds after which it is looked again in any case


@dataclass(slots=True)
class Office:
    """Shared by the lanes of one notifier; lives in the loop's thread."""

    store: Store
    bus: Bus
    settings: Settings
    open_http: OpenHttp
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    plugins: Mapping[str, PluginReceiver] = field(default_factory=dict)
    trend: Trend | None = None
    instance: str = "one"
    pace: Pace = Pace()
    inhibitors: dict[str, Alert] = field(default_factory=dict)

    def heard(self, alert: Alert) -> None:
        """Remember an alert that may inhibit others."""
        if alert.starts_at is None or not may_inhibit(self.settings.all_inhibitions, alert):
            return
        self.inhibitors[alert.fingerprint] = alert
        oldest = self.clock() - _REMEMBERED
        for name, other in list(self.inhibitors.items()):
            if other.state is not AlertState.FIRING and (other.resolved_at or oldest) <= oldest:
                del self.inhibitors[name]

    def quiet(self, connection: Connection, inhibitors: tuple[Alert, ...], now: datetime) -> Quiet:
        """What holds messages back now, people's latest wishes included."""
        return Quiet(
            tuple(load_silences(connection, since=now - _REMEMBERED)),
            (*self.settings.maintenance.values(), *load_windows(connection, since=now - _REMEMBERED)),
            self.settings.all_inhibitions,
            inhibitors,
            load_acknowledgements(connection, firing=True),
        )

    def composer(self) -> Composer:
        """What makes messages under the configuration in force."""
        settings = self.settings
        return Composer(effective_rules(settings.rules), settings.routing, settings.wording, self.trend)

    def sender(self, channel: Channel) -> Send:
        """What sends to a channel."""
        return sender_of(channel, self.settings, self.open_http, self.plugins, self.clock, self.pace)


def sender_of(
    channel: Channel,
    settings: Settings,
    open_http: OpenHttp,
    plugins: Mapping[str, PluginReceiver],
    clock: Callable[[], datetime],
    pace: Pace,
) -> Send:
    """What sends to a channel, by its kind."""
    receiver, wording = channel.receiver, settings.wording
    if channel.kind == "alertmanager":
        return alertmanager_sender(channel.id, receiver.alertmanager, open_http, wording, clock, pace.resend)
    if channel.kind == "apprise":
        return apprise_sender(receiver.apprise[channel.place].get_secret_value())
    if channel.kind == "plugin" or receiver.webhook is None:
        return plugin_sender(receiver.plugin, plugins, receiver.config, wording)
    return webhook_sender(channel.id, receiver.webhook, open_http, wording, clock)
