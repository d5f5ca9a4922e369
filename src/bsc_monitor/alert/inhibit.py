"""Which firing alerts hold another alert's messages back."""

from collections.abc import Iterable

from bsc_monitor.model.alert import Alert, AlertState, Inhibition, matches_all


def inhibiting(inhibitions: Iterable[Inhibition], alert: Alert, others: Iterable[Alert]) -> tuple[str, ...]:
    """The fingerprints of the firing alerts that inhibit ``alert``; none does so itself.

    An alert that meets both sides of an inhibition is not inhibited by others that do: they would hold each other
    back and nobody were told. An inhibition without matchers on a side inhibits nothing.
    """
    rules = [rule for rule in inhibitions if rule.source and rule.target and matches_all(rule.target, alert.labels)]
    if not rules:
        return ()
    firing = [other for other in others if other.state is AlertState.FIRING and other.fingerprint != alert.fingerprint]
    return tuple(other.fingerprint for other in firing if any(_inhibits(rule, other, alert) for rule in rules))


def _inhibits(rule: Inhibition, source: Alert, target: Alert) -> bool:
    mutual = matches_all(rule.source, target.labels) and matches_all(rule.target, source.labels)
    equal = all(source.labels.get(name, "") == target.labels.get(name, "") for name in rule.equal)
    return not mutual and equal and matches_all(rule.source, source.labels)
