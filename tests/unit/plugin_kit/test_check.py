"""``plugin check``: what it says of good plugins and of each way to be wrong."""

import json

import pytest
from typer.testing import CliRunner

from bsc_monitor.cli import build_app
from bsc_monitor.collect.plugins import bundled_folder
from bsc_monitor.testing import check_plugin, stalling

RUNNER = CliRunner(env={"COLUMNS": "200"})
GOOD = '''
"""Numbers of a test."""

import time

from pydantic import Field

from bsc_monitor.plugin import Collector, Context, Params, Reading, Secret, SourceConfig, measure


class Numbers(Collector):
    """Numbers."""

    name = "numbers"

    class Config(SourceConfig):
        """Where."""

        url: str = Field(description="where")
        token: Secret

    class Which(Params):
        """Which."""

        key: str = Field(description="which")

    @measure(unit="count", title="Number")
    async def number(self, ctx: Context, p: Which) -> Reading:
        """The number that is there."""
        reply = await ctx.http.get(f"{self.config.url}/{p.key}", bearer=self.config.token)
        return Reading(reply.json()["number"], evidence=str(self.config.url))
'''


def check(tmp_path, *changes):
    text = GOOD
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    file = tmp_path / "numbers.py"
    file.write_text(text)
    return check_plugin(file)


def wrong(findings):
    return [f"{finding.subject}: {finding.words}" for finding in findings if finding.level == "wrong"]


def test_a_good_plugin_has_nothing_wrong_and_is_told_what_could_be_better(tmp_path):
    findings = check(tmp_path)
    assert wrong(findings) == []
    [note] = [finding for finding in findings if finding.level == "note"]
    assert "KeyError" in note.words or "TypeError" in note.words
    assert "SCHEMA" in note.words


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("        reply = await", "        time.sleep(0)\n        reply = await", "time.sleep() blocks the event loop"),
        ("token: Secret", "token: str", "token sounds like a secret"),
        (") -> Reading:", "):", "what it returns has no type"),
        ('        """The number that is there."""\n', "", "it has no docstring"),
        ('title="Number"', 'title=""', "its title is empty"),
        ('unit="count"', 'unit="hours"', "is spelt 'h'"),
        ('unit="count"', 'unit="count", better="less"', "better is 'less': write higher, lower or target"),
        ("        reply = await", "        print(p.key)\n        reply = await", "print() masks no secret"),
        ("        reply = await", "        return Reading(0, label=1)\n        reply = await", "fails before it asks anything"),
        ("from pydantic import Field", "from pydantic import Fild", "cannot import name 'Fild'"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(tmp_path, old, new, words):
    found = wrong(check(tmp_path, (old, new)))
    assert any(words in each for each in found), found


def test_a_way_round_the_services_client_is_wrong(tmp_path):
    round_ = "        if not self.config.url:\n            aiohttp.ClientSession()\n        reply = await"
    found = wrong(check(tmp_path, ("        reply = await", round_), ("import time", "import aiohttp")))
    assert any("aiohttp.ClientSession() goes round ctx.http" in each for each in found), found


def test_zero_for_an_error_is_wrong_for_unknown_is_not_zero(tmp_path):
    swallowing = """        try:
            reply = await ctx.http.get(f"{self.config.url}/{p.key}", bearer=self.config.token)
            return Reading(reply.json()["number"], evidence=str(self.config.url))
        except Exception:
            return Reading(0)
"""
    start = GOOD.index("        reply = await")
    found = wrong(check(tmp_path, (GOOD[start:], swallowing)))
    assert any("500: gives 0" in each and "unknown is not zero" in each for each in found)


def test_a_value_made_of_another_answer_is_wrong_too_and_no_data_only_to_be_better(tmp_path):
    value = 'reply.json()["number"]'
    found = wrong(check(tmp_path, (value, 'len(reply.json().get("items", []))')))
    assert found == [
        "numbers.number: other json: gives 0 (ok) although the source answered nothing of use; unknown is not zero"
    ]

    nothing = check(tmp_path, (f"return Reading({value}", 'reply.json()\n        return Reading(None, state="no_data"'))
    assert wrong(nothing) == []
    assert [each.words[:35] for each in nothing if each.level == "note"] == ["other json: gives None (no_data); a"]


STRICT = ('Field(description="which")', 'Field(description="which", pattern="^[A-Z]+-[0-9]+$")')


def test_where_nothing_made_up_would_pass_a_fields_own_example_does(tmp_path):
    untried = [each.words for each in check(tmp_path, STRICT) if each.check == "sick source"]
    tried = check(tmp_path, (STRICT[0], STRICT[1].replace("pattern", 'examples=["PAY-1", "x"], pattern')))

    assert len(untried) == 1
    assert "no parameters could be made up (key: String should match" in untried[0]
    assert "examples" in untried[0]
    assert [each for each in tried if "made up" in each.words] == []
    assert "KeyError" in next(each.words for each in tried if each.check == "sick source")  # it was asked


def test_examples_that_exclude_each_other_are_left_out_where_nothing_needs_them(tmp_path):
    either = """        token: Secret
        user: str = Field("", description="one way", examples=["ada"])
        key: str = Field("", description="another", examples=["k"])

        @model_validator(mode="after")
        def _one(self):
            if self.user and self.key:
                raise ValueError("give one")
            return self
"""
    found = check(
        tmp_path,
        ("        token: Secret\n", either),
        ("import Field", "import Field, model_validator"),
        ("import time", ""),
    )
    assert [each for each in found if "made up" in each.words] == []


def test_every_address_of_a_configuration_leads_to_the_checks_own_server(tmp_path):
    more = '        login_url: str = Field("https://login.example.com", description="where to log in")\n'
    found = check(
        tmp_path,
        ("        token: Secret\n", f"        token: Secret\n{more}"),
        ('f"{self.config.url}/', 'f"{self.config.login_url}/'),
    )
    assert wrong(found) == []
    assert "KeyError" in next(each.words for each in found if each.check == "sick source")


OPENER = '''

@hookimpl
def bsc_actions():
    return {"numbers": open_one}


async def open_one(ctx: Context, config: Any, request: TicketRequest, p: Params) -> str:
    """Open one."""
    reply = await ctx.http.post(f"{config.url}/tickets", json={"key": request.key}, bearer=config.token)
    return f"{config.url}/{reply.json().get('number')}"
'''
WITH_ACTION = [
    ("import Collector, Context,", "import TicketRequest, hookimpl, Collector, Context,"),
    ("import time\n", "from typing import Any\n"),
]


def test_an_action_that_opens_tickets_is_tried_like_a_measure(tmp_path):
    last = GOOD[GOOD.index("        return Reading") :]
    found = wrong(check(tmp_path, *WITH_ACTION, (last, last + OPENER)))
    assert len(found) == 1
    assert found[0].startswith("bsc_actions of numbers: other json: gives http://127.0.0.1:")
    assert found[0].endswith("/None although the source answered nothing of use; unknown is not zero")


def test_a_plugin_that_is_not_bundled_has_no_privilege_in_the_check_either(tmp_path):
    last = GOOD[GOOD.index("        return Reading") :]
    [found] = wrong(check(tmp_path, *WITH_ACTION, (last, last + OPENER.replace('{"numbers"', '{"jira"'))))
    assert "a source's secrets are for its own plugin alone" in found

    copied = tmp_path / "tickets.py"
    copied.write_text((bundled_folder() / "tickets.py").read_text())
    assert any("is no collector of this plugin" in words for words in wrong(check_plugin(copied)))


def test_a_wrong_class_of_failure_is_wrong(tmp_path):
    found = wrong(check(tmp_path, ("bearer=self.config.token)", "bearer=self.config.token, allow=(401,))")))
    assert any("401: fails with plugin where auth is meant" in each for each in found), found


def test_what_really_blocks_the_loop_is_caught_with_its_line(tmp_path):
    hidden = ("        reply = await", "        getattr(time, 'sleep')(0.7)\n        reply = await")
    found = wrong(check(tmp_path, hidden))
    line = GOOD[: GOOD.index("        reply = await")].count("\n") + 1
    assert any(f"line {line} blocks the event loop for 0." in each for each in found), found


def test_a_measure_that_says_one_thing_twice_is_named_whether_it_asks_its_source_or_not(tmp_path):
    line = next(line for line in GOOD.splitlines() if line.strip().startswith("return Reading("))
    twice = "        return [Reading(3.0), Reading(5.0, labels={'team': 'a'}), Reading(4.0)]"
    found = wrong(check(tmp_path, ("-> Reading:", "-> list[Reading]:"), (line, twice)))
    said = [each for each in found if "2 readings of the total" in each]
    assert said, found
    assert "(3, 4): only the last counts; give each labels, a time or a period of its own" in said[0]
    asked = next(line for line in GOOD.splitlines() if line.strip().startswith("reply ="))
    assert wrong(check(tmp_path, ("-> Reading:", "-> list[Reading]:"), (asked, ""), (line, twice)))
    once = twice.replace("Reading(4.0)", "Reading(4.0, labels={'team': 'b'})")
    assert not wrong(check(tmp_path, ("-> Reading:", "-> list[Reading]:"), (asked, ""), (line, once)))


def test_of_two_measures_with_one_name_the_lost_one_is_named(tmp_path):
    start = GOOD.index("    @measure")
    found = wrong(check(tmp_path, (GOOD[start:], GOOD[start:] + GOOD[start:].rstrip())))
    line = GOOD[:start].count("\n") + 2
    assert found == [
        f"numbers.py:{line}: number is defined again below, and this one is lost: give each measure a name of its own"
    ]


def test_code_that_never_lets_go_of_the_loop_is_broken_off_and_named(tmp_path, monkeypatch):
    monkeypatch.setattr(stalling, "_HOPELESS", 1.0)
    found = wrong(check(tmp_path, ("        reply = await", "        while True: pass\n        reply = await")))
    line = GOOD[: GOOD.index("        reply = await")].count("\n") + 1
    assert any(f"line {line} blocks the event loop for 1." in each for each in found), found
    assert any("Stalled" in each for each in found), found


def test_a_plugin_that_does_not_respect_its_deadline_is_caught(tmp_path):
    deaf = """        import asyncio
        while True:
            try:
                return Reading((await ctx.http.get(self.config.url)).json()["number"], evidence="x")
            except BaseException:
                await asyncio.sleep(0.2)
"""
    start = GOOD.index("        reply = await")
    found = wrong(check(tmp_path, (GOOD[start:], deaf)))
    assert found, "a run that never ends is not well"


def test_a_file_that_ends_its_process_while_loading_is_told(tmp_path):
    found = check(tmp_path, ("import time", "import os\nos._exit(3)"))
    assert wrong(found) == [f"{tmp_path / 'numbers.py'}: it ends its process while it is loaded (exit code 3)"]


def test_the_command_shows_a_table_or_json_and_ends_with_1_for_what_is_wrong(tmp_path):
    app = build_app()
    file = tmp_path / "numbers.py"
    file.write_text(GOOD)
    good = RUNNER.invoke(app, ["plugin", "check", str(file)])
    assert good.exit_code == 0, good.output
    assert "0 wrong, 1 to be better" in good.output
    file.write_text(GOOD.replace("token: Secret", "token: str"))
    bad = RUNNER.invoke(app, ["plugin", "check", str(file), "--json"])
    assert bad.exit_code == 1
    assert any(each["level"] == "wrong" and each["check"] == "configuration" for each in json.loads(bad.output))
    assert RUNNER.invoke(app, ["plugin", "check", str(tmp_path / "none.py")]).exit_code == 1
