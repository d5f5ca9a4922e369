"""What people read: every form of a message, whatever stands in it."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from msgspec import structs
from tests.unit.notify.world import HOUR, MINUTE, START

from bsc_monitor.model.alert import Alert, AlertRule, AlertState, Facts
from bsc_monitor.notify.message import Item, Message, Moment
from bsc_monitor.notify.render import render
from bsc_monitor.notify.wording import Wording, harmless, lasted, level, line, link, number, rule_text, sparkline

FACTS = Facts(
    "Time to restore", "h", 4.0, 8.0, 12.3, "red", "2026-02", "ops@example.com", "https://snow.example.com/list?q=1", "",
    "12 of 40 took over a day",
)  # fmt: skip
ALERT = Alert(
    "red", "", {"scorecard": "it", "perspective": "customer", "objective": "fast", "kpi": "mttr", "severity": "critical"},
    "e3056679cc67df43", AlertState.FIRING, value=30.2, starts_at=START, episode=1, subject="kpi:it/mttr", facts=FACTS,
)  # fmt: skip
FIRED = Moment("fired", START, "k")
OVER = structs.replace(
    ALERT, state=AlertState.RESOLVED, resolved_at=START + 7 * MINUTE, facts=structs.replace(FACTS, status="green")
)


def message(*items, **more):
    return Message("k", "ops", "default", START + MINUTE, items=items, **more)


def test_a_message_says_what_since_when_against_what_whose_and_what_to_do():
    item = Item(ALERT, "breach", (FIRED,), (3, 4, 8, 30.2), runbook_url="https://wiki.example.com/mttr")
    words = render(message(item), Wording("Europe/Berlin", "https://bsc.example.com/"))
    assert words.title == "CRITICAL Red: Time to restore – 30.2 h (it)"
    assert words.text == (
        "CRITICAL  Red: Time to restore\n"
        "it › customer › fast\n"
        "fired 11:00 CET\n"
        "\n"
        "  Value        30.2 h   (target 4 h, red at 8 h)\n"
        "  Trend        ▁▁▂█   last 4 periods\n"
        "  Status       red, score 12 of 100, period 2026-02\n"
        "  Why          12 of 40 took over a day\n"
        "  Owner        ops@example.com\n"
        "  Evidence     https://snow.example.com/list?q=1\n"
        "  Board        https://bsc.example.com/kpis/it/mttr\n"
        "  What to do   https://wiki.example.com/mttr\n"
        "  Acknowledge  https://bsc.example.com/alerts#alert.e3056679cc67df43\n"
        "\n"
        "--\n"
        "bsc-monitor · route default\n"
    )
    assert "🔴 Red: Time to restore – 30.2 h (target 4 h, red at 8 h) ▁▁▂█" in words.chat


def test_several_alerts_are_counted_and_each_has_its_story():
    both = message(
        Item(OVER, "breach", (FIRED, Moment("resolved", START + 7 * MINUTE, "k2"))),
        Item(ALERT),
        late=True,
        group={"scorecard": "it"},
    )
    words = render(both, Wording())
    assert words.title == "1 critical, 1 resolved: Time to restore (it)"
    assert "fired 10:00 UTC, resolved 10:07 UTC, delivered late" in words.text
    assert "firing since 2 Mar 2026, 10:00 UTC, for 1 min" in words.text
    ended = render(message(Item(OVER, "breach", (Moment("resolved", START + 7 * MINUTE, "k2"),))), Wording())
    assert ended.title == "RESOLVED Time to restore – now 30.2 h (it)"
    removed = structs.replace(OVER, reason="its KPI was removed")
    assert render(message(Item(removed)), Wording()).title == "RESOLVED Time to restore (it)"
    assert "fired 10:00 UTC, resolved 10:07 UTC after 7 min" in ended.text


def test_the_worst_of_several_stands_first_and_the_title_names_the_first_three():
    others = [
        Item(structs.replace(ALERT, labels={**ALERT.labels, "severity": severity}, facts=structs.replace(FACTS, title=title, status=status)))
        for severity, title, status in [
            ("info", "Insight", "green"), ("warning", "Cost", "amber"), ("critical", "Sales", "red"), ("warning", "x" * 60, "red"),
        ]
    ]  # fmt: skip
    words = render(message(Item(OVER), *others), Wording())
    assert words.title == f"1 critical, 2 warning, 1 info, 1 resolved: Sales, Cost, {'x' * 39}… and 2 more (it)"
    assert [words.chat.index(mark) for mark in ("🔴 Red: Sales", "🟠 Amber: Cost", "🔵 Insight", "✅")] == sorted(
        words.chat.index(mark) for mark in ("🔴 Red: Sales", "🟠 Amber: Cost", "🔵 Insight", "✅")
    )


def test_a_mail_of_very_many_shows_twenty_in_full_and_the_others_in_a_line_each():
    many = [
        Item(structs.replace(ALERT, facts=structs.replace(FACTS, title=f"Measure {n}")), "breach", (FIRED,))
        for n in range(25)
    ]
    words = render(message(*many), Wording(board="https://bsc.example.com"))
    assert "And 5 more" in words.html
    assert "And 5 more:\n  Red: Measure 20: 30.2 h, fired 10:00 UTC\n  Red: Measure 21" in words.text
    assert words.html.count("Acknowledge</a>") == 20
    assert all(f"Measure {n}" in words.html for n in range(25))


def test_nodes_are_called_by_their_titles_and_an_ended_alert_asks_for_nothing():
    titles = {"scorecard:it": "IT", "perspective:it/customer": "Customers", "objective:it/fast": "Restore fast"}
    item = Item(ALERT, "breach", (FIRED,), runbook_url="https://wiki.example.com/mttr")
    assert "IT › Customers › Restore fast" in render(message(item), Wording(titles=titles)).html
    assert "it › customer › fast" in render(message(item), Wording()).text
    over = render(message(replace(item, alert=OVER)), Wording())
    assert "What to do" not in over.text + over.html + over.chat


def test_escalations_reminders_and_tests_say_what_they_are():
    assert render(message(Item(ALERT), escalated=True), Wording()).title.startswith("[ESCALATED] ")
    assert "A reminder" in render(message(Item(ALERT), repeated=True), Wording()).text
    assert render(message(Item(ALERT), test=True), Wording()).title.startswith("[TEST] ")
    flapping = render(message(Item(structs.replace(ALERT, flapping=True))), Wording())
    assert flapping.title.startswith("FLAPPING ")


def test_lost_data_shows_and_an_alert_without_anything_renders():
    lost = structs.replace(ALERT, no_data_since=START)
    assert "whether this is over is not known" in render(message(Item(lost)), Wording()).text
    bare = Alert("r", "", {}, "f")
    assert render(message(Item(bare)), Wording()).title


@settings(max_examples=150, deadline=None)
@given(some.text(max_size=300))
def test_no_text_breaks_any_form(text):
    facts = structs.replace(
        FACTS, title=text, note=text, owner=text, evidence=text, unit=text[:9], period=text, runbook_url=text
    )
    alert = structs.replace(
        ALERT, facts=facts, reason=text, labels={**ALERT.labels, "scorecard": text, "severity": text}
    )
    words = render(message(Item(alert, "breach", (FIRED,), text=text, runbook_url=text)), Wording())
    assert words.title.isprintable()
    assert len(words.title) <= 150
    shell = render(message(Item(ALERT, "breach", (FIRED,))), Wording()).html
    assert set(tags(words.html)) <= set(tags(shell)) | {"p", "td", "a"}
    for body in (words.chat, words.chat_title):
        assert "<!" not in body
        assert "@here" not in body


def tags(html):
    import re

    return re.findall(r"<\s*([a-zA-Z!]+)", html)


@pytest.mark.parametrize(
    "text",
    ["<!here>", "@channel all", "<@U123>", "[x](https://evil.example)", "https://evil.example", "javascript:alert(1)", "www.evil.example"],
)  # fmt: skip
def test_mentions_and_links_of_others_do_not_come_to_life(text):
    assert harmless(text) != text
    assert harmless("ops@example.com pays 3 < 4 > 2") == "ops@example.com pays 3 < 4 > 2"


def test_numbers_levels_spans_and_links_are_written_for_people():
    assert [number(v, "h") for v in (None, 0.123456, 30.2, 1234567.8)] == [
        "no value",
        "0.1235 h",
        "30.2 h",
        "1,234,568 h",
    ]
    assert [number(v, "h") for v in (1e300, -2e-9)] == ["1 × 10³⁰⁰ h", "−2 × 10⁻⁹ h"]
    assert [number(140.0, unit) for unit in ("", "count", "ratio", "percent", "points")] == [
        "140", "140", "140", "140 %", "140 points",
    ]  # fmt: skip
    assert [number(v, "yes/no") for v in (None, 0.0, 1.0)] == ["no value", "no", "yes"]
    assert level((1.0, 2.0), "%") == "1 to 2 %"
    assert level((1.0, 2.0), "count") == "1 to 2"
    assert [lasted(span) for span in (timedelta(seconds=3), 65 * MINUTE, 50 * HOUR)] == [
        "0 min",
        "1 h 5 min",
        "2 d 2 h",
    ]
    assert sparkline([5, 5]) == "▄▄"
    assert sparkline([1, float("nan")]) == ""
    assert link("javascript:alert(1)") == link("https://a b") == link('https://a"onclick=x') == ""
    assert link("https://snow.example.com/l?q=a%3D1^b|c") == "https://snow.example.com/l?q=a%3D1%5Eb%7Cc"
    assert line("a\r\nBcc: b\u202e") == "a Bcc: b"


def test_a_rules_own_words_are_used_and_a_template_that_fails_falls_back():
    rule = AlertRule("r", "breach", message="{{ title }} is at {{ value }}, target {{ target }}")
    assert rule_text(rule, ALERT, Wording()) == "Time to restore is at 30.2 h, target 4 h"
    for wrong in (
        "{{ nothing.at.all }}",
        "{{ 1 / 0 }}",
        "{% for %}",
        "{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "{{ range(10**9)|list }}",
    ):
        assert rule_text(replace(rule, message=wrong), ALERT, Wording()) == ""
