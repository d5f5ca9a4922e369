"""From a planned job to the message: the alerts as they were, as they are, and the numbers behind them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection

from bsc_monitor.alert.quiet import Quiet
from bsc_monitor.alert.routing import Channel, Routing, group_labels
from bsc_monitor.model.alert import Alert, AlertRule
from bsc_monitor.notify.message import Item, Message, Moment
from bsc_monitor.notify.plan import Job
from bsc_monitor.notify.wording import Wording, rule_text
from bsc_monitor.store.alert_json import from_json
from bsc_monitor.store.alerts import load_alerts
from bsc_monitor.store.told import told_of

Trend = Callable[[Connection, Alert], Sequence[float]]
_MOST_SHOWN = 50  #: alerts that merely go on in one message


@dataclass(frozen=True, slots=True)
class Composer:
    """What composing needs beside the store: the rules' own words, the values of past periods."""

    rules: Mapping[str, AlertRule] = field(default_factory=dict)
    routing: Routing = field(default_factory=Routing)
    wording: Wording = field(default_factory=Wording)
    trend: Trend | None = None

    def compose(
        self, connection: Connection, channel: Channel, job: Job, key: str, quiet: Quiet, now: datetime
    ) -> Message:
        """The message of a job under an idempotency key."""
        changed = self._changed(connection, job, quiet, now)
        seen = {item.alert.fingerprint for item in changed}
        going_on = [
            self.item(connection, alert, (), quiet, now)
            for alert in self._going_on(connection, channel, job, seen)
            if not quiet.held(alert, now)
        ]
        items = (*changed, *going_on)
        route = self.routing.route(job.route)
        group = group_labels(route, items[0].alert.labels) if items else {}
        if not job.group:  # several groups: what they all share
            group = {k: v for k, v in group.items() if all(item.alert.labels.get(k) == v for item in items)}
        return Message(
            key, channel.receiver.id, job.route, now, group, items, repeated=not job.rows,
            escalated=job.escalates, late=job.late,
        )  # fmt: skip

    def _changed(self, connection: Connection, job: Job, quiet: Quiet, now: datetime) -> list[Item]:
        rows: dict[str, list[tuple[Moment, Alert]]] = {}
        for row in job.rows:
            alert = from_json(row.payload)
            rows.setdefault(row.fingerprint, []).append((Moment(row.kind, row.at, row.key), alert))
        return [
            self.item(connection, told[-1][1], tuple(moment for moment, _ in told), quiet, now)
            for told in rows.values()
        ]

    def _going_on(self, connection: Connection, channel: Channel, job: Job, seen: set[str]) -> list[Alert]:
        beliefs = [
            each.fingerprint
            for each in told_of(connection, channel.id)
            if each.open and each.group == job.group and each.fingerprint not in seen
        ]
        alerts = load_alerts(connection, fingerprints=sorted(beliefs)[:_MOST_SHOWN])
        return [alert for alert in alerts if alert.state == "firing" or alert.flapping]

    def item(
        self, connection: Connection, alert: Alert, moments: tuple[Moment, ...], quiet: Quiet, now: datetime
    ) -> Item:
        """One alert with all that is told of it."""
        rule = self.rules.get(alert.rule)
        trend = tuple(self.trend(connection, alert)) if self.trend is not None else ()
        return Item(
            alert, rule.when if rule else "breach", moments, trend, rule_text(rule, alert, self.wording) if rule else "",
            alert.facts.runbook_url or (rule.runbook_url if rule else ""), quiet.acknowledgement(alert, now),
        )  # fmt: skip
