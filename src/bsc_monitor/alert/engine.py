"""All alerts at once: which rules watch what, what they see, and when time alone will change something.

In memory and pure: every method takes ``now`` and returns what happened. Each effect carries the whole alert that has
to be stored, with its transition where there was one. What a method costs depends on what it is told of, never on how
many alerts there are.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from msgspec.structs import replace

from bsc_monitor.alert.defaults import effective_rules
from bsc_monitor.alert.observing import (
    Finding,
    Sight,
    observe,
    sight_of_finding,
    sight_of_kpi,
    sight_of_node,
    sight_of_period,
)
from bsc_monitor.alert.step import Effect, due, end, step
from bsc_monitor.alert.subjects import Subject, SubjectKind, subject_of, watches
from bsc_monitor.model.alert import Alert, AlertRule, AlertState, Facts, new_alert
from bsc_monitor.model.judgement import Judgement, NodeScore
from bsc_monitor.model.organisation import Organisation
from bsc_monitor.model.period_value import PeriodValue
from bsc_monitor.model.status import Freshness

_WATCHDOG = "service:bsc-monitor"
_GONE = {AlertState.INACTIVE, AlertState.RESOLVED}


@dataclass(frozen=True, slots=True)
class _Watch:
    rule: AlertRule
    fingerprint: str  #: of the rule's alert on the subject


class AlertEngine:
    """The alerts of an organisation under rules (the default ones where ``rules`` is empty).

    ``alerts`` are those that have a life to remember, by fingerprint. After ``restore`` or ``replace``, tell it all
    that is judged now by ``observe``: rules that are new have seen nothing yet.
    """

    def __init__(self, rules: Mapping[str, AlertRule], organisation: Organisation) -> None:
        self.rules = effective_rules(rules)
        self.alerts: dict[str, Alert] = {}
        self._organisation = organisation
        self._watches: dict[str, tuple[Subject, tuple[_Watch, ...]] | None] = {}
        self._due: dict[str, datetime] = {}
        self._heap: list[tuple[datetime, str]] = []
        self._begun = False

    def restore(self, alerts: Iterable[Alert]) -> None:
        """Go on with stored alerts. What the configuration no longer knows is ended by the first ``tick``."""
        for alert in alerts:
            self.alerts[alert.fingerprint] = alert
            self._schedule(alert)
        self._begun = False

    def observe(self, judgements: Iterable[Judgement], nodes: Iterable[NodeScore], now: datetime) -> list[Effect]:
        """Take what was judged anew: KPIs, and nodes above them."""
        effects: list[Effect] = []
        for judgement in judgements:
            if (found := self._watching(f"kpi:{judgement.kpi}")) is not None:
                effects += self._see(found, sight_of_kpi(found[0], judgement, now), now)
        for node in nodes:
            if (found := self._watching(f"{node.kind}:{node.name}")) is not None:
                effects += self._see(found, sight_of_node(found[0], node), now)
        return effects

    def closed(self, values: Iterable[PeriodValue], now: datetime) -> list[Effect]:
        """Take closed periods (the total of a KPI) for the rules that count them."""
        effects: list[Effect] = []
        for value in values:
            if not value.labels and (found := self._watching(f"kpi:{value.kpi}")) is not None:
                counting = tuple(watch for watch in found[1] if watch.rule.for_periods is not None)
                effects += self._see((found[0], counting), sight_of_period(found[0], value), now)
        return effects

    def collector(self, source: str, measure: str, failing: str | None, now: datetime) -> list[Effect]:
        """Take what fails of a measure's collections, in words; None: nothing does."""
        found = self._watching(f"collector:{source}/{measure}")
        if found is None:
            return []
        facts = partial(Facts, found[0].title, note=failing or "")
        return self._see(found, Sight(active=failing is not None, facts=facts), now)

    def insights(self, findings: Iterable[Finding], now: datetime) -> list[Effect]:
        """Take which insights (``kind`` about ``subject``) hold now and which no longer do."""
        return self._find("insight", findings, now)

    def initiatives(self, findings: Iterable[Finding], now: datetime) -> list[Effect]:
        """Take which initiatives are late or do not work."""
        return self._find("initiative", findings, now)

    def forecasts(self, findings: Iterable[Finding], now: datetime) -> list[Effect]:
        """Take in how many periods KPIs are foreseen to breach."""
        return self._find("forecast", findings, now)

    def tick(self, now: datetime) -> list[Effect]:
        """Let every timer that is due do its work."""
        effects = [] if self._begun else self._begin(now)
        ready: list[str] = []
        while self._heap and self._heap[0][0] <= now:
            moment, name = heapq.heappop(self._heap)
            if self._due.get(name) == moment:
                del self._due[name]
                ready.append(name)
        for name in ready:
            effects += self._ripen(self.alerts[name], now)
        return effects

    def shift(self, by: timedelta, now: datetime) -> list[Effect]:
        """Move the timers that run with a clock that was set ``by`` so much: none runs longer or shorter for it."""
        effects: list[Effect] = []
        for alert in list(self.alerts.values()):
            if alert.state not in _GONE or alert.changes:
                moved = replace(
                    alert,
                    active_since=alert.active_since and alert.active_since + by,
                    keep_since=alert.keep_since and alert.keep_since + by,
                    changes=tuple(at + by for at in alert.changes),
                )
                effects += self._keep(alert, moved, (), now)
        return effects

    def next_due(self) -> datetime | None:
        """When ``tick`` has something to do next (it may be past); None when only news can change anything."""
        while self._heap and self._due.get(self._heap[0][1]) != self._heap[0][0]:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def replace(self, rules: Mapping[str, AlertRule], organisation: Organisation, now: datetime) -> list[Effect]:
        """Go over to another configuration.

        An alert whose rule, subject or labels are no more is ended with that reason; one whose rule is unchanged keeps
        its state. Follow it with ``observe`` of all that is judged now.
        """
        self.rules = effective_rules(rules)
        self._organisation = organisation
        self._watches.clear()
        return self._begin(now)

    def firing(self) -> list[Alert]:
        """The alerts that fire now."""
        return [alert for alert in self.alerts.values() if alert.state is AlertState.FIRING]

    def _begin(self, now: datetime) -> list[Effect]:
        """End what the configuration no longer has, take changed rules over, and start the dead man's switch."""
        effects: list[Effect] = []
        for alert in list(self.alerts.values()):
            rule = self.rules.get(alert.rule)
            reason = self._ended(alert)
            if reason and alert.state not in _GONE:
                effects += self._keep(alert, *end(alert, reason, now), now)
            elif not reason and rule is not None and rule.hash != alert.rule_hash:
                effects += self._keep(alert, *step(alert, None, rule, now), now)
        self._begun = True
        if (found := self._watching(_WATCHDOG)) is not None:
            effects += self._see(found, Sight(active=True, facts=partial(Facts, found[0].title)), now)
        return effects

    def _ended(self, alert: Alert) -> str:
        """Why an alert has no place in the configuration; empty when it has one."""
        if alert.rule not in self.rules:
            return f"the rule {alert.rule} was removed"
        found = self._watching(alert.subject)
        if found is None:
            kind, _, name = alert.subject.partition(":")
            return f"the {'KPI' if kind in ('kpi', 'forecast') else kind} {name} was removed"
        watch = next((watch for watch in found[1] if watch.rule.id == alert.rule), None)
        if watch is None:
            return f"the rule {alert.rule} no longer watches it"
        if watch.fingerprint != alert.fingerprint:
            return "its labels changed: it goes on as another alert"
        return ""

    def _watching(self, key: str) -> tuple[Subject, tuple[_Watch, ...]] | None:
        """A subject and the rules that watch it; None when there is no such subject."""
        if key not in self._watches:
            subject = subject_of(self._organisation, key)
            if subject is None:
                return None  # not remembered: names that nobody knows would fill the memory
            rules = [rule for rule in self.rules.values() if watches(rule, subject)]
            self._watches[key] = (
                subject,
                tuple(_Watch(rule, new_alert(rule, subject.labels, key).fingerprint) for rule in rules),
            )
        return self._watches[key]

    def _find(self, kind: SubjectKind, findings: Iterable[Finding], now: datetime) -> list[Effect]:
        effects: list[Effect] = []
        for finding in findings:
            name = f"{finding.kind}@{finding.subject}" if kind == "insight" else finding.subject
            if (found := self._watching(f"{kind}:{name}")) is not None:
                effects += self._see(found, sight_of_finding(found[0], finding), now)
        return effects

    def _see(self, found: tuple[Subject, tuple[_Watch, ...]], sight: Sight, now: datetime) -> list[Effect]:
        effects: list[Effect] = []
        for watch in found[1]:
            known = self.alerts.get(watch.fingerprint)
            seen, marks = observe(watch.rule, sight, known.marks if known else (), found[0].window, now)
            if seen is None or (known is None and not seen.breaching and not marks):
                continue  # what never began has nothing to remember: most readings end here
            before = known or new_alert(watch.rule, found[0].labels, found[0].key)
            alert = before
            if before.observed_at is None or seen.observed_at is None or seen.observed_at >= before.observed_at:
                facts = sight.facts()
                facts = replace(facts, runbook_url=facts.runbook_url or watch.rule.runbook_url)
                alert = replace(before, facts=facts, marks=marks)
            effects += self._keep(before, *step(alert, seen, watch.rule, now), now)
        return effects

    def _ripen(self, alert: Alert, now: datetime) -> list[Effect]:
        rule = self.rules.get(alert.rule)
        if rule is None:
            return []
        seen, marks, found = None, alert.marks, None
        if rule.fell_by is not None and alert.quality is Freshness.FRESH:
            found = self._watching(alert.subject)
        if found is not None and alert.value is not None:  # a fall that is no longer recent is over without a reading
            sight = Sight(score=alert.value, observed_at=alert.observed_at)
            seen, marks = observe(rule, sight, alert.marks, found[0].window, now)
        return self._keep(alert, *step(replace(alert, marks=marks), seen, rule, now), now)

    def _keep(self, before: Alert, alert: Alert, effects: tuple[Effect, ...], now: datetime) -> list[Effect]:
        """Remember an alert that has something to remember, and have it stored when that changed."""
        if _essence(alert) == _essence(before) and not effects:
            if alert.fingerprint in self.alerts:
                self.alerts[alert.fingerprint] = alert
            return []
        self.alerts[alert.fingerprint] = alert
        self._schedule(alert)
        if effects and effects[-1].alert == alert:
            return list(effects)
        return [*effects, Effect("noted", alert, alert.state, now, told=False)]

    def _schedule(self, alert: Alert) -> None:
        rule = self.rules.get(alert.rule)
        moment = due(alert, rule) if rule is not None else None
        found = self._watching(alert.subject) if rule is not None and rule.fell_by is not None and alert.marks else None
        if found is not None and alert.state is AlertState.FIRING and alert.quality is Freshness.FRESH:
            past = alert.marks[0][0] + found[0].window
            moment = past if moment is None else min(moment, past)
        if moment == self._due.get(alert.fingerprint):
            return
        if moment is None:
            del self._due[alert.fingerprint]
            return
        self._due[alert.fingerprint] = moment
        heapq.heappush(self._heap, (moment, alert.fingerprint))
        if len(self._heap) > 2 * len(self._due) + 1000:
            self._heap = [(moment, name) for name, moment in self._due.items()]
            heapq.heapify(self._heap)


def _essence(alert: Alert) -> Alert:
    """What must not be forgotten: all of an alert that is in breach, only the past of one that is not."""
    if alert.state not in _GONE:
        return alert
    return replace(alert, value=None, observed_at=None, quality=Freshness.MISSING, no_data_since=None, facts=Facts())
