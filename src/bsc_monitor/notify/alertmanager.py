"""Sending to Alertmanager's v2 API: the state of each alert, to every member of the cluster.

Alertmanager takes an alert that is not sent again before its ``endsAt`` as over, so what fires is sent every minute
with an end four minutes ahead. Its members do not tell each other of alerts: each is posted to.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from bsc_monitor.model.alert import Alert, AlertState
from bsc_monitor.notify.message import Item, Message
from bsc_monitor.notify.outcome import OpenHttp, Outcome, Send, post
from bsc_monitor.notify.payload import encode, instant
from bsc_monitor.notify.render import Rendered, headline
from bsc_monitor.notify.wording import Wording, level, line, link, number, prose

AHEAD = 4  #: intervals that ``endsAt`` lies ahead
_HEADERS = {"Content-Type": "application/json"}


def alertmanager_sender(
    channel: str,
    members: Sequence[str],
    open_http: OpenHttp,
    wording: Wording,
    clock: Callable[[], datetime],
    interval: timedelta = timedelta(minutes=1),
) -> Send:
    """What sends to all ``members``. Taken when one of them took it: the next post, a minute later, serves the others."""

    async def send(message: Message, words: Rendered) -> Outcome:  # noqa: ARG001 - Alertmanager words it itself
        ends = clock() + AHEAD * interval
        alerts = {item.alert.fingerprint: postable(item, ends, wording) for item in message.items}
        outcome = await _post(list(alerts.values()))
        if not outcome.dead or len(alerts) < 2:
            return outcome
        # One bad alert makes the whole post a bad request, although the others were taken: find out which.
        refused: dict[str, str] = {}
        for fingerprint, alert in alerts.items():
            single = await _post([alert])
            if single.dead:
                refused[fingerprint] = single.error
            elif not single.ok:
                return single
        return Outcome(refused=refused)

    async def _post(alerts: list[dict[str, Any]]) -> Outcome:
        body = encode(alerts)
        urls = [f"{member.rstrip('/')}/api/v2/alerts" for member in members]
        outcomes = await asyncio.gather(*(post(open_http(channel), url, body, _HEADERS) for url in urls))
        if any(outcome.ok for outcome in outcomes):
            return Outcome()
        return next((outcome for outcome in outcomes if not outcome.dead), outcomes[0])

    return send


def postable(item: Item, ends: datetime, wording: Wording) -> dict[str, Any]:
    """An alert as its API takes it; it ends at ``ends`` unless it is over or sent again."""
    alert = item.alert
    over = alert.state is not AlertState.FIRING and not alert.flapping
    found: dict[str, Any] = {
        "labels": {name: value for name, value in alert.labels.items() if value},
        "annotations": annotate(item, wording),
        "startsAt": instant(alert.starts_at),
        "endsAt": instant(alert.resolved_at or ends if over else ends),
    }
    if page := wording.subject_link(alert):
        found["generatorURL"] = page
    return found


def annotate(item: Item, wording: Wording) -> dict[str, str]:
    """What is worth knowing of an alert, by the names that people's templates use."""
    alert, facts = item.alert, item.alert.facts
    said = {
        "summary": line(headline(item)),
        "description": item.text or prose(facts.note),
        "value": number(alert.value, facts.unit) if alert.value is not None else "",
        "target": level(facts.target, facts.unit),
        "status": facts.status,
        "period": facts.period,
        "owner": facts.owner,
        "evidence": link(facts.evidence),
        "runbook_url": item.runbook_url,
        "reason": _reason(alert),
        "no_data_since": instant(alert.no_data_since) if alert.no_data_since else "",
        "acknowledged_by": item.acknowledged.author if item.acknowledged else "",
        "board": wording.alert_link(alert),
    }
    return {name: line(text) if name != "description" else text for name, text in said.items() if text}


def _reason(alert: Alert) -> str:
    return "it changes so often that only its coming to rest is told" if alert.flapping else alert.reason
