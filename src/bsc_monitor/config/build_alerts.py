"""From ``[alerts]``, ``[receivers]``, ``[routes]``, ``[maintenance]`` and ``[inhibitions]`` to alerting's vocabulary."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pydantic import SecretStr

from bsc_monitor.config.form_alert import AlertForm, InhibitionForm, MaintenanceForm, ReceiverForm, RouteForm
from bsc_monitor.config.graphs import cycles
from bsc_monitor.config.notes import Notes
from bsc_monitor.config.positions import Path
from bsc_monitor.config.problems import near
from bsc_monitor.config.secrets import SecretReader
from bsc_monitor.config.things import Thing, Things
from bsc_monitor.model.alert import AlertRule, Inhibition, Maintenance, Matcher, MatchOperator, Receiver, Route, Webhook
from bsc_monitor.model.organisation import Organisation
from bsc_monitor.model.status import Status
from bsc_monitor.score.curve import GREEN_SCORE, RED_SCORE

AddressFault = Callable[[str], str]  #: what is wrong with an address of Apprise, without its secrets; empty: nothing
_LABELS = frozenset({
    "alertname", "severity", "scorecard", "perspective", "objective", "kpi", "source", "measure", "owner", "initiative",
    "insight", "kind", "status", "reason", "segment", "dimension",
})  # fmt: skip
_LABEL_NAMES = {"alert": "alertname"}  #: as config says it → as alerts carry it
_OPERATORS: tuple[MatchOperator, ...] = ("!=", "=~", "!~")


class AlertBuilder:
    """Builds everything around alerts. ``organisation`` and ``sources`` are what labels may name."""

    def __init__(
        self, things: Things, organisation: Organisation, notes: Notes, address_fault: AddressFault = lambda _: ""
    ) -> None:
        self._things = things
        self._notes = notes
        self._address_fault = address_fault
        self._labels = set(_LABELS)
        for thing in things.of("alerts", AlertForm):
            self._labels.update(thing.form.labels)
        self._ids = {
            "scorecard": things.known("scorecards"),
            "objective": {name.rpartition("/")[2] for name in things.known("objectives")},
            "kpi": {name.rpartition("/")[2] for name in things.known("kpis")},
            "source": things.known("sources"),
            "initiative": things.known("initiatives"),
            "alertname": things.known("alerts") or None,
            "perspective": {view.id for card in organisation.scorecards.values() for view in card.perspectives},
        }

    def rules(self) -> dict[str, AlertRule]:
        """The alert rules by id."""
        return {thing.id: self._rule(thing) for thing in self._things.of("alerts", AlertForm)}

    def _rule(self, thing: Thing[AlertForm]) -> AlertRule:
        form, path = thing.form, thing.path
        if form.when == "score" and form.below is None and form.fell_by is None:
            self._notes.error(path, 'when = "score" needs below or fell_by', "below = 50")
        for key, kind in (
            ("status", "breach"),
            ("below", "score"),
            ("fell_by", "score"),
            ("insights", "insight"),
            ("within", "forecast"),
        ):
            if key in thing.data and form.when != kind:
                self._notes.error((*path, key), f'has a meaning only with when = "{kind}"')
        self._check_clear(form, path)
        if form.for_periods is not None and "for" in thing.data:
            self._notes.error((*path, "for_periods"), "for is given too", "keep one of them")
        return AlertRule(
            id=thing.id, when=form.when, status=Status(form.status), below=form.below, fell_by=form.fell_by,
            insights=tuple(form.insights), within=form.within, match=self._match(form.match, (*path, "match")),
            for_=form.for_, for_periods=form.for_periods, keep_firing_for=form.keep_firing_for, clear=form.clear,
            flap_limit=form.flap_limit, flap_window=form.flap_window, severity=form.severity, labels=form.labels,
            runbook_url=form.runbook_url or "", message=form.message, place=self._notes.place(path),
        )  # fmt: skip

    def _check_clear(self, form: AlertForm, path: Path) -> None:
        """An alert must not be over at a score at which it fires."""
        if form.clear is None:
            return
        where = (*path, "clear")
        if form.when not in ("breach", "score"):
            self._notes.error(where, 'has a meaning only with when = "breach" or "score"')
            return
        fires, named = form.below, f"below ({form.below:g})" if form.below is not None else ""
        if form.when == "breach":
            fires = RED_SCORE if form.status == "red" else GREEN_SCORE
            named = f"{fires:.1f}, up to which a score is {form.status}"
        if fires is not None and form.clear < fires:
            message = f"{form.clear:g} is less than {named}: the alert would be over while it still fires"
            self._notes.error(where, message, f"clear = {min(math.ceil(fires) + 5, 100)}")

    def receivers(self, reader: SecretReader) -> dict[str, Receiver]:
        """The receivers by id."""
        return {thing.id: self._receiver(thing, reader) for thing in self._things.of("receivers", ReceiverForm)}

    def _receiver(self, thing: Thing[ReceiverForm], reader: SecretReader) -> Receiver:
        form, path = thing.form, thing.path
        if not (form.alertmanager or form.apprise or form.webhook or form.plugin):
            self._notes.error(path, "says nowhere to send to", "set apprise, alertmanager, webhook or plugin")
        if form.options and not form.plugin:
            self._notes.error((*path, "options"), "has a meaning only with plugin")
        options = {key: self._option(value, (*path, "options", key), reader) for key, value in form.options.items()}
        apprise = [reader.take(said, (*path, "apprise", place)) for place, said in enumerate(form.apprise)]
        for place, address in enumerate(apprise):
            if address and (fault := self._address_fault(address)):
                self._notes.error((*path, "apprise", place), fault, "as mailtos://user:password@example.com")
        webhook = None
        if form.webhook is not None:
            said = form.webhook.secret
            secret = None if said is None else reader.take(said, (*path, "webhook", "secret"))
            webhook = Webhook(form.webhook.url, SecretStr(secret) if secret else None, form.webhook.cloudevents)
        return Receiver(
            thing.id, tuple(form.alertmanager), tuple(SecretStr(s) for s in apprise if s), webhook,
            form.plugin or "", options, send_resolved=form.send_resolved, place=self._notes.place(path),
        )  # fmt: skip

    def _option(self, value: Any, path: Path, reader: SecretReader) -> Any:
        """A plugin's option; ``{ env = … }`` and ``{ file = … }`` become the secret that they name."""
        if isinstance(value, Mapping) and len(value) == 1 and set(value) <= {"env", "file"}:
            return SecretStr(reader.take(value, path) or "")
        return value

    def routes(self) -> dict[str, Route]:
        """The routes by id, in the order of the files."""
        things = list(self._things.of("routes", RouteForm))
        known = self._things.known("routes")
        for thing in things:
            self.check_references(thing.form.receivers, "receivers", (*thing.path, "receivers"))
            for key in ("parent", "next"):
                said = getattr(thing.form, key)
                if said is not None and said not in known:
                    self._notes.error((*thing.path, key), f"there is no route {said!r}", near(said, known - {thing.id}))
            if (thing.form.next is None) != (thing.form.escalate_after is None):
                there, missing = ("next", "escalate_after") if thing.form.next else ("escalate_after", "next")
                self._notes.error((*thing.path, there), f"{missing} is missing: escalation needs both")
        paths = {thing.id: thing.path for thing in things}
        for key in ("parent", "next"):
            links = {t.id: (getattr(t.form, key),) if getattr(t.form, key) else () for t in things}
            for circle in cycles(links):
                self._notes.error((*paths[circle[0]], key), f"circular routes: {' → '.join(circle)}")
        return {thing.id: self._route(thing, order) for order, thing in enumerate(things)}

    def _route(self, thing: Thing[RouteForm], order: int) -> Route:
        form = thing.form
        group_by = tuple(_LABEL_NAMES.get(label, label) for label in form.group_by)
        for place, label in enumerate(group_by):
            if label != "...":
                self._check_label(label, (*thing.path, "group_by", place))
        return Route(
            id=thing.id, receivers=tuple(form.receivers), match=self._match(form.match, (*thing.path, "match")),
            group_by=group_by, group_wait=form.group_wait, group_interval=form.group_interval,
            repeat_interval=form.repeat_interval, parent=form.parent, order=order, goes_on=form.goes_on,
            escalate_after=form.escalate_after, next=form.next, place=self._notes.place(thing.path),
        )  # fmt: skip

    def maintenance(self, timezone: str) -> dict[str, Maintenance]:
        """The maintenance windows by id; ``timezone`` is the default."""
        return {
            thing.id: Maintenance(
                thing.id, thing.form.cron, thing.form.lasts, self._match(thing.form.match, (*thing.path, "match")),
                thing.form.timezone or timezone, self._notes.place(thing.path),
            )
            for thing in self._things.of("maintenance", MaintenanceForm)
        }  # fmt: skip

    def inhibitions(self) -> dict[str, Inhibition]:
        """The inhibitions by id."""
        return {
            thing.id: Inhibition(
                thing.id, self._match(thing.form.source, (*thing.path, "source")),
                self._match(thing.form.target, (*thing.path, "target")), tuple(thing.form.equal),
            )
            for thing in self._things.of("inhibitions", InhibitionForm)
        }  # fmt: skip

    def check_references(self, references: Sequence[str], table: str, path: Path) -> None:
        """Each must be the id of an entry of a table."""
        known = self._things.known(table)
        for place, reference in enumerate(references):
            if reference not in known:
                self._notes.error((*path, place), f"there is no {table[:-1]} {reference!r}", near(reference, known))

    def _match(self, said: Mapping[str, str | list[str]], path: Path) -> tuple[Matcher, ...]:
        matchers: list[Matcher] = []
        for word, value in said.items():
            label = _LABEL_NAMES.get(word, word)
            self._check_label(label, (*path, word))
            operator: MatchOperator = "="
            if isinstance(value, list):
                operator, text = "=~", "|".join(re.escape(word) for word in value)
                self._check_values(label, value, (*path, word))
            else:
                operator = next((sign for sign in _OPERATORS if value.startswith(sign)), "=")
                text = value[2:].strip() if operator != "=" else value
                if operator in ("=", "!="):
                    self._check_values(label, [text], (*path, word))
            try:
                matchers.append(Matcher(label, operator, text))
            except ValueError as error:
                self._notes.error((*path, word), str(error))
        return tuple(matchers)

    def _check_label(self, label: str, path: Path) -> None:
        if label not in self._labels:
            self._notes.error(path, f"no alert has a label {label!r}", near(label, self._labels))

    def _check_values(self, label: str, values: Sequence[str], path: Path) -> None:
        known = self._ids.get(label)
        for value in values:
            if known is not None and value and value not in known:
                self._notes.error(path, f"there is no {label} {value!r}", near(value, known))
