"""Who is told: from an alert's labels down the tree of routes to the channels of receivers."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal

from bsc_monitor.model.alert import Matcher, Receiver, Route, matches_all

DIGEST = "digest"  #: name of the built-in route of insights
_WEEK = timedelta(days=7)

ChannelKind = Literal["alertmanager", "apprise", "webhook", "plugin"]


@dataclass(frozen=True, slots=True)
class Channel:
    """One way out of a receiver. Each is served by itself, so that a dead one never delays another."""

    id: str  #: the receiver's id; with a number behind it where the receiver has several ways out
    kind: ChannelKind
    receiver: Receiver
    place: int = 0  #: which of the receiver's addresses of this kind


@dataclass(frozen=True, slots=True)
class Target:
    """One channel that hears of an alert: by which route, in which group, and how long after the transition."""

    channel: str
    route: str
    group: str  #: key of the group
    after: timedelta = timedelta(0)  #: of an escalation: only if nobody acknowledged by then
    resolved: bool = True  #: whether it wants to hear of the end


@dataclass(frozen=True, slots=True)
class Routing:
    """The tree of routes and the receivers they lead to. Without any route everything goes to every receiver."""

    routes: Mapping[str, Route] = field(default_factory=dict)
    receivers: Mapping[str, Receiver] = field(default_factory=dict)

    def channels(self) -> dict[str, Channel]:
        """Every way out, by its id."""
        return {channel.id: channel for receiver in self.receivers.values() for channel in channels_of(receiver)}

    def route(self, name: str) -> Route:
        """A route by its id; one that was removed is as the built-in one."""
        return self.routes.get(name) or (_digest if name == DIGEST else _built_in)(self.receivers)

    def matching(self, labels: Mapping[str, str]) -> list[Route]:
        """The routes that an alert takes: the deepest that match, in the order of the configuration."""
        if not self.routes:
            return [(_digest if _can_wait(labels) else _built_in)(self.receivers)]
        return list(self._descend(None, labels))

    def targets(self, labels: Mapping[str, str]) -> list[Target]:
        """Every channel that hears of an alert, each once, escalations after those who hear at once."""
        found: dict[str, Target] = {}
        first = self.matching(labels)
        for route in first:
            self._add(found, route, labels, timedelta(0))
        for begun in first:
            route, seen, after = begun, {begun.id}, timedelta(0)
            while route.next is not None and route.escalate_after is not None and route.next not in seen:
                after += route.escalate_after
                route = self.route(route.next)
                seen.add(route.id)
                self._add(found, route, labels, after)
        return list(found.values())

    def _add(self, found: dict[str, Target], route: Route, labels: Mapping[str, str], after: timedelta) -> None:
        group = group_key(route, labels)
        for name in route.receivers:
            receiver = self.receivers.get(name)
            for channel in channels_of(receiver) if receiver is not None else ():
                if channel.id in found or (_dead_man(labels) and not _wants_dead_man(channel, route)):
                    continue
                found[channel.id] = Target(channel.id, route.id, group, after, channel.receiver.send_resolved)

    def _descend(self, parent: str | None, labels: Mapping[str, str]) -> Iterator[Route]:
        siblings = sorted((r for r in self.routes.values() if r.parent == parent), key=lambda route: route.order)
        for route in siblings:
            if matches_all(route.match, labels):
                below = list(self._descend(route.id, labels))
                yield from below or [route]
                if not route.goes_on:
                    return


def channels_of(receiver: Receiver) -> tuple[Channel, ...]:
    """A receiver's ways out. All members of one Alertmanager cluster are one; each apprise address is its own."""
    kinds: list[tuple[ChannelKind, int]] = [("alertmanager", 0)] if receiver.alertmanager else []
    kinds += [("apprise", place) for place in range(len(receiver.apprise))]
    kinds += [("webhook", 0)] if receiver.webhook is not None else []
    kinds += [("plugin", 0)] if receiver.plugin else []
    if len(kinds) == 1:
        return (Channel(receiver.id, kinds[0][0], receiver),)
    return tuple(Channel(f"{receiver.id}.{kind}{place + 1}", kind, receiver, place) for kind, place in kinds)


def group_labels(route: Route, labels: Mapping[str, str]) -> dict[str, str]:
    """The labels that an alert's group shares."""
    if route.group_by == ("...",):
        return dict(labels)
    return {name: labels[name] for name in route.group_by if labels.get(name)}


def group_key(route: Route, labels: Mapping[str, str]) -> str:
    """The identity of an alert's group: equal for equal routes and group labels."""
    shared = group_labels(route, labels)
    text = "".join(f"{len(name)}:{name}{len(value)}:{value}" for name, value in sorted(shared.items()))
    return f"{route.id}/{hashlib.sha256(text.encode()).hexdigest()[:12]}"


def _built_in(receivers: Mapping[str, Receiver]) -> Route:
    return Route("default", tuple(receivers), group_by=("scorecard", "alertname"))


def _digest(receivers: Mapping[str, Receiver]) -> Route:
    """What improvement finds is worth a look once a week, never a page at night."""
    return Route(DIGEST, tuple(receivers), group_wait=_WEEK, group_interval=_WEEK, repeat_interval=4 * _WEEK)


def _can_wait(labels: Mapping[str, str]) -> bool:
    return labels.get("severity") == "info" and ("insight" in labels or "initiative" in labels)


def _dead_man(labels: Mapping[str, str]) -> bool:
    return labels.get("severity") == "none"


def _wants_dead_man(channel: Channel, route: Route) -> bool:
    """The dead man's switch fires always: only machines, and routes that ask for it by name, are told so."""
    return channel.kind == "alertmanager" or _names_it(route.match)


def _names_it(match: Iterable[Matcher]) -> bool:
    return any(matcher.label in ("alertname", "severity") and matcher.operator in ("=", "=~") for matcher in match)
