"""The rules and inhibitions that apply without a word of configuration."""

from collections.abc import Iterable

from scripts.docs.markdown import code, head, table

from bsc_monitor.alert.defaults import DEFAULT_RULES, effective_inhibitions, effective_rules
from bsc_monitor.config.durations import format_duration
from bsc_monitor.model.alert import Matcher

_ABOUT = """
A configuration without any `[alerts.*]` table has the rules below. With at least one of your own, yours apply instead; the
`Watchdog`, which always fires so that its silence is noticed, is added unless you have one.
[Alerts](../how-to/alerts.md) shows how to write rules, and the [configuration reference](configuration.md#alerts) names their keys.
"""
_WHEN = {
    "breach": "a KPI or a node above it has the status of the rule, or a worse one",
    "score": "a node's score is below `below`, or fell by `fell_by` within a period",
    "stale": "a KPI has had no reading for `stale_after`",
    "collector": "the runs of a source's measure fail",
    "insight": "an insight is open",
    "initiative": "an initiative is late, or shows no effect",
    "forecast": "a KPI will breach within `within` periods, by its forecast",
    "watchdog": "always",
}


def page() -> str:
    """The text of alert-rules.md."""
    rules = effective_rules({})
    rows = [
        (code(rule.id), code(rule.when), format_duration(rule.for_) if rule.for_ else "at once", code(rule.severity))
        for rule in rules.values()
    ]
    text = head("Built-in alert rules", _ABOUT) + "\n" + table(("rule", "when", "for", "severity"), rows)
    text += "\n## Kinds of rules\n\n" + table(
        ("when", "fires while"), [(code(kind), words) for kind, words in _WHEN.items()]
    )
    text += "\n## Built-in inhibition\n\n"
    for each in effective_inhibitions(rules, ()):
        text += (
            f"While an alert with {_said(each.source)} fires, alerts with {_said(each.target)} and equal "
            f"{', '.join(map(code, each.equal))} are not told: a failing source explains its stale KPIs.\n"
        )
    return text


def kinds() -> set[str]:
    """The kinds of rules that the page explains."""
    return set(_WHEN) | {rule.when for rule in DEFAULT_RULES}


def _said(matchers: Iterable[Matcher]) -> str:
    return ", ".join(code(f"{each.label}{each.operator}{each.value}") for each in matchers)
