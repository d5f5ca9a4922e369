"""Expressions from outside: those that Alertmanager's users write are taken, and none holds the board up."""

import asyncio
from urllib.parse import quote

import pytest

from bsc_monitor.web.api.alertmanager import _matcher
from bsc_monitor.web.matching import matcher, pattern
from bsc_monitor.web.operations import Rejected


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("warning|critical", "critical"),
        ("^(?:(it|hr|it/.*))$", "it/mttr"),
        (".*foo.*bar.*", "a foo and a bar"),
        ("[a-z]+-[0-9]{1,3}", "node-17"),
        ("(?i)IT.*", "it/mttr"),
        ("(foo|fob)*", "foofob"),
        ("", ""),
    ],
)
def test_what_people_write_is_taken(expression, value):
    assert matcher("a", "=~", expression).matches({"a": value})


@pytest.mark.parametrize(
    "expression",
    ["(.+)+x", "(a|aa)+x", "(|.)*x", "(.?){60}x", ".?" * 40 + "x", ".*" * 6 + "x", "(.|.)" * 40 + "x", "(?=(.*)*y)x"],
)
def test_what_could_take_for_ever_is_refused(expression):
    with pytest.raises(Rejected, match="too long"):
        matcher("a", "=~", expression)
    with pytest.raises(Rejected, match="too long"):
        pattern(expression)


@pytest.mark.parametrize("expression", ["(", "a{99999999999999999999}", "(" * 900, "x" * 5000])
def test_what_is_no_expression_is_refused_in_words(expression):
    with pytest.raises(Rejected, match=r"does not compile|longer than"):
        matcher("a", "!~", expression)


def test_an_equal_sign_compares_letters_and_compiles_nothing():
    assert matcher("a", "=", "(.+)+x(").matches({"a": "(.+)+x("})


@pytest.mark.parametrize("text", ["a=" + " " * 8000 + "{", "a" + " " * 8000 + '"', 'a="' + "\\" * 8001 + "x"])
def test_a_filter_is_read_in_one_go_whatever_it_is(text):
    """A filter of 8,000 blanks was tried in a hundred milliards of ways; this test would not end."""
    with pytest.raises(Rejected, match="bad matcher"):
        _matcher(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [("a=", ""), (' {a = " b"} ', " b"), ("{ a=b }", "b"), ('a="x\\"y\\n"', 'x"y\n'), ("a= b c ", "b c")],
)
def test_a_filter_is_read_as_alertmanagers_tools_write_it(text, value):
    assert (_matcher(text).label, _matcher(text).value) == ("a", value)


@pytest.mark.parametrize(
    "query", ["filter=" + quote("kpi=~(.+)+x"), "receiver=" + quote("(.+)+x"), "filter=a%3Db&" * 30]
)
async def test_a_request_that_would_hold_the_board_up_is_refused(client, query):
    async with asyncio.timeout(10):
        answer = await client.get(f"/api/v2/alerts?{query}")
        assert answer.status == 400
        assert isinstance(await answer.json(), str)


async def test_a_silence_that_would_hold_the_board_up_is_refused(client):
    body = {"matchers": [{"name": "kpi", "value": "(.+)+x", "isRegex": True}], "endsAt": "2026-07-01T00:00:00Z"}
    assert (await client.post("/api/v1/silences", json=body)).status == 409
    assert (await client.post("/api/v2/silences", json=body)).status == 400
    assert client.board.operations.calls == []
