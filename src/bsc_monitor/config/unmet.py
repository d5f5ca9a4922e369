"""Conditions on the labels of alerts that nothing meets, in words: a typo in a silence would otherwise pass unnoticed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bsc_monitor.alert.subjects import standing_subjects
from bsc_monitor.config.problems import near
from bsc_monitor.model.alert import AlertRule, Matcher
from bsc_monitor.model.insight import InsightKind
from bsc_monitor.model.organisation import Organisation

#: labels that alerts may carry whatever is configured
_LABELS = frozenset({
    "alertname", "severity", "scorecard", "perspective", "objective", "kpi", "source", "measure", "owner", "initiative",
    "insight",
})  # fmt: skip
_NOT_NAMES = frozenset({"severity", "owner"})  #: labels whose values nothing is called by


def unmet(matchers: Sequence[Matcher], organisation: Organisation, rules: Mapping[str, AlertRule]) -> list[str]:
    """One sentence for each condition whose value nothing has now, with the name that was probably meant.

    ``rules`` are the effective ones. Nothing is wrong with such a condition: a silence may be made ahead.
    """
    own = _own_labels(rules)
    known: dict[str, set[str]] = {each.label: set(own.get(each.label, ())) for each in matchers}
    about = [each for each in matchers if each.label in _LABELS - own.keys()]
    together = False
    for subject in standing_subjects(organisation):
        for label, values in known.items():
            if label in subject.labels:
                values.add(subject.labels[label])
        together = together or all(each.matches(subject.labels) for each in about)
    labels = _LABELS | own.keys()
    said = [words for each in matchers if (words := _unmet(each, known[each.label], labels))]
    if not said and about and not together:
        said.append(f"nothing is all of this at once now: {', '.join(map(_written, about))}")
    return said


def _own_labels(rules: Mapping[str, AlertRule]) -> dict[str, set[str]]:
    """The labels that come from rules and findings rather than from what is watched, with their values."""
    found: dict[str, set[str]] = {"alertname": set(), "severity": set(), "insight": {str(kind) for kind in InsightKind}}
    for rule in rules.values():
        found["alertname"].add(rule.id)
        found["severity"].add(rule.severity)
        for label, value in rule.labels.items():
            found.setdefault(label, set()).add(value)
    return found


def _unmet(matcher: Matcher, known: set[str], labels: frozenset[str]) -> str:
    """What is wrong with one condition; empty: something has that value."""
    label, operator, value = matcher.label, matcher.operator, matcher.value
    if label not in labels:
        return _with_near(f"no alert has a label {label!r}", label, labels)
    positive = matcher if operator.startswith("=") else Matcher(label, "=" if operator == "!=" else "=~", value)
    if positive.matches({}) or any(positive.matches({label: each}) for each in known):
        return ""
    if label in _NOT_NAMES:
        words = f"nothing has the {label} {value!r} now"
    elif operator.endswith("~"):
        words = f"nothing is called as {value!r} says now"
    else:
        words = f"nothing is called {value!r} now"
    return _with_near(words, value, known)


def _with_near(words: str, said: str, known: set[str] | frozenset[str]) -> str:
    hint = near(said, known)
    return f"{words}; {hint}" if hint else words


def _written(matcher: Matcher) -> str:
    return f"{matcher.label}{matcher.operator}{matcher.value}"
