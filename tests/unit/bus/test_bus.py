from datetime import UTC, datetime

from bsc_monitor.bus import Bus
from bsc_monitor.model.event import ConfigReloaded, Event, WebhookReceived

AT = datetime(2026, 6, 1, tzinfo=UTC)


def test_a_handler_hears_its_kind_and_its_subclasses_in_order():
    bus, every, hooks = Bus(), [], []
    bus.subscribe(Event, every.append)
    bus.subscribe(WebhookReceived, hooks.append)
    events = [WebhookReceived(AT, "jira", "1"), ConfigReloaded(AT, ok=True), WebhookReceived(AT, "jira", "2")]
    bus.publish(events)
    assert every == events
    assert hooks == [events[0], events[2]]


def test_a_raising_handler_is_counted_and_does_not_disturb_the_others():
    bus, heard = Bus(), []
    bus.subscribe(Event, lambda event: 1 / 0)
    bus.subscribe(Event, heard.append)
    bus.publish([Event(AT), Event(AT)])
    assert len(heard) == 2
    assert bus.failures == 2


def test_ending_one_of_two_equal_subscriptions_leaves_the_other_even_when_ended_twice():
    bus, heard = Bus(), []
    end = bus.subscribe(Event, heard.append)
    bus.subscribe(Event, heard.append)
    end()
    end()
    bus.publish([Event(AT)])
    assert heard == [Event(AT)]
