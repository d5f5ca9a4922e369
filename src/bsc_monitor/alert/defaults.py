"""The rules and inhibitions that apply without a word of configuration."""

import re
from collections.abc import Iterable, Mapping
from datetime import timedelta

from bsc_monitor.model.alert import AlertRule, Inhibition, Matcher

WATCHDOG = AlertRule("Watchdog", "watchdog", severity="none")

DEFAULT_RULES = (
    AlertRule("KpiRed", "breach", for_=timedelta(minutes=15)),
    AlertRule("KpiStale", "stale", for_=timedelta(hours=1)),
    AlertRule("CollectorFailing", "collector", for_=timedelta(minutes=30)),
    AlertRule("Insight", "insight", severity="info"),
    AlertRule("InitiativeOffTrack", "initiative", severity="info"),
)


def effective_rules(rules: Mapping[str, AlertRule]) -> dict[str, AlertRule]:
    """The rules in force: those configured, or the default ones where there is none; always one dead man's switch."""
    found = dict(rules) or {rule.id: rule for rule in DEFAULT_RULES}
    if all(rule.when != "watchdog" for rule in found.values()):
        found[WATCHDOG.id] = WATCHDOG
    return found


def effective_inhibitions(rules: Mapping[str, AlertRule], inhibitions: Iterable[Inhibition]) -> tuple[Inhibition, ...]:
    """Those configured and the built-in one: a failing source inhibits the stale alerts of its KPIs.

    ``rules`` are the effective ones.
    """
    failing, stale = (
        "|".join(re.escape(rule.id) for rule in rules.values() if rule.when == kind) for kind in ("collector", "stale")
    )
    if not failing or not stale:
        return tuple(inhibitions)
    built_in = Inhibition(
        "failing-source", (Matcher("alertname", "=~", failing),), (Matcher("alertname", "=~", stale),), ("source",)
    )
    return (*inhibitions, built_in)
