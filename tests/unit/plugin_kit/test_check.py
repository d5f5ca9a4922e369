"""``plugin check``: what it says of good plugins and of each way to be wrong."""

import json

import pytest
from typer.testing import CliRunner

from bsc_monitor.cli import build_app
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


def test_a_wrong_class_of_failure_is_wrong(tmp_path):
    found = wrong(check(tmp_path, ("bearer=self.config.token)", "bearer=self.config.token, allow=(401,))")))
    assert any("401: fails with plugin where auth is meant" in each for each in found), found


def test_what_really_blocks_the_loop_is_caught_with_its_line(tmp_path):
    hidden = ("        reply = await", "        getattr(time, 'sleep')(0.7)\n        reply = await")
    found = wrong(check(tmp_path, hidden))
    line = GOOD[: GOOD.index("        reply = await")].count("\n") + 1
    assert any(f"line {line} blocks the event loop for 0." in each for each in found), found


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
